"""Logging in at a server that wants the password, or an account that is not hers who logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import replace

from zegel_client.client import Client
from zegel_client.engine.session import prepare_set_recovery
from zegel_protocol import primitives
from zegel_protocol.account import (
    SECRET_WRAP,
    Action,
    KdfParameters,
    WrapKind,
    derive_password_keys,
    open_secret,
    verify_log_in,
)
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.labels import Label
from zegel_protocol.messages import (
    Challenge,
    DeleteAccount,
    Done,
    GetChallenge,
    LoggedIn,
    LogIn,
    LookAtInvitation,
    SignUp,
)
from zegel_tools.attack.attack import NotDefeatedError, attack
from zegel_tools.attack.demands import require, require_refusal
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.recorder import Recorder
from zegel_tools.attack.room import BRAM, NOOR, context_of, keys_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_protocol.messages import Answer
    from zegel_tools.attack.room import Room
    from zegel_tools.attack.schemer import Asked


class Doorkeeper(Recorder):
    """Stands where people come in.

    Attributes:
        challenge: What becomes of a challenge.
        logged_in: What becomes of the answer to a log-in or sign-up.
        taken: That answer, when the real server is not asked; None: it is.
        true: What the real server answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.challenge: Callable[[Challenge], Challenge] = lambda answer: answer
        self.logged_in: Callable[[LoggedIn], LoggedIn] = lambda answer: answer
        self.taken: LoggedIn | None = None
        self.true: list[LoggedIn] = []

    def on_request(self, request: Asked) -> Asked | Answer:
        """See `Schemer`."""
        if isinstance(request, LogIn) and self.taken is not None:
            return self.logged_in(self.taken)
        return request

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        """See `Schemer`."""
        del request
        match answer:
            case Challenge():
                return self.challenge(answer)
            case LoggedIn():
                self.true.append(answer)
                return self.logged_in(answer)
            case _:
                return answer

    def require_end(self, *kinds: type[Asked]) -> None:
        """Demands that these requests left the client, no other, and that no live connection was begun."""
        require(
            [type(asked) for asked in self.asked] == list(kinds), f"asked was {[type(a).__name__ for a in self.asked]}"
        )
        require(b"/v1/live" not in self.passed, "a session was begun")


async def _recorded(room: Room, handle: str) -> LoggedIn:
    """What the server has for somebody: it has seen a true log-in."""
    keeper = Doorkeeper()
    async with room.deceived(handle, keeper):
        return keeper.true[0]


async def _refused(
    work: Callable[[str], Awaitable[object]], keeper: Doorkeeper, room: Room, *codes: ErrorCode
) -> ProtocolError:
    async with MaliciousServer(room.server, keeper) as between:
        return await require_refusal(work(between.url), *codes)


def _log_in(room: Room, handle: str = NOOR) -> Callable[[str], Awaitable[object]]:
    return lambda server: Client.log_in(server, handle, room.password)


# --- parameters ------------------------------------------------------------------------------------------------------

_LARGEST: Final = (1 << 53) - 1
_Set: TypeAlias = tuple[int, int, int]
_WEAK: Final[tuple[_Set, ...]] = ((8192, 3, 1), (65_535, 3, 1), (65_536, 2, 1), (65_536, 3, 0), (0, 0, 0), (1, 1, 1))
_HUGE: Final[tuple[_Set, ...]] = (
    (1_048_577, 3, 1),
    (1 << 40, 3, 1),
    (65_536, 11, 1),
    (65_536, 3, 2),
    (_LARGEST, _LARGEST, _LARGEST),
)


async def _refuse_parameters(room: Room, parameters: tuple[_Set, ...]) -> str:
    for memory_kib, passes, parallelism in parameters:
        keeper = Doorkeeper()
        kdf = KdfParameters(memory_kib, passes, parallelism)
        keeper.challenge = lambda answer, kdf=kdf: replace(answer, kdf=kdf)  # type: ignore[misc]
        await _refused(_log_in(room), keeper, room, ErrorCode.KDF_PARAMETERS)
        keeper.require_end(GetChallenge)
    return f"refused: each of {len(parameters)} sets of parameters, before anything was derived"


