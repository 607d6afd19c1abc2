"""Take the README's screenshots from a running app: python -m tests.browser.screenshots http://localhost:8501"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from hiercodec.cli.main import main as cli
from hiercodec.levels import DEFAULT_MODEL
from tests.browser.conftest import CHROMIUM, ROOT, WIDE, open_at, settle

OUT = ROOT / "docs" / "screenshots"
MAX_BYTES = 400_000
NARROW = {"width": 390, "height": 844}

# file, window, theme, address, view, other side of a split
SHOTS = (
    ("explore-light", WIDE, "light", "/", "picture", ""),
    ("explore-dark", WIDE, "dark", "/?photo=Motorcycle&step=11", "split", "webp"),
    ("explore-bits-dark", WIDE, "dark", "/?photo=Motorcycle&step=14", "bits", ""),
    ("explore-narrow-light", NARROW, "light", "/?photo=Motorcycle&step=6", "picture", ""),
    ("explore-narrow-dark", NARROW, "dark", "/?photo=Cat&step=12", "picture", ""),
)


def save(name: str, png: bytes) -> None:
    """Write a PNG of at most MAX_BYTES: as it is, else with as many colours as fit."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (None, 256, 192, 128, 96, 64):
        out = io.BytesIO()
        (image if colours is None else image.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG)).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= MAX_BYTES:
            break
    (OUT / f"{name}.png").write_bytes(out.getvalue())
    print(name, out.tell(), "bytes", file=sys.stderr)


def lead(browser) -> None:
    """The chart "at which rates are we ahead of AVIF?" of the rows that ship, as `hiercodec results bd --chart` draws it."""
    rows = ROOT / "assets" / "results" / "imagenet-val.parquet"
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder, "lead.html")
        asked = ["results", "bd", f"{rows}:{DEFAULT_MODEL}", f"{rows}:avif", "--judge", "lite0", "--chart", str(chart)]
        assert cli(asked) == 0
        page = browser.new_page(viewport={"width": 1000, "height": 480})
        page.goto(chart.as_uri())
        page.wait_for_selector(".main-svg")
        save("lead-avif", page.locator(".js-plotly-plot").screenshot())
        page.close()


def main(address: str) -> None:
    from playwright.sync_api import sync_playwright

    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, size, scheme, path, view, other in SHOTS:
            problems: list[str] = []
            page = open_at(browser.new_page, address + path, problems, viewport=size, color_scheme=scheme)
            page.locator(f"[data-view={view}]").click()
            if other:
                page.locator("[data-source=b]").select_option(other)
                page.wait_for_function("runs >= 1")
                settle(page)
            page.wait_for_timeout(500)
            save(name, page.screenshot())
            page.close()
            assert not problems, problems
        lead(browser)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8501")
