"""Class vote as a lecturer drives it, by keys and a clicker, with a phone in the hall."""

from __future__ import annotations

import pytest

from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.ui.vote.ballot import ballot
from tests.browser.conftest import open_at

pytestmark = pytest.mark.browser


def test_no_key_is_too_quick_for_the_pictures(browser, address):
    """A picture that the browser has to fetch is gone where the next run overtakes it: over a slow line, always."""
    problems: list[str] = []
    page = open_at(browser, f"{address}/?photo=Cat", problems)
    page.route("**/media/**", lambda route: (page.wait_for_timeout(800), route.continue_()))
    page.locator("[data-do=vote]").click()
    page.get_by_text("0 votes so far").wait_for(timeout=60_000)
    for key in (*(4 * ("PageDown", "1", "PageDown", "2", "PageDown", "PageUp", "PageUp", "3", "PageUp")), "PageDown"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    page.get_by_text("8 votes so far").wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    broken = (
        "() => [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.alt)"
    )
    assert not page.evaluate(broken)
    page.context.close()
    assert not problems


def test_a_vote_by_keys_and_a_phone(browser, address):
    problems: list[str] = []
    asked = ballot(bundle.read(TRACES / "cat.zip").trace)
    right = next(iter(asked.right))
    page = open_at(browser, f"{address}/?photo=Cat", problems)
    page.locator("[data-do=vote]").click()
    page.get_by_role("heading", name=asked.questions[0]).wait_for(timeout=60_000)
    page.get_by_text("0 votes so far").wait_for()
    code = page.url.split("held=")[1].split("-")[0]
    phone = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    phone.goto(f"{address}/vote?room={code}")
    phone.get_by_role("button", name=asked.choices[right], exact=True).click(timeout=60_000)
    for key in (str(right + 1), str(right + 1), "9", "9", "Backspace"):
        page.keyboard.press(key)  # quicker than the server answers
    page.get_by_text("4 votes so far").wait_for(timeout=30_000)
    assert not page.get_by_text("right").count(), "nothing is given away"
    page.keyboard.press("PageDown")
    page.get_by_role("heading", name=asked.questions[1]).wait_for(timeout=30_000)
    phone.get_by_text(asked.questions[1]).wait_for(timeout=30_000)
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name=asked.questions[2]).wait_for(timeout=30_000)
    page.keyboard.press("Space")
    page.get_by_role("heading", name="What was it?").wait_for(timeout=30_000)
    page.get_by_text(f"hall: {asked.choices[right]}, 3 of 4 votes").wait_for()
    page.locator(".js-plotly-plot").wait_for(timeout=30_000)
    phone.get_by_text("Voting is over").wait_for(timeout=30_000)
    for tab in (page, phone):
        tab.context.close()
    assert not problems
