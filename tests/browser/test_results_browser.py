"""Results in a real browser: both themes without overflow, photographs of a clicked point, choices in the address."""

from __future__ import annotations

import pytest

from hiercodec.ui.results import files

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not list(files.FOLDER.glob("*.parquet")), reason="no measured rows are shipped"),
]
SLOW = 120_000
"""Milliseconds: the page draws many curves, also on a busy machine."""


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 390)])
def test_it_draws_in_its_theme_without_overflow(visit, scheme, width):
    page = visit("/results", SLOW, color_scheme=scheme, viewport={"width": width, "height": 844})
    ground = page.evaluate("document.querySelector('.js-plotly-plot').layout.template.layout.paper_bgcolor")
    assert ground == ("#0f1419" if scheme == "dark" else "#ffffff")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.get_by_test_id("stException").count()


def test_a_click_on_a_point_lists_its_photographs_and_choices_are_in_the_address(visit):
    page = visit("/results?view=Accuracy&at=0.3", SLOW)
    point = page.locator(".js-plotly-plot").first.locator(".scatterlayer .points path").nth(2).bounding_box()
    page.mouse.move(point["x"] - 20, point["y"] - 20)
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2, steps=5)
    page.locator(".hovertext").first.wait_for()
    page.mouse.down()
    page.mouse.up()
    page.get_by_text("of them with a wrong class").wait_for()
    page.get_by_text("Meaning", exact=True).click()
    page.wait_for_url("**view=Meaning**")
    assert "at=0.3" in page.url
