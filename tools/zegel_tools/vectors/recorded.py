"""Bytes that no seed can fix: what HPKE sealed once is kept, so that vectors stay the same.

The libraries draw the randomness of an X-Wing encapsulation themselves. `recorded` returns what was sealed when the
vector was made; `python -m zegel_tools.vectors --write` seals what has no recording yet. A recording that no longer
fits its vector shows when the vectors are played. To seal one anew, delete its line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATH = Path(__file__).with_name("recorded.json")


class Recordings:
    """The recorded bytes by name.

    Attributes:
        may_record: Whether what is missing is sealed and kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, str] = json.loads(path.read_text(encoding="ascii")) if path.is_file() else {}
        self.may_record = False

    def get(self, name: str, seal: Callable[[], bytes]) -> bytes:
        """Returns the recorded bytes.

        Raises:
            LookupError: There are none, and nothing may be recorded now.
        """
        if name not in self._kept:
            if not self.may_record:
                raise LookupError(f"{name}: not recorded yet; run python -m zegel_tools.vectors --write")
            self._kept[name] = seal().hex()
            text = json.dumps(dict(sorted(self._kept.items())), indent=0)
            self._path.write_text(text + "\n", encoding="ascii")
        return bytes.fromhex(self._kept[name])


RECORDINGS = Recordings(_PATH)


def recorded(name: str, seal: Callable[[], bytes]) -> bytes:
    """Returns what `seal` gave when it was first asked under this name."""
    return RECORDINGS.get(name, seal)
