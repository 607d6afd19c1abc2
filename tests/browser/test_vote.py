"""A vote of the hall inside Present, as a lecturer drives it, by keys and a clicker, with a phone in the hall."""

from __future__ import annotations

import pytest

from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.ui.vote.hall import ballot
from tests.browser.conftest import PATIENCE, open_at
from tests.browser.explore import ROOT_OF, position

pytestmark = pytest.mark.browser

TELLS = f"""() => {ROOT_OF}.querySelector('.hx').innerText + [...{ROOT_OF}.querySelectorAll('canvas, .track')]
  .map((e) => e.ariaLabel + e.ariaValueText) + {ROOT_OF}.querySelector('.live').textContent"""


def begin(new_page, address, problems: list[str]):
    """Explore, presenting, with the first question asked."""
    page = open_at(new_page, f"{address}/?photo=Cat", problems)
    page.locator("[data-do=present]").click()
    page.keyboard.press("v")
    page.locator(".votes", has_text="0 votes").wait_for()
    return page


def test_no_key_is_too_quick_and_no_picture_is_lost(new_page, address):
    """A picture that the browser has to fetch is gone where the next run overtakes it: over a slow line, always."""
    problems: list[str] = []
    page = begin(new_page, address, problems)
    page.route("**/media/**", lambda route: (page.wait_for_timeout(800), route.continue_()))
    for key in (*(4 * ("PageDown", "1", "PageDown", "2", "PageDown", "PageUp", "PageUp", "3", "PageUp")), "PageDown"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    page.locator(".votes", has_text="8 votes").wait_for()
    broken = (
        "() => [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.alt)"
    )
    assert not page.evaluate(broken)
    page.close()
    assert not problems


def test_a_vote_by_keys_and_a_phone(browser, new_page, address):
    problems: list[str] = []
    asked = ballot(bundle.read(TRACES / "cat.zip").trace)
    assert asked is not None
    right = next(iter(asked.right))
    page = begin(new_page, address, problems)
    heading = page.locator(".hall h2")
    assert heading.inner_text() == asked.questions[0]
    assert position(page) == asked.steps[0]
    said = page.evaluate(TELLS)
    assert not any(secret in said for secret in ("Cat", "cat,", "✓", "Truth", "97 %")), said
    page.wait_for_url("**held=*")
    code = page.url.split("held=")[1].split("-")[0]
    phone = browser.new_page(viewport={"width": 390, "height": 844})  # a window of its own: both are looked at
    phone.set_default_timeout(PATIENCE)
    phone.goto(f"{address}/vote?room={code}")
    phone.get_by_role("button", name=asked.choices[right], exact=True).click()
    for key in (str(right + 1), str(right + 1), "9", "9", "Backspace"):
        page.keyboard.press(key)  # quicker than the server answers
    page.locator(".votes", has_text="4 votes").wait_for()
    page.keyboard.press("PageDown")
    heading.filter(has_text=asked.questions[1]).wait_for()
    phone.get_by_text(asked.questions[1]).wait_for()
    page.keyboard.press("ArrowRight")
    heading.filter(has_text=asked.questions[2]).wait_for()
    page.keyboard.press("Space")
    page.wait_for_selector(".hx.vote-fall")
    page.locator(".level.landed").first.wait_for()
    page.wait_for_selector(".hx.vote-curve")
    page.locator(".hall li", has_text=f"{asked.choices[right]}, 3 of 4 votes ✓ right").wait_for()
    phone.get_by_text("Voting is over").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector(".hx.present:not(.vote-curve)")
    page.keyboard.press("Escape")
    page.wait_for_selector(".hx:not(.present)")
    for tab in (page, phone):
        tab.close()
    assert not problems
