"""A process of captions as its parent starts it: captions, bounded memory, and an end when its socket ends."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

import pytest

from media.captions.messages import Alive, Audiences, Began, Withdrawn, line_of, message_of
from media.captions.shown import Caption
from media.recording.ring import PAGE, SIZE, Heard, Ring, name_frame, packet_frame
from tests.media.captions.speaking import packets

ORIGIN_US = 5_000_000


@dataclass
class Child:
    """The process, and our end of its socket."""

    process: subprocess.Popen[bytes]
    wire: socket.socket
    ring: Ring
    lines: Iterator[bytes]

    def said(self) -> object:
        return message_of(next(self.lines))

    def say(self, *messages: Began | Withdrawn | Audiences) -> None:
        self.wire.sendall(b"".join(map(line_of, messages)))

    def heard(self, speaker: int, name: str, sent: list[bytes]) -> None:
        """What a recorder writes for one who speaks from the third second on."""
        assert self.ring.write(name_frame(0, speaker, name))
        for number, payload in enumerate(sent):
            us = ORIGIN_US + 3_000_000 + 20_000 * number
            assert self.ring.write(packet_frame(Heard(0, speaker, us, 960, 30, payload)))

    def ended(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=30)
        return self.process.returncode, stderr.decode()


@contextmanager
def started(cache: Path, model: str, *more: str) -> Generator[Child]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "media.captions", "--socket", str(theirs.fileno()), "--model", model]
    descriptor = os.memfd_create("ring")
    os.ftruncate(descriptor, PAGE + SIZE)
    command += ["--cache", str(cache), "--ring", str(descriptor), *more]
    with ours, theirs:
        ring = Ring(memoryview(mmap(descriptor, 0)))
        process = subprocess.Popen(command, pass_fds=[theirs.fileno(), descriptor], stderr=subprocess.PIPE)
        os.close(descriptor)
        theirs.close()
        ours.settimeout(60)
        try:
            with ours.makefile("rb") as file:
                yield Child(process, ours, ring, iter(file))
        finally:
            process.kill()
            process.communicate()


def test_it_captions_who_consents_and_nobody_else(tmp_path: Path) -> None:
    with started(tmp_path, "tones") as child:
        first = child.said()
        assert isinstance(first, Alive) and first.model == "tones"
        child.say(Audiences({"s1": 3}), Began("s1", "ana", ORIGIN_US), Began("s1", "ben", ORIGIN_US))
        child.say(Withdrawn("s1", "ben"))
        time.sleep(0.2)  # the process looks at its socket and its ring in no order
        for speaker, name in enumerate(("s1 ana", "s1 ben", "s1 cleo", "s2 ana")):
            child.heard(speaker, name, packets(["say", "that", "now"]))
        found: list[Caption] = []
        while not found or not found[-1].final:
            answer = child.said()
            if isinstance(answer, Caption):
                found.append(answer)
        assert {caption.user_id for caption in found} == {"ana"}
        assert found[-1].text == "say that now"
        assert 2_900 <= found[-1].start_ms <= 3_100
        child.wire.shutdown(socket.SHUT_RDWR)
        assert child.ended() == (0, "")


def test_it_ends_with_its_parent_while_a_model_is_at_work(tmp_path: Path) -> None:
    with started(tmp_path, "tiny") as child:
        assert isinstance(child.said(), Alive)
        child.say(Audiences({"s1": 3}), Began("s1", "ana", ORIGIN_US))
        time.sleep(0.2)
        child.heard(1, "s1 ana", packets(["say", "that", "now"] * 4))
        time.sleep(0.3)
        child.wire.shutdown(socket.SHUT_RDWR)
        status, said = child.ended()
        assert status == 0 and "Traceback" not in said


def test_it_ends_rather_than_take_more_memory_than_it_may(tmp_path: Path) -> None:
    with started(tmp_path, "tones", "--memory", "20") as child:
        status, said = child.ended()
        assert status == 1
        assert "MiB of memory, and may take 20 MiB" in said and "Traceback" not in said


def test_a_model_that_does_not_fit_the_memory_is_told(tmp_path: Path) -> None:
    with started(tmp_path, "tiny", "--memory", "60") as child:
        status, said = child.ended()
        assert status in (1, 2)
        assert "Traceback" not in said and said.strip()


def test_a_folder_that_is_no_model_is_told_in_one_sentence(tmp_path: Path) -> None:
    with started(tmp_path, str(tmp_path / "nothing")) as child:
        status, said = child.ended()
        assert status == 2
        assert said.count("\n") == 1 and "is no model folder" in said


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 64 + b"\n", b"{}\n", line_of(Alive("x", 0, 0, 0)), b"x" * (3 << 20)]
)
def test_garbage_ends_it(tmp_path: Path, garbage: bytes) -> None:
    with started(tmp_path, "tones") as child:
        child.said()
        with contextlib.suppress(BrokenPipeError):
            child.wire.sendall(garbage)
        status, said = child.ended()
        assert status == 1 and said.count("\n") == 1 and "Traceback" not in said
