"""A live room: who may be heard in it, and what everyone gets in the next tick.

The work follows what is said, not who is present: voices that are muted or silent stay out of the mix, everyone
who is not talking shares one encode, and only a talker costs one more (the mix without their own voice).
"""

from collections.abc import Callable
from typing import Protocol

from media.audio.opus import Pcm
from media.audio.playout import SILENCE
from media.recording.ring import MIX
from media.relay.hearing import DONE
from media.relay.link import Follow
from media.relay.mixing import Mixing
from media.relay.stats import RelayStats
from media.relay.stream import Stream
from media.relay.voice import Voice
from media.rtc.crowd import Listening
from media.rtc.peers import Known
from media.rtc.rtp import RtpPacket

LEVELS_INTERVAL = 10
"""Ticks between two announcements of who is audible: 5 a second at most."""
LOSS_STEP = 0.5
"""Percent by which the expected loss must change to be passed on to the encoders."""
MINUS_COMPLEXITY = 0
"""For the mix without a talker's own voice, which one person hears (``python -m loadtest.bench codec``)."""
MINUS_FEC_COMPLEXITY = 1


GiveVoice = Callable[[Known, int], None]
"""See :meth:`media.rtc.peers.Peers.give_voice`."""


class Hearer(Listening, Protocol):
    """A session that hears the room."""

    @property
    def participant(self) -> str:
        """Whose it is."""
        ...

    @property
    def frames(self) -> int:
        """Ticks of 20 ms in a packet that it asked for: 1, 2 or 3."""
        ...


