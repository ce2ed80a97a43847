"""A typed payload beside the id of its record, and the two together as files and commands write them.

Spec: ``protocol/spec/payloads.md``, section "Records in files".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from zegel_protocol.fields.faults import InvalidRecordError
from zegel_protocol.fields.reader import PayloadReader
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_protocol.codec import Value

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Filed(Generic[T_co]):
    """What a record holds, and the 16 bytes of its id."""

    id: bytes
    record: T_co


class Shown(Protocol):
    """What can be written to a file."""

    def to_record(self) -> dict[str, Value]:
        """Returns the fields in the shape of the household format, without ``id``."""
        ...


def read_filed(
    pairs: Mapping[str, object],
    make: Callable[[Mapping[str, object]], T],
    new_id: Callable[[], bytes] | None = None,
) -> Filed[T]:
    """Reads a record of a file beside its ``id``, a UUID.

    Args:
        pairs: The record.
        make: Reads it without its ``id``, such as `Entry.from_record`.
        new_id: Gives an id where the record has none; where None, a record must have one.

    Raises:
        InvalidRecordError: with every fault.
    """
    head = PayloadReader({"id": pairs.get("id")})
    record_id = head.needed_written_id("id") if new_id is None else (head.written_id("id") or new_id())
    try:
        record = make({name: value for name, value in pairs.items() if name != "id"})
    except InvalidRecordError as error:  # told together with what is wrong with the id
        raise InvalidRecordError([*head.faults, *error.faults]) from None
    head.check()
    return Filed(record_id, record)


def show_filed(filed: Filed[Shown]) -> dict[str, Value]:
    """Writes a record with its ``id``, in the shape of the household format."""
    return {"id": id_text(filed.id), **filed.record.to_record()}