@attack("the server", promise=5)
async def weak_parameters(room: Room) -> str:
    """Password parameters below the floor: nothing derived from the password leaves the client."""
    return await _refuse_parameters(room, _WEAK)


@attack("the server", promise=5)
async def huge_parameters(room: Room) -> str:
    """Password parameters above the ceiling: refused before anything is allocated."""
    return await _refuse_parameters(room, _HUGE)


@attack("the server", promise=5)
async def other_parameters_than_sealed(room: Room) -> str:
    """Parameters within the limits, but other than those with which the secret was wrapped."""
    keeper = Doorkeeper()
    keeper.taken = await _recorded(room, NOOR)
    keeper.challenge = lambda answer: replace(answer, kdf=KdfParameters(passes=4))
    error = await _refused(_log_in(room), keeper, room, ErrorCode.KDF_PARAMETERS)
    keeper.require_end(GetChallenge, LogIn)
    return f"refused: {error}"


@attack("the server", promise=1)
async def one_salt_for_everybody(room: Room) -> str:
    """The server gives one salt to two people with one password: their keys differ by the handle."""
    salt = primitives.random_bytes(16)
    proofs: dict[str, LogIn] = {}
    for handle in (NOOR, BRAM):
        keeper = Doorkeeper()
        keeper.challenge = lambda answer: replace(answer, salt=salt)
        await _refused(_log_in(room, handle), keeper, room, ErrorCode.LOG_IN_FAILED)
        proofs[handle] = next(asked for asked in keeper.asked if isinstance(asked, LogIn))
    key = derive_password_keys(room.password, NOOR, salt, KdfParameters()).auth_key.public
    verify_log_in(key, proofs[NOOR].proof, proofs[NOOR].signature)
    try:
        verify_log_in(key, proofs[BRAM].proof, proofs[BRAM].signature)
    except ObjectError as error:
        return f"refused: {error}"
    raise NotDefeatedError("one guess serves for two people")


# --- proofs ----------------------------------------------------------------------------------------------------------


@attack("the server in between", promise=2)
async def proof_is_used_again(room: Room) -> str:
    """A proof that was used is used once more, and for other actions than it was made for."""
    keeper = Doorkeeper()
    async with room.deceived(NOOR, keeper):
        used = next(asked for asked in keeper.asked if isinstance(asked, LogIn))
    context = context_of(room.noor)
    again = await require_refusal(context.http.open(used, LoggedIn), ErrorCode.CHALLENGE, ErrorCode.LOG_IN_FAILED)
    fresh = await _fresh_proof(room)
    other, _ = prepare_set_recovery(context.identity, (fresh.proof, fresh.signature))
    for request in (other, DeleteAccount(fresh.proof, fresh.signature)):
        await require_refusal(context.live.ask(request, Done), ErrorCode.LOG_IN_FAILED)
    async with await Client.log_in(room.server, NOOR, room.password):
        return f"refused: {again}"


async def _fresh_proof(room: Room) -> LogIn:
    """A proof that the real server never got."""
    keeper = Doorkeeper()
    keeper.taken = await _recorded(room, BRAM)
    await _refused(_log_in(room), keeper, room, ErrorCode.KEY_MISMATCH, ErrorCode.COMMITMENT)
    return next(asked for asked in keeper.asked if isinstance(asked, LogIn))


# --- the wrapped secret ----------------------------------------------------------------------------------------------


_NOT_HERS = (
    ErrorCode.KEY_MISMATCH,
    ErrorCode.COMMITMENT,
    ErrorCode.DECRYPTION,
    ErrorCode.ENCODING,
    ErrorCode.GENERATION,
)


