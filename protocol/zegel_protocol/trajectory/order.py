"""The place of a record among its like: people move them, and ids alone would not say where to.

Spec: ``protocol/spec/trajectory.md``, section "Order".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from zegel_protocol.ids import MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_protocol.fields.filed import Filed
    from zegel_protocol.fields.reader import PayloadReader


class Ordered(Protocol):
    """What has a place."""

    @property
    def order(self) -> int:
        """The place, from 0."""
        ...


Placed = TypeVar("Placed", bound=Ordered)


def take_order(reader: PayloadReader, default: int) -> int:
    """Takes the field ``order``; null or absent is `default`."""
    order = reader.number("order", 0, MAX_INTEGER)
    return default if order is None else order


def in_order(records: Iterable[Filed[Placed]]) -> tuple[Filed[Placed], ...]:
    """Sorts by place, equal places by id."""
    return tuple(sorted(records, key=lambda filed: (filed.record.order, filed.id)))


def next_order(records: Iterable[Ordered]) -> int:
    """Returns the place after all of these; beside the last where no number comes after it."""
    return min(max((record.order for record in records), default=-1) + 1, MAX_INTEGER)
