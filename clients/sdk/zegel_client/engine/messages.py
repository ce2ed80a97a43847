"""Messages out of the items of a section: first versions in order, with their edits and recalls.

Spec: ``protocol/spec/records.md``, section "Messages".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.engine.item import ItemKind
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, ObjectError

if TYPE_CHECKING:
    from zegel_client.engine.item import Item
    from zegel_client.engine.section_replica import SectionReplica


@dataclass(frozen=True, slots=True)
class Thread:
    """One message.

    Attributes:
        first: Its first version: gives id, author, time and place.
        shown: The version that counts; equal to `first` without an edit.
        versions: All valid ones, oldest first.
    """

    first: Item
    shown: Item
    versions: tuple[Item, ...]

    @property
    def is_recalled(self) -> bool:
        """Whether the version that counts was erased."""
        return self.shown.kind is ItemKind.ERASED


def collect_messages(replica: SectionReplica, limit: int | None = None) -> list[Thread]:
    """Returns the messages of the run in order of position: all, or the newest `limit`.

    A version by another than the first author is void and told as such.
    """
    later: dict[bytes, list[Item]] = {}
    found: list[Thread] = []
    for item in reversed(replica.items):
        header = item.header
        if header is None or header.type is not TypeClass.MESSAGE or item.kind in {ItemKind.VOID, ItemKind.CLOSED}:
            continue
        if header.parents or header.record != header.id:
            later.setdefault(header.record, []).append(item)
            continue
        found.append(_thread(replica, item, later.pop(header.record, [])))
        if limit is not None and len(found) >= limit:
            break
    found.reverse()
    return found


def _thread(replica: SectionReplica, first: Item, newest_first: list[Item]) -> Thread:
    versions = [first]
    for item in reversed(newest_first):
        if item.header is not None and first.header is not None and item.header.author == first.header.author:
            versions.append(item)
        else:
            replica.void(item, ObjectError(ErrorCode.NO_ACCESS, "only who wrote a message may change it"))
    return Thread(first, versions[-1], tuple(versions))