@attack("the server", promise=1)
async def secret_is_another(room: Room) -> str:
    """The wrapped secret is another person's, the recovery sheet's, an older one, or altered: the session ends."""
    true, others = await _recorded(room, NOOR), await _recorded(room, BRAM)
    keeper = Doorkeeper()
    await _refused(
        lambda server: Client.recover(server, NOOR, room.sheets[NOOR], "te kort"), keeper, room, ErrorCode.INVALID
    )
    recovery = keeper.true[0]
    wrap = SECRET_WRAP.decode(true.secret)
    variants = {
        "another person's": replace(true, secret=others.secret),
        "another person's, said to be hers": replace(
            true, secret=encode_object(replace(SECRET_WRAP.decode(others.secret), account=true.account))
        ),
        "of the recovery sheet": replace(true, secret=recovery.secret),
        "of the recovery sheet, said to be the password's": replace(
            true, secret=encode_object(replace(SECRET_WRAP.decode(recovery.secret), kind=WrapKind.PASSWORD))
        ),
        "with a key of the server's": replace(
            true, secret=encode_object(replace(wrap, sign_key=keys_of(room.bram).sign.public))
        ),
        "of a later generation": replace(true, secret=encode_object(replace(wrap, generation=2))),
        "of an earlier password": replace(true, secret=encode_object(replace(wrap, password_generation=0))),
        "of another account": replace(true, account=others.account),
        "cut off": replace(true, secret=true.secret[:-1]),
        "with one bit turned": replace(true, secret=flipped(true.secret, -1)),
        "with an older one that is none": replace(true, older=(true.secret,)),
    }
    for answer in variants.values():
        keeper = Doorkeeper()
        keeper.logged_in = lambda _, answer=answer: answer  # type: ignore[misc]
        await _refused(_log_in(room), keeper, room, *_NOT_HERS)
        keeper.require_end(GetChallenge, LogIn)
    return f"refused: each of {len(variants)} secrets, and nothing more leaves the client"


@attack("the server", promise=6)
async def recovery_finds_another(room: Room) -> str:
    """The secret that a recovery sheet is to open is another's: no new password is set for it."""
    others = await _recorded(room, BRAM)
    keeper = Doorkeeper()
    keeper.logged_in = lambda answer: replace(answer, secret=others.secret)
    error = await _refused(
        lambda server: Client.recover(server, NOOR, room.sheets[NOOR], "een nieuw wachtwoord"),
        keeper,
        room,
        *(ErrorCode.KEY_MISMATCH, ErrorCode.COMMITMENT),
    )
    keeper.require_end(GetChallenge, LogIn)
    return f"refused: {error}"


@attack("the server", promise=2)
async def sign_up_opens_another_account(room: Room) -> str:
    """Who makes an account is let into another: nothing more leaves the client."""
    secret, _ = await (await room.new_case()).worker.invite("Sem", "client")
    others = await _recorded(room, BRAM)
    keeper = Doorkeeper()
    keeper.logged_in = lambda _: others
    error = await _refused(
        lambda server: Client.sign_up(server, secret, f"sem{primitives.random_bytes(4).hex()}", room.password),
        keeper,
        room,
        ErrorCode.KEY_MISMATCH,
    )
    keeper.require_end(LookAtInvitation, SignUp)
    return f"refused: {error}"


@attack("the server", promise=1)
async def nothing_that_passes_opens_it(room: Room) -> str:
    """The server tries everything that it ever sees of a log-in as the key of the wrapped secret."""
    keeper = Doorkeeper()
    async with room.deceived(NOOR, keeper):
        passed = bytes(keeper.passed)
    require(room.password.encode() not in passed, "the password passes")
    secret = keeper.true[0].secret
    tried = {passed[place : place + 32] for place in range(len(passed) - 31)}
    for key in tried:
        for candidate in (key, primitives.derive(key, Label.WRAP_KEY)):
            try:
                open_secret(secret, candidate, WrapKind.PASSWORD, account=None, kdf=None)
            except ObjectError as error:
                require(error.code is ErrorCode.COMMITMENT, f"ended in {error!r}")
                continue
            raise NotDefeatedError("something that passed opens the secret")
    require(Action.LOG_IN.encode() in passed, "nothing was seen")
    return f"closed: none of {len(tried)} candidates opens it"
