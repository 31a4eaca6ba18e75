"""``python -m media.recorder``, started by the server."""

from media.recorder.process import main

main()
