"""The page for everybody: by keyboard alone, with a screen reader, in both schemes, at the width of a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.media.server.process import Process
from tests.media.web.chromium import Visitor
from tests.media.web.conftest import Come
from tests.media.web.test_room import come_in, live

pytestmark = pytest.mark.needs("chromium")

PHONE = {"width": 360, "height": 740}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def check_access(page: Page) -> None:
    """Fail on whatever axe-core finds, contrast included."""
    found = Axe().run(page, options=RULES).response["violations"]
    told = [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"]]) for v in found]
    assert not told, told


def crowded(server: Process) -> str:
    """Make a live Space with one of everything in it."""
    path = live(server, title="A room for everybody", topic_ids=["Access"])
    api = path.replace("/s/", "/spaces/")
    host = server.token("ana")
    for name in ("ben", "cleo"):
        server.call(host, "POST", f"{api}/invitations", json={"user_id": name})
        server.call(server.token(name), "POST", f"{api}/invitations/me/accept")
    server.call(host, "POST", f"{api}/participants/ben/mute")
    server.call(server.token("finn"), "POST", f"{api}/requests")
    server.call(host, "PUT", f"{api}/pins/1396580169512140802")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_room_and_dialogs_are_accessible(come: Come, server: Process, scheme: str) -> None:
    path = crowded(server)
    host = come("ana", color_scheme=scheme, reduced_motion="reduce")
    page = host.visit()
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()
    check_access(page)
    host.button("Start a Space").click()
    check_access(page)
    page.keyboard.press("Escape")
    come_in(host, path)
    host.button("Delay and quality").click()
    check_access(page)
    page.locator("[data-person=cleo] button").click()
    check_access(page)
    page.keyboard.press("Escape")
    for name in ("How it goes", "Change the Space", "Invite somebody", "Pin a post"):
        host.button(name).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check_access(page)
        page.keyboard.press("Escape")
    stranger = come(None, color_scheme=scheme)
    page = stranger.visit()
    stranger.page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    check_access(page)


def test_the_scheme_can_be_chosen(come: Come) -> None:
    visitor = come("lea", color_scheme="light")
    page = visitor.visit()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    visitor.button("Colours: as the system").click()
    assert page.evaluate(ground) == light
    visitor.button("Colours: light").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    visitor.button("Colours: dark").click()
    assert page.evaluate(ground) == light


@pytest.mark.parametrize("name", ["ana", "lea"])
def test_nothing_is_wider_than_a_phone(come: Come, server: Process, name: str) -> None:
    path = crowded(server)
    visitor = come(name, viewport=PHONE)
    for place in ("/", path):
        page = visitor.visit(place)
        if place == path:
            visitor.button("Start listening").click()
            expect(visitor.button("Leave")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], button
            assert min(box["width"], box["height"]) >= 24  # WCAG 2.2, target size


def tab_to(visitor: Visitor, name: str, most: int = 40) -> None:
    """Press Tab until a button or a field has the focus; it must be seen to have it."""
    page = visitor.page
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate("""() => {
          const one = document.activeElement;
          if (one === document.body) return null;  // from the last one of a dialog to the browser's own buttons
          const label = one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent;
          return [label.trim(), getComputedStyle(one).outlineStyle, getComputedStyle(one).outlineWidth];
        }""")
        if here is None:
            continue
        assert here[1] != "none" and here[2] != "0px", f"the focus on {here[0]} cannot be seen"
        if here[0] == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_a_space_is_hosted_by_keyboard_alone(come: Come) -> None:
    host = come("ana")
    page = host.visit()
    expect(host.button("Start a Space")).to_be_visible()
    tab_to(host, "Skip to the content")
    page.keyboard.press("Enter")
    tab_to(host, "Start a Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("By hand, rm")  # the title has the focus, and shortcuts stay out of it
    tab_to(host, "Start now")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By hand, rm")).to_be_visible()
    expect(host.button("Unmute")).to_be_visible()
    page.keyboard.press("m")
    expect(page.locator("#assertive")).to_have_text("Your microphone is on.")
    page.keyboard.press("m")
    expect(page.locator("#assertive")).to_have_text("You are muted.")
    page.keyboard.press("r")
    expect(host.button("Lower hand")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    page.keyboard.press("m")  # a dialog is open
    page.keyboard.press("Escape")
    expect(host.button("Unmute")).to_be_visible()
    tab_to(host, "Leave")
    page.keyboard.press("Enter")
    tab_to(host, "End it for everyone")
    page.keyboard.press("Enter")
    tab_to(host, "End it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This Space has ended")).to_be_visible()


def test_what_happens_is_said(come: Come, server: Process) -> None:
    path = crowded(server)
    api, host = path.replace("/s/", "/spaces/"), server.token("ana")
    cleo = come("cleo", which=1)
    cleo.visit(path)
    cleo.button("Start listening").click()
    expect(cleo.button("Unmute")).to_be_visible()
    loud, quiet = cleo.page.locator("#assertive"), cleo.page.locator("#polite")
    expect(quiet).to_have_text("You are connected.")
    server.call(host, "POST", f"{api}/participants/cleo/mute")
    expect(loud).to_have_text("You are muted by an admin.")
    server.call(host, "POST", f"{api}/participants/cleo/unmute")
    expect(loud).to_have_text("You may unmute again.")
    server.call(host, "POST", f"{api}/requests/finn/approve")
    expect(quiet).to_have_text("finn may speak now.")
    server.call(host, "POST", f"{api}/participants/finn/step-down")
    expect(quiet).to_have_text("finn left the stage.")
    expect(loud).not_to_have_text(re.compile("finn"))
    server.http.request("DELETE", f"{api}/participants/cleo", headers={"Authorization": f"Bearer {host}"})
    expect(loud).to_have_text("You were removed from this Space.")
