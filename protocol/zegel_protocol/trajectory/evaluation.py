"""An evaluation: scores under names that people choose, and what each side says.

Spec: ``protocol/spec/trajectory.md``, section "Evaluation".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.faults import FaultCode
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import MAX_LABELS, PayloadReader, find_name_fault, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from zegel_protocol.codec import Value

MAX_SCORE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One evaluation. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        scores: Whole numbers from 0 to 1000 by free names, in the order given; None: asked and not answered.
        next: What happens next.
        extra: Pairs of a newer version, kept as they came.
    """

    date: date
    scores: Mapping[str, int | None] = field(default_factory=dict[str, "int | None"])
    client_says: str | None = None
    caseworker_says: str | None = None
    next: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.EVALUATION)
        return cls._read(reader, _take_score_list(reader))

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Reads an evaluation of the household format, without its ``id``.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(record)
        return cls._read(reader, _take_scores(reader, [*reader.map("scores").items()]))

    @classmethod
    def _read(cls, reader: PayloadReader, scores: dict[str, int | None]) -> Self:
        return cls(
            date=reader.needed_day("date"),
            scores=scores,
            client_says=reader.text("client_says"),
            caseworker_says=reader.text("caseworker_says"),
            next=reader.text("next"),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload; its scores are a list of pairs, because a map would not keep their order."""
        scores: list[Value] = [{"name": name, "score": score} for name, score in self.scores.items()]
        return payload_of(Kind.EVALUATION, {**self._fields(), "scores": scores}, self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the evaluation in the shape of the household format, without ``id``."""
        fields = self._fields()
        return {"date": fields.pop("date"), "scores": {**self.scores}, **fields, **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {
            "date": self.date.isoformat(),
            "client_says": self.client_says,
            "caseworker_says": self.caseworker_says,
            "next": self.next,
        }


def _take_score_list(reader: PayloadReader) -> dict[str, int | None]:
    pairs: list[tuple[object, object]] = []
    for number, item in enumerate(reader.maps("scores", MAX_LABELS)):
        if item.keys() != {"name", "score"}:
            reader.fault(f"scores[{number}]", FaultCode.WRONG_TYPE)
        else:
            pairs.append((item["name"], item["score"]))
    return _take_scores(reader, pairs)


def _take_scores(reader: PayloadReader, pairs: Sequence[tuple[object, object]]) -> dict[str, int | None]:
    if len(pairs) > MAX_LABELS:
        reader.fault("scores", FaultCode.TOO_MANY, most=MAX_LABELS)
        return {}
    scores: dict[str, int | None] = {}
    for number, (name, score) in enumerate(pairs):
        place = f"scores[{number}]"
        if not isinstance(name, str) or isinstance(score, bool) or not isinstance(score, int | None):
            reader.fault(place, FaultCode.WRONG_TYPE)
        elif not name:
            reader.fault(place, FaultCode.TEXT_EMPTY)
        elif fault := find_name_fault(place, name):
            reader.faults.append(fault)
        elif score is not None and not 0 <= score <= MAX_SCORE:
            reader.fault(place, FaultCode.OUT_OF_RANGE, least=0, most=MAX_SCORE)
        elif name in scores:
            reader.fault(place, FaultCode.TWICE)
        else:
            scores[name] = score
    return scores
