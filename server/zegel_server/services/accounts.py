"""Accounts: signing up, proving who one is, changing passwords, leaving.

Whatever a stranger asks about a handle is answered by the same path and in the same shape, whether it exists or not:
a decoy row stands in for the missing one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_protocol import messages, primitives
from zegel_protocol.account import (
    FIRST_GENERATION,
    LOG_IN_PROOF,
    LOG_IN_SECONDS,
    SECRET_WRAP,
    Action,
    KdfParameters,
    LogInProof,
    MemberKeys,
    WrapKind,
    normalise_handle,
    verify_log_in,
)
from zegel_protocol.codec import VERSION_1, ObjectCodec
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.labels import Label
from zegel_protocol.messages import MAX_CONSENT_CHARACTERS, NewSecrets, SignUpForm
from zegel_server.clock import day_of
from zegel_server.services.account_row import (
    VERSION,
    AccountRow,
    open_account,
    seal_account,
    verify_same_keys,
    verify_secrets,
)
from zegel_server.services.limits import Window
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import accounts, consents, invitations, sessions
from zegel_server.store.accounts import AccountState
from zegel_server.store.errors import ConflictError

if TYPE_CHECKING:
    from zegel_protocol.account import SecretWrap
    from zegel_protocol.server_secrets import ServerSecrets
    from zegel_server.clock import Clock
    from zegel_server.config import LogInSection
    from zegel_server.services.caller import Caller
    from zegel_server.services.challenges import Challenges
    from zegel_server.services.hub import Hub
    from zegel_server.services.origins import Origins
    from zegel_server.services.sessions import Sessions
    from zegel_server.store.accounts import StoredAccount
    from zegel_server.store.database import Connection, Database
    from zegel_server.store.invitations import StoredInvitation

SIGN_UP_FORM = ObjectCodec(SignUpForm, 16_384, VERSION_1)
MAX_TRIES = 5
"""How many taken handles the holder of an invitation may be told of."""
MAX_ACCOUNTS = 3
"""Accounts by one invitation: a second one must be possible, so that a stolen invitation shows."""
MAX_CONSENTS = 64
_MINUTE_MS = 60_000


class Accounts:
    """What concerns one account at a time."""

    def __init__(
        self,
        database: Database,
        secrets: ServerSecrets,
        clock: Clock,
        config: LogInSection,
        challenges: Challenges,
        origins: Origins,
        sessions: Sessions,
        hub: Hub,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._challenges = challenges
        self._origins = origins
        self._sessions = sessions
        self._hub = hub
        self._failures: Window[bytes] = Window(clock, config.failures, config.failure_window_seconds * 1000)
        self._successes: Window[bytes] = Window(clock, config.per_account_per_minute, _MINUTE_MS)
        self._by_address: Window[str] = Window(clock, config.per_address_per_minute, _MINUTE_MS)
        self._decoy = seal_account(secrets, NO_ID, _decoy_row())

    # --- proving ---

    async def get_challenge(self, request: messages.GetChallenge) -> messages.Challenge:
        """Draws a challenge; for a handle that nobody has, with a salt and parameters that could be real."""
        handle = normalise_handle(request.handle)
        digest = self._secrets.handle_digest(handle)
        found, shares = await self._database.read(_find_with_mix, digest)
        row = self._open(found)
        fake_salt = self._secrets.fake_salt(handle)
        fake_kdf = _pick_kdf(shares, self._secrets.fake_salt(f"{handle} kdf"))
        is_real = found is not None and request.action is not Action.RECOVER
        salt, kdf = (row.salt, row.kdf) if is_real else (fake_salt, fake_kdf)
        return messages.Challenge(self._challenges.draw(digest, request.action), salt, kdf)

    async def log_in(self, request: messages.LogIn, address: str) -> messages.LoggedIn:
        """Opens a session for who proves to hold the password or the recovery sheet.

        Raises:
            ProtocolError: `LOG_IN_FAILED` for everything that is wrong with handle or password, `RATE_LIMITED`,
                `CHALLENGE`, `ORIGIN`, `NO_ACCESS` (blocked by the operator).
        """
        proof = LOG_IN_PROOF.decode(request.proof)
        if proof.action not in {Action.LOG_IN, Action.RECOVER}:
            raise ProtocolError(ErrorCode.LOG_IN_FAILED, "a proof of another purpose")
        found, row = await self._prove(request.proof, request.signature, proof)
        if found.state is AccountState.BLOCKED:
            raise ProtocolError(ErrorCode.NO_ACCESS, "the account was blocked by the operator")
        digest = self._secrets.handle_digest(normalise_handle(proof.handle))
        self._successes.take(digest)
        self._by_address.take(address)
        is_recovery = proof.action is Action.RECOVER
        return await self._open_session(found.account, found.sealed, row, request.client, is_recovery=is_recovery)

    async def _open_session(
        self, account: bytes, sealed: bytes, row: AccountRow, client: str, *, is_recovery: bool
    ) -> messages.LoggedIn:
        token, session = await self._sessions.open(account, sealed, client, is_restricted=is_recovery)
        secret = row.recovery.secret if is_recovery else row.password.secret
        return messages.LoggedIn(token, session.session, account, secret, row.older, session.expires_ms)

    async def _prove(
        self, encoded: bytes, signature: bytes, proof: LogInProof, account: bytes | None = None
    ) -> tuple[StoredAccount, AccountRow]:
        """Checks a proof against the account of its handle; `account`: the one it must be."""
        handle = normalise_handle(proof.handle)
        digest = self._secrets.handle_digest(handle)
        self._challenges.use(proof.challenge, digest, proof.action)
        self._origins.verify_own(proof.origin)
        if abs(self._clock.now_ms() - proof.time_ms) > LOG_IN_SECONDS * 1000:
            raise ProtocolError(ErrorCode.CHALLENGE, "the proof's time is not now")
        found = await self._database.read(accounts.find_by_handle, digest)
        # From here to the count nothing waits, so that failures of the same moment are counted too.
        self._failures.check(digest)
        row = self._open(found)
        auth_key = row.recovery.auth_key if proof.action is Action.RECOVER else row.password.auth_key
        is_proved = _is_proved(auth_key, encoded, signature)
        if found is None or not is_proved or (account is not None and found.account != account):
            self._failures.count(digest)
            raise ProtocolError(ErrorCode.LOG_IN_FAILED, "handle or password are wrong")
        return found, row

    def _open(self, found: StoredAccount | None) -> AccountRow:
        account, sealed = (found.account, found.sealed) if found is not None else (NO_ID, self._decoy)
        return open_account(self._secrets, account, sealed)

    # --- signing up ---

    async def sign_up(self, request: messages.SignUp) -> messages.LoggedIn:
        """Makes the account that the holder of an invitation asks for.

        Raises:
            ProtocolError: `INVITATION`, `EXPIRED`, `SIGNATURE`, `ORIGIN`, `CHALLENGE` (time), `HANDLE_TAKEN`,
                `RATE_LIMITED` (too many taken handles), `KEY_MISMATCH`, `KDF_PARAMETERS`, `INVALID`.
        """
        form = SIGN_UP_FORM.decode(request.form)
        invitation = open_invitation(await self._database.read(invitations.find, form.invite), self._clock.now_ms())
        primitives.verify_signature(invitation.invite_key, request.invite_signature, Label.SIGN_UP, request.form)
        primitives.verify_signature(form.keys.sign_key, request.account_signature, Label.SIGN_UP, request.form)
        self._origins.verify_own(form.origin)
        if abs(self._clock.now_ms() - form.time_ms) > LOG_IN_SECONDS * 1000:
            raise ProtocolError(ErrorCode.CHALLENGE, "the form's time is not now")
        row = _row_of(form)
        _verify_may_try(invitation)
        digest = self._secrets.handle_digest(form.handle)
        sealed = seal_account(self._secrets, form.keys.account, row)
        try:
            is_made = await self._database.write(_make_account, form, digest, sealed, self._clock.now_ms())
        except ConflictError:
            # The account's id, or the operator's permission in the same moment.
            raise ProtocolError(ErrorCode.INVITATION, "the invitation or the id was used") from None
        if not is_made:
            raise ProtocolError(ErrorCode.HANDLE_TAKEN, "somebody has this handle")
        return await self._open_session(form.keys.account, sealed, row, request.client, is_recovery=False)

    # --- changing ---

    async def set_password(self, caller: Caller, request: messages.SetPassword) -> messages.Done:
        """Replaces the password and ends all other sessions."""
        if caller.is_restricted:
            found, row = await self._get(caller)
        else:
            found, row = await self._prove_step(caller, request.proof, request.signature, Action.CHANGE_PASSWORD)
        request.kdf.check()
        wrap = verify_secrets(request.password, WrapKind.PASSWORD, caller.account, request.kdf)
        _verify_same_generation(row, wrap)
        new = AccountRow(VERSION, request.salt, request.kdf, request.password, row.recovery, row.older)
        # In one transaction with the end of the others: no crash leaves one that the old password opened.
        await self._replace(found, row, new, kept_session=caller.session)
        caller.is_restricted = False
        self._hub.end_others(caller.account, caller.session, ErrorCode.SESSION_ENDED)
        return messages.Done()

    async def set_recovery(self, caller: Caller, request: messages.SetRecovery) -> messages.Done:
        """Replaces the recovery sheet."""
        found, row = await self._prove_step(caller, request.proof, request.signature, Action.STEP_UP)
        wrap = verify_secrets(request.recovery, WrapKind.RECOVERY, caller.account, None)
        _verify_same_generation(row, wrap)
        await self._replace(
            found, row, AccountRow(VERSION, row.salt, row.kdf, row.password, request.recovery, row.older)
        )
        return messages.Done()

    async def delete_account(self, caller: Caller, request: messages.DeleteAccount) -> messages.Done:
        """Deletes the account; never refused to who proves to hold it."""
        found, row = await self._prove_step(caller, request.proof, request.signature, Action.DELETE_ACCOUNT)
        await self._database.write(accounts.delete, found.account, _kdf(row))
        # Later in this turn of the loop: the answer goes first.
        asyncio.get_running_loop().call_soon(self._hub.end_account, found.account, ErrorCode.SESSION_ENDED)
        return messages.Done()

    async def _get(self, caller: Caller) -> tuple[StoredAccount, AccountRow]:
        found = await self._database.read(accounts.find, caller.account)
        if found is None:
            raise no_access()
        return found, open_account(self._secrets, found.account, found.sealed)

    async def _prove_step(
        self, caller: Caller, encoded: bytes, signature: bytes, action: Action
    ) -> tuple[StoredAccount, AccountRow]:
        proof = LOG_IN_PROOF.decode(encoded)
        if proof.action is not action:
            raise ProtocolError(ErrorCode.LOG_IN_FAILED, "a proof of another purpose")
        return await self._prove(encoded, signature, proof, caller.account)

    async def _replace(
        self, found: StoredAccount, old: AccountRow, new: AccountRow, kept_session: bytes | None = None
    ) -> None:
        """Replaces the row; where a session is named, all others end with that."""
        sealed = seal_account(self._secrets, found.account, new)
        if not await self._database.write(_replace_row, found, sealed, _kdf(new), _kdf(old), kept_session):
            raise RefusedError(ErrorCode.STALE_PREV, "the account was changed in the same moment")

    # --- consents ---

    async def get_consents(self, caller: Caller, _: messages.GetConsents) -> messages.Consents:
        """The caller's own consents."""
        found = await self._database.read(consents.list_of, caller.account)
        return messages.Consents(tuple(messages.ConsentLine(*line) for line in found))

    async def set_consent(self, caller: Caller, request: messages.SetConsent) -> messages.Done:
        """Notes or withdraws a consent."""
        now_ms = self._clock.now_ms()
        if request.is_given:
            if not await self._database.write(consents.give, caller.account, request.consent, now_ms, MAX_CONSENTS):
                raise RefusedError(ErrorCode.QUOTA, "more consents than are kept")
        elif not await self._database.write(consents.withdraw, caller.account, request.consent, now_ms):
            raise no_access()
        return messages.Done()


