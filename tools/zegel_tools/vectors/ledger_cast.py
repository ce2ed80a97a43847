"""The household that vectors of ledgers are about."""

from __future__ import annotations

from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right, Scope, ScopeKind, whole
from zegel_tools.vectors.scene import OTHER_SLOT, RECORD, SLOT, person
from zegel_tools.vectors.seeds import seeded

CARLA, DAAN, EVA = person("carla"), person("daan"), person("eva")
"""A colleague from the organisation; a friend of the client; somebody else."""
ORGANISATION, HALL = seeded("organisation", 16), seeded("hall", 16)
DOSSIER, LOBBY = seeded("dossier", 16), seeded("lobby", 16)
CONVERSATION, BUDGET = seeded("conversation", 16), seeded("budget", 16)
GROCERIES, RENT = Scope(BUDGET, ScopeKind.SLOT, SLOT), Scope(BUDGET, ScopeKind.SLOT, OTHER_SLOT)
ONE_ENTRY = Scope(BUDGET, ScopeKind.RECORD, RECORD)
READ_LOBBY = PlannedGrant(whole(LOBBY), int(Right.READ), 0, 0)
LOOK, DROP, EDIT, MANAGE = int(Right.READ), int(Right.WRITE), int(Right.READ | Right.WRITE), int(ALL_RIGHTS)
SUBJECT = seeded("subject", 16)
HOUSEHOLD = "the household"


def invite_id(name: str) -> bytes:
    """The id of an invitation."""
    return seeded(f"invite {name}", 16)
