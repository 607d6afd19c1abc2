"""A page's own address works when it is the first that a fresh server is asked for."""

from __future__ import annotations

import re

import pytest

from hiercodec.ui.frame.navigation import MOVED
from tests.browser.conftest import serve

pytestmark = pytest.mark.browser


def test_a_pages_own_address_opens_it_with_the_menu(browser):
    with serve() as (url, _):
        page = browser.new_context().new_page()
        page.goto(f"{url}/groups")
        page.get_by_role("heading", name="Groups", exact=True).wait_for(timeout=60_000)
        page.get_by_role("link", name="Learn").wait_for(timeout=60_000)
        assert not page.get_by_role("dialog").count(), "no word of a page that does not exist"
        page.context.close()


def test_an_old_address_leads_on_when_it_is_the_first(browser):
    with serve() as (url, _):
        page = browser.new_context().new_page()
        page.goto(f"{url}/robustness")
        page.get_by_role("heading", name="Groups", exact=True).wait_for(timeout=60_000)
        page.get_by_text("Stability", exact=True).first.wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        assert not page.get_by_role("dialog").count(), "no word of a page that does not exist"
        page.context.close()


def test_old_addresses_lead_to_the_views_that_took_their_place(browser, address):
    for old, (name, view) in MOVED.items():
        page = browser.new_context().new_page()
        page.goto(f"{address}/{old}?at=0.3")
        page.wait_for_url(re.compile(rf"/{name}\?(?=.*at=0\.3){'(?=.*view=)' if view else ''}"))
        pressed = page.locator("[data-testid=stButtonGroup] button[aria-checked=true]").first
        pressed.wait_for(timeout=60_000)
        assert not view or pressed.inner_text() == view
        page.context.close()
