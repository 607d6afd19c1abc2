"""A real server and a headless Chromium; everything here skips where there is none."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("HIERCODEC_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def serve() -> Iterator[tuple[str, int]]:
    """The app in a process of its own: its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    environment = {name: value for name, value in os.environ.items() if name != "HIERCODEC_WORKERS"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(240):
                try:
                    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                        break
                except OSError:
                    time.sleep(0.25)
            else:
                raise TimeoutError("the server did not start within a minute")
            yield url, server.pid
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def address():
    """The address of the app."""
    with serve() as (url, _):
        yield url


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the session."""
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


WIDE = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def new_page(browser):
    """`new_page(**options)` → a page in the context that all tests share, so that Streamlit's scripts are fetched and
    compiled once; with `has_touch` in one of its own. Every page is another visitor of the app: sessions share nothing."""
    context = browser.new_context()

    def new_page_(*, viewport=WIDE, has_touch: bool = False, **media):
        page = browser.new_page(has_touch=True) if has_touch else context.new_page()
        page.set_default_timeout(PATIENCE)
        page.set_viewport_size(viewport)
        page.emulate_media(**media)
        return page

    yield new_page_
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, from the package that carries it."""
    pytest.importorskip("axe_playwright_python")
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


PATIENCE = 120_000
"""Milliseconds: other work on the same cores makes a page late, not wrong."""

# Every rerun begins with a message from the browser, so `runs` counts those; the script's state flickers too fast to.
COUNT_RUNS = """
  globalThis.runs = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...message) {
    globalThis.runs += 1;
    return send.apply(this, message);
  };
"""

READY = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const box = [...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.hx[data-k]')).find(Boolean);
  const sets = [...(globalThis.hiercodecFrames?.values() ?? [])];
  return app?.dataset.testScriptState === 'notRunning' && box && sets.length
    && sets.every((set) => [...set.values()].every((list) => list.every(Boolean)));
}"""


def open_at(new_page, url: str, problems: list[str], **options):
    """A settled page; what the console complains of is added to `problems`."""
    page = new_page(**options)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type in {"error", "warning"} else None)
    page.add_init_script(COUNT_RUNS)
    page.goto(url, wait_until="commit")  # `settle` waits for what is to be seen
    settle(page)
    page.evaluate("globalThis.runs = 0")
    return page


@pytest.fixture(scope="module")
def shared(request, new_page, address):
    """One page for the tests of a file that leave it usable, at its `OPENS`; opening one is most of a test's time."""
    problems: list[str] = []
    page = open_at(new_page, address + getattr(request.module, "OPENS", "/?photo=Cat&step=9"), problems)
    yield page
    page.close()
    assert not problems, problems


@pytest.fixture
def page(shared):
    """The shared page, settled, its run counter at 0."""
    shared.bring_to_front()
    settle(shared)
    shared.evaluate("globalThis.runs = 0")
    return shared


@pytest.fixture
def sized(page):
    """`sized(viewport)` → the shared page at that size, which it loses after the test."""

    def sized_(viewport):
        page.set_viewport_size(viewport)
        settle(page)
        return page

    yield sized_
    page.set_viewport_size(WIDE)


@pytest.fixture
def open_page(new_page, address):
    """`open_page(path, **context)` → a page that has settled; console errors fail the test at its end."""
    opened, problems = [], []

    def open_(path: str = "/", **options):
        opened.append(open_at(new_page, address + path, problems, **options))
        return opened[-1]

    yield open_
    for page in opened:
        page.close()
    assert not problems, problems


def settle(page, timeout: float = PATIENCE) -> None:
    """Wait until the script rests and every picture has been decoded."""
    page.wait_for_selector(".hx[data-k]", timeout=timeout)
    page.wait_for_function(READY, timeout=timeout)
    page.wait_for_timeout(300)
    page.wait_for_function(READY, timeout=timeout)


REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@pytest.fixture
def visit(browser, address):
    """`visit(path, **context)` → a page of charts at rest; errors in the page's scripts fail the test at its end.

    In a context of its own: in the shared one a chart did not come in three of three runs of the whole suite.
    """
    visited, problems = [], []

    def visit_(path: str, **options):
        page = browser.new_page(**{"viewport": WIDE, **options})
        page.set_default_timeout(PATIENCE)
        visited.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address + path)
        settle_charts(page)
        return page

    yield visit_
    for page in visited:
        page.close()  # and its context
    assert not problems, problems


def settle_charts(page) -> None:
    """Wait until the first chart is drawn and the script rests."""
    page.wait_for_selector(".js-plotly-plot .main-svg")
    page.wait_for_timeout(500)
    page.wait_for_selector(REST)
