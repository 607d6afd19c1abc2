"""The scrubber as people use it: one rerun a release, every key, and the decoder's pixels bit for bit."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec.evaluation import bundle
from hiercodec.evaluation.samples import samples
from hiercodec.evaluation.ship import TRACES
from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
AXE = Path(os.environ.get("HIERCODEC_AXE", "node_modules/axe-core/axe.min.js"))

PIXELS = """() => {
  const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).find((r) => r?.querySelector('.hx'));
  const canvas = root.querySelector('canvas.a');
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return { width, height, data: btoa(text) };
}"""


BOXES = """(names) => {
  const root = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).find((r) => r?.querySelector('.hx'));
  return names.map((name) => Object.values(root.querySelector(name).getBoundingClientRect().toJSON()).map(Math.round));
}"""


def canvas(page) -> np.ndarray:
    """The pixels on the canvas, uint8[H, W, 3]."""
    got = page.evaluate(PIXELS)
    rgba = np.frombuffer(base64.b64decode(got["data"]), np.uint8).reshape(got["height"], got["width"], 4)
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def position(page) -> int:
    return int(page.locator(".hx").get_attribute("data-k"))


def point(page, share: float) -> tuple[float, float]:
    box = page.locator(".track").bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def test_drag_is_silent_and_release_is_one_rerun(page):
    page.mouse.move(*point(page, 0.1))
    page.mouse.down()
    seen, slowest = set(), []
    for share in np.linspace(0.1, 0.97, 80):
        page.mouse.move(*point(page, float(share)))
        seen.add(position(page))
        slowest.append(float(page.locator(".hx").get_attribute("data-render-ms")))
    assert len(seen) >= 12
    assert page.evaluate("runs") == 0
    page.mouse.up()
    page.wait_for_function("runs >= 1")
    settle(page)
    assert page.evaluate("runs") == 1
    page.wait_for_url(f"**step={position(page) + 1}*")
    assert np.percentile(slowest, 95) <= 16, sorted(slowest)[-5:]


def test_every_key_moves_and_commits_once(page):
    trace = bundle.read(TRACES / f"{samples()[0].id}.zip").trace
    last = len(trace.steps) - 1
    ends = [next(i for i, s in enumerate(trace.steps) if s.bytes >= cut) for cut in trace.cuts.values()]
    page.locator(".track").focus()
    page.keyboard.press("End")
    settle(page)
    page.evaluate("globalThis.runs = 0")
    expected = [("Home", 0), ("PageUp", ends[0]), ("ArrowRight", ends[0] + 1), ("ArrowUp", ends[0] + 2)]
    expected += [("PageDown", ends[0]), ("ArrowLeft", ends[0] - 1), ("ArrowDown", ends[0] - 2), ("End", last)]
    for number, (key, target) in enumerate(expected, start=1):
        page.keyboard.press(key)
        assert position(page) == target, key
        page.wait_for_function(f"runs >= {number}")
        settle(page)
        assert page.evaluate("runs") == number, key
    assert "bytes" in page.locator(".track").get_attribute("aria-valuetext")


def test_play_runs_to_the_end_without_the_server_and_pauses(page):
    page.locator("[data-pace]").select_option("s8")
    page.locator("[data-do=first]").click()
    page.wait_for_timeout(300)
    settle(page)
    before = page.evaluate("runs")
    page.locator("[data-do=play]").click()
    page.wait_for_timeout(900)
    assert page.evaluate("runs") == before
    page.locator("[data-do=play]").click()
    held = position(page)
    assert 3 <= held <= 12
    page.wait_for_timeout(500)
    assert position(page) == held
    settle(page)
    assert page.evaluate("runs") == before + 1


def test_canvas_shows_the_decoders_pixels_bit_for_bit_and_nothing_jumps(page):
    frames = bundle.read(TRACES / f"{samples()[0].id}.zip").frames()
    page.locator(".track").focus()
    page.keyboard.press("Home")
    names = [".stage", ".meaning", ".level:nth-child(3)", ".transport", ".track", ".lanes", ".legend"]
    boxes = page.evaluate(BOXES, names)
    for index, frame in enumerate(frames):
        assert position(page) == index
        assert np.array_equal(canvas(page), frame), index
        assert page.evaluate(BOXES, names) == boxes, index
        page.keyboard.press("ArrowRight")


def test_split_and_difference(page):
    packed = bundle.read(TRACES / f"{samples()[0].id}.zip")
    page.locator("[data-view=split]").click()
    assert page.locator(".handle").is_visible()
    page.locator(".handle").focus()
    page.keyboard.press("End")
    assert page.locator(".handle").get_attribute("aria-valuenow") == "100"
    page.locator("[data-source=a]").select_option("original")
    assert np.array_equal(canvas(page), packed.original_pixels())
    page.locator("[data-view=difference]").click()
    zero = canvas(page)
    assert (zero == zero[0, 0]).all()  # a picture against itself
    assert page.locator(".scale").is_visible()
    page.locator("[data-source=b]").select_option("jpeg")
    page.wait_for_function("runs >= 1")
    settle(page)
    assert (canvas(page) != zero).any()
    page.locator("[data-view=split]").click()
    assert "JPEG" in page.locator(".tag.right").text_content()
    page.locator("[data-source=a]").select_option("prefix")
    page.locator("[data-view=picture]").click()


def test_the_address_restores_the_view(open_page):
    title = samples()[2].title
    page = open_page(f"/?photo={title}&step=4")
    assert position(page) == 3
    assert title in page.locator("canvas.a").get_attribute("aria-label")
    page.locator('[data-testid="stSlider"] input[type=range]').focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=5*")
    settle(page)
    assert position(page) == 4
    page.reload()
    settle(page)
    assert position(page) == 4


def test_narrow_screen_needs_no_sideways_scroll(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".hx").bounding_box()
    assert box["width"] <= 390
    for selector in (".track", "[data-do=play]", ".notch"):
        assert page.locator(selector).first.bounding_box()["height"] >= 24
    page.locator("[data-do=last]").click()
    assert position(page) == len(bundle.read(TRACES / f"{samples()[0].id}.zip").changes) - 1


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core (npm i axe-core, or HIERCODEC_AXE)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, scheme):
    page = open_page(color_scheme=scheme, bypass_csp=True)
    page.locator("[data-view=split]").click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    serious = [f"{row['id']}: {row['help']}" for row in found if row["impact"] in {"serious", "critical"}]
    assert not serious


@pytest.mark.slow
def test_own_photo_and_the_downloaded_prefix_reopen(open_page, tmp_path):
    out = io.BytesIO()
    rgb = samples()[1].pixels()
    Image.fromarray(rgb).save(out, "PNG")
    page = open_page()
    page.get_by_role("radio", name="Your own").or_(page.get_by_role("button", name="Your own")).first.click()
    picker = page.locator('[data-testid="stFileUploader"] input[type=file]')
    picker.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": out.getvalue()})
    page.wait_for_selector('canvas[aria-label^="Your picture"]', timeout=300_000)
    settle(page)
    shown, at = canvas(page), position(page)
    page.get_by_role("tab", name="Take away").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Stream up to here").click()
    part = tmp_path / "part.hc"
    waiting.value.save_as(part)
    picker.set_input_files(str(part))
    page.wait_for_function("document.body.innerText.includes('part.hc')")
    page.wait_for_timeout(1500)
    settle(page)
    page.locator("[data-do=last]").click()
    assert at > 0
    assert np.array_equal(canvas(page), shown)