def open_invitation(found: StoredInvitation | None, now_ms: int) -> StoredInvitation:
    """Returns an invitation that may still be used.

    Raises:
        ProtocolError: `INVITATION` (none, used or withdrawn), `EXPIRED`.
    """
    if found is None or not found.is_open:
        raise ProtocolError(ErrorCode.INVITATION, "there is no such invitation, or it was used or withdrawn")
    if found.expires_ms <= now_ms:
        raise ProtocolError(ErrorCode.EXPIRED, "the invitation has expired: ask for a new one")
    return found


def _find_with_mix(
    connection: Connection, handle_digest: bytes
) -> tuple[StoredAccount | None, list[accounts.KdfShare]]:
    return accounts.find_by_handle(connection, handle_digest), accounts.list_kdf_shares(connection)


def _verify_may_try(invitation: StoredInvitation) -> None:
    """An invitation tells of few taken handles and makes few accounts, and then tells nothing more."""
    if invitation.accounts >= MAX_ACCOUNTS:
        raise ProtocolError(ErrorCode.INVITATION, "the invitation was used")
    if invitation.tries >= MAX_TRIES:
        raise RefusedError(ErrorCode.RATE_LIMITED, "too many handles were tried with this invitation")


def _make_account(connection: Connection, form: SignUpForm, digest: bytes, sealed: bytes, now_ms: int) -> bool:
    """Makes an account; returns False where its handle is taken. What others tried in the same moment counts."""
    invitation = open_invitation(invitations.find(connection, form.invite), now_ms)
    _verify_may_try(invitation)
    if accounts.find_by_handle(connection, digest) is not None:
        invitations.count_try(connection, invitation)
        return False
    account = form.keys.account
    accounts.insert(connection, account, digest, sealed, _kdf_of(form.kdf), day_of(now_ms))
    invitations.count_account(connection, invitation)
    for consent in form.consents:
        consents.give(connection, account, consent, now_ms, MAX_CONSENTS)
    if invitation.is_operators and not invitations.take_permission(connection, invitation, account):
        raise ConflictError("the permission was taken")
    return True


