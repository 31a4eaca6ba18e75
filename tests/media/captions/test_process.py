"""A process of captions as its parent starts it: captions, bounded memory, and an end when its socket ends."""

import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from media.captions.captioner import Caption
from media.captions.frames import Alive, Audiences, Began, Packet, Withdrawn, answer_of, encode
from tests.media.captions.speaking import packets


@dataclass
class Child:
    """The process, and our end of its socket."""

    process: subprocess.Popen[bytes]
    wire: socket.socket
    lines: Iterator[bytes]

    def said(self) -> object:
        return answer_of(next(self.lines))

    def ended(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=30)
        return self.process.returncode, stderr.decode()


@contextmanager
def started(cache: Path, model: str, *more: str) -> Generator[Child]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "media.captions", "--socket", str(theirs.fileno()), "--model", model]
    command += ["--cache", str(cache), *more]
    with ours, theirs:
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE)
        theirs.close()
        ours.settimeout(60)
        try:
            with ours.makefile("rb") as file:
                yield Child(process, ours, iter(file))
        finally:
            process.kill()
            process.communicate()


def test_it_captions_who_consents_and_nobody_else(tmp_path: Path) -> None:
    with started(tmp_path, "tones") as child:
        first = child.said()
        assert isinstance(first, Alive) and first.model == "tones"
        child.wire.sendall(encode(Audiences({"s1": 3})) + encode(Began(1, "s1", "ana")))
        child.wire.sendall(encode(Began(2, "s1", "ben")) + encode(Withdrawn(2)))
        for number, payload in enumerate(packets(["say", "that", "now"])):
            child.wire.sendall(b"".join(encode(Packet(track, 20 * number, payload)) for track in (1, 2, 3)))
        found: list[Caption] = []
        while not found or not found[-1].final:
            answer = child.said()
            if isinstance(answer, Caption):
                found.append(answer)
        assert {caption.user_id for caption in found} == {"ana"}
        assert found[-1].text == "say that now"
        child.wire.shutdown(socket.SHUT_RDWR)
        assert child.ended() == (0, "")


def test_it_ends_with_its_parent_while_a_model_is_at_work(tmp_path: Path) -> None:
    with started(tmp_path, "tiny") as child:
        assert isinstance(child.said(), Alive)
        child.wire.sendall(encode(Audiences({"s1": 3})) + encode(Began(1, "s1", "ana")))
        for number, payload in enumerate(packets(["say", "that", "now"] * 4)):
            child.wire.sendall(encode(Packet(1, 20 * number, payload)))
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


def test_garbage_ends_it(tmp_path: Path) -> None:
    with started(tmp_path, "tones") as child:
        child.said()
        child.wire.sendall(b"\xff" * 64)
        status, said = child.ended()
        assert status == 1 and "A frame has" in said
