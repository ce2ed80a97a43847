"""The keys of a ledger as this device keeps them: wraps and links, as sealed as they came.

With them and the memory a dossier opens without a server, so that what is written meanwhile is kept in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from zegel_client.io.vault import RowKind, Write
from zegel_protocol.codec import Closed, ObjectCodec, encode_object
from zegel_protocol.ids import Id
from zegel_protocol.messages import StoredLink, StoredWrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_client.client.context import Context

_MAX_BYTES = 12 << 20


class SectionLink(Closed):
    """A link and its section."""

    section: Id
    link: StoredLink


class KeptKeys(Closed):
    """Wraps in order of index, links in no order."""

    wraps: Annotated[tuple[StoredWrap, ...], Meta(max_length=65_536)]
    links: Annotated[tuple[SectionLink, ...], Meta(max_length=65_536)]

    def with_wraps(self, wraps: Iterable[StoredWrap]) -> KeptKeys:
        """The same with more wraps."""
        known = {stored.wrap for stored in self.wraps}
        return KeptKeys((*self.wraps, *(stored for stored in wraps if stored.wrap not in known)), self.links)

    def with_links(self, section: bytes, links: Iterable[StoredLink]) -> KeptKeys:
        """The same with more links."""
        new = [SectionLink(section, link) for link in links]
        return KeptKeys(self.wraps, (*self.links, *(link for link in new if link not in self.links)))

    def links_of(self, section: bytes) -> list[StoredLink]:
        """The links of a section."""
        return [line.link for line in self.links if line.section == section]


_KEPT = ObjectCodec(KeptKeys, _MAX_BYTES)


async def keep_keys(context: Context, ledger: bytes, keys: KeptKeys) -> None:
    """Keeps the keys of a ledger in the vault, if there is one."""
    if context.vault is not None and keys.wraps:
        await context.vault.write(Write(RowKind.KEYS, ledger, encode_object(keys)))


async def read_keys(context: Context, ledger: bytes) -> KeptKeys | None:
    """Reads them back; None: there are none."""
    blob = await context.vault.get(RowKind.KEYS, ledger) if context.vault is not None else None
    return _KEPT.decode(blob) if blob is not None else None
