"""The Failures page: filters, addresses, empty states, and what a visitor's own photographs do."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.photos import lookup
from hiercodec.evaluation.results import rows as files
from hiercodec.evaluation.results.failures import FAILURES, ORDERS
from hiercodec.evaluation.results.table import tables
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.failures import gallery, own, source, stress
from hiercodec.ui.frame import cached, state
from hiercodec.ui.results import files as results_files
from hiercodec.workers import tasks
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tests.evaluation.some_rows import some_rows

ROOT = Path(__file__).resolve().parents[2]
PAGE = str(ROOT / "pages" / "failures.py")
ROWS = some_rows(40, codecs=("lite", "jpeg"), judges=("lite0", "lite2"))
TREE = load_hierarchy("consensus")


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of results with one file of rows."""
    monkeypatch.setattr(results_files, "FOLDER", tmp_path)
    monkeypatch.delenv(lookup.PHOTOS, raising=False)
    files.write(tmp_path / "made-up.parquet", ROWS.frame, ROWS.meta)
    return tmp_path


@pytest.fixture
def page(results):
    return AppTest.from_file(PAGE, default_timeout=120)


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.error, at.warning) for item in kind)


def cards(at: AppTest) -> list[str]:
    """The first line of every card."""
    return [item.value for item in at.markdown if item.value.startswith("**") and "→" in item.value]


def test_first_paint_shows_failures_and_imports_no_torch(results):
    code = f"""
import sys
from pathlib import Path
from hiercodec.ui.results import files
files.FOLDER = Path({str(results)!r})
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({PAGE!r}, default_timeout=60).run()
assert not at.exception, at.exception
assert any("photographs, at" in item.value for item in at.markdown)
slow = {{"torch", "torchvision", "torchcam", "sklearn", "skimage", "timm", "nltk"}} & set(sys.modules)
assert not slow, slow
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_filter_shows_what_it_says_or_says_that_there_is_none(page):
    found = tables(ROWS, "lite0", TREE)["lite"]
    cut = len(found.settings) // 2
    at = page.run()
    for name, mask in FAILURES.items():
        at.selectbox(key=gallery.SHOW).set_value(name).run()
        assert not at.exception
        n = int(mask(found, 2, cut).sum())
        assert (f"**{n} of 40**" in words(at)) if n else ("No photograph fails in this way" in words(at)), name
        assert len(cards(at)) == min(n, gallery.PER_PAGE)


def test_judges_that_disagree_are_a_filter_where_there_are_two(page, results):
    at = page.run()
    at.selectbox(key=gallery.SHOW).set_value(gallery.DISAGREE).run()
    assert not at.exception
    assert "of 40**" in words(at)
    files.write(results / "made-up.parquet", ROWS.of(judge="lite0").frame, ROWS.meta)
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert gallery.DISAGREE not in at.selectbox(key=gallery.SHOW).options


def test_an_address_restores_the_view(page):
    wanted = {"codec": "jpeg", "judge": "lite2", "cut": "q40", "of": "family", "by": "family", "show": "never right"}
    wanted |= {"order": "close calls first"}
    for name, value in wanted.items():
        page.query_params[name] = value
    at = page.run()
    assert not at.exception
    for key in set(wanted) - {"cut"}:
        assert at.selectbox(key=key).value == wanted[key]
    assert at.select_slider(key="cut").value == "q40"


def test_addresses_that_mean_nothing_count_as_nothing(page):
    evil = {
        "show": "evil",
        "cut": "99",
        "codec": "<script>",
        "rows": "../../etc",
        "truth": "x",
        "of": "y",
        "sheet": "-1",
    }
    for name, value in evil.items():
        page.query_params[name] = value
    at = page.run()
    assert not at.exception
    assert "photographs, at" in words(at)


def test_orders_put_another_photograph_first(page):
    at = page.run()
    at.selectbox(key=gallery.SHOW).set_value("everything").run()
    firsts = set()
    for name in ORDERS:
        at.selectbox(key=gallery.ORDER).set_value(name).run()
        assert not at.exception
        firsts.add(cards(at)[0])
    assert len(firsts) > 2


def test_a_cell_of_the_confusion_filters_the_gallery(results):
    found = tables(ROWS, "lite0", TREE)["lite"]
    cut = len(found.settings) // 2
    row = int(np.flatnonzero(found.truth[:, 0] != found.path[:, cut, 0])[0])
    truth, taken = int(found.truth[row, 0]), int(found.path[row, cut, 0])
    code = f"""
import runpy
import streamlit as st
from hiercodec.ui.failures import gallery
from hiercodec.taxonomy import load_hierarchy
if "clicked" not in st.session_state:
    st.session_state.clicked = True
    gallery.go_to_cell("{truth},{taken}", load_hierarchy("consensus").levels[0].labels)
