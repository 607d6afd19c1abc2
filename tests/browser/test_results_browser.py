"""Results in a real browser: charts on a beamer and a phone without overflow, choices in the address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse

import pytest

from hiercodec.ui.results import files
from tests.browser.conftest import WIDE, settle_charts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not list(files.FOLDER.glob("*.parquet")), reason="no measured rows are shipped"),
]


def test_it_stands_on_a_beamer_and_a_phone_and_its_view_is_in_the_address(visit):
    page = visit("/results?at=0.3", color_scheme="dark", viewport={"width": 1024, "height": 768})
    ground = "document.querySelector('.js-plotly-plot').layout.template.layout.paper_bgcolor"
    assert page.evaluate(ground) == "#0f1419"
    box = page.locator(".js-plotly-plot").first.bounding_box()
    assert box["y"] + box["height"] <= 768, "the first chart, without scrolling"
    page.set_viewport_size(WIDE)
    settle_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => {ground} === '#ffffff'")
    settle_charts(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.get_by_test_id("stException").count()
    page.get_by_text("Against rivals", exact=True).click()
    page.wait_for_url("**view=Against+rivals**")


@pytest.mark.parametrize("which", [1, 4])
def test_a_click_on_a_point_leads_to_its_photographs(visit, which):
    """With a real mouse: the address asks Failures for the point's codec and cut."""
    page = visit("/results")
    point = page.locator(".js-plotly-plot").first.locator(".scatterlayer .point").nth(which)
    box = point.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y - 30)
    page.mouse.move(x, y, steps=5)
    page.locator(".hovertext").first.wait_for()
    page.mouse.down()
    page.mouse.up()
    link = page.get_by_role("link", name="See the photographs")
    link.wait_for()
    codec, cut = re.search(r": (.+), (.+)$", link.inner_text().strip()).groups()
    asked = parse_qs(urlparse(link.get_attribute("href")).query)
    assert (asked["codec"], asked["cut"]) == ([codec], [cut]), "as the menus of Failures call them"
    link.click()
    page.wait_for_url("**/failures**")


def test_the_first_option_of_a_menu_is_in_the_address_where_another_is_the_default(new_page, address):
    page = new_page()
    page.goto(f"{address}/failures")
    menu = page.get_by_test_id("stSelectbox").filter(has_text="Level").locator("input")
    for chosen, told in (("kind", "of=kind"), ("class", "")):
        menu.click()
        page.get_by_role("option", name=chosen, exact=True).click()
        page.wait_for_url(lambda url, told=told: told in url if told else "of=" not in url)
    page.close()
