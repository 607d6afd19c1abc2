"""The scrubber as people use it: one rerun a release, every key, and the decoder's pixels bit for bit."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hiercodec.evaluation.photos.samples import samples
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.figures.palette import SEQUENTIAL, ramp
from hiercodec.report.answers import percent
from tests.browser.conftest import settle
from tests.browser.explore import BOXES, ICICLE, ROOT_OF, canvas, point, position

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def packed():
    """What the page shows."""
    return bundle.read(TRACES / "cat.zip")


def test_drag_is_silent_and_release_is_one_rerun(page, packed):
    masses = [step.mass for step in packed.trace.steps]
    page.mouse.move(*point(page, 0.1))
    page.mouse.down()
    seen, slowest = set(), []
    for share in np.linspace(0.1, 0.97, 80):
        page.mouse.move(*point(page, float(share)))
        if position(page) not in seen:
            coarse, families = page.evaluate(ICICLE)
            assert coarse == [round(1000 * p) for p in masses[position(page)]["coarse"]]
            assert len(families) == 100
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


def test_every_key_moves_and_commits_once(page, packed):
    trace = packed.trace
    last = len(trace.steps) - 1
    ends = [next(i for i, s in enumerate(trace.steps) if s.bytes >= cut) for cut in trace.cuts.values()]
    page.locator(".track").focus()
    page.keyboard.press("End")
    settle(page)
    page.evaluate("globalThis.runs = 0")
    expected = [("Home", 0), ("PageDown", ends[0]), ("ArrowRight", ends[0] + 1), ("ArrowUp", ends[0] + 2)]
    expected += [("PageUp", ends[0]), ("ArrowLeft", ends[0] - 1), ("ArrowDown", ends[0] - 2), ("End", last)]
    for number, (key, target) in enumerate(expected, start=1):
        page.keyboard.press(key)
        assert position(page) == target, key
        page.wait_for_function(f"runs >= {number}")
        settle(page)
        assert page.evaluate("runs") == number, key
    assert "bytes" in page.locator(".track").get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_timeout(900)
    page.keyboard.press("Space")
    assert position(page) >= 1
    assert page.locator("[data-do=play]").get_attribute("aria-label") == "Play"


def test_keys_on_the_picture_move_divider_and_picture(page):
    page.locator("[data-view=split]").click()
    handle, stage = page.locator(".handle"), page.locator(".stage")
    stage.focus()
    for key, place in (("1", "0"), ("3", "100"), ("2", "50")):
        page.keyboard.press(key)
        assert handle.get_attribute("aria-valuenow") == place
    handle.focus()
    for key, place in (("ArrowRight", "55"), ("ArrowLeft", "50"), ("End", "100"), ("Home", "0")):
        page.keyboard.press(key)
        assert handle.get_attribute("aria-valuenow") == place
    page.locator("[data-zoom]").select_option("4")
    places = set()
    stage.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        places.add(page.locator(".pan").get_attribute("style"))
    assert len(places) == 4
    page.locator("[data-zoom]").select_option("0")
    page.locator("[data-view=picture]").click()
    settle(page)


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


def test_bytes_arrive_in_their_own_time(page, packed):
    names = page.locator("[data-pace] option").all_text_contents()
    for link in ("LoRa", "satellite", "GPRS", "2G"):
        assert any(link in name for name in names), link
    page.locator("[data-do=first]").click()
    page.locator("[data-pace]").select_option("typed")
    rate = 4 * packed.trace.file_bytes  # bits a second: the whole file takes 2 s
    page.locator(".typed input").fill(str(rate))
    page.locator(".typed input").press("Enter")
    page.wait_for_url(f"**b{rate}*")  # choosing a pace writes it into the address, a run before any byte arrives
    settle(page)
    page.evaluate("globalThis.runs = 0")
    page.locator("[data-do=play]").click()
    page.wait_for_timeout(800)
    last = len(packed.changes) - 1
    assert 0 < position(page) < last
    assert page.evaluate("runs") == 0
    page.wait_for_function(f"{ROOT_OF}.querySelector('.hx').dataset.k === '{last}'")
    page.wait_for_url(f"**step={last + 1}*")  # it commits when all has arrived
    assert page.locator(".clock").text_content().endswith("of 2.0 s")
    page.locator("[data-pace]").select_option("s3")
    settle(page)


def test_canvas_shows_the_decoders_pixels_bit_for_bit_and_nothing_jumps(page, packed):
    page.locator(".track").focus()
    page.keyboard.press("Home")
    names = [".stage", ".meaning", ".level:nth-child(3)", ".transport", ".track", ".lanes", ".icicle", ".truth"]
    boxes = page.evaluate(BOXES, names)
    for index, frame in enumerate(packed.frames()):
        assert position(page) == index
        assert np.array_equal(canvas(page), frame), index
        assert page.evaluate(BOXES, names) == boxes, index
        page.keyboard.press("ArrowRight")


def test_the_map_shows_where_the_bits_of_this_prefix_went(page, packed):
    colours = np.array(ramp(SEQUENTIAL))
    page.locator("[data-view=bits]").click()
    page.locator(".track").focus()
    page.keyboard.press("Home")
    assert page.locator(".scale").is_visible()
    seen, most = [], round(float(np.percentile(packed.bit_maps()[-1], 99)))
    for index, bits in enumerate(packed.bit_maps()):
        assert position(page) == index
        share = np.minimum(1, np.sqrt(bits / most))
        shown = canvas(page)[8::16, 8::16][: bits.shape[0], : bits.shape[1]]  # a square covers its cell's centre
        large = share > 0.3
        expected = colours[np.floor(255 * share + 0.5).astype(int)]
        assert np.array_equal(shown[large], expected[large]), index
        seen.append(int(large.sum()))
        page.keyboard.press("ArrowRight")
    assert seen == sorted(seen)
    assert seen[0] == 0 < seen[-1]
    assert seen[-1] > 0.5 * shown[..., 0].size, "at the whole file the scale of this picture is used"
    assert f"{most} bits" in page.locator(".scale").text_content()
    page.locator("[data-view=picture]").click()


def test_cards_tell_how_sure_and_similar_answers_are(page, packed):
    page.locator(".track").focus()
    page.keyboard.press("End")
    step = packed.trace.steps[-1]
    for level, card in zip(packed.trace.levels, page.locator(".level").all(), strict=True):
        _, label, chance = step.top[level][0]
        assert card.locator(".alone .label").text_content() == label
        assert card.locator(".alone .chance").text_content() == percent(chance)
    assert card.locator(".foot").text_content().count(f"WUP {step.wup:.2f}") == 1, "of the last level's answer"
    assert "tabby, tiger cat or Egyptian cat" in page.locator(".truth").text_content()


def test_split_and_difference(page, packed):
    page.locator("[data-view=split]").click()
    assert page.locator(".handle").is_visible()
    page.locator("[data-source=a]").select_option("original")
    assert np.array_equal(canvas(page), packed.original_pixels())
    page.locator("[data-view=difference]").click()
    zero = canvas(page)
    assert (zero == zero[0, 0]).all()  # a picture against itself
    assert page.locator(".scale").is_visible()
    page.locator("[data-source=b]").select_option("jpeg")
    page.locator(".waiting").wait_for(state="hidden")
    settle(page)
    assert (canvas(page) != zero).any()
    page.locator("[data-view=split]").click()
    assert "JPEG" in page.locator(".tag.right").text_content()
    page.locator("[data-source=a]").select_option("prefix")
    page.locator("[data-view=picture]").click()


def test_the_address_restores_the_view(open_page):
    title = samples()[2].title
    page = open_page(f"/?photo={title}&step=20")
    assert position(page) == 19
    assert title in page.locator("canvas.a").get_attribute("aria-label")
    page.locator(".track").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=21*")
    settle(page)
    assert position(page) == 20
    page.locator("[data-view=split]").click()
    page.locator("[data-source=b]").select_option("webp")
    page.locator("[data-zoom]").select_option("2")
    page.wait_for_url("**look=split%2Cprefix%2Cwebp%2C2*")
    pace = page.locator("[data-pace]")
    pace.select_option("typed")
    page.locator(".typed input").fill("1234")
    page.locator(".typed input").press("Enter")
    page.wait_for_url("**b1234*")
    settle(page)
    shown = canvas(page)
    page.reload()
    settle(page)
    assert (pace.input_value(), page.locator(".typed input").input_value()) == ("typed", "1234")
    pace.select_option("b2400")
    page.wait_for_url("**b2400*")
    settle(page)
    other = open_page(page.url.removeprefix(page.evaluate("location.origin")))  # somebody else, given the link
    for visited in (page, other):
        visited.locator(".waiting").wait_for(state="hidden")
        assert position(visited) == 20
        assert visited.locator("[data-view=split] input").is_checked()
        assert visited.locator("[data-source=b]").input_value() == "webp"
        assert "WebP" in visited.locator(".tag.right").text_content()
        assert visited.locator("[data-zoom]").input_value() == "2"
        assert visited.locator("[data-pace]").input_value() == "b2400"
        assert np.array_equal(canvas(visited), shown)


def test_settings_stay_in_the_address_over_moves_pages_and_a_reload(open_page):
    """Streamlit writes them, we write photograph and step, each without taking away what the other wrote."""
    page = open_page("/?photo=Cat&step=9")
    page.get_by_role("button", name="Settings").click()
    page.wait_for_timeout(500)
    page.get_by_role("combobox", name="Longest side").fill("512")
    page.keyboard.press("Enter")
    page.wait_for_url("**side=512*")
    page.keyboard.press("Escape")
    settle(page)
    page.locator(".track").press("Home")
    page.wait_for_url(re.compile(r"step=1\b"))
    assert "side=512" in page.url
    page.get_by_role("link", name="Groups").first.click()
    page.wait_for_url("**/groups*")
    assert "side" not in page.url
    page.get_by_role("link", name="Explore").first.click()
    page.wait_for_url("**side=512*")
    settle(page)
    assert position(page) == 0
    page.reload()
    settle(page)
    page.get_by_role("button", name="Settings").click()
    assert "512" in (
        page.get_by_role("combobox", name="Longest side").input_value() or page.locator("body").inner_text()
    )


def test_narrow_screen_needs_no_sideways_scroll(sized, packed):
    page = sized({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(".hx").bounding_box()
    assert box["width"] <= 390
    for selector in (".track", "[data-do=play]", ".notch"):
        assert page.locator(selector).first.bounding_box()["height"] >= 24
    page.locator("[data-do=last]").click()
    assert position(page) == len(packed.changes) - 1


def test_who_wants_less_motion_gets_one_change_a_second(page):
    page.emulate_media(reduced_motion="reduce")
    page.locator("[data-do=first]").click()
    page.locator("[data-pace]").select_option("s8")
    page.locator("[data-do=play]").click()
    page.wait_for_timeout(1600)
    assert position(page) == 1
    page.locator("[data-do=play]").click()
    page.emulate_media(reduced_motion="no-preference")
