"""Pictures of the page for the documentation: ``python -m tests.media.web.screenshots docs``.

A real server with people in it: their microphones play speech-like tones, the crowd is anonymous and connected.
"""

import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor, browser, write_tone

WIDE = {"width": 1180, "height": 990}
PHONE = {"width": 390, "height": 780}
PEOPLE = {
    "ana": "Ana Ferreira",
    "ben": "Ben Okafor",
    "chen": "Chen Wei",
    "eva": "Eva Lindqvist",
    "finn": "Finn Maguire",
    "gia": "Gia Romano",
    "hugo": "Hugo Laurent",
    "lea": "Lea Brandt",
}
CROWD = """async ([path, number]) => {
  window.crowd = await Promise.all(Array.from({ length: number }, async () => {
    const connection = new RTCPeerConnection();
    connection.addTransceiver("audio", { direction: "recvonly" });
    await connection.setLocalDescription();
    const headers = { "Content-Type": "application/sdp" };
    const answer = await fetch(`${path}/whep`, { method: "POST", headers, body: connection.localDescription.sdp });
    await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    return connection;
  }));
}"""


class Scene:
    """A server with Spaces, and everybody who is in one of them."""

    def __init__(self, server: Process, one: Browser) -> None:
        self.server, self.browser = server, one
        self.visitors: list[Visitor] = []
        for name, full in PEOPLE.items():
            self.call(name, "POST", "/users", json={"name": full})
        for followed in ("ana", "gia"):
            self.call("lea", "POST", "/users/me/following", json={"target_user_id": followed})
        self.room = self.space("ana", "What we learned from the launch", ["848920371311001600"])
        self.vinyl = self.space("gia", "Late night vinyl", ["Music"])
        self.stories = self.space("hugo", "Debugging war stories: it was DNS", ["848920371311001600"])
        now = datetime.now(UTC)
        self.space("eva", "Ask a marine biologist", [], now + timedelta(days=3, hours=2))
        self.space("chen", "Book club: chapter nine", [], now + timedelta(minutes=50))

    def call(self, name: str, method: str, path: str, **more: Any) -> Any:
        return self.server.call(self.server.token(name), method, path, **more)

    def space(self, host: str, title: str, topics: list[str], start: datetime | None = None) -> str:
        body: dict[str, Any] = {"title": title, "topic_ids": topics, "anonymous_listening": True}
        if start:
            body["scheduled_start"] = start.isoformat()
        path = f"/spaces/{self.call(host, 'POST', '/spaces', json=body)['id']}"
        if not start:
            self.call(host, "POST", f"{path}/start")
        return path

    def come(self, name: str | None, path: str, **options: Any) -> Visitor:
        """Bring somebody to the page."""
        visitor = Visitor(self.browser, self.server.base, self.server.token(name) if name else None, **options)
        self.visitors.append(visitor)
        visitor.visit(path)
        return visitor

    def fill(self) -> None:
        """Have a host, speakers, a crowd, a request, a pin and messages in the room."""
        for name in ("ben", "chen", "eva"):
            self.call("ana", "POST", f"{self.room}/invitations", json={"user_id": name})
            self.call(name, "POST", f"{self.room}/invitations/me/accept")
        self.call("ana", "POST", f"{self.room}/participants/ben/promote")
        place = self.room.replace("/spaces/", "/s/")
        for name in ("ana", "ben", "chen", "eva", "finn"):
            visitor = self.come(name, place)
            visitor.button("Start listening").click()
            visitor.button("Leave").wait_for()
            if name in ("ana", "chen"):
                visitor.button("Unmute").click()
            if name == "eva":
                visitor.button("Raise hand").click()
            if name == "finn":
                visitor.button("Ask to speak").click()
        words = "The numbers of our launch week. The second chart surprised us: people stay when they are asked."
        post = self.call("ana", "POST", "/posts", json={"text": words})["id"]
        self.call("ana", "PUT", f"{self.room}/pins/{post}")
        for name, text in (
            ("finn", "Where can I read the numbers?"),
            ("ben", "Pinned above. The second chart is the one."),
            ("eva", "Ours looked the same in March."),
        ):
            self.call(name, "POST", f"{self.room}/messages", json={"text": text})
        self.come(None, "/").page.evaluate(CROWD, [self.room, 40])
        for name, other in (("gia", self.vinyl), ("hugo", self.stories)):
            self.come(name, other.replace("/spaces/", "/s/")).button("Start listening").click()
            self.come(None, "/").page.evaluate(CROWD, [other, len(name) * 3])

    def shoot(self, folder: Path, name: str, who: str, path: str, scheme: str, size: dict[str, int]) -> None:
        """Take one picture."""
        visitor = self.come(who, path, color_scheme=scheme, viewport=size)
        page: Page = visitor.page
        if path != "/":
            visitor.button("Start listening").click()
            visitor.button("Leave").wait_for()
            page.wait_for_timeout(1500)
            for kind in ("clap", "heart", "fire", "clap", "heart", "clap"):
                self.call("finn", "POST", f"{self.room}/reactions", json={"kind": kind})
        page.wait_for_timeout(1500)
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        picture.quantize(256, kmeans=2, dither=Image.Dither.FLOYDSTEINBERG).save(
            folder / f"{name}.png", optimize=True
        )
        visitor.go()
        self.visitors.remove(visitor)


def main(folder: Path) -> None:
    """Take all pictures into a folder."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Process(data)
        stack.callback(server.put_away)
        playwright = stack.enter_context(sync_playwright())
        one = stack.enter_context(browser(playwright, write_tone(data / "voice.wav", 220.0)))
        scene = Scene(server, one)
        scene.fill()
        room = scene.room.replace("/spaces/", "/s/")
        for scheme in ("light", "dark"):
            scene.shoot(folder, f"page-list-{scheme}", "lea", "/", scheme, WIDE)
            scene.shoot(folder, f"page-room-{scheme}", "ben", room, scheme, WIDE)
        scene.shoot(folder, "page-room-phone", "lea", room, "dark", PHONE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
