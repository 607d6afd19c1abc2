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


def test_the_first_chart_stands_on_a_beamer_without_scrolling(visit):
    page = visit("/results", SLOW, viewport={"width": 1024, "height": 768})
    box = page.locator(".js-plotly-plot").first.bounding_box()
    assert box["y"] + box["height"] <= 768


def test_the_view_is_in_the_address(visit):
    page = visit("/results?at=0.3", SLOW)
    page.get_by_text("Against rivals", exact=True).click()
    page.wait_for_url("**view=Against+rivals**")