def _replace_row(
    connection: Connection,
    found: StoredAccount,
    sealed: bytes,
    kdf: accounts.Kdf,
    old_kdf: accounts.Kdf,
    kept_session: bytes | None,
) -> bool:
    if not accounts.replace_sealed(connection, found.account, found.sealed, sealed, kdf, old_kdf):
        return False
    if kept_session is not None:
        sessions.end_others(connection, found.account, kept_session)
    return True


def _row_of(form: SignUpForm) -> AccountRow:
    """Checks a form's contents and makes the row of it."""
    if normalise_handle(form.handle) != form.handle:
        raise ProtocolError(ErrorCode.HANDLE, "the handle is not in its normal form")
    if form.keys.generation != FIRST_GENERATION or form.keys.account == NO_ID:
        raise ProtocolError(ErrorCode.INVALID, "a new account begins with its first generation and an id")
    if any(len(consent) > MAX_CONSENT_CHARACTERS for consent in form.consents):
        raise ProtocolError(ErrorCode.INVALID, "the name of a consent is too long")
    form.kdf.check()
    verify_same_keys(verify_secrets(form.password, WrapKind.PASSWORD, form.keys.account, form.kdf), form.keys)
    verify_same_keys(verify_secrets(form.recovery, WrapKind.RECOVERY, form.keys.account, None), form.keys)
    return AccountRow(VERSION, form.salt, form.kdf, form.password, form.recovery, ())


