"""A command: its words on the line, and where it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Argument:
    """A word on the line, by its place or by its name.

    Attributes:
        name: ``dossier``, or ``--limit``.
        help: One line.
        choices: The words it may be; empty: any.
        metavar: What stands in the usage for its value.
        is_flag: Whether it takes no value.
        is_many: Whether it may be given more than once.
        is_needed: Of an option: whether it must be there.
    """

    name: str
    help: str = ""
    choices: Sequence[str] = ()
    metavar: str = ""
    is_flag: bool = False
    is_many: bool = False
    is_needed: bool = False

    @property
    def is_option(self) -> bool:
        """Whether it goes by its name."""
        return self.name.startswith("-")


@dataclass(frozen=True, slots=True)
class Command:
    """One command; it is carried out by the function of its name in `module`.

    Attributes:
        name: The word on the line.
        module: Below `zegel_client.cli.commands`; loaded only when it is needed.
        help: One line.
        arguments: In the order of the line.
        waits: Whether what it sends waits in the outbox of a profile while there is no server.
    """

    name: str
    module: str
    help: str
    arguments: tuple[Argument, ...] = ()
    waits: bool = False

    @property
    def function(self) -> str:
        """The name of its function."""
        return self.name.replace("-", "_")


_DOSSIER: Final = Argument("dossier", "id or title")
_SECTION: Final = Argument("section", "id, or kind when there is one of it")
_PERSON: Final = Argument("person", "handle, or name when it is unique in the dossier")
_MESSAGE: Final = Argument("message", "id of the message")
_INVITATION: Final = Argument("invitation", "code or link")
_OPEN_INVITATION: Final = Argument("invitation", "code, link, or the id that `invitations` shows")
_HANDLE: Final = Argument("--handle", "what one signs in with: a-z 0-9 . _ + @ -")
_ROLES: Final = ("client", "guardian", "interpreter", "volunteer", "family", "caseworker")
_ACCESSES: Final = ("none", "look", "look_and_edit", "conversation_only")
_RIGHTS: Final = ("none", "look", "edit", "manage", "drop")

COMMANDS: Final = (
    # --- the account ---
    Command(
        "accept",
        "joining",
        "take up an invitation: with --handle a new account, with --as the one that is there",
        (_INVITATION, _HANDLE, Argument("--name", "your own name, where nobody vouches for it yet: a first owner's")),
    ),
    Command(
        "recover",
        "account",
        "set a new password (ZEGEL_PASSWORD) by the words of the recovery sheet (ZEGEL_RECOVERY)",
        (Argument("--handle", "whose sheet it is", is_needed=True),),
    ),
    Command("password", "account", "change the password; the new one is in ZEGEL_NEW_PASSWORD or asked for"),
    Command("sessions", "account", "where the account is signed in"),
    Command("revoke", "account", "end a session", (Argument("session", "id that `sessions` shows"),)),
    Command(
        "consents",
        "account",
        "the texts agreed to",
        (
            Argument("--give", "agree to a text", metavar="TEXT"),
            Argument("--withdraw", "withdraw from a text", metavar="TEXT"),
        ),
    ),
    # --- dossiers and people ---
    Command("dossiers", "dossiers", "the dossiers and their sections"),
    Command(
        "create-dossier",
        "dossiers",
        "make a dossier",
        (
            Argument("title"),
            Argument("--informed", "how and when the client was told", metavar="MEANS:DATE", is_needed=True),
            Argument("--organisation", "id or title, where there is more than one"),
        ),
    ),
    Command(
        "import-household",
        "household",
        "make a dossier from a household file, and invite the people in it",
        (
            Argument("file"),
            Argument("--informed", "how and when the client was told", metavar="MEANS:DATE"),
            Argument("--organisation", "id or title, where there is more than one"),
        ),
    ),
    Command(
        "invite",
        "people",
        "invite somebody to a dossier",
        (
            _DOSSIER,
            Argument("name", "as you vouch for it"),
            Argument("--role", "what the person is there", _ROLES, is_needed=True),
            Argument("--access", "what the person may do; none: a person without an account", _ACCESSES),
            Argument("--handle", "noted beside the name, to find the person by"),
        ),
    ),
    Command(
        "invite-colleague",
        "people",
        "invite somebody to the organisation",
        (
            Argument("name", "as you vouch for it"),
            Argument("--role", "what the person is there", ("caseworker", "owner")),
            Argument("--handle", "noted beside the name, to find the person by"),
            Argument("--organisation", "id or title, where there is more than one"),
        ),
    ),
    Command(
        "add",
        "people",
        "add a colleague to a dossier",
        (_DOSSIER, _PERSON, Argument("--role", "what the person is there", _ROLES, is_needed=True)),
    ),
    Command("invitations", "people", "the open invitations of a dossier or organisation", (_DOSSIER,)),
    Command("reissue", "people", "make an invitation anew; the old one ends", (_OPEN_INVITATION,)),
    Command("withdraw", "people", "end an invitation", (_OPEN_INVITATION,)),
    Command("welcome", "people", "make members of those who answered an invitation"),
    Command("members", "people", "the members of a dossier and their rights", (_DOSSIER,)),
    # --- conversation ---
    Command(
        "send",
        "conversation",
        "send a message",
        (
            _DOSSIER,
            _SECTION,
            Argument("text", "- reads standard input"),
            Argument("--file", "attach a file; more than once for more files", metavar="PATH", is_many=True),
            Argument("--reply-to", "the message that it answers", metavar="ID"),
        ),
        waits=True,
    ),
    Command(
        "read",
        "conversation",
        "read a section, and mark it as read",
        (_DOSSIER, _SECTION, Argument("--limit", "only the newest N", metavar="N")),
    ),
    Command(
        "download",
        "conversation",
        "the files of a message",
        (_DOSSIER, _MESSAGE, Argument("--out", "folder; here when left out", metavar="DIR")),
    ),
    Command(
        "edit",
        "conversation",
        "change a message of your own",
        (_DOSSIER, _MESSAGE, Argument("text", "- reads standard input")),
        waits=True,
    ),
    Command(
        "recall", "conversation", "take a message back", (_DOSSIER, _MESSAGE, Argument("--reason", "why")), waits=True
    ),
    # --- records and money ---
    Command("records", "records", "the records of a section", (_DOSSIER, _SECTION)),
    Command(
        "put",
        "records",
        "create or change records",
        (_DOSSIER, _SECTION, Argument("file", "JSON: one record or a list; - reads standard input")),
    ),
    Command(
        "overview",
        "money",
        "totals of the budget on a day",
        (_DOSSIER, Argument("--on", "yyyy-mm-dd; today when left out", metavar="DATE")),
    ),
    Command(
        "debts",
        "money",
        "totals of the debts",
        (_DOSSIER, Argument("--divide", "divide an amount over them", metavar="CENTS")),
    ),
    Command("import-csv", "money", "records from a CSV file", (_DOSSIER, _SECTION, Argument("file"))),
    Command(
        "export-csv",
        "money",
        "records into a CSV file",
        (_DOSSIER, _SECTION, Argument("file"), Argument("--excel", "as a Dutch Excel reads it", is_flag=True)),
    ),
    # --- rights ---
    Command(
        "grant",
        "rights",
        "set what somebody may do",
        (
            _DOSSIER,
            _PERSON,
            Argument("scope", "SECTION, SECTION/CATEGORY, or the id of a record"),
            Argument("right", "edit and give is manage; write without reading is drop", _RIGHTS),
            Argument("--until", "the last day, or a moment with its time zone", metavar="DATE"),
            Argument("--history", "what stood there before: all of it, or only what is there now", ("all", "now")),
        ),
    ),
    Command("remove", "rights", "end somebody's membership and all rights", (_DOSSIER, _PERSON)),
    Command(
        "rewrap",
        "rights",
        "give somebody their keys anew, whose client says that those they were given are wrong",
        (_DOSSIER, _PERSON, Argument("--section", "id or kind; all that you read when left out")),
    ),
    Command("timeline", "rights", "every change of members and rights", (_DOSSIER,)),
    Command("view-as", "rights", "what somebody may read and write", (_DOSSIER, _PERSON)),
)
"""Every command, in the order in which the help lists them."""


def find_command(name: str) -> Command | None:
    """Returns the command of a name."""
    return next((command for command in COMMANDS if command.name == name), None)
