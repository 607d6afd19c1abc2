"""The Failures page: filters, addresses, empty states, and what a visitor's own photographs do."""

from __future__ import annotations

import io
import re
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
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.failures import gallery, own, source
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
    monkeypatch.setattr(source, "STRESS", tmp_path / "nowhere.parquet")
    monkeypatch.delenv(lookup.PHOTOS, raising=False)
    files.write(tmp_path / "made-up.parquet", ROWS.frame, ROWS.meta)
    return tmp_path


@pytest.fixture
def pictured(results, monkeypatch):
    """The pictures of the rows, where their data set is at hand."""
    folder = results / "photos"
    folder.mkdir()
    for name in ROWS.frame["photo"].unique():
        Image.fromarray(np.full((230, 240, 3), 99, np.uint8)).save(folder / name)
    monkeypatch.setenv(lookup.PHOTOS, str(folder))


@pytest.fixture
def page(results):
    return AppTest.from_file(PAGE, default_timeout=120)


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.error, at.warning) for item in kind)


def cards(at: AppTest) -> list[str]:
    """The first lines of every card."""
    return [item.value for item in at.markdown if re.match(r"\*\*.+\*\*  \n[✗✓≠=]", item.value)]


def listed(at: AppTest) -> list[str]:
    """The photographs of the table that stands where there are no pictures."""
    return at.dataframe[0].value["photograph"].tolist() if at.dataframe else []


def test_first_paint_shows_failures_and_imports_no_torch(results):
    code = f"""
import sys
from pathlib import Path
from hiercodec.ui.failures import source
from hiercodec.ui.results import files
files.FOLDER = Path({str(results)!r})
source.STRESS = files.FOLDER / "nowhere"
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({PAGE!r}, default_timeout=60).run()
assert not at.exception, at.exception
assert any("photographs, at" in item.value for item in at.markdown), at.markdown
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
        assert len(listed(at)) == n


def test_judges_that_disagree_are_a_filter_where_there_are_two(page, results):
    at = page.run()
    at.selectbox(key=gallery.SHOW).set_value(gallery.DISAGREE).run()
    assert not at.exception
    assert "of 40**" in words(at)
    files.write(results / "made-up.parquet", ROWS.of(judge="lite0").frame, ROWS.meta)
    at = AppTest.from_file(PAGE, default_timeout=120).run()
    assert gallery.DISAGREE not in at.selectbox(key=gallery.SHOW).options


def test_an_address_restores_the_view(page):
    wanted = {"codec": "JPEG", "judge": "lite2", "cut": "q40", "of": "family", "show": "never right"}
    wanted |= {"order": "close calls first"}
    for name, value in wanted.items():
        page.query_params[name] = value
    at = page.run()
    assert not at.exception
    for key in set(wanted) - {"cut"}:
        assert at.selectbox(key=key).value == {"JPEG": "jpeg"}.get(wanted[key], wanted[key])
    assert at.select_slider(key="cut").value == "q40"


def test_addresses_that_mean_nothing_count_as_nothing(page):
    evil = {
        "show": "evil",
        "cut": "99",
        "codec": "<script>",
        "rows": "../../etc",
        "pair": "x",
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
        firsts.add(listed(at)[0])
    assert len(firsts) > 2


def test_a_cell_of_the_confusion_opens_its_photographs(results):
    found = tables(ROWS, "lite0", TREE)["lite"]
    cut = len(found.settings) // 2
    row = int(np.flatnonzero(found.truth[:, 0] != found.path[:, cut, 0])[0])
    truth, taken = int(found.truth[row, 0]), int(found.path[row, cut, 0])
    code = f"""
import runpy
import streamlit as st
from hiercodec.ui.failures import gallery, source
if "clicked" not in st.session_state:
    st.session_state.clicked = True
    made = source._of_file(next(iter(source.files.shipped().values())))
    table = source.tables_of(made, "lite0")["lite"]
    gallery.go_to_cell(source.View(made, table, 0, {cut}), "{truth},{taken}", 0)
