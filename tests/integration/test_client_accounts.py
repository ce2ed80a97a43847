"""Accounts: coming in by an invitation, signing in, recovering, changing the password, and the profile on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.installation import installation
from support.pair import PASSWORD, pair

from zegel_client.client import Client
from zegel_client.errors import RefusedError, UnreachableError, VaultError
from zegel_client.io.vault import VaultFolder
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from pathlib import Path

    from support.installation import Installation

NEW = "een ander lang wachtwoord"


async def owner(server: Installation, handle: str = "w1", profile: Path | None = None) -> tuple[Client, RecoverySheet]:
    _, code = await server.permit("Stichting Voorbeeld")
    return await Client.sign_up(server.url, code, handle, PASSWORD, profile=profile, client_name="test")


async def test_an_account_is_made_by_an_invitation_and_no_other_way(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        with pytest.raises(RefusedError) as raised:
            await Client.sign_up(server.url, InviteSecret.generate(), "w1", PASSWORD)
        assert raised.value.code is ErrorCode.INVITATION
        client, sheet = await owner(server)
        assert RecoverySheet.parse(sheet.words()).words() == sheet.words()
        assert [line.consent for line in await client.consents()] == ["operator/1", "organisation/1"]
        _, code = await server.permit("Andere")
        with pytest.raises(RefusedError) as raised:
            await Client.sign_up(server.url, code, "W1", PASSWORD)
        assert raised.value.code is ErrorCode.HANDLE_TAKEN
        await client.close()


async def test_what_cannot_be_an_account_is_refused_on_the_device(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        _, code = await server.permit("Stichting Voorbeeld")
        for handle, password, found in (("é", PASSWORD, ErrorCode.HANDLE), ("w1", "te kort", ErrorCode.INVALID)):
            with pytest.raises(ProtocolError) as raised:
                await Client.sign_up(server.url, code, handle, password)
            assert raised.value.code is found
        with pytest.raises(UsageError):
            await Client.log_in("ftp://voorbeeld", "w1", PASSWORD)


async def test_a_wrong_password_and_a_handle_that_nobody_has_fail_alike(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        client, _ = await owner(server)
        for handle in ("w1", "niemand"):
            with pytest.raises(RefusedError) as raised:
                await Client.log_in(server.url, handle, "een verkeerd wachtwoord")
            assert raised.value.code is ErrorCode.LOG_IN_FAILED
        again = await Client.log_in(server.url, "W1", PASSWORD)
        assert again.account == client.account
        assert again.handle == "w1"
        await again.close()
        await client.close()


async def test_the_sheet_sets_a_new_password_and_history_stays(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.own_section().send("van voor het verlies")
        _, code = await two.server.permit("Andere")
        lost, sheet = await Client.sign_up(two.server.url, code, "w2", PASSWORD)
        await lost.close()
        with pytest.raises(ProtocolError):
            await Client.recover(two.server.url, "w2", "geen woorden", NEW)
        with pytest.raises(RefusedError) as raised:
            await Client.recover(two.server.url, "w1", sheet.words(), NEW)
        assert raised.value.code is ErrorCode.LOG_IN_FAILED
        found = await Client.recover(two.server.url, "w2", sheet.words().upper(), NEW)
        assert found.account == lost.account
        assert len(await found.sessions()) == 1
        with pytest.raises(RefusedError):
            await Client.log_in(two.server.url, "w2", PASSWORD)
        await found.close()


async def test_a_new_password_ends_other_sessions_and_the_old_one(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.own_section().send("een")
        other = await two.device("w1")
        with pytest.raises(RefusedError):
            await two.worker.change_password("een verkeerd wachtwoord", NEW)
        await two.worker.change_password(PASSWORD, NEW)
        assert [line.is_current for line in await two.worker.sessions()] == [True]
        with pytest.raises(ProtocolError):
            await other.list_dossiers()
        await other.close()
        with pytest.raises(RefusedError):
            await two.device("w1")
        device = await Client.log_in(two.server.url, "w1", NEW)
        assert [m.text for m in await (await device.open(two.own.id)).section("conversation").read()] == ["een"]
        await device.close()


async def test_a_new_sheet_makes_the_old_one_worthless(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        client, old = await owner(server)
        new = await client.new_recovery_sheet(PASSWORD)
        await client.close()
        with pytest.raises(RefusedError):
            await Client.recover(server.url, "w1", old.words(), NEW)
        found = await Client.recover(server.url, "w1", new.words(), NEW)
        await found.close()


async def test_sessions_are_listed_and_ended(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        client, _ = await owner(server)
        other = await Client.log_in(server.url, "w1", PASSWORD, client_name="tablet")
        lines = await client.sessions()
        assert sorted((line.client, line.is_current) for line in lines) == [("tablet", False), ("test", True)]
        await client.end_session(next(line.session for line in lines if not line.is_current))
        with pytest.raises(ProtocolError) as raised:
            await other.list_dossiers()
        assert raised.value.code is ErrorCode.SESSION_ENDED
        await other.close()
        await client.log_out()
        with pytest.raises((UnreachableError, ProtocolError)):
            await client.list_dossiers()


async def test_consents_are_given_and_withdrawn(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        client, _ = await owner(server)
        await client.set_consent("operator/1", is_given=False)
        await client.set_consent("operator/2", is_given=True)
        found = {line.consent: line.withdrawn_ms != 0 for line in await client.consents()}
        assert found == {"operator/1": True, "organisation/1": False, "operator/2": False}
        await client.close()


# --- the profile -----------------------------------------------------------------------------------------------------


async def test_a_profile_keeps_the_session_and_takes_nobody_elses(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        profile = tmp_path / "profile"
        client, _ = await owner(server, profile=profile)
        with pytest.raises(VaultError, match="another process"):
            await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
        await client.close()
        again = await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
        assert len(await again.sessions()) == 1
        await again.close()
        other, _ = await owner(server, "w2")
        await other.close()
        with pytest.raises(VaultError, match="another"):
            await Client.log_in(server.url, "w2", PASSWORD, profile=profile)
        with pytest.raises(RefusedError):
            await Client.log_in(server.url, "w1", "een verkeerd wachtwoord", profile=profile)


async def test_a_profile_goes_on_after_the_password_was_changed_elsewhere(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        profile = tmp_path / "profile"
        client, _ = await owner(server, profile=profile)
        await client.close()
        other = await Client.log_in(server.url, "w1", PASSWORD)
        await other.change_password(PASSWORD, NEW)
        await other.close()
        again = await Client.log_in(server.url, "w1", NEW, profile=profile)
        await again.close()
        once_more = await Client.log_in(server.url, "w1", NEW, profile=profile)
        assert len(await once_more.sessions()) == 2
        await once_more.close()


async def test_a_profile_is_sealed_again_when_the_password_changes_with_it(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        profile = tmp_path / "profile"
        client, _ = await owner(server, profile=profile)
        await client.change_password(PASSWORD, NEW)
        await client.close()
        with pytest.raises(RefusedError):
            await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
        again = await Client.log_in(server.url, "w1", NEW, profile=profile)
        assert len(await again.sessions()) == 1
        await again.close()


async def test_a_session_that_ended_is_begun_anew(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as server:
        profile = tmp_path / "profile"
        client, _ = await owner(server, profile=profile)
        await client.log_out()
        again = await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
        assert len(await again.sessions()) == 1
        await again.close()


async def test_a_profile_holds_no_word_and_no_key_in_the_clear(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with pair(tmp_path / "data") as two:
        device = await two.device("c01", profile=profile)
        section = (await device.open(two.own.id)).section("conversation")
        await section.send("een heel bijzonder woord")
        await section.read()
        await device.close()
    content = b"".join(path.read_bytes() for path in profile.rglob("*") if path.is_file())
    for word in (b"bijzonder", "Österlund".encode(), b"Een huishouden", PASSWORD.encode(), two.own.id):
        assert word not in content
    assert profile.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in profile.iterdir())


async def test_a_damaged_profile_says_so(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with installation(tmp_path / "data") as server:
        client, _ = await owner(server, profile=profile)
        await client.close()
        header = profile / "vault"
        kept = header.read_bytes()
        for broken in (b"", kept[:-1], b"\x99" + kept[1:]):
            header.write_bytes(broken)
            with pytest.raises(VaultError):
                await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
        header.write_bytes(kept)
        folder = await VaultFolder.take(profile)
        assert folder.header is not None
        assert folder.header.handle == "w1"
        folder.release()
        (profile / "rows.sqlite3").write_bytes(b"no database" * 1000)
        with pytest.raises(VaultError):
            await Client.log_in(server.url, "w1", PASSWORD, profile=profile)