runpy.run_path({PAGE!r})
"""
    at = AppTest.from_string(code, default_timeout=120).run()
    assert not at.exception
    labels = TREE.levels[0].labels
    assert at.selectbox(key=gallery.TRUTH).value == labels[truth], "the row of the cell is the truth"
    assert at.selectbox(key=gallery.TAKEN).value == labels[taken]
    n = int(((found.truth[:, 0] == truth) & (found.path[:, cut, 0] == taken)).sum())
    assert f"**{n} of 40**" in words(at)


def test_every_tab_draws_and_says_something(page):
    at = page.run()
    for tab, charts, sentence in (
        ("Confusion", 1, "diagonal"),
        ("Mistakes", 3, "mean WUP"),
        ("Flow", 1, "pass the filters"),
        ("Groups", 1, "gains most"),
        ("Side by side", 0, "McNemar"),
    ):
        at.session_state["view"] = tab
        at.run()
        assert not at.exception
        assert len(at.get("plotly_chart")) == charts
        assert sentence in words(at)


def test_rows_without_answers_and_no_rows_at_all_say_so(results):
    bare = some_rows(3, judges=("",))
    files.write(results / "made-up.parquet", bare.frame, bare.meta)
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert not at.exception
    assert "no answers of a classifier" in words(at)
    (results / "made-up.parquet").unlink()
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert not at.exception
    assert at.selectbox(key=source.RESULT).value == source.OWN


def test_names_without_pictures_are_explained_and_pictures_open_in_explore(page, results, monkeypatch):
    at = page.run()
    assert lookup.PHOTOS in words(at)
    assert not [button for button in at.button if button.label == "Explore"]
    folder = results / "photos"
    folder.mkdir()
    for name in ROWS.frame["photo"].unique():
        Image.fromarray(np.full((230, 240, 3), 99, np.uint8)).save(folder / name)
    monkeypatch.setenv(lookup.PHOTOS, str(folder))
    left = []
    monkeypatch.setattr("streamlit.switch_page", left.append)
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert len(at.image) == len(cards(at))
    at.button(key=next(b.key for b in at.button if b.label == "Explore")).click().run()
    assert left[0].name == "explore.py"
    name, png = at.session_state["explore_file"]
    assert name.endswith(".png")
    assert Image.open(io.BytesIO(png)).size == (224, 224), "cropped as it was measured"
    assert at.session_state["explore_memory"][state.PHOTO] == state.UPLOAD


# ---- a visitor's own photographs ---------------------------------------------------------------------------------------
def photo(seed: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((96, 64)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def fakes(monkeypatch):
    """A fake codec and a fake judge."""
    monkeypatch.setattr(cached, "models", lambda: {"lite": {"preset": {}, "fingerprint": b"FAKE".hex()}})
    monkeypatch.setattr(tasks, "load_codec", lambda name, fingerprint: FakeCodec())
    monkeypatch.setattr(tasks, "load_classifier", lambda spec: FakeClassifier())
    monkeypatch.setattr(own, "JUDGES", ("lite0",))


def give(at: AppTest, *given: tuple[str, bytes]) -> AppTest:
    """Upload files and wait for their traces."""
    kinds = {"png": "image/png", "zip": "application/zip", "txt": "text/plain"}
    at.file_uploader[0].set_value([(name, data, kinds.get(name[-3:], "")) for name, data in given]).run()
    if "failures_job" in at.session_state:
        at.session_state["failures_job"].wait(60)
        at.run()
    assert not at.exception
    return at


def test_own_photographs_become_a_gallery(page, fakes, monkeypatch):
    page.query_params["rows"] = source.OWN
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("set/n02123045/tabby.png", photo(1))
        out.writestr("set/readme.txt", b"no photograph")
        out.writestr("set/broken.png", b"\x89PNG\r\n\x1a\n junk")
    at = give(page.run(), ("one.png", photo(2)), ("more.zip", archive.getvalue()))
    at.selectbox(key=gallery.SHOW).set_value("everything").run()
    assert "2 of your photographs are traced" in words(at)
    assert "set/broken.png" in words(at), "what was left out is named"
    assert len(cards(at)) == len(at.image) == 2
    assert any(card.startswith("**tabby**") for card in cards(at)), "the folder says what is right"
    assert "the judge's answer on the original" in words(at), "for the other one"
    left = []
    monkeypatch.setattr("streamlit.switch_page", left.append)
    at.button(key=next(b.key for b in at.button if b.label == "Explore")).click().run()
    assert left
    next(b for b in at.button if b.label == "Forget them").click().run()
    assert not cards(at)


def test_own_files_of_rows_are_read_and_others_are_refused_in_words(page, fakes):
    page.query_params["rows"] = source.OWN
    data = files.encode(files.table(ROWS.frame, ROWS.meta))
    at = give(page.run(), ("mine.parquet", data))
    assert "of 40**" in words(at)
    at = give(at, ("bad.parquet", b"PAR1 nothing"))
    assert "cannot be shown" in words(at)
    at = give(at, ("bad.zip", b"PK nothing"))
    assert "not a zip archive" in words(at)


def test_work_in_the_background_can_be_stopped():
    from threading import Event

    from hiercodec.errors import InputError
    from hiercodec.ui.failures.batch import Batch

    go, begun = Event(), Event()

    def work(item: int) -> int:
        begun.set()
        go.wait(10)
        if item == 0:
            raise InputError("no good")
        return item

    job = Batch([0, 1, 2], work)
    begun.wait(10)
    assert not job.finished
    job.cancel()
    go.set()
    job.wait(10)
    assert job.finished
    assert (job.done, job.results, job.problems) == (1, [], ["0: no good"])


def test_rows_in_a_hierarchy_that_is_not_here_are_refused(results):
    for lie in ({"hierarchy": "../../etc/passwd"}, {"hierarchy_digest": "0" * 16}):
        meta = {**ROWS.meta, "provenance": {**ROWS.meta["provenance"], **lie}}
        files.write(results / "made-up.parquet", ROWS.frame, meta)
        at = AppTest.from_file(PAGE, default_timeout=120).run()
        assert not at.exception
        assert "not installed here" in words(at)


def test_rows_of_unlabelled_photographs_say_what_right_means(results):
    bare = some_rows(5, labelled=False)
    files.write(results / "made-up.parquet", bare.frame, replace(bare, frame=bare.frame).meta)
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert not at.exception
    assert "the judge's answer on the original" in words(at)
    assert "is never right" in words(at)
    at.selectbox(key="show").set_value("everything").run()
    assert "= as the original" in words(at)
    assert "✓ right" not in words(at)


# ---- stress ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def under_stress(results, fakes, monkeypatch):
    """Two samples under three stresses, by the fake codec and judge, as the shipped file."""
    from hiercodec.evaluation.codecs.peers import HierPeer
    from hiercodec.evaluation.measure import Judging
    from hiercodec.evaluation.photos.samples import samples
    from hiercodec.evaluation.provenance import provenance
    from hiercodec.evaluation.stress import CLEAN, stress_records

    judge, peer = Judging(FakeClassifier(), TREE), HierPeer(FakeCodec(), name="lite")
    chosen = {"stresses": (CLEAN, "blur, mild", "dark, strong")}
    kept = [
        row
        for one in samples()[:2]
        for row in stress_records(one.id, one.pixels()[:48, :64], one.truth, [peer], [judge], **chosen)
    ]
    meta = {"levels": ROWS.meta["levels"], "crop": None, "command": "", "provenance": provenance([peer], [judge])}
    path = results / "elsewhere" / "stress.parquet"
    path.parent.mkdir()
    files.write(path, kept, meta)
    monkeypatch.setattr(stress, "STRESS", path)
    return samples()[:2]


def test_stress_shows_all_together_and_one_by_one(page, under_stress):
    page.session_state["view"] = "Stress"
    at = page.run()
    assert not at.exception
    assert at.selectbox(key=stress.PHOTO).value == stress.ALL
    assert "right no later than the class" in words(at)
    at.selectbox(key=stress.PHOTO).set_value(under_stress[0].title).run()
    assert not at.exception
    assert len(at.image) == 3
    assert "**blur, mild**" in words(at)
    assert "Meaning comes first in" in words(at)
    at.selectbox(key=stress.PHOTO).set_value("Rocket").run()
    assert "not put under stress" in words(at)


def test_own_photographs_are_put_under_stress_when_asked(page, fakes, monkeypatch):
    monkeypatch.setattr(stress, "STRESS", Path("nowhere.parquet"))
    monkeypatch.setattr(stress, "STRESSES", ("clean", "turn, mild"))
    page.session_state["view"] = "Stress"
    at = page.run()
    assert stress.COMMAND in " ".join(code.value for code in at.code), "the command that makes what is not shipped"
    at.selectbox(key=source.RESULT).set_value(source.OWN).run()
    at = give(at, ("one.png", photo(2)))
    assert at.selectbox(key=stress.PHOTO).value == "one.png"
    next(button for button in at.button if button.label == "Put it under stress").click().run()
    at.session_state["failures_stress"]["one.png"].wait(60)
    at.run()
    assert not at.exception
    assert len(at.image) == 2
    assert "**turn, mild**" in words(at)


def test_meaning_comes_first_where_the_kind_is_right_no_later_than_the_class():
    found = tables(ROWS, "lite0", TREE)["lite"]
    right = found.right.copy()
    right[:5] = False
    right[0, 1:, 0] = right[0, 2:, 2] = True  # kind, then class
    right[1, 1:, 0] = right[1, 1:, 2] = True  # together
    right[2, 2:, 0] = right[2, 1:, 2] = True  # class, then kind
    right[3, 2, 0] = True  # kind alone
    assert stress.meaning_first(replace(found, right=right))[:5].tolist() == [True, True, False, True, False]
