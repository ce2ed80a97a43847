"""`./zegel client`."""

import sys

from zegel_client.cli.main import main

sys.exit(main(sys.argv[1:]))