class Room:
    """The media side of one Space. Driven by the media thread alone.

    ``number``: which room it is among those of its relay.
    """

    def __init__(self, name: str, number: int, mixing: Mixing, give_voice: GiveVoice) -> None:
        """``give_voice`` is told whose packets are which voice's without question, and whose no longer (-1)."""
        self.name = name
        self.number = number
        self._mixing, self._hearing, self._crowd = mixing, mixing.hearing, mixing.crowd
        self._give_voice = give_voice
        self._full = Stream(mixing.crowd, mixing.batch, streams=mixing.streams)
        self.place = self._hearing.new_room(self._full.place)
        """Where the room's record is."""
        self._voices: dict[str, Voice] = {}
        self._awake: dict[str, Voice] = {}
        """Voices that have something to be played, or were heard lately; nobody else costs anything."""
        self._muted: set[str] = set()
        self._hearers: dict[str, list[Hearer]] = {}
        self._follows: dict[str, Follow] = {}
        self._loss = 0.0
        self._announced: dict[str, float] = {}
        self._levels_due = LEVELS_INTERVAL
        self.speakers = 0
        """Participants whose sound may enter the mix and who have a session to bring it."""
        self.listeners = 0
        """Sessions that hear the room."""

    def let_talk(self, participant: str, allowed: bool) -> None:
        """Give or take the right to be heard; taking it silences the next tick."""
        voice = self._voices.get(participant)
        if allowed and voice:
            voice.leaving, voice.playout.muted = False, participant in self._muted
        elif allowed:
            voice = self._voices[participant] = Voice(self._hearing.speakers)
            if self.recorded:
                self._mixing.tap.name(self.place, voice.place, participant)
            self._hearing.speakers.records["room"][voice.place] = self.place
            voice.playout.muted = participant in self._muted
        elif voice:
            voice.leaving = voice.playout.muted = True
            self._set_source(voice, None)
            self._wake(participant, voice)

    def mute(self, participant: str, muted: bool) -> None:
        """Keep a voice out of the mix, or let it in again."""
        (self._muted.add if muted else self._muted.discard)(participant)
        voice = self._voices.get(participant)
        if voice and not voice.leaving:
            voice.playout.muted = muted
            self._wake(participant, voice)

    @property
    def recorded(self) -> bool:
        """Whether the recorder is given what is heard here."""
        return bool(self._hearing.rooms["recorded"][self.place])

    def record(self) -> None:
        """Give the recorder what is heard, and say once more who everybody is."""
        self._hearing.rooms["recorded"][self.place] = True
        self._mixing.tap.name(self.place, MIX, self.name)
        for participant, voice in self._voices.items():
            self._mixing.tap.name(self.place, voice.place, participant)

    def expect_loss(self, percent: float) -> None:
        """What share of the packets listeners report as lost; decides about spare copies in what they are sent."""
        if abs(percent - self._loss) >= LOSS_STEP:
            self._loss = percent
            for stream in self._streams():
                stream.expect_loss(percent)

    def _streams(self) -> list[Stream]:
        return [self._full, *(voice.minus for voice in self._voices.values() if voice.minus)]

    def add_source(self, participant: str, source: Known) -> None:
        """A session that brings ``participant``'s sound; it takes the place of one that was there before."""
        voice = self._voices.get(participant)
        if voice and not voice.leaving:
            self._set_source(voice, source)

    def remove_source(self, participant: str, source: Known) -> None:
        """The session is gone."""
        voice = self._voices.get(participant)
        if voice and voice.source is source:
            self._set_source(voice, None)

    def add_hearer(self, hearer: Hearer) -> int:
        """Someone who hears the room from now on; returns the row to hear."""
        self._hearers.setdefault(hearer.participant, []).append(hearer)
        self.listeners += 1
        if follow := self._follows.get(hearer.participant):
            return follow.row
        voice = self._voices.get(hearer.participant)
        if voice and voice.talks:
            self._minus(voice)
        self._choose_minus(hearer.participant)
        if voice and voice.talks and voice.minus:
            return voice.minus.row
        return self._full.row_of(hearer.frames)

    def remove_hearer(self, hearer: Hearer) -> None:
        """They are gone."""
        own = self._hearers[hearer.participant]
        own.remove(hearer)
        self.listeners -= 1
        if not own:
            del self._hearers[hearer.participant]
            self._choose_minus(hearer.participant)

    @property
    def linked(self) -> bool:
        """Whether the mix comes from another relay."""
        return "" in self._follows

    def follow(self, follow: Follow) -> None:
        """Let everyone hear what comes from another relay; or only its participant, what comes for them."""
        follow.row = self._crowd.new_row() if follow.participant else self._full.row
        self._follows[follow.participant] = follow
        self._hearing.rooms["mixes"][self.place] = not self.linked
        for hearer in self._hearers.get(follow.participant, []):
            self._crowd.hear(hearer, follow.row)

    def unfollow(self, follow: Follow) -> None:
        """Go on without; a room that follows nobody mixes."""
        del self._follows[follow.participant]
        self._hearing.rooms["mixes"][self.place] = not self.linked
        self._full.pause()
        if follow.participant:
            self._tune_in(follow.participant, None)
            self._crowd.free_row(follow.row)

    def put(
        self,
        participant: str,
        source: Known,
        packet: RtpPacket,
        arrival: float,
        capture: int | None,
        level: float | None = None,
    ) -> str | None:
        """Take a speaker's packet; returns why it was dropped, None if it was not.

        ``capture`` (64-bit NTP) and ``level`` (dBov, RFC 6464) are what its header extensions say.
        """
        voice = self._voices.get(participant)
        if voice is None or voice.leaving:
            return "no right to speak"
        if voice.source is not source:
            if voice.source is not None:
                return "superseded session"
            self._set_source(voice, source)
        self._wake(participant, voice)
        return voice.put(packet, arrival, capture, level)

    def tick(self, now: float, timestamp: int, needs: int, stats: RelayStats) -> None:
        """What the kernels leave to be done between hearing everyone and mixing; ``needs``: there is something."""
        if self._follows and self.linked:
            for follow in self._follows.values():
                played = follow.play(self._crowd, timestamp, now, stats)
                if not follow.participant:
                    self._full.bundle(played, timestamp)
        elif needs:
            self._attend(now, stats)

    def silence(self) -> None:
        """Send nothing in this tick, whatever was to be sent."""
        self._hearing.rooms["skipped"][self.place] = True
        for stream in self._streams():
            stream.pause()
        for follow in self._follows.values():
            self._crowd.silence(follow.row)

    def halt(self) -> None:
        """Mix and send nothing from now on; :meth:`close` comes once its sessions are gone."""
        self.silence()
        self._hearing.rooms["mixes"][self.place] = False

    def levels(self) -> dict[str, float] | None:
        """Who is audible and how loud, in whole dBov; None if it is not yet time to say so, or nothing changed."""
        self._levels_due -= 1
        if self._levels_due > 0 or not (self._awake or self._announced):
            return None
        levels: dict[str, float] = {
            participant: round(voice.activity.level)
            for participant, voice in self._awake.items()
            if voice.activity.talking
        }
        if levels == self._announced:
            return None
        self._levels_due, self._announced = LEVELS_INTERVAL, levels
        return levels

    def close(self) -> None:
        """Free every voice; sessions must be gone by now."""
        for voice in self._voices.values():
            self._hearing.rest(voice.place)
            voice.close()
        self._voices.clear()
        self._awake.clear()
        self._full.close()
        self._mixing.tap.forget(self.place)
        self._hearing.free_room(self.place)

    def _attend(self, now: float, stats: RelayStats) -> None:
        """Do what is out of the ordinary in a tick, for each who is awake."""
        records = self._hearing.speakers.records
        asleep: list[str] = []
        for participant, voice in self._awake.items():
            place = voice.place
            outcome = records["outcome"][place]
            if outcome != DONE:
                frame = voice.playout.pull_long(now)
                stats.speaker_frames[frame.kind] += 1
                if frame.kind != "silence":
                    stats.stages["jitter buffer"].observe(voice.playout.delay)
                self._hearing.settle(place, frame)
            if records["turned"][place]:
                self._turn(participant, voice)
            if not records["heard"][place] and (voice.leaving or voice.asleep):
                asleep.append(participant)
        for participant in asleep:
            voice = self._awake.pop(participant)
            self._hearing.rest(voice.place)
            if voice.source:
                self._give_voice(voice.source, -1)
            if voice.leaving:
                self._voices.pop(participant).close()

    @property
    def _heard(self) -> Pcm:
        """The mix of the tick before."""
        frame = int(self._hearing.rooms["heard"][self.place])
        return SILENCE.pcm if frame < 0 else self._mixing.batch.frames[frame]

    def _turn(self, participant: str, voice: Voice) -> None:
        """Someone begins or ceases to talk: from now on they hear their own mix, or that of everyone."""
        if not voice.talks:
            if voice.minus:
                voice.minus.pause()
            self._tune_in(participant, None)
        elif participant in self._hearers:
            minus = self._minus(voice)
            minus.pause()
            minus.prime(self._heard)
            self._tune_in(participant, minus)
            self._choose_minus(participant)

    def _minus(self, voice: Voice) -> Stream:
        if voice.minus is None:
            voice.minus = Stream(
                *(self._crowd, self._mixing.batch, MINUS_COMPLEXITY, MINUS_FEC_COMPLEXITY, self._mixing.streams)
            )
            voice.minus.expect_loss(self._loss)
        return voice.minus

    def _choose_minus(self, participant: str) -> None:
        """Say which stream is theirs alone while they talk; none if they do not listen."""
        if voice := self._voices.get(participant):
            minus = voice.minus if participant in self._hearers else None
            self._hearing.speakers.records["minus"][voice.place] = minus.place + 1 if minus else 0

    def _tune_in(self, participant: str, minus: Stream | None) -> None:
        for hearer in self._hearers.get(participant, []):
            self._crowd.hear(hearer, minus.row if minus else self._full.row_of(hearer.frames))

    def _wake(self, participant: str, voice: Voice) -> None:
        """Something of theirs is to be played: from now on the door may take their packets."""
        if participant not in self._awake:
            self._awake[participant] = voice
            self._hearing.wake(voice.place)
            if voice.source:
                self._give_voice(voice.source, voice.place)

    def _set_source(self, voice: Voice, source: Known | None) -> None:
        """Whose packets are heard as this voice, whoever else's were before."""
        self.speakers += (source is not None) - (voice.source is not None)
        if voice.source:
            self._give_voice(voice.source, -1)
        voice.source = source
        if source and voice in self._awake.values():
            self._give_voice(source, voice.place)
