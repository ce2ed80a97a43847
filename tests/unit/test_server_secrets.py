"""What a server keeps about accounts opens only with its own secrets and only in its own place."""

import pytest

from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import AccountId
from zegel_protocol.server_secrets import ServerSecrets

PEPPER = bytes(range(32))
TOKEN_KEY = bytes(range(32, 64))
ACCOUNT = AccountId(b"a" * 16)
SECRETS = ServerSecrets(PEPPER, TOKEN_KEY)


def test_a_row_opens_for_its_account_under_its_pepper() -> None:
    box = SECRETS.seal_row(ACCOUNT, b"salt and verifiers")
    assert SECRETS.open_row(ACCOUNT, box) == b"salt and verifiers"
    assert ServerSecrets(PEPPER, bytes(32)).open_row(ACCOUNT, box) == b"salt and verifiers"
    for secrets, account in ((SECRETS, AccountId(b"b" * 16)), (ServerSecrets(bytes(32), TOKEN_KEY), ACCOUNT)):
        with pytest.raises(ObjectError) as fault:
            secrets.open_row(account, box)
        assert fault.value.code is ErrorCode.COMMITMENT


def test_two_seals_of_one_row_differ() -> None:
    assert SECRETS.seal_row(ACCOUNT, b"row") != SECRETS.seal_row(ACCOUNT, b"row")


def test_digests_follow_from_the_secrets_and_from_nothing_else() -> None:
    again = ServerSecrets(PEPPER, TOKEN_KEY)
    other_pepper, other_token_key = ServerSecrets(bytes(32), TOKEN_KEY), ServerSecrets(PEPPER, bytes(32))
    assert len(SECRETS.handle_digest("anna")) == len(SECRETS.token_digest(b"token")) == 32
    assert SECRETS.handle_digest("anna") == again.handle_digest("anna") == other_token_key.handle_digest("anna")
    assert SECRETS.token_digest(b"token") == again.token_digest(b"token") == other_pepper.token_digest(b"token")
    assert SECRETS.handle_digest("anna") != other_pepper.handle_digest("anna")
    assert SECRETS.token_digest(b"token") != other_token_key.token_digest(b"token")
    assert SECRETS.handle_digest("anna") != SECRETS.handle_digest("bram")


def test_a_handle_that_nobody_has_gets_the_same_salt_each_time() -> None:
    assert SECRETS.fake_salt("nobody") == ServerSecrets(PEPPER, TOKEN_KEY).fake_salt("nobody")
    assert SECRETS.fake_salt("nobody") != SECRETS.fake_salt("somebody")
    assert len(SECRETS.fake_salt("nobody")) == 16
    assert SECRETS.fake_salt("nobody") != SECRETS.handle_digest("nobody")[:16]


def test_one_secret_in_both_places_still_gives_different_keys() -> None:
    secrets = ServerSecrets(PEPPER, PEPPER)
    assert secrets.handle_digest("anna") != secrets.token_digest(b"anna")


@pytest.mark.parametrize(("pepper", "token_key"), [(b"", TOKEN_KEY), (PEPPER, b"short"), (PEPPER + b"\0", TOKEN_KEY)])
def test_secrets_of_another_length_are_refused(pepper: bytes, token_key: bytes) -> None:
    with pytest.raises(UsageError):
        ServerSecrets(pepper, token_key)
