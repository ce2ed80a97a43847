"""``python -m zegel_server COMMAND``: serve, config, organisation, account."""

from __future__ import annotations

import sys

from zegel_server.commands import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
