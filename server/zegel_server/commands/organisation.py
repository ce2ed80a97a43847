"""``./zegel organisation create NAME``: makes an organisation and the invitation of its first owner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.account import MemberKeys
from zegel_protocol.ids import ID_BYTES, NO_ID, id_text
from zegel_protocol.invite_secret import VERSION, InviteBox, InviteSecret, seal_invite_box, write_invite_words
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.ledger.rules import INVITE_MS
from zegel_server.clock import SystemClock
from zegel_server.commands.failure import CommandError
from zegel_server.main import DataFolder
from zegel_server.store import database, invitations
from zegel_server.store.invitations import StoredInvitation

if TYPE_CHECKING:
    import argparse

    from zegel_server.config import Config
    from zegel_server.store.database import Connection

MAX_NAME_BYTES = 200


def create(arguments: argparse.Namespace, config: Config) -> int:
    """Makes the permission and prints the invitation, which is kept nowhere."""
    name: str = arguments.name
    if not name.strip() or not name.isprintable() or len(name.encode()) > MAX_NAME_BYTES:
        raise CommandError(2, "invalid", "a name is 1 to 200 bytes of text")
    folder = DataFolder(Path(config.storage.data))
    folder.prepare()
    database.prepare(folder.database)
    organisation = primitives.random_bytes(ID_BYTES)
    secret = InviteSecret.generate()
    now_ms = SystemClock().now_ms()
    invitation = StoredInvitation(
        organisation,
        secret.invite_id,
        is_operators=True,
        invite_key=secret.sign_key.public,
        box=seal_invite_box(secret, _box(organisation, name)),
        expires_ms=now_ms + INVITE_MS,
    )
    database.run_alone(folder.database, lambda connection: _insert(connection, invitation, name))
    code = secret.link(config.server.public_url) if config.server.public_url else secret.code()
    if arguments.json:
        print(json.dumps({"organisation": id_text(organisation), "invitation": code}))  # noqa: T201 - the answer
    else:
        print(f"organisation {id_text(organisation)}\ninvitation   {code}")  # noqa: T201 - the answer
    return 0


def _insert(connection: Connection, invitation: StoredInvitation, name: str) -> None:
    invitations.insert_permission(connection, invitation.ledger, name)
    invitations.insert(connection, invitation)


def _box(organisation: bytes, name: str) -> InviteBox:
    """A permission: nothing of the ledger is there yet, so nothing is named but its id and the name."""
    nobody = MemberKeys(NO_ID, 0, bytes(primitives.SIGN_KEY_BYTES), bytes(primitives.KEM_PUBLIC_BYTES))
    return InviteBox(
        VERSION,
        LedgerKind.ORGANISATION,
        organisation,
        bytes(32),
        0,
        bytes(32),
        nobody,
        None,
        write_invite_words({"organisation": name}),
    )
