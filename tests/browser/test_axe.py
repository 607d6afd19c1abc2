"""axe-core finds nothing serious on any page, in either theme; the keyboard's place is seen, and comes back."""

from __future__ import annotations

import pytest

from hiercodec.ui.frame.navigation import PAGES
from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
ADDRESSES = ["/", "/?course=idea&lesson=4", *(f"/{name}" for name, *_ in PAGES[1:])]
REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'


HELD = {"heading-order", "target-size"}
"""Rules that are held though axe thinks them less than serious."""
SCHEMES = {
    "light": "{ rules: { 'target-size': { enabled: true } } }",
    "dark": "{ runOnly: ['color-contrast', 'link-in-text-block'] }",
}
"""Theme → what axe is asked of it: everything once, and in the dark what can differ there, the colours."""


def serious(page, axe: str, scheme: str) -> list[str]:
    """What axe holds to be serious or critical, and what breaks a rule of HELD, with the first place of each."""
    if not page.evaluate("globalThis.axe !== undefined"):
        page.evaluate(axe)
    found = page.evaluate(f"axe.run({SCHEMES[scheme]})")["violations"]
    return [
        f"{row['id']}: {row['help']} ({len(row['nodes'])}×): {row['nodes'][0]['html'][:160]}"
        for row in found
        if row["impact"] in {"serious", "critical"} or row["id"] in HELD
    ]


ACTIVE = """() => {
  let active = document.activeElement;
  while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}"""
MARKED = """async (element) => {
  const looks = () => {
    const found = [];
    for (let e = element; e && found.length < 4; e = e.parentElement) {
      const style = getComputedStyle(e);
      found.push(style.outline + style.boxShadow + style.borderColor);
    }
    return found.join();
  };
  const focused = looks();
  element.blur();
  await new Promise((done) => setTimeout(done, 100)); // menus are redrawn by a script
  const plain = looks();
  element.focus();
  return focused !== plain || element === document.body;
}"""
"""Whether something is drawn around what has the focus that is not there without it."""


def unmarked(page, stops: int = 14) -> list[str]:
    """What the Tab key reaches without a mark that it is there, of its first stops."""
    page.add_style_tag(content="* { transition: none !important; }")
    found = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        active = page.evaluate_handle(ACTIVE)
        if not active.evaluate(MARKED):
            found.append(active.evaluate("(e) => e.outerHTML.slice(0, 160)"))
    return found


def put_into(page, scheme: str) -> None:
    """Change the theme and wait until the page has followed."""
    before = page.evaluate(PAPER)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"before => ({PAPER})() !== before", arg=before)
    page.wait_for_timeout(500)
    page.wait_for_selector(REST)


PAPER = """() => getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor"""


@pytest.mark.parametrize("path", ADDRESSES)
def test_pages(browser, address, axe, path):
    page = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", bypass_csp=True
    ).new_page()
    page.goto(address + path)
    page.wait_for_selector("h1", state="attached", timeout=60_000)
    page.wait_for_selector(REST, timeout=60_000)
    page.wait_for_timeout(1500)
    page.wait_for_selector(REST, timeout=60_000)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    assert not serious(page, axe, "light")
    assert not unmarked(page)
    put_into(page, "dark")
    assert not serious(page, axe, "dark")
    assert not unmarked(page)
    page.context.close()


def test_every_view_and_panel_of_explore(open_page, axe):
    page = open_page(color_scheme="light")
    found = {}
    for scheme in SCHEMES:
        if scheme != "light":
            put_into(page, scheme)
        for view in ("split", "difference", "bits"):
            page.locator(f"[data-view={view}]").click()
            settle(page)
            found[scheme, view] = serious(page, axe, scheme)
        for tab in ("Meaning", "Stop when sure", "Bytes", "Take away"):
            page.get_by_role("tab", name=tab).click()
            settle(page)
            page.wait_for_timeout(800)
            found[scheme, tab] = serious(page, axe, scheme)
        opener = page.get_by_role("button", name="Settings").first
        opener.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        found[scheme, "Settings"] = serious(page, axe, scheme)
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)
        assert opener.evaluate("(e) => e === document.activeElement"), "the focus is back where the menu was opened"
    assert not {where: problems for where, problems in found.items() if problems}
