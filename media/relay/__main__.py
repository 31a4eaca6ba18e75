"""``python -m media.relay``: what :mod:`media.relay.remote` starts."""

import sys

from media.relay.orphan import die_with_parent

if __name__ == "__main__":
    die_with_parent(True)
    from media.relay.process import main  # which takes a second

    sys.exit(main())
