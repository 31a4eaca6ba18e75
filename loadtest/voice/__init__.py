"""Speech that synthetic speakers say, shipped as Opus packets so that nothing is encoded while load runs."""

from loadtest.voice.clips import Clip, clips

__all__ = ["Clip", "clips"]