def _verify_same_generation(row: AccountRow, wrap: SecretWrap) -> None:
    """A new wrap is of the account's newest keys, as the one that is there claims them."""
    kept = SECRET_WRAP.decode(row.password.secret)
    verify_same_keys(wrap, MemberKeys(kept.account, kept.generation, kept.sign_key, kept.wrap_key))


def _is_proved(auth_key: bytes, encoded: bytes, signature: bytes) -> bool:
    try:
        verify_log_in(auth_key, encoded, signature)
    except ObjectError:
        # Counted as a failed log-in by the caller, whatever was wrong with it.
        return False
    return True


def _kdf(row: AccountRow) -> accounts.Kdf:
    return _kdf_of(row.kdf)


def _kdf_of(kdf: KdfParameters) -> accounts.Kdf:
    return kdf.memory_kib, kdf.passes, kdf.parallelism


def _pick_kdf(shares: list[accounts.KdfShare], seed: bytes) -> KdfParameters:
    """Draws parameters from the real mix, always the same for one seed while the mix stands."""
    total = sum(share.accounts for share in shares)
    left = int.from_bytes(seed, "big") % total if total else 0
    for share in shares:
        left -= share.accounts
        if left < 0:
            return KdfParameters(share.memory_kib, share.passes, share.parallelism)
    return KdfParameters()


def _decoy_row() -> AccountRow:
    """A row like a real one, whose keys nobody holds."""
    secret = primitives.random_bytes(1500)
    key = primitives.SigningKey(primitives.random_bytes(32)).public
    return AccountRow(
        VERSION,
        primitives.random_bytes(16),
        KdfParameters(),
        NewSecrets(WrapKind.PASSWORD, key, secret),
        NewSecrets(WrapKind.RECOVERY, key, secret),
        (),
    )
