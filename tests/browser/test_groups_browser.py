"""The hierarchy pages in a real browser: both themes, the lasso, addresses that carry what was chosen."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import settle_charts

pytestmark = pytest.mark.browser


def grounds(page) -> set[str]:
    """The ground of every chart."""
    read = "[...document.querySelectorAll('.js-plotly-plot')].map((e) => e.layout.template.layout.paper_bgcolor)"
    return set(page.evaluate(read))


@pytest.mark.parametrize(
    "path", ["/groups", "/groups?view=CLIP+against+WordNet", "/groups?view=Stability", "/results?view=Models"]
)
def test_charts_follow_the_theme_and_a_narrow_screen_without_overflow(visit, path):
    page = visit(path, color_scheme="dark")
    assert grounds(page) == {"#0f1419"}
    ground = page.evaluate("getComputedStyle(document.querySelector('.js-plotly-plot .main-svg')).backgroundColor")
    assert ground == "rgb(15, 20, 25)"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.get_by_test_id("stException").count()
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="light")  # while the page is open
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')]"
        ".every((e) => e.layout.template.layout.paper_bgcolor === '#ffffff')"
    )
    settle_charts(page)
    assert grounds(page) == {"#ffffff"}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.get_by_test_id("stException").count()


def test_the_address_carries_the_choices_and_brings_them_back(visit):
    page = visit("/groups?tree=WordNet+depth-cut&find=crane&level=family")
    assert page.get_by_text("crane (wading bird)").count() or page.locator("text=crane (wading bird)").count()
    page.get_by_label("Find a class").fill("zebra")
    page.get_by_label("Find a class").press("Enter")
    page.wait_for_url("**find=zebra**")
    assert "tree=WordNet" in page.url


def test_a_click_on_a_tile_opens_heading_menu_and_address(visit):
    page = visit("/groups?view=Tree")
    # At its name, where the tile lies for certain; the name itself lets the mouse through to it.
    page.locator(".st-key-tree_chart g.slice", has_text="other mammals").first.locator("text").first.click(force=True)
    page.wait_for_url("**open=other*mammals**")
    settle_charts(page)
    assert page.get_by_text("All classes › other mammals", exact=True).count()
    assert page.locator(".st-key-open input").input_value() == "other mammals"
    assert page.get_by_text("Kind “other mammals”").count()
    page.locator(".st-key-tree_chart g.pathbar").first.click()  # the bar on top leads back
    page.wait_for_url(lambda url: "open=" not in url)


def test_hover_counts_one_class_as_one(visit):
    page = visit("/groups?view=Tree&open=other+mammals+%E2%80%BA+cats")
    page.locator(".st-key-tree_chart g.slice", has_text="tabby").first.hover()
    hover = page.locator(".st-key-tree_chart .hovertext")
    hover.wait_for()
    assert "1 class" in hover.text_content()
    assert "1 classes" not in hover.text_content()


def test_a_click_on_a_dot_shows_its_class_and_a_lasso_lists_those_inside(visit):
    page = visit("/groups")
    box = page.locator(".st-key-class_map .point").nth(3).bounding_box()
    page.mouse.move(box["x"], box["y"])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    page.mouse.down()
    page.mouse.up()
    page.get_by_text("Nearest by WordNet").wait_for()
    assert "find=n0" in page.url
    settle_charts(page)
    box = page.locator(".js-plotly-plot").first.bounding_box()
    left, top = box["x"] + 0.02 * box["width"], box["y"] + 0.02 * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((0.96, 0), (0.96, 0.96), (0, 0.96), (0, 0)):
        page.mouse.move(left + x * box["width"], top + y * box["height"], steps=5)
    page.mouse.up()
    inside = page.get_by_test_id("stMetricValue").filter(has_text=re.compile(r"^\d+$")).first
    inside.wait_for()
    assert int(inside.inner_text()) > 900


def test_an_answer_on_explore_opens_its_group(new_page, address):
    page, problems = new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{address}/?photo=Cat&step=9", wait_until="commit")
    answer = page.locator(".path .alone .label").first
    answer.wait_for()
    said = answer.text_content()
    answer.click()
    page.wait_for_url("**/groups?**")
    page.get_by_text(f"Kind “{said}”").first.wait_for()
    page.close()
    assert not problems
