"""A live room: who may be heard in it, and what everyone gets in the next tick.

The work follows what is said, not who is present: voices that are muted or silent stay out of the mix, everyone
who is not talking shares one encode, and only a talker costs one more (the mix without their own voice).
"""

from time import perf_counter
from typing import Protocol

from media.audio.levels import Activity
from media.audio.mixer import Mixer
from media.audio.opus import Pcm
from media.audio.playout import Playout
from media.relay.link import Follow
from media.relay.stats import RelayStats
from media.relay.stream import Stream
from media.rtc.crowd import Crowd, Listening
from media.rtc.rtp import RtpPacket

CAPTURE_INTERVAL = 10
"""Ticks between two packets that carry a capture time: 200 ms; receivers interpolate between them."""
LEVELS_INTERVAL = 10
"""Ticks between two announcements of who is audible: 5 a second at most."""
LOSS_MIN, LOSS_MAX, LOSS_STEP = 0.05, 0.3, 0.01
"""Shares of packets that encoders reckon to be lost: always some, never so many that sound suffers for it."""


class Hearer(Listening, Protocol):
    """A session that hears the room."""

    @property
    def participant(self) -> str:
        """Whose it is."""
        ...


class Voice:
    """A participant who may be heard."""

    def __init__(self) -> None:
        self.source: object | None = None
        """The session whose packets count: the newest, if there are several."""
        self.playout = Playout()
        self.activity = Activity()
        self.minus: Stream | None = None
        """The room without this voice; made when they talk for the first time."""
        self.talks = False
        """Was in the mix of the tick before."""

    def close(self) -> None:
        """Free decoder and encoder."""
        self.playout.close()
        if self.minus:
            self.minus.close()


