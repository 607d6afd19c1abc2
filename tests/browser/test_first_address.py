"""A page's own address works when it is the first that a fresh server is asked for."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import serve

pytestmark = pytest.mark.browser


def test_a_pages_own_address_opens_it_with_the_menu(new_page):
    with serve() as (url, _):
        page = new_page()
        page.goto(f"{url}/groups")
        page.get_by_role("heading", name="Groups", exact=True).wait_for()
        page.get_by_role("link", name="Learn").wait_for()
        assert not page.get_by_role("dialog").count(), "no word of a page that does not exist"
        page.close()


def test_an_old_address_leads_on_when_it_is_the_first(new_page):
    with serve() as (url, _):
        page = new_page()
        page.goto(f"{url}/robustness")
        page.get_by_role("heading", name="Groups", exact=True).wait_for()
        page.get_by_text("Stability", exact=True).first.wait_for()
        page.wait_for_timeout(1000)
        assert not page.get_by_role("dialog").count(), "no word of a page that does not exist"
        page.close()


def test_an_old_address_leads_to_the_page_that_took_its_place(new_page, address):
    page = new_page()
    page.goto(f"{address}/evaluate?at=0.3")
    page.wait_for_url(re.compile(r"/results\?(?=.*at=0\.3)"))
    page.locator("[data-testid=stButtonGroup] button[aria-checked=true]").first.wait_for()
    page.close()


def test_a_first_page_that_takes_long_comes_all_the_same(browser, address):
    """What says that the style is there may not begin a run anew again and again: it would never end."""
    page = browser.new_page()  # of a visitor who has seen nothing yet
    page.goto(f"{address}/?photo=Lake&steps=48")
    page.wait_for_selector(".hx[data-k]", timeout=60_000)
    page.close()
