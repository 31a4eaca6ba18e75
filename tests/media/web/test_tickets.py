"""Tickets in the page: sold by the host, bought by a guest, asked for at the door, refunded."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.media.server.process import Process
from tests.media.web.conftest import Come
from tests.media.web.test_access import check_access
from tests.media.web.test_host import scheduled

pytestmark = pytest.mark.needs("chromium")

POLICY = 'base = "2021-08"\nname = "no-barriers"\nticket_followers = 0\nticket_spaces = 0\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One that sells tickets, and lets hosts sell who have no followers."""
    data = tmp_path_factory.mktemp("shop")
    (data / "policy.toml").write_text(POLICY)
    process = Process(data, "--payments", "test", "--policy", str(data / "policy.toml"))
    yield process
    process.put_away()


def test_a_ticket_is_sold_bought_asked_for_and_refunded(come: Come, server: Process) -> None:
    server.call(server.token("ana"), "POST", "/users", json={"adult": True})
    path = scheduled(server, title="Masterclass")
    host, guest, other = come("ana"), come("lea"), come("mia")
    host.visit(path)
    host.button("Tickets").click()
    host.page.get_by_label("Price in dollars").fill("7.5")
    host.page.get_by_label("How many").fill("2")
    check_access(host.page)
    host.button("Sell tickets").click()
    expect(host.page.locator(".toast")).to_contain_text("Tickets are on sale for $7.50.")

    for visitor in (guest, other):
        visitor.visit(path)
        expect(visitor.page.get_by_role("heading", name="This Space needs a ticket")).to_be_visible()
    expect(guest.page.locator(".buying")).to_contain_text("2 left")
    check_access(guest.page)
    guest.button("Buy a ticket for $7.50").click()
    check_access(guest.page)
    guest.page.get_by_label("Card").fill("4000 0000 0000 0002")
    guest.button("Pay $7.50").click()
    expect(guest.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The card was declined")
    guest.page.get_by_label("Card").fill("4242 4242 4242 4242")
    guest.button("Pay $7.50").click()
    expect(guest.page.locator(".toast")).to_contain_text("You have a ticket.")
    expect(guest.page.get_by_role("heading", name="Starts ")).to_be_visible()
    expect(guest.page.locator(".buying")).to_contain_text("You have a ticket.")

    host.button("Tickets").click()
    dialog = host.page.get_by_role("dialog", name="Tickets")
    for name, text in (("Sold", "1"), ("Paid by people", "$7.50"), ("Your share of the next ticket", "97 %")):
        row = dialog.locator("dl div", has=host.page.get_by_text(name, exact=True)).locator("dd")
        expect(row).to_have_text(text)
    host.button("Close").last.click()
    host.button("Change").click()
    expect(host.page.get_by_text("Tickets are on sale, so the time stays.")).to_be_visible()
    host.button("Close").last.click()

    host.button("Start now").click()
    expect(host.button("Unmute")).to_be_visible()
    guest.button("Start listening").click()
    expect(guest.button("Leave")).to_be_visible()
    other.page.reload()
    expect(other.page.get_by_role("heading", name="This Space needs a ticket")).to_be_visible()
    expect(other.page.locator(".buying")).to_contain_text("1 left")

    again = scheduled(server, title="The next one")
    body = {"price_cents": 500, "quantity": 1}
    server.call(server.token("ana"), "PUT", f"{again.replace('/s/', '/spaces/')}/tickets", json=body)
    other.visit(again)
    other.button("Buy a ticket for $5").click()
    other.page.get_by_label("Card").fill("4242424242424242")
    other.button("Pay $5").click()
    expect(other.page.locator(".toast")).to_contain_text("You have a ticket.")
    other.visit()
    expect(other.page.get_by_role("region", name="Coming up")).to_contain_text("You have a ticket")
    host.visit(again)
    host.button("Call it off").click()
    expect(host.page.get_by_role("dialog")).to_contain_text("every ticket is refunded")
    host.page.get_by_role("dialog").get_by_role("button", name="Call it off").click()
    expect(other.page.locator(".toast")).to_contain_text("refunded")


def test_a_space_is_scheduled_with_tickets_and_its_card_says_so(come: Come, server: Process) -> None:
    host, guest, other = come("zoe"), come("yan"), come("xen", color_scheme="dark")
    page = host.visit()
    host.button("Start a Space").click()
    sell = page.get_by_label("Sell tickets")
    expect(sell).to_be_hidden()
    page.get_by_label("What is it about?").fill("An evening of fado")
    page.get_by_label("Schedule it for later").check()
    sell.check()
    page.get_by_label("Price in dollars").fill("12.5")
    page.get_by_label("How many").fill("1")
    check_access(page)
    host.button("Schedule").click()  # refused by the browser: nobody has said yet that they are of age
    page.get_by_label("I am 18 or older").check()
    host.button("Schedule").click()
    expect(page.get_by_role("heading", name="An evening of fado")).to_be_visible()
    host.button("Tickets").click()
    expect(page.get_by_label("Price in dollars")).to_have_value("12.5")
    expect(page.get_by_label("How many")).to_have_value("1")
    expect(page.get_by_label("I am 18 or older")).to_be_hidden()
    api = page.evaluate("location.pathname").replace("/s/", "/spaces/")

    card = guest.visit().get_by_role("link", name="An evening of fado")
    expect(card).to_contain_text("Ticket $12.50")
    body = {"payment_method": "4242424242424242"}
    server.call(server.token("yan"), "POST", f"{api}/tickets/purchases", json=body)
    guest.page.reload()
    expect(card).to_contain_text("You have a ticket")
    expect(other.visit().get_by_role("link", name="An evening of fado")).to_contain_text("Sold out")
    check_access(other.page)
    expect(host.visit().get_by_role("link", name="An evening of fado")).to_contain_text("Ticket $12.50, sold out")
    server.call(server.token("zoe"), "POST", f"{api}/invitations", json={"user_id": "yan"})
    server.call(server.token("zoe"), "POST", f"{api}/start")
    guest.page.reload()
    expect(card.first).to_contain_text("You need no ticket")
    other.page.reload()
    live = other.page.get_by_role("region", name="Live now").get_by_role("link", name="An evening of fado")
    expect(live).to_contain_text("Sold out")
    check_access(other.page)
