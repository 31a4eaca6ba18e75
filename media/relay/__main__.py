"""``python -m media.relay``: what :mod:`media.relay.remote` starts."""

import sys

from media.relay.process import main

if __name__ == "__main__":
    sys.exit(main())
