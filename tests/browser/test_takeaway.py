"""The page to take away, opened from disk with the network cut: keys, clicker, mouse, phone, paper."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time

import numpy as np
import pytest

from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.report.takeaway import LIMIT, page
from tests.browser.explore import ROOT_OF, position
from tests.browser.test_axe import serious
from tests.browser.test_drags import SHARES, centre, drag, nearest

pytestmark = pytest.mark.browser
HOSTILE = "<script>document.title='run'</script>"
DRAWN = """() => {
  const { data } = document.querySelector('canvas.a').getContext('2d').getImageData(0, 0, 336, 224);
  return data.reduce((sum, value) => (31 * sum + value) % 1000003, 7);
}"""


@pytest.fixture(scope="module")
def packed():
    return bundle.read(TRACES / "cat.zip")


@pytest.fixture(scope="module")
def file(packed, tmp_path_factory):
    path = tmp_path_factory.mktemp("takeaway") / "cat.html"
    path.write_text(page(packed, HOSTILE, sample=sample("cat")), encoding="utf-8")
    assert path.stat().st_size <= LIMIT
    return path


@pytest.fixture
def opened(browser, file):
    """`opened(**context)` → the page, offline; it may ask for nothing but itself, and nothing may be refused or fail."""
    contexts, asked, problems = [], [], []

    def open_(at: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "offline": True, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: problems.append(message.text))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.goto(file.as_uri() + at)
        ready = "[...hiercodecFrames.values()].every((set) => [...set.values()].every((row) => row.every(Boolean)))"
        deadline = time.monotonic() + 30
        while not tab.evaluate(ready):  # wait_for_function would evaluate text in the page, which its policy forbids
            assert time.monotonic() < deadline, "the pictures are not ready"
            tab.wait_for_timeout(50)
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert not problems
    assert {url.partition("#")[0] for url in asked if not url.startswith("data:")} == {file.as_uri()}


def test_keys_and_a_clicker_drive_it(opened, packed):
    tab, last = opened(), len(packed.trace.steps) - 1
    assert tab.title() != "run"
    assert tab.locator("h1").first.text_content() == HOSTILE
    seen = set()
    for key, step in (
        ("Home", 0), ("ArrowRight", 1), ("PageDown", 2), ("Space", 3), ("ArrowDown", 4), ("PageUp", 3), ("ArrowLeft", 2),
        ("End", last), ("Space", last), ("ArrowUp", last - 1),
    ):  # fmt: skip
        tab.keyboard.press(key)
        assert position(tab) == step, key
        assert tab.url.endswith(f"#{step + 1}")
        seen.add((step, tab.evaluate(DRAWN)))
    assert len({picture for _, picture in seen}) == len({step for step, _ in seen}) == len(seen), "one picture a step"
    assert tab.locator(".bytes b").text_content() == tab.locator(".tag.left").text_content().split(" · ")[0]
    tab.get_by_role("button", name="Present").press("Enter")
    tab.wait_for_selector(".hx.present")
    tab.keyboard.press("Home")
    tab.keyboard.press("PageDown")
    assert position(tab) == 1
    tab.keyboard.press("Escape")
    assert not tab.locator(".hx.present").count()


def test_a_page_taken_away_keeps_the_rival_beside_the_codec(open_page, browser, tmp_path):
    app = open_page("/?photo=Cat&step=20&look=split,prefix,webp,0")
    app.wait_for_function(f"() => {ROOT_OF}.querySelector('.tag.right').textContent.includes('WebP ')")
    seen = app.locator(".tag.right").text_content()
    app.get_by_role("tab", name="Take away").click()
    with app.expect_download() as download:
        app.get_by_role("button", name="One HTML page").click()
    download.value.save_as(tmp_path / "cat.html")
    context = browser.new_context(offline=True, bypass_csp=True)
    tab = context.new_page()
    tab.goto((tmp_path / "cat.html").as_uri())
    tab.wait_for_function("[...hiercodecFrames.values()].flatMap((set) => [...set.values()]).flat().every(Boolean)")
    assert tab.locator(".tag.right").text_content() == seen, "as many bytes, and the quality they buy"
    b = "document.querySelector('canvas.b').getContext('2d').getImageData(0, 0, 300, 200).data"
    assert tab.evaluate(f"new Set({b}).size") > 20, "a picture"
    row = tab.locator(".level").first.locator(".compared").last
    assert row.locator(".mark").text_content() in {"✓ right", "✗ wrong"}
    tab.locator("[data-do=last]").click()
    assert tab.locator(".tag.right").text_content() != seen
    context.close()


def test_controls_in_focus_keep_their_own_keys(opened):
    tab = opened("#3")
    assert position(tab) == 2, "the address says where it opens"
    tab.locator("[data-pace]").focus()
    tab.keyboard.press("ArrowDown")
    tab.locator("[data-view=picture] input").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.locator("[data-view=split] input").is_checked()
    tab.locator("[data-page=theme]").focus()
    tab.keyboard.press("Space")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
    assert position(tab) == 2
    tab.keyboard.press("ArrowRight")
    assert position(tab) == 3, "a button needs no arrows"


def test_every_unsteady_drag_moves_it_and_keys_go_on_from_there(opened, packed):
    tab, sizes = opened(), [step.bytes for step in packed.trace.steps]
    box = tab.locator(".track").bounding_box()
    for share in SHARES[:5]:
        drag(tab, centre(tab.locator(".thumb")), (box["x"] + share * box["width"], box["y"] + box["height"] / 2))
        assert position(tab) == nearest(sizes, share)
        before = position(tab)
        tab.keyboard.press("PageUp")
        assert position(tab) == max(0, before - 1)
    assert tab.evaluate("getSelection().toString()") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_of_320_pixels_in_the_devices_scheme(opened, scheme):
    tab = opened(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") == 320
    ground = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 20, 25)"}[scheme]
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    for name in ("canvas.a", ".path", ".track", "[data-page=theme]"):
        assert tab.locator(name).is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened, axe, scheme):
    assert not serious(opened(color_scheme=scheme, bypass_csp=True), axe, scheme)


def many_levels(packed):
    """The same trace as if a plan of eight levels had made it."""
    names, last = [f"level {i}" for i in range(1, 9)], list(packed.trace.cuts.values())[-1]
    ranked = ((0, "a group with quite a long name", 0.5), (1, "other", 0.1))
    steps = [dataclasses.replace(s, top=dict.fromkeys(names, ranked), mass={}, meaning={}) for s in packed.trace.steps]
    parts = {"header": 24, "z": 41} | dict.fromkeys(names, (last - 65) // 8)
    made = {"cuts": {name: 65 + (i + 1) * (last - 65) // 8 for i, name in enumerate(names)}, "parts": parts}
    nothing = {"labels": {}, "parents": {}, "answers": {}, "groups": {}, "original": {}}
    return dataclasses.replace(packed, trace=dataclasses.replace(packed.trace, steps=tuple(steps), **made, **nothing))


def tall(packed):
    """The same with pictures twice as high as wide."""
    frames = [np.ascontiguousarray(frame[:, :112]) for frame in packed.frames()]
    files = [bundle.to_webp(frames[0]), *(bundle.to_webp(b - a + np.uint8(128)) for a, b in itertools.pairwise(frames))]
    trace = dataclasses.replace(packed.trace, width=112)
    original = bundle.to_webp(np.ascontiguousarray(packed.original_pixels()[:, :112]))
    return dataclasses.replace(packed, trace=trace, changes=tuple(files), original=original)


@pytest.mark.parametrize("change", [lambda packed: packed, tall, many_levels], ids=["cat", "tall", "many levels"])
def test_it_prints_as_one_sheet_of_a4(browser, packed, tmp_path, change):
    credit = dataclasses.replace(sample("cat"), author="A long name " * 40)
    (tmp_path / "page.html").write_text(page(change(packed), "A long title " * 40, sample=credit), encoding="utf-8")
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 703, "height": 1032})
    tab = context.new_page()
    tab.goto((tmp_path / "page.html").as_uri())
    pdf = tab.pdf(prefer_css_page_size=True)
    assert [int(count) for count in re.findall(rb"/Type\s*/Pages\b[^>]*?/Count (\d+)", pdf)] == [1]
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert [round(float(side) * 25.4 / 72) for side in box.groups()] == [210, 297]
    tab.emulate_media(media="print")
    assert tab.locator(".sheet figure img").count() == 3
    assert not tab.locator("main").is_visible()
    sheet, making = (tab.locator(name).bounding_box() for name in (".sheet", ".making"))
    assert making["y"] + making["height"] <= sheet["y"] + sheet["height"], "nothing is cut off"
    context.close()


def test_without_scripts_the_summary_is_there(browser, file):
    context = browser.new_context(java_script_enabled=False, offline=True)
    tab = context.new_page()
    tab.goto(file.as_uri())
    assert tab.locator(".sheet").is_visible()
    assert not tab.locator("main").is_visible()
    context.close()