runpy.run_path({PAGE!r})
"""
    at = AppTest.from_string(code, default_timeout=120).run()
    assert not at.exception
    labels = TREE.levels[0].labels
    assert at.selectbox(key=source.LEVEL).value == "kind"
    assert at.selectbox(key=gallery.PAIR).value == f"{labels[truth]} → {labels[taken]}", (
        "the row of the cell is the truth"
    )
    n = int(((found.truth[:, 0] == truth) & (found.path[:, cut, 0] == taken)).sum())
    assert f"**{n} of 40**" in words(at)


def test_every_view_draws_and_says_something(page):
    for view, charts, sentence in (("Confusion", 1, "diagonal"), ("Mistakes", 3, "mean WUP")):
        page.session_state["view"] = view
        at = page.run()
        assert not at.exception
        assert len(at.get("plotly_chart")) == charts
        assert sentence in words(at)


def test_only_menus_that_act_on_the_view_are_there(page):
    for view, wanted in (("Gallery", {"of", "show", "pair", "order"}), ("Confusion", set()), ("Mistakes", set())):
        page.session_state["view"] = view
        assert {box.key for box in page.run().selectbox} == {"rows", "codec", "judge"} | wanted


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


def test_names_without_pictures_are_a_table_and_say_how_to_see_them(page):
    at = page.run()
    assert lookup.PHOTOS in words(at)
    assert not cards(at)
    assert not [button for button in at.button if button.label == "Explore"]


def test_pictures_stand_on_cards_that_open_explore(page, pictured, monkeypatch):
    left = []
    monkeypatch.setattr("streamlit.switch_page", left.append)
    at = page.run()
    assert len(at.image) == len(cards(at)) > 3
    at.button(key=next(b.key for b in at.button if b.label == "Explore")).click().run()
    assert left[0].name == "explore.py"
    name, png = at.session_state["explore_file"]
    assert name.endswith(".png")
    assert Image.open(io.BytesIO(png)).size == (224, 224), "cropped as it was measured"
    assert at.session_state["explore_memory"][state.PHOTO] == state.UPLOAD
    shown = next(
        iter(tables(ROWS, "lite0", TREE)["lite"].where(np.array([n == name[:-4] for n in names_of(ROWS)])).bytes)
    )
    assert at.session_state["explore_wish"] in shown, "at the bytes that it was looked at"


def names_of(rows):
    return list(map(str, tables(rows, "lite0", TREE)["lite"].photos))


def test_a_card_shows_at_most_ten_marks_a_level():
    found = tables(ROWS, "lite0", TREE)["lite"]
    many = replace(found, settings=tuple(map(str, range(23))), right=np.repeat(found.right[:, :1], 23, 1))
    assert {len(marks) for marks in gallery.trails(many, 0).values()} == {10}


# ---- a visitor's own photographs ---------------------------------------------------------------------------------------
def photo(seed: int) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((96, 64)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def fakes(monkeypatch):
    """A fake codec and a fake judge."""
    monkeypatch.setattr(cached, "models", lambda: {DEFAULT_MODEL: {"preset": {}, "fingerprint": b"FAKE".hex()}})
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
    assert "no answer can be right or wrong" in words(at), "for the other one"
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
    from hiercodec.ui.failures.own import Batch

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
    assert "no answer can be right or wrong" in words(at)
    assert "another answer here" in at.selectbox(key="show").options
    assert "wrong" not in at.selectbox(key="show").options
    assert "the kind is as on the original no later" in words(at)
    at.session_state["view"] = "Mistakes"
    assert "classes are another than on the original" in words(at.run())


# ---- samples under stress -----------------------------------------------------------------------------------------------
@pytest.fixture
def under_stress(results, monkeypatch):
    """Two samples under three stresses, by the fake codec and judge, as the shipped file."""
    from hiercodec.evaluation.codecs.peers import HierPeer
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.photos.samples import samples
    from hiercodec.evaluation.provenance import provenance
    from hiercodec.evaluation.stress import CLEAN
    from tools.stress import stress_records

    judge, peer = Evaluator(FakeClassifier(), TREE), HierPeer(FakeCodec(), name="lite")
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
    monkeypatch.setattr(source, "STRESS", path)


def test_samples_under_stress_come_first_with_their_pictures(page, under_stress):
    at = page.run()
    assert at.selectbox(key=source.RESULT).value == source.STRESSED
    at.selectbox(key=gallery.SHOW).set_value("everything").run()
    assert not at.exception
    assert len(at.image) == len(cards(at)) == 6
    assert sum("blur, mild" in item.value for item in at.caption) == 2


def test_measured_photographs_come_first_where_their_pictures_are(page, under_stress, pictured):
    assert page.run().selectbox(key=source.RESULT).value == "made-up"


def test_a_sample_under_stress_opens_in_explore(page, under_stress, monkeypatch):
    left = []
    monkeypatch.setattr("streamlit.switch_page", left.append)
    at = page.run()
    at.selectbox(key=gallery.SHOW).set_value("everything").run()
    dark = next(b.key for b in at.button if b.label == "Explore" and "dark" in b.key)
    at.button(key=dark).click().run()
    assert left
    name, png = at.session_state["explore_file"]
    assert "dark, strong" in name
    assert np.asarray(Image.open(io.BytesIO(png))).mean() < 60
