"""The page of reviewers, by keyboard alone: taken, decided, taken back, lost.

No sound is in it, so the server is a control plane without a relay, on a thread of its own; what is recorded is
heard in ``test_review_evidence``.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.media.server.served import served
from tests.media.server.service import Service, running
from tests.media.web.chromium import Visitor, browser
from tests.media.web.test_access import check_access

pytestmark = pytest.mark.needs("chromium")

LEASE = 601.0
"""Seconds after which a lease has run out."""
WIDE = {"width": 1360, "height": 900}


class Office:
    """A server with Spaces about which people complain, and a clock that the test moves."""

    def __init__(self, base: str, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.base, self.service, self._loop = base, service, loop
        self.http = httpx.Client(base_url=base, timeout=60)

    def token(self, name: str, *roles: str) -> str:
        return self.service.token(name, roles=roles)

    def call(self, name: str, method: str, path: str, *roles: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token(name, *roles)}"}
        response = self.http.request(method, path, headers=headers, **more)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def space(self, *speakers: str) -> str:
        """Make a live Space in which people speak; return its id."""

        async def make() -> str:
            path = await self.service.live()
            for name in speakers:
                await self.service.ok(name, "POST", f"{path}/requests")
                await self.service.ok("ana", "POST", f"{path}/requests/{name}/approve")
                await self.service.connect(name, path, "whip")
            return path.rpartition("/")[2]

        return asyncio.run_coroutine_threadsafe(make(), self._loop).result(60)

    def reported(self, *people: str) -> str:
        """Make a live Space in which people speak, all of whom are reported, in this order; return its id."""
        space = self.space(*people)
        for name in people:
            self.report(space, name)
        return space

    def report(
        self, space: str, person: str, category: str = "disturbance", text: str = "", by: str = "eve"
    ) -> None:
        body = {"space_id": space, "user_id": person, "category": category, "text": text or f"{person} shouts."}
        self.call(by, "POST", "/2/reports", json=body)

    def case(self, identity: str) -> Any:
        return self.call("rolf", "GET", f"/2/moderation/cases/{identity}", "reviewer")["data"]

    def claim(self, name: str, **search: Any) -> Any:
        return self.call(name, "POST", "/2/moderation/claims", "reviewer", json=search)["data"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    started, ended = threading.Event(), threading.Event()
    found: list[Office] = []

    async def serve() -> None:
        async with running(tmp_path) as service, served(service) as base:
            found.append(Office(base, service, asyncio.get_running_loop()))
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(60)
    yield found[0]
    found[0].http.close()
    ended.set()
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, browser(playwright) as one:
        yield one


Come = Callable[..., Page]


@pytest.fixture
def come(office: Office, chromium: Browser) -> Iterator[Come]:
    """Lets a reviewer come to the page: ``come("rita")``."""
    here: list[Visitor] = []

    def visit(name: str, *roles: str, **options: Any) -> Page:
        visitor = Visitor(
            chromium, office.base, office.token(name, *(roles or ("reviewer",))), viewport=WIDE, **options
        )
        here.append(visitor)
        page = visitor.visit("/review")
        expect(page.get_by_role("button", name=re.compile("^all"))).to_be_visible()
        return page

    yield visit
    for visitor in here:
        visitor.go()


def head(page: Page) -> Any:
    return page.get_by_role("region", name="Case").get_by_role("heading", level=2).first


def shown(page: Page) -> str:
    """The number of the case that is shown."""
    return re.findall(r"Case (\d+)", page.locator(".case-head").inner_text())[0]


def test_a_queue_is_worked_through_with_keys(office: Office, come: Come) -> None:
    office.reported("ben", "cleo", "dan")
    page = come("rita")
    expect(page.locator(".queue-button")).to_have_text(re.compile(r"all\s*3"))
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    expect(page.locator(".pill.lease")).to_have_text(re.compile(r"yours for (10:00|9:5\d)"))
    expect(page.get_by_role("region", name="Reports")).to_contain_text("ben shouts.")
    expect(page.locator(".policy p")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".policy p")).to_be_hidden()
    first = shown(page)
    for key in ("2", "5", "6", "6", "n"):
        page.keyboard.press(key)
    expect(head(page)).to_have_text("cleo")
    decided = office.case(first)
    assert decided["state"] == "decided" and decided["decisions"][0]["reviewer"] == "rita"
    assert decided["decisions"][0]["actions"] == ["remove from the Space", "warn"]
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(head(page)).to_have_text("dan")
    page.keyboard.press("1")
    page.keyboard.press("n")
    expect(page.locator("#toasts")).to_contain_text("No case waits for you")


def test_a_decision_is_taken_back_within_ten_seconds(office: Office, come: Come) -> None:
    office.reported("ben")
    page = come("rita")
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    number = shown(page)
    page.keyboard.press("7")
    page.keyboard.press("n")
    expect(page.locator(".undo-strip")).to_contain_text("suspend")
    assert office.case(number)["state"] == "decided"
    page.keyboard.press("z")
    expect(head(page)).to_have_text("ben")
    expect(page.locator(".undo-strip")).to_be_hidden()
    again = office.case(number)
    assert (again["state"], again["reviewer"]) == ("claimed", "rita") and again["decisions"][0]["undone_at"]
    expect(page.get_by_role("region", name="Timeline")).to_contain_text("took back")
    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("no decision that can be taken back")


def test_a_complaint_is_read_and_answered_with_keys(office: Office, come: Come) -> None:
    office.reported("ben")
    number = office.claim("rolf")["id"]
    decision = {"actions": ["suspend"]}
    office.call("rolf", "POST", f"/2/moderation/cases/{number}/decision", "reviewer", json=decision)
    office.service.clock.ahead += 11
    (statement,) = office.call("ben", "GET", "/2/users/me/statements")["data"]
    complaint = {"text": "It was a quotation, which I condemned."}
    office.call("ben", "POST", f"/2/users/me/statements/{statement['id']}/appeal", json=complaint)
    page = come("rita")
    page.keyboard.press("n")
    expect(page.get_by_role("region", name="Complaint")).to_contain_text(complaint["text"])
    page.keyboard.press("m")
    page.keyboard.type("The recording shows it.")
    for key in ("Escape", "2", "n"):
        page.keyboard.press(key)
    expect(page.locator("#toasts")).to_contain_text("No case waits for you")
    (statement,) = office.call("ben", "GET", "/2/users/me/statements")["data"]
    answered = statement["appeal"]["outcome"], statement["appeal"]["reasons"]
    assert answered == ("overturned", "The recording shows it.")


def test_keys_are_text_in_a_field_and_the_browsers_with_a_modifier(office: Office, come: Come) -> None:
    office.reported("ben")
    page = come("rita")
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    page.keyboard.press("2")
    page.keyboard.press("m")
    page.keyboard.type("1 no, he sang. zhen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Warn")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="No violation")).to_have_attribute("aria-pressed", "false")
    assert page.get_by_label("Note", exact=True).input_value() == "1 no, he sang. zhen\n"
    page.keyboard.press("Escape")
    for chord in ("Control+3", "Alt+3", "Meta+3"):
        page.keyboard.press(chord)
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")
    assert office.case(shown(page))["state"] == "claimed"
    page.keyboard.press("3")
    page.keyboard.press("n")
    expect(page.locator(".undo-strip")).to_be_visible()
    (decision,) = office.case("00000001")["decisions"]
    assert decision["actions"] == ["mute", "warn"] and decision["note"] == "1 no, he sang. zhen\n"


def test_a_key_begins_the_lease_anew_once_in_twenty_seconds(office: Office, come: Come) -> None:
    office.reported("ben")
    page = come("rita")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    before = office.case(shown(page))["lease_until"]
    with page.expect_response(re.compile("/lease$")) as answer:
        for key in "pppppppp":
            page.keyboard.press(key)
    assert answer.value.ok and office.case(shown(page))["lease_until"] > before
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Warn")).to_have_attribute("aria-pressed", "true")
    assert len(asked) == 1


def test_who_loses_a_case_is_told_and_goes_on(office: Office, come: Come) -> None:
    office.reported("ben", "cleo")
    page = come("rita")
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    number = shown(page)
    page.keyboard.press("7")
    office.service.clock.ahead += LEASE  # she was away
    assert office.claim("rolf", user_id="ben")["id"] == number
    page.keyboard.press("n")
    expect(page.locator("#toasts .bad")).to_contain_text("case")
    expect(head(page)).to_have_text("cleo")
    expect(page.get_by_role("button", name="Suspend the account")).to_have_attribute("aria-pressed", "false")
    kept = office.case(number)
    assert (kept["reviewer"], kept["state"], kept["decisions"]) == ("rolf", "claimed", [])


def test_who_is_away_is_told_that_the_case_went_back(office: Office, come: Come) -> None:
    office.reported("ben")
    page = come("rita")
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    office.service.clock.ahead += LEASE
    expect(page.locator("#toasts .bad")).to_contain_text("is not yours any more")
    expect(page.get_by_text("Take the next case with N")).to_be_visible()
    assert office.case("00000001")["state"] == "open"


def test_cases_are_looked_at_held_escalated_and_put_back(office: Office, come: Come) -> None:
    office.reported("ben", "cleo", "dan")
    page = come("rita")
    expect(page.locator(".case-row")).to_have_count(3)
    for key, person in (("j", "ben"), ("j", "cleo"), ("j", "dan"), ("j", "dan"), ("k", "cleo")):
        page.keyboard.press(key)
        expect(head(page)).to_have_text(person)
    assert office.case(shown(page))["reviewer"] is None
    page.keyboard.press("Enter")
    expect(page.locator(".pill.lease")).to_be_visible()
    page.keyboard.press("h")
    expect(page.get_by_role("region", name="Decision")).to_contain_text("rita holds this case.")
    page.keyboard.press("h")
    expect(page.locator(".pill.lease")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("Take the next case with N")).to_be_visible()
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    page.keyboard.press("e")
    expect(page.locator(".case-row", has_text="ben")).to_contain_text("escalated")
    states = {one["subject"]["user_id"]: one["state"] for one in map(office.case, ("00000001", "00000002"))}
    assert states == {"ben": "escalated", "cleo": "open"}


def test_the_statement_is_shown_before_it_is_sent(office: Office, come: Come) -> None:
    office.reported("ben")
    page = come("rita")
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    page.keyboard.press("v")
    expect(page.locator("#toasts")).to_contain_text("Choose what to do first")
    page.keyboard.press("5")
    page.keyboard.press("v")
    dialog = page.get_by_role("dialog", name="What the person would be told")
    expect(dialog).to_contain_text("They can complain until")
    page.keyboard.press("n")  # inert while a dialog is open
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert office.case("00000001")["state"] == "claimed"


def test_slurs_are_covered_until_somebody_asks(office: Office, come: Come) -> None:
    office.report(office.space("ben"), "ben", "hate", "He said: raghead, R@GHEADS! and ragged heads.")
    page = come("rita")
    page.keyboard.press("n")
    reports = page.get_by_role("region", name="Reports")
    expect(reports.locator(".slur")).to_have_count(2)
    reports.locator(".slur").first.press("Enter")
    expect(reports.locator(".slur")).to_have_count(1)
    page.keyboard.press("b")
    expect(reports.locator(".slur")).to_have_count(0)
    expect(reports).to_contain_text("He said: raghead, R@GHEADS! and ragged heads.")


def test_who_is_no_reviewer_sees_no_case_and_is_told(office: Office, chromium: Browser) -> None:
    office.reported("ben")
    visitor = Visitor(chromium, office.base, office.token("eve"))
    page = visitor.visit("/review")
    expect(page.get_by_role("alert").first).to_have_text(re.compile("Only a reviewer's token may do this"))
    expect(page.locator(".case-row")).to_have_count(0)
    visitor.go()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_its_list_of_keys_are_accessible(office: Office, come: Come, scheme: str) -> None:
    space = office.space("ben", "cleo")
    office.report(space, "ben", "threat to life")
    office.report(space, "cleo")
    page = come("rita", color_scheme=scheme, reduced_motion="reduce")
    check_access(page)
    page.keyboard.press("n")
    expect(head(page)).to_have_text("ben")
    page.keyboard.press("2")
    check_access(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Shortcuts")).to_contain_text("Take the last decision back")
    check_access(page)
