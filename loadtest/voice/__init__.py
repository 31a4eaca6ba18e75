"""Speech that synthetic speakers say, shipped as Opus packets so that nothing is encoded while load runs."""

from loadtest.voice.clips import FRAME, TICK, Clip, clips

__all__ = ["FRAME", "TICK", "Clip", "clips"]
