"""Whether an entry may follow, and what follows from it: one small rule for each operation.

The same rules run at the server before an entry is accepted, and in every client that replays a ledger. They know no
clock of their own: rights with an end date are judged at the entry's time, and where the caller gives a later one
(the server's), at that. Spec: ``protocol/spec/ledger.md`` and ``protocol/spec/grants.md``.
"""

from zegel_protocol.ledger.operations import NARROW_KIND as NARROW_KIND
from zegel_protocol.ledger.rules.apply import Trial as Trial
from zegel_protocol.ledger.rules.apply import apply_entry as apply_entry
from zegel_protocol.ledger.rules.apply import organisation_of as organisation_of
from zegel_protocol.ledger.rules.apply import pins_of as pins_of
from zegel_protocol.ledger.rules.apply import preview_entry as preview_entry
from zegel_protocol.ledger.rules.apply import replay_entry as replay_entry
from zegel_protocol.ledger.rules.apply import try_entry as try_entry
from zegel_protocol.ledger.rules.citation import verify_citation as verify_citation
from zegel_protocol.ledger.rules.joining import INVITE_MS as INVITE_MS
