"""A ledger as the one person who writes it holds it: the verified replica and all that went to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.draft import Draft
from zegel_client.engine.ledger_replica import LedgerReplica
from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.ids import ID_BYTES, AccountId
from zegel_protocol.ledger.entry import VERSION, Acceptance, sign_acceptance
from zegel_protocol.ledger.operations import ALL_RIGHTS, whole
from zegel_protocol.messages import Claim, Entries

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.engine.draft import Prepared
    from zegel_protocol.ids import SectionId
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.messages import AppendEntry


class LedgerBook:
    """See the module.

    Attributes:
        replica: The author's.
        organisation: The book of the organisation that a dossier cites.
        requests: What was sent for each entry.
    """

    def __init__(
        self, author: AccountKeys, ledger: bytes | None = None, organisation: LedgerBook | None = None
    ) -> None:
        self.replica = LedgerReplica(author, ledger if ledger is not None else primitives.random_bytes(ID_BYTES))
        self.organisation = organisation
        self.requests: list[AppendEntry] = []

    @property
    def ledger(self) -> bytes:
        """The ledger's id."""
        return self.replica.ledger

    def prepare(self, now_ms: int, build: Callable[[Draft], object]) -> Prepared:
        """Makes the next entry; it counts after `take`."""
        draft = Draft(self.replica, now_ms, organisation=self._cited())
        build(draft)
        return draft.finish()

    def take(self, prepared: Prepared) -> None:
        """Takes up an entry that the server accepted, or that needs none."""
        self.requests.append(prepared.request)
        prepared.commit(self.replica, self._cited())

    def write(self, now_ms: int, build: Callable[[Draft], object]) -> None:
        """Makes an entry and takes it up."""
        self.take(self.prepare(now_ms, build))

    def answer(self, first: int = 0) -> Entries:
        """What a server answers to who asks for the entries from an index on."""
        state = self.replica.state
        entries = tuple(request.entry for request in self.requests[first:])
        return Entries(first, entries, state.head_index, state.head_hash)

    def _cited(self) -> LedgerReplica | None:
        return self.organisation.replica if self.organisation is not None else None


def make_keys() -> AccountKeys:
    """The keys of a new account."""
    return AccountKeys.generate(AccountId(primitives.random_bytes(ID_BYTES)))


def accept(book: LedgerBook, secret: InviteSecret, newcomer: AccountKeys, now_ms: int) -> Claim:
    """What somebody who was invited to a ledger sends, for whoever adds them."""
    state = book.replica.state
    acceptance = Acceptance(
        VERSION,
        state.kind,
        state.ledger,
        state.create_hash,
        state.head_index,
        state.head_hash,
        book.replica.own.public(),
        secret.invite_id,
        newcomer.public(),
        now_ms,
    )
    return Claim(*sign_acceptance(newcomer, secret.sign_key, acceptance))


def found_organisation(owner: AccountKeys, now_ms: int) -> LedgerBook:
    """An organisation without a server."""
    book = LedgerBook(owner)
    book.write(now_ms, lambda draft: draft.create_organisation({"name": "Owner", "role": "owner"}, {"title": "House"}))
    return book


def found_dossier(founder: AccountKeys, organisation: LedgerBook, now_ms: int) -> tuple[LedgerBook, SectionId]:
    """A dossier with one section for a conversation, without a server."""
    book = LedgerBook(founder, organisation=organisation)
    book.write(now_ms, lambda draft: draft.create_dossier({"name": "Caseworker"}, {"title": "Household"}))
    sections: list[SectionId] = []

    def add_section(draft: Draft) -> None:
        section = draft.create_section({"kind": "conversation", "title": "Conversation"})
        draft.grant(founder.account, whole(section), ALL_RIGHTS)
        sections.append(section)

    book.write(now_ms, add_section)
    return book, sections[0]
