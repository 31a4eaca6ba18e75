"""What is heard is kept, under its key; what the disk refuses harms nothing else."""

import errno
import os
from pathlib import Path

import pytest

from media.recorder.recorder import Recorder
from media.recorder.sealed_file import SealedFile
from media.recording.ring import MIX, PAGE, Heard, Ring, gone_frame, name_frame, packet_frame, read_frames
from media.recording.sealing import KEY, Ending, unseal
from media.recording.track import about_of
from media.recording.track_reader import Track

SECRET = bytes(range(KEY))
SPACE = "1AbCdEfGhIjKl"


class Relay:
    """The writing end of a ring."""

    def __init__(self) -> None:
        memory = memoryview(bytearray(PAGE + (1 << 18)))
        self.ring, self.other = Ring(memory), Ring(memory)

    def name(self, room: int, speaker: int, name: str) -> None:
        assert self.ring.write(name_frame(room, speaker, name))

    def say(self, room: int, speaker: int, start_ms: int, packets: int) -> None:
        for n in range(packets):
            heard = Heard(room, speaker, (start_ms + 20 * n) * 1000, 960, 20, bytes([n % 250 + 1]) * 30)
            assert self.ring.write(packet_frame(heard))


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def recorder(relay: Relay, tmp_path: Path) -> Recorder:
    made = Recorder([relay.other])
    begin(made, tmp_path)
    return made


def begin(recorder: Recorder, folder: Path, space: str = SPACE) -> None:
    message = {"do": "begin", "number": 1, "space": space, "folder": str(folder / space), "key": SECRET.hex()}
    assert recorder.obey({**message, "origin_us": 0}) == {"done": 1}


def tracks(folder: Path, ending: Ending | None = Ending.WHOLE) -> dict[str, Track]:
    """Every track in a folder, by whose it is."""
    files: dict[str, list[list[bytes]]] = {}
    for path in sorted(folder.iterdir()):
        opened = unseal(path.read_bytes(), SECRET)
        assert ending is None or opened.ending == ending
        about = about_of(opened.records[0])
        files.setdefault(about.get("user_id", "the mix"), []).append(opened.records[1:])
    return {name: Track(records) for name, records in files.items()}


def test_each_who_is_heard_has_a_track(relay: Relay, recorder: Recorder, tmp_path: Path) -> None:
    relay.name(3, MIX, SPACE)
    relay.name(3, 7, "ana")
    relay.name(3, 8, "ben")
    relay.say(3, 7, 100, 50)
    relay.say(3, 8, 1_500, 20)
    relay.say(3, MIX, 100, 90)
    recorder.read()
    recorder.obey({"do": "end", "number": 2, "space": SPACE})
    found = tracks(tmp_path / SPACE)
    assert {name: track.end_ms for name, track in found.items()} == {"ana": 1_100, "ben": 1_900, "the mix": 1_900}
    assert all(b"ana" not in path.read_bytes() for path in (tmp_path / SPACE).iterdir()), "no name in the clear"


def test_a_number_that_was_given_to_another_is_another(relay: Relay, recorder: Recorder, tmp_path: Path) -> None:
    begin(recorder, tmp_path, "other")
    relay.name(0, MIX, SPACE)
    relay.name(0, 1, "ana")
    relay.say(0, 1, 0, 10)
    assert relay.ring.write(gone_frame(0))
    relay.say(0, 1, 200, 10)  # of a room that is no more
    relay.name(0, MIX, "other")
    relay.name(0, 1, "ben")
    relay.say(0, 1, 400, 10)
    recorder.end()
    assert {name: track.end_ms for name, track in tracks(tmp_path / SPACE).items()} == {"ana": 200}
    assert {name: track.start_ms for name, track in tracks(tmp_path / "other").items()} == {"ben": 400}


def test_a_space_that_nobody_named_is_kept_nowhere(relay: Relay, recorder: Recorder, tmp_path: Path) -> None:
    relay.name(0, MIX, "unknown")
    relay.name(0, 1, "ana")
    for second in range(60):
        relay.say(0, 1, 1_000 * second, 50)
        recorder.read()
        assert len(recorder._unknown) <= 501
    recorder.end()
    assert not [*tmp_path.iterdir()]


def test_a_recorder_that_was_killed_leaves_all_but_a_second(
    relay: Relay, recorder: Recorder, tmp_path: Path
) -> None:
    relay.name(0, MIX, SPACE)
    relay.name(0, 1, "ana")
    relay.say(0, 1, 0, 130)
    recorder.read()  # and is never heard of again
    left = tracks(tmp_path / SPACE, Ending.CUT)["ana"]
    assert 1_600 <= left.end_ms < 2_600
    another = Recorder([relay.other])
    relay.say(0, 1, 4_000, 10)
    another.read()  # and does not know yet of whom that is
    begin(another, tmp_path)
    relay.say(0, 1, 4_200, 10)
    another.read()
    relay.name(0, MIX, SPACE)
    relay.name(0, 1, "ana")
    relay.say(0, 1, 6_000, 10)
    another.end()
    track = tracks(tmp_path / SPACE, None)["ana"]
    assert [spurt.start_ms for spurt in track.spurts(0, 9_000)] == [0, 4_000, 6_000]
    assert track.spurts(4_000, 6_000)[0].end_ms == 4_400


def test_a_full_disk_costs_what_came_meanwhile(
    relay: Relay, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.name(0, MIX, SPACE)
    relay.name(0, 1, "ana")
    relay.say(0, 1, 0, 100)
    recorder.read()
    real = os.write

    def refuse(fd: int, data: bytes) -> int:
        real(fd, data[: len(data) // 2])  # a part of it still had room
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        relay.say(0, 1, 2_000, 60)
        recorder.read()
        assert recorder.faults == {SPACE: f"{tmp_path / SPACE} cannot be written: No space left on device."}
    relay.say(0, 1, 9_000, 60)
    recorder.read()
    assert recorder.faults == {}
    recorder.end()
    spurts = tracks(tmp_path / SPACE, None)["ana"].spurts(0, 20_000)
    assert (spurts[0].start_ms, spurts[-1].end_ms) == (0, 10_200)
    assert all(unseal(path.read_bytes(), SECRET).ending != Ending.BROKEN for path in (tmp_path / SPACE).iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    SealedFile(path, SECRET).end()
    with pytest.raises(FileExistsError):
        SealedFile(path, SECRET)


def test_only_the_speech_of_those_who_consented_goes_on_to_captions(relay: Relay, tmp_path: Path) -> None:
    memory = memoryview(bytearray(PAGE + (1 << 16)))
    recorder = Recorder([relay.other], Ring(memory))
    begin(recorder, tmp_path)
    relay.name(0, MIX, SPACE)
    relay.name(0, 1, "ana")
    relay.name(0, 2, "ben")
    recorder.obey({"do": "caption", "number": 1, "space": SPACE, "user": "ana", "on": True})
    relay.say(0, 1, 0, 5)
    relay.say(0, 2, 0, 5)
    recorder.read()
    recorder.obey({"do": "caption", "number": 2, "space": SPACE, "user": "ana", "on": False})
    relay.say(0, 1, 100, 5)
    recorder.read()
    named, *heard = read_frames(Ring(memory).read())
    assert named.name == f"{SPACE} ana"
    assert [(each.speaker, each.us) for each in heard] == [(named.speaker, 20_000 * n) for n in range(5)]
