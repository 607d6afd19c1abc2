"""What people stumbled over on Explore, each as they did it (the U rows of the findings), at their screens' sizes."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

from hiercodec.evaluation.photos.samples import samples
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.evaluation.traces.trace import story_strength
from hiercodec.ui.frame.navigation import HIDDEN, PAGES
from tests.browser.conftest import settle
from tests.browser.explore import ROOT_OF, point, position, upload

pytestmark = pytest.mark.browser
OPENS = "/"
"""Where the page of this file opens: as for a visitor who has no link."""
PHONE, BEAMER, LAPTOP, HALL = (
    {"width": w, "height": h} for w, h in ((390, 844), (1024, 768), (1440, 900), (1920, 1080))
)
IN_VIEW = f"""(names) => names.filter((name) => [...{ROOT_OF}.querySelectorAll(name)].some((element) => {{
  const {{ left, top, right, bottom, height }} = element.getBoundingClientRect();
  return !height || top < 0 || left < 0 || bottom > innerHeight || right > innerWidth;
}}))"""
SLACK = 16
"""Pixels that stay free above the fold, so that another font does not push anything over it."""
LOWEST = (
    f"""(name) => Math.max(...[...{ROOT_OF}.querySelectorAll(name)].map((e) => e.getBoundingClientRect().bottom))"""
)
SIZES = f"""(names) => names.map((name) => parseFloat(getComputedStyle({ROOT_OF}.querySelector(name)).fontSize))"""
COVERED = f"""(name) => [...{ROOT_OF}.querySelectorAll(name)].some((element) => {{
  const {{ left, top, width, height }} = element.getBoundingClientRect();
  const over = {ROOT_OF}.elementFromPoint(left + width / 2, top + height / 2);
  return !(element === over || element.contains(over));
}})"""


def go(page, name: str) -> None:
    """Follow the menu, which hides behind a button on a small screen."""
    page.get_by_role("link", name=name).first.click()
    page.wait_for_timeout(1000)


# ---- the first screen, U13 ------------------------------------------------------------------------------------
def test_the_first_screen_tells_the_story(page):
    told = max(samples(), key=lambda row: story_strength(bundle.read(TRACES / f"{row.id}.zip").trace))
    assert page.locator(".hx").get_attribute("data-id") == f"shipped-{told.id}"
    assert [mark.strip() for mark in page.locator(".alone .mark").all_text_contents()] == [
        "✓ right",
        "✓ right",
        "✗ wrong",
    ]
    page.keyboard.press("Tab")
    page.locator("[data-do=forward]").click()
    assert page.locator(".alone .mark").all_text_contents()[-1] == "✓ right"
    said = page.locator("[data-testid=stMarkdown]").all_inner_texts()[0]
    assert "the more a computer can tell: its kind, then family, then class" in said


# ---- U2, U10: the place and the upload are kept ------------------------------------------------------------------------
def test_the_place_is_kept_over_pages_back_and_reload(open_page):
    page = open_page("/?photo=Rocket&step=5")
    go(page, "Groups")
    page.wait_for_selector(".js-plotly-plot")
    page.go_back()
    settle(page)
    assert (page.locator(".hx").get_attribute("data-id"), position(page)) == ("shipped-rocket", 4)
    page.wait_for_url("**photo=Rocket&step=5*")
    go(page, "Learn")
    go(page, "Explore")
    settle(page)
    assert (page.locator(".hx").get_attribute("data-id"), position(page)) == ("shipped-rocket", 4)
    page.reload()
    settle(page)
    assert (page.locator(".hx").get_attribute("data-id"), position(page)) == ("shipped-rocket", 4)
    page.get_by_role("radio", name="Coffee").or_(page.get_by_role("button", name="Coffee")).first.click()
    page.wait_for_url("**photo=Coffee&step=5*")
    settle(page)
    assert position(page) == 4, "another photograph, the same step"


# ---- U3, U4: Present ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [BEAMER, HALL], ids=["1024x768", "1920x1080"])
def test_present_is_for_a_hall(sized, size):
    page = sized(size)
    page.locator("[data-do=first]").click()
    texts = [
        ".alone .label",
        ".alone .chance",
        ".alone .mark",
        ".level > .name",
        ".notch .name",
        ".tag.left",
    ]
    before = page.evaluate(SIZES, texts)
    at = position(page)
    page.locator("[data-do=present]").click()
    for number, key in enumerate(("PageDown", "ArrowRight", "Space"), start=1):
        page.keyboard.press(key)
        assert position(page) == at + number, key
    for number, key in enumerate(("PageUp", "ArrowLeft"), start=1):
        page.keyboard.press(key)
        assert position(page) == at + 3 - number, key
    after = page.evaluate(SIZES, texts)
    assert min(new / old for new, old in zip(after, before, strict=True)) >= 1.6, (before, after)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        assert not page.evaluate(
            IN_VIEW, [".stage", ".level", ".alone .label", ".track", ".notch", "[data-pace]", "[data-do=next]"]
        ), scheme
        assert page.evaluate(f"{ROOT_OF}.querySelector('.hx').scrollHeight") <= size["height"], scheme
    page.wait_for_url(f"**step={position(page) + 1}*")
    stage = page.locator(".stage").bounding_box()
    assert stage["width"] * stage["height"] >= 0.55 * size["width"] * size["height"], "the picture has the screen"
    before = page.locator(".hx").get_attribute("data-id")
    page.keyboard.press("n")
    page.wait_for_function(f"{ROOT_OF}.querySelector('.hx.present').dataset.id !== '{before}'")
    page.keyboard.press("b")
    assert page.locator(".hx.blank").count()
    page.keyboard.press("PageDown")
    assert not page.locator(".hx.blank").count()
    page.keyboard.press("r")
    page.locator(".handle").wait_for()
    page.wait_for_function(f"{ROOT_OF}.querySelector('[data-do=rival]').ariaPressed === 'true'")
    page.keyboard.press("r")
    page.locator(".handle").wait_for(state="hidden")
    settle(page, timeout=180_000)  # a rival has a classifier of its own to ask
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert not page.locator(".hx.present").count()


# ---- U5, U21: what is above the fold -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "seen"),
    [
        (PHONE, [".stage", ".level", ".track", "[data-do=play]"]),
        (BEAMER, [".stage", ".level", ".track", ".notch"]),
        (LAPTOP, [".stage", ".level", ".truth", ".track", ".lanes", ".icicle"]),
        (HALL, [".stage", ".level", ".truth", ".track", ".lanes", ".icicle"]),
    ],
    ids=["390x844", "1024x768", "1440x900", "1920x1080"],
)
def test_what_matters_is_above_the_fold(sized, size, seen):
    page = sized(size)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        assert not page.evaluate(IN_VIEW, seen), scheme
        if ".icicle" in seen:
            assert page.evaluate(LOWEST, ".icicle .cell") <= size["height"] - SLACK, scheme
        assert not any(page.evaluate(COVERED, name) for name in (".alone .label", ".track")), scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], scheme


def test_the_whole_menu_fits_a_beamer(sized):
    page = sized(BEAMER)
    shown = [title for name, title, _ in PAGES if name not in HIDDEN]
    for title in shown:
        assert page.get_by_role("link", name=title, exact=True).first.is_visible(), title
    assert not page.get_by_text(re.compile(r"^\d+ more$")).count()


def test_on_a_phone_answers_change_in_view_while_sliding(sized):
    page = sized(PHONE)
    page.mouse.move(*point(page, 0.02))
    page.mouse.down()
    seen = set()
    for share in (0.02, 0.3, 0.6, 0.97):
        page.mouse.move(*point(page, share))
        assert not page.evaluate(IN_VIEW, [".level", ".track", ".stage"])
        seen.add(page.locator(".path").inner_text())
    page.mouse.up()
    assert len(seen) >= 3


# ---- U8, U14: words ---------------------------------------------------------------------------------------------------
def test_one_vocabulary_and_a_question_mark_on_every_term(page):
    text = page.locator(".hx").inner_text() + page.locator("[data-testid=stMain]").inner_text()
    for word in ("coarse", "intermediate", "fine "):
        assert word not in text, word
    for term in ("WUP", "bits of meaning", "a lane", "these rows"):
        page.locator(f"[data-help='{term}']").first.click()
        tip = page.locator(".tip")
        assert tip.is_visible()
        assert len(tip.inner_text()) > 30
        assert not page.evaluate(IN_VIEW, [".tip"])
        page.keyboard.press("Escape")
        assert not tip.is_visible()


# ---- U7: answers on both sides -----------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("size", [BEAMER, LAPTOP], ids=["1024x768", "1440x900"])
def test_split_shows_what_each_side_is_taken_for(open_page, size):
    page = open_page("/?photo=Motorcycle&step=20", viewport=size)
    page.locator("[data-view=split]").click()
    labels = page.locator(".compared .label").all_text_contents()
    assert len(labels) == 6
    assert all(labels)
    widths = page.locator(".compared .label").evaluate_all("(all) => all.map((label) => label.clientWidth)")
    assert min(widths) >= 80, widths
    for codec, name in (("webp", "WebP"), ("jpeg", "JPEG"), ("avif", "AVIF")):
        page.locator("[data-source=b]").select_option(codec)
        page.wait_for_function(
            f"() => {ROOT_OF}.querySelector('.tag.right').textContent.includes('{name} ')", timeout=90_000
        )
        settle(page)
        row = page.locator(".level").first.locator(".compared").last
        assert row.locator(".label").text_content() != "not classified"
        assert row.locator(".mark").text_content() in {"✓ right", "✗ wrong"}
        assert re.search("from .* bytes|from .* kB|right", row.locator(".first").text_content())
    page.locator("[data-do=first]").click()
    assert "no file so small" in page.locator(".level").first.locator(".compared .label").last.text_content()


# ---- U9, U10, U12, U19: files of one's own -----------------------------------------------------------------------------
def photo(number: int = 1) -> dict:
    out = io.BytesIO()
    Image.fromarray(samples()[number].pixels()).save(out, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": out.getvalue()}


@pytest.mark.slow
def test_an_upload_is_usable_after_a_few_steps_and_kept(open_page):
    page = open_page()
    upload(page, photo())
    page.wait_for_function(f"() => {ROOT_OF}?.querySelectorAll('.ticks i').length === 6", timeout=300_000)
    page.locator("[data-view=split]").click()
    page.locator("[data-source=b]").select_option("webp")  # at once, while finer steps arrive
    page.wait_for_function(f"() => {ROOT_OF}.querySelectorAll('.ticks i').length >= 24", timeout=120_000)
    settle(page)
    assert page.locator("[data-source=b]").input_value() == "webp", "a choice outlives the steps that come"
    page.locator("[data-view=picture]").click()
    shown = page.locator(".hx").get_attribute("data-id")
    page.get_by_role("radio", name="Rocket").or_(page.get_by_role("button", name="Rocket")).first.click()
    page.wait_for_selector('canvas[aria-label^="Rocket"]')
    settle(page)
    page.get_by_role("radio", name="Your own").or_(page.get_by_role("button", name="Your own")).first.click()
    page.wait_for_selector('canvas[aria-label^="Your picture"]')
    settle(page)
    assert page.locator(".hx").get_attribute("data-id") == shown
    go(page, "Learn")
    go(page, "Explore")
    page.wait_for_selector('canvas[aria-label^="Your picture"]')
    assert page.get_by_text("mine.png").first.is_visible()
    page.get_by_role("button", name="Another").click()
    page.wait_for_selector(".hx", state="detached")
    assert page.get_by_test_id("stFileUploader").is_visible()


DRAG = """([kind, place]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(place.file), (c) => c.charCodeAt(0))], 'mine.png', { type: 'image/png' }));
  const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true, composed: true });
  document.querySelector(place.at).dispatchEvent(event);
}"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [PHONE, BEAMER], ids=["390x844", "1024x768"])
def test_a_file_dropped_anywhere_shows_its_picture_and_answers(open_page, size):
    page = open_page("/?photo=Rocket", viewport=size)
    zone = '[data-testid="stFileUploaderDropzone"]'
    assert not page.locator(zone).is_visible()
    own = page.get_by_role("radio", name="Your own").or_(page.get_by_role("button", name="Your own")).first
    assert 0 <= own.bounding_box()["x"] <= size["width"] - own.bounding_box()["width"], "first, without scrolling"
    place = {"file": base64.b64encode(photo()["buffer"]).decode(), "at": "body"}
    page.evaluate(DRAG, ["dragenter", place])
    page.locator(zone).wait_for(state="visible")
    box = page.locator(zone).bounding_box()
    assert box["width"] * box["height"] > 0.7 * size["width"] * size["height"], "anywhere"
    for kind in ("dragenter", "dragover", "drop"):
        page.evaluate(DRAG, [kind, place | {"at": zone}])
    page.wait_for_selector('canvas[aria-label^="Your picture"]', timeout=300_000)
    settle(page)
    assert not page.locator(zone).is_visible(), "it folds away"
    stage, level = (page.locator(name).first.bounding_box() for name in (".stage", ".level"))
    assert stage["height"] >= 150
    assert level["y"] + level["height"] <= size["height"], "a picture and an answer"


