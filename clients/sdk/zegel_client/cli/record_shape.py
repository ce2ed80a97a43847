"""Records in the shape of the household format, and back: one way for all kinds of sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.engine.roles import BUDGET, DEBTS, PROFILE, TRAJECTORY
from zegel_client.json_file import read_json
from zegel_protocol import primitives
from zegel_protocol.fields import Fault, FaultCode, Filed, InvalidRecordError, read_filed
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.ids import ID_BYTES, id_text
from zegel_protocol.profile import Profile
from zegel_protocol.trajectory import Evaluation, Goal, Outline, Part, Phase, Step, Trajectory, read_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from zegel_client.client.filing import Fileable, Filing, Reading
    from zegel_protocol.records.record_kind import Payload

_PARTS: Final = (Trajectory, Phase, Goal, Step, Evaluation)
_SHOWN: Final = (Entry, Debt, Profile, *_PARTS)


def show_records(kind: str, filing: Filing) -> list[dict[str, object]]:
    """Everything in a section; the parts of a trajectory as one object."""
    if kind != TRAJECTORY:
        return [_show(reading) for reading in filing.readings]
    parts = [Filed(it.record.id, it.payload) for it in filing.readings if isinstance(it.payload, _PARTS)]
    whole: list[dict[str, object]] = [{**Outline.of(parts).to_record()}] if parts else []
    conflicts = [
        _show(reading) for reading in filing.readings if reading.others and isinstance(reading.payload, _PARTS)
    ]
    if conflicts:
        whole[0]["conflicts"] = conflicts
    # What a newer version put here stands beside it.
    return whole + [_show(reading) for reading in filing.readings if not isinstance(reading.payload, _PARTS)]


def _show(reading: Reading) -> dict[str, object]:
    shown: dict[str, object] = {"id": id_text(reading.record.id), **_fields(reading.payload)}
    if reading.others:
        # Two people changed it without knowing of each other; a person decides.
        shown["conflicts"] = [_fields(other) for other in reading.others]
    return shown


def _fields(payload: Payload) -> Mapping[str, object]:
    return payload.to_record() if isinstance(payload, _SHOWN) else payload.to_payload()


def read_records(content: bytes, kind: str, filing: Filing) -> list[Filed[Fileable]]:
    """Reads what a file has for a section: one record, or a list of them.

    Args:
        content: JSON in UTF-8.
        kind: Of the section; the kind of its records follows from it.
        filing: What is there, for records that leave out what they do not change the place of.

    Raises:
        CommandError: A section of a kind that this version writes nothing in.
        InvalidRecordError: No JSON, or with every fault and its place.
    """
    records = read_json_records(content)
    if kind in {BUDGET, DEBTS}:
        make = Entry.from_record if kind == BUDGET else Debt.from_record
        return _gather(records, lambda record: [read_filed(record, make, _new_id)])
    if kind == TRAJECTORY:
        current: dict[bytes, Part] = {
            it.record.id: it.payload for it in filing.readings if isinstance(it.payload, _PARTS)
        }
        return _gather(records, lambda record: [*read_parts(record, _new_id, current)])
    if kind.startswith(PROFILE):
        own = filing.readings[0].record.id if filing.readings else _new_id()
        return _gather(records, lambda record: [read_filed({"id": id_text(own), **record}, Profile.from_record)])
    raise CommandError(WRONG_USE, "records of this section are of a kind that this version does not write")


def read_json_records(content: bytes) -> list[Mapping[str, object]]:
    """Reads one JSON object, or a list of them.

    Raises:
        InvalidRecordError: Anything else.
    """
    found = read_json(content)
    records = cast("list[object]", found) if isinstance(found, list) else [found]
    if not all(isinstance(record, dict) for record in records):
        raise InvalidRecordError([Fault("", FaultCode.WRONG_TYPE)])
    return cast("list[Mapping[str, object]]", records)


def _gather(
    records: Sequence[Mapping[str, object]], read: Callable[[Mapping[str, object]], Sequence[Filed[Fileable]]]
) -> list[Filed[Fileable]]:
    """Reads each record; the faults of all are told at once, and no record may stand there twice."""
    found: list[Filed[Fileable]] = []
    faults: list[Fault] = []
    for number, record in enumerate(records):
        place = f"[{number}]" if len(records) > 1 else ""
        try:
            items = read(record)
        except InvalidRecordError as error:
            faults += [fault.inside(place) for fault in error.faults]
            continue
        if {item.id for item in items} & {item.id for item in found}:
            faults.append(Fault("id", FaultCode.TWICE).inside(place))
        found += items
    if faults:
        raise InvalidRecordError(faults)
    return found


def _new_id() -> bytes:
    return primitives.random_bytes(ID_BYTES)