class Room:
    """The media side of one Space. Driven by the media thread alone."""

    def __init__(self, name: str, crowd: Crowd) -> None:
        self.name = name
        self.number = 0
        """Which room it is among those of its relay."""
        self._loss = LOSS_MIN
        self._crowd = crowd
        self._full = Stream(crowd)
        self._mixer: Mixer[str] = Mixer()
        self._voices: dict[str, Voice] = {}
        self._muted: set[str] = set()
        self._hearers: dict[str, list[Hearer]] = {}
        self._follows: dict[str, Follow] = {}
        self._ticks = 0
        self._announced: dict[str, float] = {}
        self._levels_due = LEVELS_INTERVAL

    @property
    def speakers(self) -> int:
        """Participants whose sound may enter the mix and who have a session to bring it."""
        return sum(voice.source is not None for voice in self._voices.values())

    @property
    def listeners(self) -> int:
        """Sessions that hear the room."""
        return sum(map(len, self._hearers.values()))

    def let_talk(self, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard; taking it silences the next tick."""
        if allowed:
            if participant not in self._voices:
                self._voices[participant] = Voice()
                self._voices[participant].playout.muted = participant in self._muted
        elif voice := self._voices.pop(participant, None):
            self._tune_in(participant, self._full)
            voice.close()

    def mute(self, participant: str, muted: bool) -> None:
        """Keep a voice out of the mix, or let it in again."""
        (self._muted.add if muted else self._muted.discard)(participant)
        if voice := self._voices.get(participant):
            voice.playout.muted = muted

    def add_source(self, participant: str, source: object) -> None:
        """A session that brings ``participant``'s sound; it takes the place of one that was there before."""
        if voice := self._voices.get(participant):
            voice.source = source

    def remove_source(self, participant: str, source: object) -> None:
        """The session is gone."""
        voice = self._voices.get(participant)
        if voice and voice.source is source:
            voice.source = None

    def add_hearer(self, hearer: Hearer) -> int:
        """Someone who hears the room from now on; returns the row to hear."""
        self._hearers.setdefault(hearer.participant, []).append(hearer)
        if follow := self._follows.get(hearer.participant):
            return follow.row
        voice = self._voices.get(hearer.participant)
        return voice.minus.row if voice and voice.talks and voice.minus else self._full.row

    def remove_hearer(self, hearer: Hearer) -> None:
        """They are gone."""
        own = self._hearers[hearer.participant]
        own.remove(hearer)
        if not own:
            del self._hearers[hearer.participant]

    @property
    def linked(self) -> bool:
        """Whether the mix comes from another relay."""
        return "" in self._follows

    def follow(self, follow: Follow) -> None:
        """Let everyone hear what comes from another relay; or only its participant, what comes for them."""
        follow.row = self._crowd.new_row() if follow.participant else self._full.row
        self._follows[follow.participant] = follow
        for hearer in self._hearers.get(follow.participant, []):
            self._crowd.hear(hearer, follow.row)

    def unfollow(self, follow: Follow) -> None:
        """Go on without; a room that follows nobody mixes."""
        del self._follows[follow.participant]
        self._full.pause()
        if follow.participant:
            self._tune_in(follow.participant, self._full)
            self._crowd.free_row(follow.row)

    def put(
        self, participant: str, source: object, packet: RtpPacket, arrival: float, capture: int | None
    ) -> str | None:
        """Take a speaker's packet; returns why it was dropped, None if it was not."""
        voice = self._voices.get(participant)
        if voice is None:
            return "no right to speak"
        if voice.source is not source:
            if voice.source is not None:
                return "superseded session"
            voice.source = source
        voice.playout.put(packet.sequence, packet.timestamp, packet.payload, arrival, capture)
        return None

    def tick(self, now: float, timestamp: int, stats: RelayStats) -> None:
        """Decode, mix and encode the next 20 ms; the rows in the crowd then hold what is to be sent."""
        if self.linked:
            for follow in self._follows.values():
                follow.play(self._crowd, timestamp, now, stats)
            return
        start = perf_counter()
        frames, capture = self._pull(now, stats)
        decoded = perf_counter()
        stats.stages["decode"].observe(decoded - start)
        self._ticks += 1
        if not frames:
            stats.mixes += self._full.rest(timestamp)
            return
        mix = self._mixer.mix(frames)
        mixed = perf_counter()
        stats.stages["mix"].observe(mixed - decoded)
        if self._ticks % CAPTURE_INTERVAL:
            capture = None
        stats.talker_ticks += len(frames)
        self._full.speak(mix.full, timestamp, capture)
        stats.mixes += 1
        for participant, pcm in mix.minus.items():
            minus = self._voices[participant].minus
            if minus and participant in self._hearers:
                if len(frames) == 1:
                    stats.mixes += minus.rest(timestamp)
                else:
                    minus.speak(pcm, timestamp, capture)
                    stats.mixes += 1
        stats.stages["encode"].observe(perf_counter() - mixed)

    def expect_loss(self, percent: float) -> None:
        """Reckon with listeners who lose that much: more of it is repaired, and the rest sounds worse."""
        share = min(LOSS_MAX, max(LOSS_MIN, percent / 100))
        if abs(share - self._loss) >= LOSS_STEP:
            self._loss = share
            for stream in self._streams():
                stream.expect_loss(share)

    def _streams(self) -> list[Stream]:
        return [self._full, *(voice.minus for voice in self._voices.values() if voice.minus)]

    def silence(self) -> None:
        """Send nothing in this tick, whatever was to be sent."""
        for stream in self._streams():
            stream.pause()
        for follow in self._follows.values():
            self._crowd.silence(follow.row)

    def levels(self) -> dict[str, float] | None:
        """Who is audible and how loud, in whole dBov; None if it is not yet time to say so, or nothing changed."""
        self._levels_due -= 1
        if self._levels_due > 0:
            return None
        levels: dict[str, float] = {
            participant: round(voice.activity.level)
            for participant, voice in self._voices.items()
            if voice.activity.talking
        }
        if levels == self._announced:
            return None
        self._levels_due, self._announced = LEVELS_INTERVAL, levels
        return levels

    def close(self) -> None:
        """Free every voice; sessions must be gone by now."""
        for voice in self._voices.values():
            voice.close()
        self._voices.clear()
        self._full.close()

    def _pull(self, now: float, stats: RelayStats) -> tuple[dict[str, Pcm], int | None]:
        """This tick's sound of everyone who talks, and when the loudest of it was captured."""
        frames: dict[str, Pcm] = {}
        capture, loudest = None, -128.0
        for participant, voice in self._voices.items():
            if voice.source is None and voice.activity.idle:
                continue
            frame = voice.playout.pull(now)
            stats.speaker_frames[frame.kind] += 1
            if frame.kind != "silence":
                stats.stages["jitter buffer"].observe(voice.playout.delay)
            audible = voice.activity.update(frame.level_dbov)
            if audible != voice.talks:
                self._turn(participant, voice, audible)
            if audible:
                frames[participant] = frame.pcm
                if frame.level_dbov > loudest:
                    loudest, capture = frame.level_dbov, frame.capture
        return frames, capture

    def _turn(self, participant: str, voice: Voice, talks: bool) -> None:
        """Someone begins or ceases to talk: from now on they hear their own mix, or that of everyone."""
        voice.talks = talks
        if talks and voice.minus is None:
            voice.minus = Stream(self._crowd)
            voice.minus.expect_loss(self._loss)
        assert voice.minus is not None
        voice.minus.pause()
        self._tune_in(participant, voice.minus if talks else self._full)

    def _tune_in(self, participant: str, stream: Stream) -> None:
        for hearer in self._hearers.get(participant, []):
            self._crowd.hear(hearer, stream.row)
