"""Evidence of a Space in a data folder, written as the recorder writes it: real packets, under the real key."""

import hashlib
import io
from pathlib import Path
from typing import Any

import av
import numpy as np

from media.audio.opus import Encoder
from media.recorder.sealed_file import SealedFile
from media.recording.ogg_opus import FRAME
from media.recording.track import TrackWriter
from media.server.recordings.event_log import EventLog
from media.server.recordings.evidence_keys import EvidenceKeys, load_master
from media.server.recordings.slot_file import SlotFile
from media.server.recordings.store import Recording
from media.space.events import Events
from tests.media.relay.sound import tone
from tests.media.server.service import Service

LOUD = 20
"""-dBov of what is said."""
Said = tuple[str, int, int]
"""Who, from when to when, in ms since the Space started."""


def allow_evidence(data: Path) -> None:
    """Make the slots, without which a server that records nothing reads nothing either."""
    data.mkdir(parents=True, exist_ok=True)
    EvidenceKeys(load_master(data), SlotFile(data / "evidence.slots")).close()


async def keep_evidence(
    service: Service, data: Path, path: str, said: list[Said], events: Events | None = None
) -> None:
    """Write what was said in a Space: the mix, a track a speaker, and the event log; the recording is over."""
    space_id = path.rpartition("/")[2]
    space = await service.app.state.spaces.get(space_id)
    recordings: Any = service.app.state.recordings
    slot, commitment = recordings._keys.take()
    key = recordings._keys.key(space_id, slot, commitment)
    began: float = space.started_at
    await recordings.store.add(Recording(space_id, slot, commitment, began, None, False, False, None))
    folder = data / "recordings" / space_id
    log = EventLog(folder, key)
    for event in events or []:
        log.note(round((event.at - began) * 1000), [event])
    log.end()
    payloads = [Encoder().encode(tone(440.0, n)) for n in range(3)]
    for user_id in (None, *sorted({who for who, _, _ in said})):
        writer = TrackWriter(7, {"track": "mix" if user_id is None else "speaker", "user_id": user_id})
        name = hashlib.sha256(repr(user_id).encode()).hexdigest()[:16]
        file = SealedFile(folder / f"{name}.spseal", key)
        file.write(writer.begin())
        for who, start_ms, end_ms in sorted(said, key=lambda each: each[1]):
            if user_id in (None, who):
                for n, ms in enumerate(range(start_ms, end_ms, 20)):
                    file.write(writer.packet(ms, payloads[n % 3], FRAME, LOUD))
        file.write(writer.end())
        file.end()
    await recordings.store.end(space_id, service.clock())


def decoded(sound: bytes) -> np.ndarray:
    """The samples of an Ogg Opus file, as FFmpeg decodes it."""
    with av.open(io.BytesIO(sound), "r") as file:
        return np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])
