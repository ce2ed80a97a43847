"""What must be so after every attack: the client fails closed, with an error of its own.

It shows nothing of the bad object, sends nothing that is derived from keys, does not move what it has pinned, and goes
on showing the last good state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_protocol.envelope import read_envelope
from zegel_protocol.errors import HistoryError, ProtocolError
from zegel_protocol.ledger.entry import SIGNED_ENTRY, read_entry
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import (
    AppendEntry,
    Claim,
    LogIn,
    Permit,
    PutMemory,
    PutReceipt,
    SetPassword,
    SetRecovery,
    SignUp,
    StartFile,
    Submit,
)
from zegel_protocol.receipt import SIGNED_RECEIPT, read_receipt
from zegel_tools.attack.attack import NotDefeatedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from zegel_client.client import Client, Dossier, Section
    from zegel_client.client.views import AlarmView
    from zegel_protocol.errors import ErrorCode
    from zegel_tools.attack.schemer import Asked, Schemer

SPEAKING: Final = (
    AppendEntry,
    Claim,
    LogIn,
    Permit,
    PutMemory,
    PutReceipt,
    SetPassword,
    SetRecovery,
    SignUp,
    StartFile,
    Submit,
)
"""Requests that carry something derived from keys or password, or that move what is pinned."""


def require(holds: object, sentence: str) -> None:
    """Demands something.

    Raises:
        NotDefeatedError: It does not hold.
    """
    if not holds:
        raise NotDefeatedError(sentence)


async def require_refusal(work: Awaitable[object], *codes: ErrorCode) -> ProtocolError:
    """Demands that something ends in an error with one of the codes.

    Raises:
        NotDefeatedError: It succeeded, or ended otherwise.
    """
    try:
        await work
    except ProtocolError as error:
        if error.code not in codes:
            raise NotDefeatedError(f"ended in {error!r}, not in {' or '.join(codes)}") from error
        return error
    raise NotDefeatedError(f"it was accepted; expected was {' or '.join(codes)}")


def require_silence(asked: Iterable[Asked], ledger: bytes | None = None) -> None:
    """Demands that nothing derived from keys is among what left a client, about one ledger or at all.

    Raises:
        NotDefeatedError: Something is.
    """
    for request in asked:
        is_about = ledger is None or _ledger_of(request) in {None, ledger}
        require(not (isinstance(request, SPEAKING) and is_about), f"{type(request).__name__} left the client")


def _ledger_of(request: Asked) -> bytes | None:
    match request:
        case AppendEntry(entry=entry):
            return read_entry(SIGNED_ENTRY.decode(entry)).ledger
        case PutReceipt(receipt=receipt):
            return read_receipt(SIGNED_RECEIPT.decode(receipt)).ledger
        case Submit(envelope=envelope):
            return read_envelope(envelope).header.dossier
        case PutMemory(ledger=ledger) | StartFile(ledger=ledger):
            return ledger
        case _:
            return None


async def texts_of(section: Section) -> list[str]:
    """The messages as the client shows them."""
    return [message.text for message in await section.read()]


def alarms_with(dossier: Dossier, *codes: ErrorCode) -> list[AlarmView]:
    """The alarms with one of the codes."""
    return [alarm for alarm in dossier.alarms if alarm.code in codes]


async def require_void(
    dossier: Dossier, section: Section, shown: Sequence[str], *codes: ErrorCode, author: bytes | None = None
) -> str:
    """Demands that one object is void: others are shown, an alarm tells, and the section goes on.

    Args:
        dossier: As the victim has it open.
        section: Of it.
        shown: The messages that are to be shown.
        codes: Of the alarm.
        author: Whom the alarm must name.

    Returns:
        The alarm's sentence.

    Raises:
        NotDefeatedError: It is otherwise.
    """
    require(await texts_of(section) == list(shown), "the messages shown are others than the good ones")
    found = alarms_with(dossier, *codes)
    require(found, f"no alarm {' or '.join(codes)}, but {[alarm.code for alarm in dossier.alarms]}")
    alarm = found[-1]
    require(not alarm.is_frozen, "one bad object stopped the dossier")
    require(author is None or alarm.author == author, "the alarm does not name its author")
    if section.rights & Right.WRITE:
        await section.send("verder")
        require(await texts_of(section) == [*shown, "verder"], "the section does not go on")
    return f"void: {alarm.sentence}"


async def require_frozen(
    victim: Client,
    schemer: Schemer,
    dossier: Dossier,
    section: Section,
    work: Awaitable[object],
    *codes: ErrorCode,
    shown: Sequence[str] | None = None,
    is_ledger_newer: bool = False,
) -> str:
    """Demands that work ends in an alarm about the history, that the dossier stays frozen, and nothing leaves any more.

    Args:
        victim: Is closed in the end, which would send receipts and memories.
        schemer: Has seen what left the client.
        dossier: As the victim has it open.
        section: Of it; sending there must fail.
        work: What meets the bad state.
        codes: Of the alarm.
        shown: The messages that must go on being shown; None: none were read before.
        is_ledger_newer: Whether the work brings true entries of the ledger along.

    Returns:
        The alarm's sentence.

    Raises:
        NotDefeatedError: It is otherwise.
    """
    title, members = dossier.title, dossier.members()
    before = len(schemer.asked)
    error = await require_refusal(work, *codes)
    require(isinstance(error, HistoryError), "an alarm about one object, not about the history")
    found = [alarm for alarm in alarms_with(dossier, *codes) if alarm.is_frozen]
    require(found, "the dossier shows no alarm")
    require(dossier.evidence, "there is no evidence to export")
    again = await require_refusal(section.send("verder"), *codes)
    require(isinstance(again, HistoryError), "sending is refused for another reason than the alarm")
    require(dossier.title == title, "the last good state of the ledger is not shown")
    require(is_ledger_newer or dossier.members() == members, "the last good state of the ledger is not shown")
    if shown is not None:
        require(await texts_of(section) == list(shown), "the last good messages are not shown")
    await victim.close()
    require_silence(schemer.asked[before:], dossier.id)
    return f"alarm: {found[0].code}: {found[0].sentence}"
