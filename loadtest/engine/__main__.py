"""``python -m loadtest.engine --socket PATH``: an engine that whoever connects to the socket drives."""

import argparse
import asyncio
import gc
import resource
import signal
import sys

from loadtest.engine.control import serve
from loadtest.engine.engine import DESCRIPTORS_MAX


def main() -> int:
    """Run until the controller hangs up; Ctrl-C is the controller's business."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.engine", description=__doc__)
    parser.add_argument("--socket", required=True, metavar="PATH", help="Unix socket to be driven by")
    parser.add_argument("--parent", type=int, metavar="PID", help="end if this process does before it connects")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], DESCRIPTORS_MAX)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < most:  # one socket a member, and shells allow 1024
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        asyncio.run(serve(options.socket, options.parent))
    except OSError as error:
        print(f"Cannot serve {options.socket}: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
