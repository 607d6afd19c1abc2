"""A page's own address works when it is the first that a fresh server is asked for."""

from __future__ import annotations

import pytest

from tests.browser.conftest import serve

pytestmark = pytest.mark.browser


def test_a_pages_own_address_opens_it_with_the_menu(browser):
    with serve() as (url, _):
        page = browser.new_context().new_page()
        page.goto(f"{url}/clip-vs-wordnet")
        page.get_by_role("heading", name="CLIP versus WordNet").wait_for(timeout=60_000)
        page.get_by_role("link", name="Learn").wait_for(timeout=60_000)
        assert not page.get_by_role("dialog").count(), "no word of a page that does not exist"
        page.context.close()
