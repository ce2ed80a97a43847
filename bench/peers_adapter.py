"""What the harness for side-by-side measurements loads by its path: `run.py --adapter bench/peers_adapter.py`.

It runs in the Python of the harness's load generator; the libraries come from the project's environment, which must
have been made for the same version of Python.
"""

from __future__ import annotations

import site
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))
for _folder in sorted((_HERE.parent / ".venv" / "lib").glob("python*/site-packages")):
    site.addsitedir(str(_folder))

from zegel_peer import ZegelAdapter  # noqa: E402 - found by the paths above

ADAPTERS = {"zegel": ZegelAdapter}
