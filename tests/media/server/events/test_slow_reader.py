"""A client that connects and does not read: its stream ends, and nobody else notices."""

import asyncio
import socket
import urllib.parse

from tests.media.server.events.streaming import PATIENCE, Streaming


async def test_a_client_that_does_not_read_is_cut_off_and_others_get_everything(service: Streaming) -> None:
    path = await service.live()
    space = path.rpartition("/")[2]
    hub = service.app.state.events.hub
    sleeper = _connect(service, f"{path}/events")
    try:
        async with service.stream("lea", f"{path}/events") as stream:
            await stream.next("pulse")
            while hub.readers()["space"] < 2:
                await asyncio.sleep(0.01)
            channel, sent = hub._broadcasts[space].channel, 0
            async with asyncio.timeout(PATIENCE):
                while hub.readers()["space"] == 2:
                    channel.publish("message", {"number": sent, "text": "x" * 8_000}, service.clock())
                    sent += 1
                    assert (await stream.next("message"))[1]["number"] == sent - 1
            channel.publish("message", {"number": sent}, service.clock())
            assert (await stream.next("message"))[1] == {"number": sent}
            metrics = (await service.call(None, "GET", "/metrics")).text
            assert "spaces_event_readers_dropped_total 1.0" in metrics
        received = 0
        while data := await asyncio.to_thread(_receive, sleeper):
            received += len(data)
        assert received < sent * 8_000, "what had not been sent yet was thrown away"
    finally:
        sleeper.close()


def _connect(service: Streaming, path: str) -> socket.socket:
    """Ask for a stream by hand, with a small window, and read nothing of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    base = urllib.parse.urlsplit(str(service.http.base_url))
    client.connect((base.hostname, base.port))
    request = f"GET {path} HTTP/1.1\r\nHost: spaces\r\nAuthorization: Bearer {service.token('ben')}\r\n\r\n"
    client.sendall(request.encode())
    client.settimeout(PATIENCE)
    return client


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(65_536)
    except ConnectionResetError:
        return b""
