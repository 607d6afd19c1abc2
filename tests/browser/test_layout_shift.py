"""Nothing jumps while a page loads: the browser's own sum of layout shifts, over a whole load, on a phone and a beamer.

The sum knows no clock: a shift counts whenever it happens, so a slow machine gives the same one as a quick one. Pages are
opened as a second visitor does, when the server answers at once and whatever is drawn too early is seen too early.
"""

from __future__ import annotations

import pytest

from tests.browser.conftest import READY, REST

pytestmark = pytest.mark.browser
MOST = 0.1
"""The most that Core Web Vitals call good."""
SIZES = {"390x844": {"width": 390, "height": 844}, "1024x768": {"width": 1024, "height": 768}}
LISTEN = """
  globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      const names = sources.map(({ node }) => (node?.nodeType === 1 ? node : node?.parentElement)?.className ?? "");
      globalThis.shifts.push([value, names.join(" / ")]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
"""
DRAWN = "!document.querySelector('[data-testid=stSkeleton]')"


def shifts(browser, url: str, size: dict[str, int]) -> list[tuple[float, str]]:
    """Every layout shift of a load, and what moved."""
    page = browser.new_context(viewport=size).new_page()
    page.set_default_timeout(180_000)
    page.add_init_script(LISTEN)
    page.goto(url)
    page.wait_for_selector("h1")
    if url.rstrip("/").count("/") == 2:  # Explore, whose scrubber is drawn by a script of its own
        page.wait_for_function(READY)
    for _ in range(2):  # a run may begin another one
        page.wait_for_selector(REST)
        page.wait_for_function(DRAWN)
        page.wait_for_timeout(1000)
    found = page.evaluate("shifts")
    page.context.close()
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["", "results"], ids=["explore", "results"])
def test_what_is_read_does_not_jump_while_a_page_loads(browser, address, name, size):
    found = shifts(browser, f"{address}/{name}", SIZES[size])
    assert sum(value for value, _ in found) <= MOST, found
