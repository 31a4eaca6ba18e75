"""``python -m media.captions``: started by ``python -m media --captions``, with a socket and a ring."""

import argparse
import logging
import os
import signal
import socket
import sys
from mmap import mmap
from pathlib import Path

from media.captions.captioner import PARTIAL_FAST_MS, PARTIAL_MS
from media.captions.models import ModelError, find_model
from media.captions.process import MEMORY_MIB, bound, serve
from media.captions.recogniser import Recogniser
from media.captions.tones import ToneRecogniser
from media.captions.whisper import Whisper
from media.recording.ring import Ring


def main() -> int:
    """Load the model, and serve the socket that stands on the command line."""
    parser = argparse.ArgumentParser(prog="python -m media.captions", description="Started by python -m media.")
    parser.add_argument("--socket", type=int, required=True, help="descriptor of the socket")
    parser.add_argument("--ring", type=int, required=True, help="descriptor of the memory that sound comes in")
    parser.add_argument("--model", required=True, help="tones, tiny, base, or a model's folder")
    parser.add_argument("--cache", type=Path, required=True, help="folder in which a model in parts is joined")
    parser.add_argument("--memory", type=int, default=MEMORY_MIB, metavar="MIB", help="at most (%(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, whose end ends us
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s captions: %(message)s")
    bound(options.memory)
    wire = socket.socket(fileno=options.socket)
    try:
        recogniser = _recogniser(options.model, options.cache)
    except ModelError as error:
        logging.error("%s", error)
        return 2
    except MemoryError:
        logging.error("The model does not fit into %d MiB; give it more, or choose a smaller one.", options.memory)
        return 2
    ring = Ring(memoryview(mmap(options.ring, 0)))
    partial_ms = PARTIAL_FAST_MS if options.model in ("tones", "tiny") else PARTIAL_MS
    status = serve(wire, ring, recogniser, partial_ms, options.memory)
    sys.stderr.flush()
    os._exit(status)  # a recogniser that hangs would be waited for


def _recogniser(model: str, cache: Path) -> Recogniser:
    if model == ToneRecogniser.name:
        return ToneRecogniser()
    folder = find_model(model, cache)
    return Whisper(folder, f"whisper-{model}" if folder != Path(model) else folder.name)


if __name__ == "__main__":
    sys.exit(main())
