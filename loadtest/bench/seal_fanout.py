"""What our AES-GCM spares a whole fan-out: headers, sealing, ``sendmmsg`` to live sockets; both ways in turn."""

import secrets
import socket
import threading
import time
from statistics import median

from media.rtc.crowd import Crowd
from media.rtc.inbox import Inbox
from media.rtc.srtp import AES_128_GCM, SrtpContext

SOCKETS = 16
"""That packets arrive at; listeners share them by addresses in 127/8."""


class _Listener:
    def __init__(self, context: SrtpContext) -> None:
        self.place, self.context = -1, context


class SealedFanOut:
    """The same listeners twice, of one row each: sealed by ours, and by libsrtp."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._sinks = [_bound() for _ in range(SOCKETS)]
        self._port = _bound()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._payload = secrets.token_bytes(size)
        self._crowds = {name: self._crowd(name == "ours") for name in ("ours", "libsrtp")}

    def measure(self, ticks: int, rounds: int) -> dict[str, float]:
        """Nanoseconds of the sending thread's CPU time a packet: medians over rounds of so many ticks each way."""
        self._reader.start()
        spent: dict[str, list[float]] = {name: [] for name in self._crowds}
        try:
            for crowd, row, _ in self._crowds.values():
                self._fan_out(crowd, row, 1)
            for _ in range(rounds):
                for name, (crowd, row, _) in self._crowds.items():
                    spent[name].append(self._fan_out(crowd, row, ticks))
        finally:
            self._ended.set()
            self._reader.join()
            self._close()
        figures = {name: median(values) for name, values in spent.items()}
        return {
            "fanout_ours_ns": figures["ours"],
            "fanout_libsrtp_ns": figures["libsrtp"],
            "fanout_spared": 1.0 - figures["ours"] / figures["libsrtp"],
        }

    def _fan_out(self, crowd: Crowd, row: int, ticks: int) -> float:
        spent = 0.0
        for number in range(ticks):
            crowd.fill(row, self._payload, 960 * number, None, False)
            begun = time.thread_time()
            crowd.send(self._port.fileno())
            spent += time.thread_time() - begun
        return 1e9 * spent / (ticks * self._count)

    def _crowd(self, native: bool) -> tuple[Crowd, int, list[_Listener]]:
        crowd, listeners = Crowd(native), list[_Listener]()
        row = crowd.new_row()
        for number in range(self._count):
            listener = _Listener(SrtpContext(AES_128_GCM, secrets.token_bytes(28), ssrc=number + 1))
            address = (f"127.1.{number // 250}.{1 + number % 250}", self._sinks[number % SOCKETS].getsockname()[1])
            crowd.add(
                *(listener, listener.context, address),
                ssrc=number + 1,
                payload_type=111,
                capture_id=0,
                row=row,
            )
            listeners.append(listener)
        return crowd, row, listeners

    def _read(self) -> None:
        inbox = Inbox()
        while not self._ended.is_set():
            if not sum(inbox.fill(sink.fileno()) for sink in self._sinks):
                time.sleep(0.001)

    def _close(self) -> None:
        for sink in (*self._sinks, self._port):
            sink.close()
        for _, _, listeners in self._crowds.values():
            for listener in listeners:
                listener.context.close()


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind(("0.0.0.0", 0))  # noqa: S104 (all of 127/8)
    made.setblocking(False)
    return made