PRESSED = """(words) => {
  const button = [...document.querySelectorAll('button')].find((each) => each.innerText.includes(words));
  button?.click();
  return Boolean(button);
}"""


@pytest.mark.slow
def test_enough_keeps_the_steps_made_so_far(open_page):
    page = open_page()
    upload(page, photo(2))
    page.wait_for_function(
        PRESSED, arg="Enough", timeout=300_000
    )  # as soon as it is there: on a quick machine not for long
    page.get_by_role("button", name="Enough").wait_for(state="detached", timeout=60_000)
    settle(page)
    assert 6 <= page.locator(".ticks i").count() < 30, "of 24 and six where answers change"
    page.locator("[data-do=last]").click()
    assert page.locator(".bytes span").text_content().endswith("100 %")


@pytest.mark.slow
def test_a_cut_stream_opens_at_all_it_holds(open_page):
    page = open_page()
    stream = bundle.read(TRACES / "cat.zip").stream[:900]
    upload(page, {"name": "cut.hc", "mimeType": "application/octet-stream", "buffer": stream})
    page.wait_for_selector('canvas[aria-label^="Your picture"]', timeout=300_000)
    assert page.locator(".bytes b").text_content() == "900 bytes"
    assert page.locator(".bytes span").text_content().endswith("100 %")


