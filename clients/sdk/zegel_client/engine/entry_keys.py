"""The keys that an entry gives: commitments of narrow scopes, drop keys, and the wraps for each reader.

What must be there follows from the state that the entry leads to; nothing else is made.
Spec: ``protocol/spec/epochs.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.epoch import KeyKind, drop_key, key_commitment, record_key, slot_key
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    Advance,
    Grant,
    NarrowCommitment,
    Operation,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    WrapReference,
)
from zegel_protocol.ledger.rules import NARROW_KIND
from zegel_protocol.ledger.wraps import granted_scopes, reader_scopes, required_scopes
from zegel_protocol.wrap import MAX_SCOPES, KeyScope, WrappedKey, seal_wrap, wrap_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_client.engine.keyring import Keyring
    from zegel_protocol.epoch import EpochKeys
    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.ledger.state import GrantInterval, LedgerState


class EntryKeys:
    """Makes what one draft needs.

    Attributes:
        epochs: The epochs that the draft begins, by section.
    """

    def __init__(
        self,
        ledger: bytes,
        author: bytes,
        keyring: Keyring,
        slot_word: Callable[[bytes, bytes], str] | None,
        record_slot: Callable[[bytes, bytes], bytes] | None,
    ) -> None:
        """See `Draft` for `slot_word` and `record_slot`."""
        self.epochs: dict[bytes, EpochKeys] = {}
        self._ledger = ledger
        self._author = author
        self._keyring = keyring
        self._slot_word = slot_word or _no_word
        self._record_slot = record_slot or _no_slot

    def _keys(self, section: bytes, epoch: int) -> EpochKeys:
        drafted = self.epochs.get(section)
        keys = drafted if drafted is not None and drafted.epoch == epoch else self._keyring.find_epoch(section, epoch)
        if keys is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "a key that is needed for this is not at hand")
        return keys

    def _narrow_key(self, section: bytes, epoch: int, kind: KeyKind, scope_id: bytes) -> bytes:
        section_key = self._keys(section, epoch).section_key()
        if kind is KeyKind.SLOT:
            return slot_key(section_key, scope_id)
        return record_key(slot_key(section_key, self._record_slot(section, scope_id)), scope_id)

    def _narrow_commitment(self, section: bytes, epoch: int, scope: Scope, *, has_drop: bool) -> NarrowCommitment:
        kind = NARROW_KIND[scope.kind]
        key = self._narrow_key(section, epoch, kind, scope.id)
        drop = b""
        if has_drop:
            drop = drop_key(key, self._ledger, section, epoch, kind, scope.id).public
        return NarrowCommitment(
            epoch, kind, scope.id, key_commitment(key, self._ledger, section, epoch, kind, scope.id), drop
        )

    def with_commitments(self, after: LedgerState, operation: Operation) -> Operation:
        """Adds drop keys and the commitments of narrow scopes, as the state after the entry asks for them."""
        if isinstance(operation, Advance):
            section = after.get_section(operation.section)
            lines = [line for line in section.grants if line.current() is not None]
            drop = b""
            if any(_is_drop(line.current()) for line in lines if line.scope.kind is ScopeKind.SECTION):
                drop = self.epochs[operation.section].drop_key().public
            scopes: dict[tuple[ScopeKind, bytes], bool] = {}
            for line in lines:
                if line.scope.kind is not ScopeKind.SECTION:
                    place = (line.scope.kind, line.scope.id)
                    scopes[place] = scopes.get(place, False) or _is_drop(line.current())
            narrow = tuple(
                self._narrow_commitment(
                    operation.section,
                    operation.epoch,
                    Scope(operation.section, kind, scope_id),
                    has_drop=has_drop,
                )
                for (kind, scope_id), has_drop in sorted(scopes.items())
            )
            return replace(operation, drop_key=drop, narrow=narrow)
        if isinstance(operation, Grant) and operation.scope.kind is not ScopeKind.SECTION and operation.rights:
            return replace(operation, narrow=self._missing_commitments(after, operation))
        return operation

    def _missing_commitments(self, after: LedgerState, operation: Grant) -> tuple[NarrowCommitment, ...]:
        scope = operation.scope
        section = after.get_section(scope.section)
        drafted = self.epochs.get(scope.section)
        last = section.epoch - (1 if drafted is not None else 0)
        reads = bool(operation.rights & Right.READ)
        has_drop = bool(operation.rights & Right.WRITE) and not reads
        first = max(operation.since_epoch, 1) if reads else section.epoch
        kind = NARROW_KIND[scope.kind]
        missing: list[NarrowCommitment] = []
        for epoch in range(first, last + 1):
            held = next((n for n in section.epochs[epoch - 1].narrow if (n.kind, n.id) == (kind, scope.id)), None)
            if held is None or (has_drop and not held.drop_key and epoch == section.epoch):
                missing.append(
                    self._narrow_commitment(scope.section, epoch, scope, has_drop=has_drop and epoch == section.epoch)
                )
        return tuple(missing)

    def seal_wraps(self, after: LedgerState, entry: Entry) -> dict[tuple[bytes, bytes], bytes]:
        """The encoded wraps by (section, grantee).

        Raises:
            ProtocolError: `NO_ACCESS` when the author does not hold a key that somebody must get.
        """
        wanted = required_scopes(after, entry)
        for operation in entry.operations:
            if isinstance(operation, Rewrap):
                for reference in operation.wraps:
                    wanted[operation.section, reference.grantee] = self._mended_scopes(
                        after, operation.section, reference.grantee
                    )
        wraps: dict[tuple[bytes, bytes], bytes] = {}
        for (section, grantee), scopes in wanted.items():
            if not scopes:
                continue
            keys = [self._wrapped_key(section, scope) for scope in scopes]
            wraps[section, grantee] = seal_wrap(keys, self._ledger, section, after.members[grantee].keys, self._author)
        return wraps

    def _mended_scopes(self, after: LedgerState, section: bytes, grantee: bytes) -> tuple[KeyScope, ...]:
        """What a reader is owed, and of the past beside it what is at hand: that mends links as well."""
        lines, epoch = after.readers(section).get(grantee, []), after.get_section(section).epoch
        owed = reader_scopes(lines, 1, epoch)
        past = [scope for scope in granted_scopes(lines, epoch) if scope not in owed]
        newest = [*(scope for scope in past if self._is_held(section, scope)), *owed][-MAX_SCOPES:]
        return tuple(sorted(newest, key=lambda scope: (scope.epoch, scope.kind, scope.id)))

    def _is_held(self, section: bytes, scope: KeyScope) -> bool:
        if scope.kind is KeyKind.HISTORY:
            return self._keyring.has_history(section, scope.epoch)
        return self._keyring.find_epoch(section, scope.epoch) is not None

    def can_mend(self, state: LedgerState, section: bytes, grantee: bytes) -> bool:
        """Whether all that a reader is owed is at hand; False where there is nothing to be read."""
        lines, epoch = state.readers(section).get(grantee, []), state.get_section(section).epoch
        owed = reader_scopes(lines, 1, epoch)
        return bool(owed) and all(self._is_held(section, scope) for scope in owed)

    def _wrapped_key(self, section: bytes, scope: KeyScope) -> WrappedKey:
        match scope.kind:
            case KeyKind.CONTENT:
                return WrappedKey(scope, self._keys(section, scope.epoch).content)
            case KeyKind.HISTORY:
                history = self._keys(section, scope.epoch).history
                if history is None:
                    raise ProtocolError(ErrorCode.NO_ACCESS, "the history key is not at hand")
                return WrappedKey(scope, history)
            case KeyKind.SLOT:
                key = self._narrow_key(section, scope.epoch, scope.kind, scope.id)
                return WrappedKey(scope, key, self._slot_word(section, scope.id))
            case KeyKind.RECORD:
                return WrappedKey(scope, self._narrow_key(section, scope.epoch, scope.kind, scope.id))

    def with_wraps(
        self, after: LedgerState, operation: Operation, wraps: Mapping[tuple[bytes, bytes], bytes]
    ) -> Operation:
        """Names the wraps in the operation that gives them: the advance where there is one, else grant or rewrap."""
        if isinstance(operation, Advance):
            references = tuple(
                WrapReference(grantee, after.members[grantee].keys.generation, wrap_hash(encoded))
                for (section, grantee), encoded in wraps.items()
                if section == operation.section
            )
            return replace(operation, wraps=references)
        if isinstance(operation, Rewrap):
            return replace(
                operation,
                wraps=tuple(
                    replace(reference, wrap_hash=wrap_hash(wraps[operation.section, reference.grantee]))
                    for reference in operation.wraps
                ),
            )
        if isinstance(operation, Grant) and operation.scope.section not in self.epochs:
            encoded = wraps.get((operation.scope.section, operation.grantee))
            if encoded is not None and operation.rights & Right.READ:
                return replace(operation, wrap_hash=wrap_hash(encoded))
        return operation


def _is_drop(grant: GrantInterval | None) -> bool:
    """Whether a grant is for writing without reading."""
    return grant is not None and grant.is_drop()


def _no_word(_section: bytes, _slot: bytes) -> str:
    return ""


def _no_slot(_section: bytes, _record: bytes) -> bytes:
    return NO_ID
