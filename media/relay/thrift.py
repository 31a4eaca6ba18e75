"""When a relay should spend less on encoding: before ticks come late, not after.

As WebRTC's clients do on a busy device, it lowers the complexity of its encoders, which costs a little sound
(``python -m loadtest.bench codec``), and takes it back when there is time again.
"""

BUSY, EASY = 0.8, 0.65
"""Shares of a core that the media thread uses, over a second: from the first on it saves, until below the second.
What saving spares is less than lies between them, so that it does not end itself."""


class Thrift:
    """Whether to save; told the media thread's CPU time about once a second."""

    def __init__(self) -> None:
        self.saving = False
        self._before: float | None = None

    def look(self, cpu_seconds: float, elapsed: float) -> bool:
        """``cpu_seconds`` in all, ``elapsed`` seconds after the last look; True if ``saving`` has changed."""
        before, self._before = self._before, cpu_seconds
        if before is None:
            return False
        was, share = self.saving, (cpu_seconds - before) / elapsed
        self.saving = share >= (EASY if was else BUSY)
        return self.saving != was