# ---- U18: another theme while the page is open -------------------------------------------------------------------------
@pytest.mark.parametrize("tab", ["Stop when sure", "Bytes"])
def test_charts_follow_a_change_of_theme(page, tab):
    page.get_by_role("tab", name=tab).click()
    ground = "getComputedStyle(document.querySelector('.js-plotly-plot .main-svg')).backgroundColor"
    page.wait_for_selector(".js-plotly-plot .main-svg")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {ground} === 'rgb(15, 20, 25)'")
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"() => {ground} === 'rgb(255, 255, 255)'")


# ---- U24: no label is crossed or cut -----------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [PHONE, BEAMER, LAPTOP], ids=["390x844", "1024x768", "1440x900"])
def test_lane_labels_are_whole_or_not_there(sized, size):
    page = sized(size)
    spans = page.locator(".run span").evaluate_all(
        "(all) => all.map((span) => [getComputedStyle(span).visibility, span.scrollWidth > span.clientWidth])"
    )
    assert all(visible == "hidden" or not cut for visible, cut in spans)
    assert any(visible == "visible" for visible, _ in spans)
    assert page.locator("[data-testid=stSlider]").count() == 0, "one control for the position, not two"


def test_back_and_forward_walk_photographs_not_steps(page):
    def shows(title: str) -> None:
        page.wait_for_selector(f'.hx[data-id="shipped-{title.lower()}"]')
        page.wait_for_url(f"**photo={title}*")

    for title in ("Cat", "Coffee", "Rocket"):
        page.get_by_role("radio", name=title).or_(page.get_by_role("button", name=title)).first.click()
        shows(title)
    settle(page)
    page.locator("[data-do=first]").click()
    settle(page)
    at = position(page)
    page.locator(".track").press("ArrowRight")
    page.wait_for_url(f"**step={at + 2}*")
    for go, title in (
        (page.go_back, "Coffee"),
        (page.go_back, "Cat"),
        (page.go_forward, "Coffee"),
        (page.go_forward, "Rocket"),
    ):
        go()  # sooner than a late address is told from a wish
        shows(title)
    assert "walk" not in page.url
