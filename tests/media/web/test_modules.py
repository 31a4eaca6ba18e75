"""The page's modules on their own, in the browser that runs them."""

from typing import Any

import pytest

from tests.media.server.process import Process
from tests.media.web.conftest import TONE_A, Come
from tests.media.web.test_room import live

pytestmark = pytest.mark.needs("chromium")

PARSE = """async (chunks) => {
  const { parse } = await import("/web/events.js");
  const bytes = chunks.map((chunk) => new Uint8Array(chunk));
  const reader = { read: async () => (bytes.length ? { value: bytes.shift(), done: false } : { done: true }) };
  const found = [];
  for await (const event of parse(reader)) found.push(event);
  return found;
}"""

STREAM = (
    "retry: 2000\n\n"
    ":\n\n"
    'id: 7\nevent: space\ndata: {"title":\ndata: "Überall 🎙"}\n\n'
    "event: nothing\n\n"
    "data\n\n"
    "id: 8\r\nevent:pulse\r\ndata:  two spaces\r\n\r\n"
    "event: cut\ndata: off"
)
EVENTS = [
    {"event": "space", "data": '{"title":\n"Überall 🎙"}', "id": "7"},
    {"event": "message", "data": "", "id": None},
    {"event": "pulse", "data": " two spaces", "id": "8"},
]


def test_a_stream_is_read_however_it_is_cut(come: Come) -> None:
    page = come(None).visit()
    data = list(STREAM.encode())
    for size in (1, 2, 7, 1000):
        assert page.evaluate(PARSE, [data[i : i + size] for i in range(0, len(data), size)]) == EVENTS


def test_tries_are_further_and_further_apart(come: Come) -> None:
    page = come(None).visit()
    delays = page.evaluate("""async () => {
      const { delay } = await import("/web/backoff.js");
      const of = (tries) => [delay(tries, 0, () => 0), delay(tries, 0, () => 1), delay(tries, 9000)];
      return [0, 1, 2, 3, 20].map(of);
    }""")
    shortest, longest, asked = zip(*delays, strict=True)
    assert shortest == (250, 500, 1000, 2000, 7500)
    assert longest == (500, 1000, 2000, 4000, 15000)
    assert all(9000 <= wait <= 13_500 for wait in asked)


def test_what_is_said_in_one_moment_is_said_one_after_the_other(come: Come) -> None:
    page = come(None).visit()
    said = page.evaluate("""async () => {
      const { say } = await import("/web/say.js");
      const heard = [];
      const region = document.getElementById("polite");
      const listener = new MutationObserver(() => region.textContent && heard.push(region.textContent));
      listener.observe(region, { childList: true, characterData: true, subtree: true });
      for (const text of ["one", "two", "two"]) say(text);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return heard;
    }""")
    assert said == ["one", "two", "two"]


def test_ice_is_restarted_without_losing_the_sound(come: Come, server: Process) -> None:
    path = live(server)
    host, guest = come("ana"), come("lea")
    host.visit(path)
    host.button("Start listening").click()
    host.button("Unmute").click()
    page = guest.visit()
    names: dict[str, Any] = page.evaluate(
        """async (address) => {
          const { Connection } = await import("/web/audio.js");
          const { play } = await import("/web/ear.js");
          const one = new Connection(address, "whep", null, play);
          window.one = one;
          await one.open();
          const before = (await one.stats()).values().find((s) => s.type === "transport").iceLocalUsernameFragment;
          await one.restart();
          for (let i = 0; i < 100; i++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            const now = (await one.stats()).values().find((s) => s.type === "transport");
            if (now.iceLocalUsernameFragment !== before && now.iceState === "connected") {
              return { before, after: now.iceLocalUsernameFragment, state: one.state };
            }
          }
          return { before, state: one.state };
        }""",
        path.replace("/s/", "/spaces/") + "/whep",
    )
    assert names["state"] == "connected" and names["after"] != names["before"]
    guest.hears_tone(TONE_A)
    page.evaluate("window.one.close()")


def test_a_pushed_reminder_is_shown(come: Come, server: Process) -> None:
    """The browser's maker and its push service are left out: the message is handed to the worker."""
    visitor = come("lea")
    visitor.context.grant_permissions(["notifications"], origin=server.base)
    page = visitor.visit()
    registered: list[str] = []
    session = visitor.context.new_cdp_session(page)
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registered.extend(one["registrationId"] for one in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    page.evaluate("""async () => {
      const { register } = await import("/web/push.js");
      const worker = await register();
      await new Promise((resolve) => {
        const look = () => (worker.active?.state === "activated" ? resolve() : setTimeout(look, 20));
        look();
      });
    }""")
    data = '{"event":"reminder","when":"soon","title":"Tides","space_id":"x","url":"/s/x","scheduled_start":null}'
    message = {"origin": server.base, "registrationId": registered[-1], "data": data}
    session.send("ServiceWorker.deliverPushMessage", message)
    shown = page.evaluate("""async () => {
      const worker = await navigator.serviceWorker.getRegistration("/web/");
      for (let i = 0; i < 100; i++) {
        const [one] = await worker.getNotifications();
        if (one) return [one.title, one.body, one.data.url];
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }""")
    assert shown == ["Tides", "It starts in half an hour.", "/s/x"]


def test_a_token_is_renewed_before_it_ends(come: Come, server: Process) -> None:
    admin = server.admin_token()
    made = server.call(admin, "POST", "/tokens", json={"users": ["rita"], "refresh": True, "ttl_seconds": 5})[
        "data"
    ][0]
    visitor = come(None)
    page = visitor.page
    page.goto(f"{server.base}/#token={made['token']}&refresh={made['refresh_token']}")
    page.get_by_role("heading", name="Live now").wait_for()
    kept = page.evaluate("JSON.parse(sessionStorage.getItem('spaces.token'))")
    assert kept["token"] != made["token"] and kept["refresh"] != made["refresh_token"]
    assert page.url == f"{server.base}/"
