"""Streams of a server process of its own: they end with it, and go on with the next one."""

import signal
from pathlib import Path

import httpx

from tests.media.server.events.streaming import events_of
from tests.media.server.process import Process


def test_ctrl_c_ends_streams_cleanly_and_an_id_from_before_is_given_the_present_state(tmp_path: Path) -> None:
    server = Process(tmp_path)
    try:
        path, ana = server.live("ana"), server.token("ana")
        headers = {"Authorization": f"Bearer {ana}"}
        with (
            server.http.stream("GET", f"{path}/events", headers=headers) as space,
            server.http.stream("GET", "/users/me/events", headers=headers) as mine,
        ):
            received, chunks = b"", space.iter_bytes()
            while b"event: pulse" not in received:
                received += next(chunks)
            number = events_of(received)[-1][0]
            server.process.send_signal(signal.SIGINT)
            list(chunks)  # to the proper end of the answer: anything else would raise
            list(mine.iter_bytes())
        assert server.process.wait(timeout=30) == 0, server.said()
        assert "Traceback" not in server.said() and "Cancel" not in server.said(), server.said()
        server._start(wait=True)
        server.call(ana, "POST", f"{path}/participants/me/unmute")
        with httpx.stream(
            "GET", f"{server.base}{path}/events", headers={**headers, "Last-Event-ID": str(number)}
        ) as again:
            received, chunks = b"", again.iter_bytes()
            while b"event: pulse" not in received:
                received += next(chunks)
        first = events_of(received)[0]
        assert (first[1], first[2]["stage"][0]["muted_by_self"]) == ("space", False)
    finally:
        server.put_away()
