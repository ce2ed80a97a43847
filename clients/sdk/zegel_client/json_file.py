"""Reading JSON that people give: the same limits and refusals for every file.

Spec: ``protocol/spec/payloads.md``, section "Records in files".
"""

from __future__ import annotations

import json
from typing import Final

from zegel_protocol.fields import Fault, FaultCode, InvalidRecordError

MAX_FILE_BYTES: Final = 64 * 2**20


def read_json(content: bytes) -> object:
    """Reads JSON in UTF-8, at most 64 MiB.

    Raises:
        InvalidRecordError: It is larger, in another encoding, no JSON, or a name stands twice in one object.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InvalidRecordError([Fault("", FaultCode.TOO_LARGE, {"most": MAX_FILE_BYTES})])
    try:
        found: object = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise InvalidRecordError([Fault("", FaultCode.FILE_ENCODING)]) from None
    except (ValueError, RecursionError):  # not JSON, a number of thousands of digits, or nested without end
        raise InvalidRecordError([Fault("", FaultCode.NOT_JSON)]) from None
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuses a name that stands twice in one object, where readers would disagree on what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise InvalidRecordError([Fault(name, FaultCode.TWICE) for name in found if names.count(name) > 1])
    return found
