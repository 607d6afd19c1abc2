"""How much memory the app's server takes while one visitor traces many photographs: python -m tests.browser.memory 200

Each is another random crop of a sample photograph, uploaded in the browser as a visitor would. Prints one line a photograph
(its number and the server's resident memory in MiB), then how far the second half of the run stands above the first.
"""

from __future__ import annotations

import io
import statistics
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from hiercodec.evaluation.photos.samples import samples
from hiercodec.images import read_rgb
from tests.browser.conftest import CHROMIUM, WIDE, open_at, serve, settle
from tests.browser.explore import upload

SIDE = 256


def crop(number: int, photographs: list[np.ndarray]) -> bytes:
    """Photograph `number` as a JPEG of SIDE × SIDE pixels; no two are alike."""
    rng = np.random.default_rng(number)
    rgb = photographs[number % len(photographs)]
    side = int(rng.integers(SIDE * 3 // 4, min(rgb.shape[:2])))
    top, left = (int(rng.integers(0, length - side + 1)) for length in rgb.shape[:2])
    out = io.BytesIO()
    Image.fromarray(rgb[top : top + side, left : left + side]).resize((SIDE, SIDE)).save(out, "JPEG", quality=92)
    return out.getvalue()


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def main(count: int) -> None:
    from playwright.sync_api import sync_playwright

    photographs = [read_rgb(row.path.read_bytes()) for row in samples()]
    taken = []
    with serve() as (url, pid), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = open_at(browser.new_page, url, [], viewport=WIDE)
        seen = page.locator(".hx").get_attribute("data-id")
        for number in range(count):
            upload(page, {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": crop(number, photographs)})
            page.wait_for_function(
                "(seen) => [...document.querySelectorAll('*')].some((e) => "
                "(e.shadowRoot?.querySelector('.hx')?.dataset.id ?? seen) !== seen)",
                arg=seen,
                timeout=600_000,
            )
            settle(page, timeout=600_000)
            seen = page.locator(".hx").get_attribute("data-id")
            taken.append(resident(pid))
            print(number + 1, round(taken[-1], 1), flush=True)
        browser.close()
    half = len(taken) // 2
    first, second = (statistics.median(part) for part in (taken[half // 2 : half], taken[half:]))
    print(
        f"{count} photographs: {first:.0f} MiB before the middle, {second:.0f} MiB after it, at most {max(taken):.0f} MiB"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
