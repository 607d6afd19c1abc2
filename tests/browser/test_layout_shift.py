"""Nothing jumps while a page loads: the browser's own sum of layout shifts, over a whole load, at sizes that people have.

The sum knows no clock: a shift counts whenever it happens, so a slow machine gives the same one as a quick one. Pages are
opened as a second visitor does, when the server answers at once and whatever is drawn too early is seen too early.
"""

from __future__ import annotations

import itertools

import pytest

from tests.browser.conftest import READY, REST

pytestmark = pytest.mark.browser
MOST = 0.1
"""The most that Core Web Vitals call good."""
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


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *itertools.product(["", "results"], ["390x844", "1024x768"]),
        ("groups", "1024x768"), ("failures", "1440x900"), ("learn", "1920x1080"), ("?course=idea&lesson=2", "1024x768"),
    ],
)  # fmt: skip
def test_what_is_read_does_not_jump_while_a_page_loads(browser, address, name, size):
    width, height = map(int, size.split("x"))
    found = shifts(browser, f"{address}/{name}", {"width": width, "height": height})
    assert sum(value for value, _ in found) <= MOST, found
