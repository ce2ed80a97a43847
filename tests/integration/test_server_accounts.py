"""Accounts, log-in, sessions: what a stranger learns, what a proof is good for, and what ends when."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.ledgers import DAY_MS
from support.wire import KDF, FakeClock, User, WireError, code_of, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.account import Action, KdfParameters, WrapKind
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import id_text
from zegel_protocol.invite_secret import InviteSecret, open_invite_box, read_invite_words
from zegel_protocol.labels import Label
from zegel_server.config import Config, LogInSection, ServerSection
from zegel_server.store import accounts
from zegel_server.store.accounts import AccountState
from zegel_server.store.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from support.wire import World

    from zegel_server.store.database import Connection


async def test_an_invitation_of_the_operator_makes_an_account_that_founds_the_organisation(w: World) -> None:
    ledger, secret = await w.create_organisation("Budgethulp")
    found = await w.open(m.LookAtInvitation(secret.invite_id), m.InvitationFound)
    box = open_invite_box(secret, found.box)
    assert box.ledger == ledger
    assert read_invite_words(box) == {"organisation": "Budgethulp"}
    owner = User.new("new")
    await w.sign_up(owner, secret)
    permissions = await w.call(owner, m.ListInvitations(), m.Permissions)
    assert permissions.permissions == (m.Permission(ledger),)
    # It works once.
    assert await code_of(w.open(m.LookAtInvitation(secret.invite_id), m.InvitationFound)) is ErrorCode.INVITATION
    assert await code_of(w.sign_up(User.new("second"), secret)) is ErrorCode.INVITATION


async def test_an_operators_invitation_is_taken_up_by_an_account_that_is_there(w: World) -> None:
    ledger, secret = await w.create_organisation()
    wrong = secret.sign_key.sign(Label.PERMIT, b"\1" * 16, secret.invite_id)
    assert await code_of(w.call(w.owner, m.Permit(secret.invite_id, wrong), m.Done)) is ErrorCode.SIGNATURE
    right = secret.sign_key.sign(Label.PERMIT, w.owner.account, secret.invite_id)
    await w.call(w.owner, m.Permit(secret.invite_id, right), m.Done)
    permissions = await w.call(w.owner, m.ListInvitations(), m.Permissions)
    assert permissions.permissions == (m.Permission(ledger),)


async def test_an_invitation_expires(w: World) -> None:
    _, secret = await w.create_organisation()
    w.clock.ms = 4_000_000_000_000
    assert await code_of(w.open(m.LookAtInvitation(secret.invite_id), m.InvitationFound)) is ErrorCode.EXPIRED
    assert await code_of(w.sign_up(User.new("late"), secret)) is ErrorCode.EXPIRED


async def test_a_sign_up_is_signed_by_invitation_and_account_for_here_and_now(w: World) -> None:
    _, secret = await w.create_organisation()
    user = User.new("new")
    form = user.form(secret, w.url, w.clock.ms)
    signed = user.sign_up(secret, form)

    async def attempt(request: m.SignUp) -> ErrorCode:
        return await code_of(w.open(request, m.LoggedIn))

    for name in ("invite_signature", "account_signature"):
        assert await attempt(msgspec.structs.replace(signed, **{name: bytes(64)})) is ErrorCode.SIGNATURE
    changes: list[tuple[dict[str, object], ErrorCode]] = [
        ({"origin": "https://elsewhere.example"}, ErrorCode.ORIGIN),
        ({"time_ms": w.clock.ms - 61_000}, ErrorCode.CHALLENGE),
        ({"version": 2}, ErrorCode.VERSION),
        ({"handle": "Upper"}, ErrorCode.HANDLE),
        ({"kdf": KdfParameters(65_535)}, ErrorCode.KDF_PARAMETERS),
        ({"password": user.secrets(WrapKind.RECOVERY)}, ErrorCode.KEY_MISMATCH),
        ({"recovery": user.secrets(WrapKind.PASSWORD)}, ErrorCode.KEY_MISMATCH),
        ({"password": user.secrets(WrapKind.PASSWORD, KdfParameters(70_000))}, ErrorCode.KDF_PARAMETERS),
        ({"password": User.new("other").secrets(WrapKind.PASSWORD)}, ErrorCode.KEY_MISMATCH),
        ({"consents": ("x" * 65,)}, ErrorCode.INVALID),
    ]
    for change, code in changes:
        wrong = user.form(secret, w.url, w.clock.ms, **change)
        assert await attempt(user.sign_up(secret, wrong)) is code, change
    await w.open(signed, m.LoggedIn)


async def test_only_the_holder_of_an_invitation_learns_that_a_handle_is_taken_five_times(w: World) -> None:
    _, secret = await w.create_organisation()
    for _ in range(5):
        assert await code_of(w.sign_up(User.new("x"), secret, handle=w.owner.handle)) is ErrorCode.HANDLE_TAKEN
    assert await code_of(w.sign_up(User.new("x"), secret, handle=w.owner.handle)) is ErrorCode.RATE_LIMITED
    unknown = InviteSecret.generate()
    assert await code_of(w.sign_up(User.new("x"), unknown, handle=w.owner.handle)) is ErrorCode.INVITATION


async def test_a_handle_that_nobody_has_is_answered_like_one_that_somebody_has(w: World) -> None:
    ghost = User.new("ghost")
    real = await w.open(m.GetChallenge(w.owner.handle, Action.LOG_IN), m.Challenge)
    fake = await w.open(m.GetChallenge(ghost.handle, Action.LOG_IN), m.Challenge)
    again = await w.open(m.GetChallenge(ghost.handle.upper(), Action.LOG_IN), m.Challenge)
    assert fake.kdf == real.kdf == KDF
    assert (fake.salt, fake.challenge != real.challenge) == (again.salt, True)
    assert fake.salt != real.salt
    for action in (Action.LOG_IN, Action.RECOVER):
        assert await code_of(w.log_in(ghost, action)) is ErrorCode.LOG_IN_FAILED
        wrong = primitives.SigningKey(primitives.random_bytes(32))
        assert await code_of(w.log_in(w.owner, action, key=wrong)) is ErrorCode.LOG_IN_FAILED


async def test_salts_for_nobody_stay_the_same_and_show_the_real_mix_of_parameters(tmp_path: Path) -> None:
    clock = FakeClock()
    strong = KdfParameters(131_072)
    async with world(tmp_path, clock) as w:
        _, secret = await w.create_organisation()
        user = User.new("strong")
        await w.sign_up(user, secret, kdf=strong, password=user.secrets(WrapKind.PASSWORD, strong))
        handles = [f"nobody{number}" for number in range(40)]
        before = [await w.open(m.GetChallenge(handle, Action.LOG_IN), m.Challenge) for handle in handles]
    assert {found.kdf for found in before} == {KDF, strong}
    async with world(tmp_path, clock, has_organisation=False) as w:
        after = [await w.open(m.GetChallenge(handle, Action.LOG_IN), m.Challenge) for handle in handles]
    assert [(found.salt, found.kdf) for found in before] == [(found.salt, found.kdf) for found in after]


async def test_a_proof_is_for_one_challenge_action_origin_and_time(w: World) -> None:
    encoded, signature = await w.prove(w.owner, Action.LOG_IN)
    await w.open(m.LogIn(encoded, signature, "test"), m.LoggedIn)
    # Replayed.
    assert await code_of(w.open(m.LogIn(encoded, signature, "test"), m.LoggedIn)) is ErrorCode.CHALLENGE
    assert await code_of(w.log_in(w.owner, origin="https://evil.example")) is ErrorCode.ORIGIN
    assert await code_of(w.log_in(w.owner, time_ms=w.clock.ms - 61_000)) is ErrorCode.CHALLENGE
    assert await code_of(w.log_in(w.owner, challenge=bytes(32))) is ErrorCode.CHALLENGE
    assert await code_of(w.log_in(w.owner, version=2)) is ErrorCode.VERSION
    # A proof for a step-up is none for a log-in, nor is a challenge for one.
    assert await code_of(w.log_in(w.owner, Action.STEP_UP)) is ErrorCode.LOG_IN_FAILED
    assert await code_of(w.log_in(w.owner, Action.STEP_UP, action=Action.LOG_IN)) is ErrorCode.CHALLENGE
    # Too late.
    encoded, signature = await w.prove(w.owner, Action.LOG_IN, time_ms=w.clock.ms + 59_000)
    w.clock.ms += 61_000
    assert await code_of(w.open(m.LogIn(encoded, signature, "test"), m.LoggedIn)) is ErrorCode.CHALLENGE


async def test_loopback_origins_are_accepted_without_a_public_address_and_only_then(tmp_path: Path) -> None:
    async with world(tmp_path / "a") as w:
        for origin in ("http://localhost:1", "http://127.9.9.9", "https://[::1]:8", "http://zegel.localhost"):
            await w.log_in(w.owner, origin=origin)
        for origin in ("http://127.0.0.1.evil.example", "http://localhost@evil.example", "file://localhost", ""):
            assert await code_of(w.log_in(w.owner, origin=origin)) is ErrorCode.ORIGIN
    config = Config(server=ServerSection(public_url="https://Zegel.example"))
    async with world(tmp_path / "b", config=config, has_organisation=False) as w:
        _, secret = await w.create_organisation()
        user = User.new("u")
        assert await code_of(w.sign_up(user, secret)) is ErrorCode.ORIGIN
        await w.sign_up(user, secret, origin="https://zegel.example")
        await w.log_in(user, origin="https://zegel.example")
        assert await code_of(w.log_in(user)) is ErrorCode.ORIGIN


async def test_ten_failed_log_ins_lock_an_account_for_five_minutes_and_successes_do_not_count(w: World) -> None:
    wrong = primitives.SigningKey(primitives.random_bytes(32))
    for _ in range(15):
        await w.log_in(w.owner)
    for _ in range(10):
        assert await code_of(w.log_in(w.owner, key=wrong)) is ErrorCode.LOG_IN_FAILED
    with pytest.raises(WireError) as found:
        await w.log_in(w.owner)
    assert found.value.code is ErrorCode.RATE_LIMITED
    assert 0 < found.value.failure.retry_after_ms <= 300_000
    w.clock.ms += found.value.failure.retry_after_ms
    await w.log_in(w.owner)


async def test_successful_log_ins_are_limited_per_account_and_address(tmp_path: Path) -> None:
    config = Config(log_in=LogInSection(per_account_per_minute=3, per_address_per_minute=5))
    async with world(tmp_path, config=config) as w:
        for _ in range(3):
            await w.log_in(w.owner)
        assert await code_of(w.log_in(w.owner)) is ErrorCode.RATE_LIMITED
        _, secret = await w.create_organisation()
        other = User.new("other")
        await w.sign_up(other, secret)
        for _ in range(2):
            await w.log_in(other)
        assert await code_of(w.log_in(other)) is ErrorCode.RATE_LIMITED
        w.clock.ms += 60_000
        await w.log_in(other)


async def test_strangers_are_limited_by_address(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(open_requests_per_minute=60), has_organisation=False) as w:
        request = m.GetChallenge("somebody", Action.LOG_IN)
        for _ in range(60):
            await w.open(request, m.Challenge)
        assert await code_of(w.open(request, m.Challenge)) is ErrorCode.RATE_LIMITED
        w.clock.ms += 1000
        await w.open(request, m.Challenge)


async def test_a_recovery_session_sets_a_password_and_nothing_else(w: World) -> None:
    old = await w.log_in(w.owner)
    found = await w.log_in(w.owner, Action.RECOVER)
    user = User(w.owner.person, w.owner.handle, User.new("x").password, w.owner.recovery, found.token, found.session)
    assert await code_of(w.call(user, m.ListSessions(), m.Sessions)) is ErrorCode.NO_ACCESS
    request = m.SetPassword(b"", b"", primitives.random_bytes(16), KDF, user.secrets(WrapKind.PASSWORD))
    await w.call(user, request, m.Done)
    assert [line.is_current for line in (await w.call(user, m.ListSessions(), m.Sessions)).sessions] == [True]
    w.owner.token = old.token
    assert await code_of(w.call(w.owner, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED
    assert await code_of(w.log_in(w.owner)) is ErrorCode.LOG_IN_FAILED
    logged_in = await w.log_in(user)
    assert logged_in.secret == request.password.secret


async def test_a_recovery_session_hears_of_nothing_before_it_set_a_password(w: World) -> None:
    found = await w.log_in(w.owner, Action.RECOVER)
    user = User(w.owner.person, w.owner.handle, User.new("x").password, w.owner.recovery, found.token, found.session)
    ledger = w.organisation.ledger
    async with w.live(user) as live:
        await w.call(w.owner, m.PutMemory(ledger, 0, 1, b"box", b""), m.Done)
        request = m.SetPassword(b"", b"", primitives.random_bytes(16), KDF, user.secrets(WrapKind.PASSWORD))
        await live.ask(request, m.Done)
        assert live.events == []
        user.token = (await w.log_in(user)).token
        await w.call(user, m.PutMemory(ledger, 1, 2, b"box", b""), m.Done)
        assert await live.event(m.MemoryEvent) == m.MemoryEvent(ledger, 2)


async def test_a_new_password_needs_a_proof_for_that_and_ends_other_sessions(w: World) -> None:
    other = await w.log_in(w.owner)
    user = User(w.owner.person, w.owner.handle, User.new("x").password, w.owner.recovery, w.owner.token)
    new = user.secrets(WrapKind.PASSWORD)
    salt = primitives.random_bytes(16)
    wrong = await w.prove(w.owner, Action.STEP_UP)
    assert await code_of(w.call(user, m.SetPassword(*wrong, salt, KDF, new), m.Done)) is ErrorCode.LOG_IN_FAILED
    proof = await w.prove(w.owner, Action.CHANGE_PASSWORD)
    foreign = User.new("y").secrets(WrapKind.PASSWORD)
    assert await code_of(w.call(user, m.SetPassword(*proof, salt, KDF, foreign), m.Done)) is ErrorCode.KEY_MISMATCH
    proof = await w.prove(w.owner, Action.CHANGE_PASSWORD)
    await w.call(user, m.SetPassword(*proof, salt, KDF, new), m.Done)
    assert (await w.open(m.GetChallenge(user.handle, Action.LOG_IN), m.Challenge)).salt == salt
    w.owner.token = other.token
    assert await code_of(w.call(w.owner, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED
    await w.log_in(user)


@contextlib.asynccontextmanager
async def writing_held(w: World) -> AsyncGenerator[Connection]:
    """Another process writes, as a command does: what the server wants to write waits until the block ends."""

    def hold() -> Connection:
        connection = connect(w.data / "zegel.db")
        connection.execute("BEGIN IMMEDIATE")
        return connection

    connection = await asyncio.to_thread(hold)
    try:
        yield connection
        await asyncio.to_thread(connection.execute, "COMMIT")
    finally:
        connection.close()


async def metric(w: World, name: str) -> int:
    async with w.http.get(w.url + "/metrics") as response:
        lines = (await response.text()).splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"zegel_{name} "))


async def wait_until(w: World, name: str, least: int) -> None:
    for _ in range(2000):
        if await metric(w, name) >= least:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(name)


@pytest.mark.parametrize("state", [AccountState.BLOCKED, None])
async def test_a_log_in_under_way_opens_nothing_once_its_account_is_blocked_or_deleted(
    w: World, state: AccountState | None
) -> None:
    commits = await metric(w, "commits_total")
    async with writing_held(w) as connection:
        logging_in = asyncio.create_task(code_of(w.log_in(w.owner)))
        # It was proved and its session is on the way to the disk.
        await wait_until(w, "commits_total", commits + 1)
        if state is None:
            kdf = (KDF.memory_kib, KDF.passes, KDF.parallelism)
            await asyncio.to_thread(accounts.delete, connection, w.owner.account, kdf)
        else:
            await asyncio.to_thread(accounts.set_state, connection, w.owner.account, state)
    assert await logging_in is ErrorCode.LOG_IN_FAILED
    if state is not None:
        await w.operator("account", "unblock", id_text(w.owner.account))
        w.owner.token = (await w.log_in(w.owner)).token
        found = await w.call(w.owner, m.ListSessions(), m.Sessions)
        assert [line.is_current for line in found.sessions] == [True]


async def test_a_log_in_under_way_with_the_old_password_opens_nothing(w: World) -> None:
    user = User(w.owner.person, w.owner.handle, User.new("x").password, w.owner.recovery, w.owner.token)
    proof = await w.prove(w.owner, Action.CHANGE_PASSWORD)
    change = m.SetPassword(*proof, primitives.random_bytes(16), KDF, user.secrets(WrapKind.PASSWORD))
    commits = await metric(w, "commits_total")
    async with writing_held(w):
        changing = asyncio.create_task(w.call(user, change, m.Done))
        await wait_until(w, "commits_total", commits + 1)
        logging_in = asyncio.create_task(code_of(w.log_in(w.owner)))
        # The new password is not on disk: the old one was proved, and its session waits behind.
        await wait_until(w, "queued_writes", 1)
    await changing
    assert await logging_in is ErrorCode.LOG_IN_FAILED
    found = await w.call(user, m.ListSessions(), m.Sessions)
    assert [line.is_current for line in found.sessions] == [True]


async def test_a_proof_of_somebody_else_changes_nothing(w: World) -> None:
    _, secret = await w.create_organisation()
    thief = User.new("thief")
    await w.sign_up(thief, secret)
    proof = await w.prove(thief, Action.DELETE_ACCOUNT)
    assert await code_of(w.call(w.owner, m.DeleteAccount(*proof), m.Done)) is ErrorCode.LOG_IN_FAILED
    proof = await w.prove(thief, Action.STEP_UP)
    sheet = m.SetRecovery(*proof, w.owner.secrets(WrapKind.RECOVERY))
    assert await code_of(w.call(w.owner, sheet, m.Done)) is ErrorCode.LOG_IN_FAILED


async def test_a_new_recovery_sheet_replaces_the_old_one(w: World) -> None:
    user = User(w.owner.person, w.owner.handle, w.owner.password, User.new("x").recovery, w.owner.token)
    proof = await w.prove(w.owner, Action.STEP_UP)
    await w.call(user, m.SetRecovery(*proof, user.secrets(WrapKind.RECOVERY)), m.Done)
    assert await code_of(w.log_in(w.owner, Action.RECOVER)) is ErrorCode.LOG_IN_FAILED
    await w.log_in(user, Action.RECOVER)


async def test_a_deleted_account_is_gone_and_its_handle_free(w: World) -> None:
    proof = await w.prove(w.owner, Action.DELETE_ACCOUNT)
    async with w.live(w.owner) as live:
        await live.ask(m.DeleteAccount(*proof), m.Done)
        assert await live.is_closed()
    assert live.events == [m.EndEvent(ErrorCode.SESSION_ENDED)]
    assert await code_of(w.call(w.owner, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED
    assert await code_of(w.log_in(w.owner)) is ErrorCode.LOG_IN_FAILED
    _, secret = await w.create_organisation()
    await w.sign_up(User.new("next"), secret, handle=w.owner.handle)


async def test_consents_are_given_and_withdrawn(w: World) -> None:
    first = await w.call(w.owner, m.GetConsents(), m.Consents)
    assert {(line.consent, line.withdrawn_ms) for line in first.consents} == {("operator-1", 0), ("organisation-1", 0)}
    w.clock.ms += 5
    await w.call(w.owner, m.SetConsent("operator-1", False), m.Done)
    await w.call(w.owner, m.SetConsent("operator-2", True), m.Done)
    lines = {line.consent: line for line in (await w.call(w.owner, m.GetConsents(), m.Consents)).consents}
    assert lines["operator-1"].withdrawn_ms == w.clock.ms
    assert (lines["operator-2"].given_ms, lines["operator-2"].withdrawn_ms) == (w.clock.ms, 0)
    assert await code_of(w.call(w.owner, m.SetConsent("never", False), m.Done)) is ErrorCode.NO_ACCESS


async def test_a_revoked_session_closes_its_connection(w: World) -> None:
    other = await w.log_in(w.owner)
    phone = User(w.owner.person, w.owner.handle, w.owner.password, w.owner.recovery, other.token, other.session)
    async with w.live(phone) as live:
        lines = (await w.call(w.owner, m.ListSessions(), m.Sessions)).sessions
        assert {line.session for line in lines} == {w.owner.session, phone.session}
        await w.call(w.owner, m.EndSession(phone.session), m.Done)
        assert await live.is_closed()
    assert live.events == [m.EndEvent(ErrorCode.SESSION_ENDED)]
    assert await code_of(w.call(phone, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED
    assert await code_of(w.call(w.owner, m.EndSession(phone.session), m.Done)) is ErrorCode.NO_ACCESS
    # Logging out is answered before it takes effect.
    async with w.live(w.owner) as live:
        await live.ask(m.EndSession(w.owner.session), m.Done)
        assert await live.is_closed()


async def test_sessions_end_by_age_and_by_idleness(w: World) -> None:
    for _ in range(4):
        w.clock.ms += 7 * DAY_MS
        await w.call(w.owner, m.ListSessions(), m.Sessions)
    w.clock.ms += 2 * DAY_MS
    assert await code_of(w.call(w.owner, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED
    w.owner.token = (await w.log_in(w.owner)).token
    w.clock.ms += 8 * DAY_MS
    assert await code_of(w.call(w.owner, m.ListSessions(), m.Sessions)) is ErrorCode.SESSION_ENDED


async def test_who_stays_connected_keeps_the_session_until_its_age(w: World) -> None:
    async with w.live(w.owner) as live:
        for _ in range(29):
            w.clock.ms += DAY_MS
            await w.housekeeping()
        await live.ask(m.ListSessions(), m.Sessions)
        w.clock.ms += DAY_MS
        await w.housekeeping()
        assert await live.is_closed()
    assert live.events == [m.EndEvent(ErrorCode.SESSION_ENDED)]


async def test_tokens_that_are_none(w: World) -> None:
    for header in ("", "Bearer", "Bearer " + "0" * 64, "Bearer " + "g" * 64, "Basic " + "0" * 64, "Bearer 00"):
        headers = {"Authorization": header} if header else {}
        async with w.http.post(w.url + "/v1/call", data=b"", headers=headers) as response:
            assert response.status == 401


async def test_the_database_holds_no_handle_token_or_key(w: World) -> None:
    await w.log_in(w.owner)
    raw = b"".join(path.read_bytes() for path in w.data.glob("zegel.db*"))
    for secret in (w.owner.handle.encode(), w.owner.token, w.owner.password.public, w.owner.recovery.public):
        assert secret not in raw
    assert (w.data / "secrets").stat().st_mode & 0o777 == 0o600
    # Nor do the logs.
    assert w.owner.handle not in w.log.getvalue()
    assert "127.0.0.1" not in w.log.getvalue().replace('"host":"127.0.0.1"', "")
