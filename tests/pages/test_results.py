"""Results: what is drawn is what the rows say; every choice works, and what is missing is said."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.results import exchange, rows
from hiercodec.fsio import locate
from hiercodec.ui.results import curves, files
from tests.evaluation.some_rows import some_rows

PAGE = Path(__file__).resolve().parents[2] / "pages" / "results.py"
ROWS_VIEWS = {"Curves": 2, "Against rivals": 2, "Stop when sure": 1}
"""Views of a file of rows, and how many charts they draw."""


@pytest.fixture(scope="module")
def measured():
    return some_rows(12, ("lite", "jpeg", "order:trit"), ("lite0", "lite2"))


@pytest.fixture
def shelf(tmp_path, monkeypatch, measured):
    """Two results files where the app looks for them."""
    rows.write(tmp_path / "photos.parquet", measured.frame, without_version(measured.meta))
    kodak = some_rows(5, judges=("",))
    about = {"data": {"name": "Kodak", "photos": 5, "labelled": 0}, "crop": None}
    rows.write(tmp_path / "kodak.parquet", kodak.frame, without_version(kodak.meta) | about)
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    return tmp_path


def without_version(meta):
    return {name: value for name, value in meta.items() if name != "version"}


def words(at: AppTest) -> str:
    kinds = (at.title, at.header, at.markdown, at.caption, at.code, at.warning, at.error, at.info)
    return " ".join(item.value for kind in kinds for item in kind)


def open_page(view: str = "Curves", **state) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in {"view": view, **state}.items():
        at.session_state[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def drawn(at: AppTest, chart: int, name: str) -> dict[str, np.ndarray]:
    """x and y of the trace `name`, as they travel to the browser."""
    traces = json.loads(at.get("plotly_chart")[chart].proto.spec)["data"]
    (trace,) = [t for t in traces if t.get("name") == name]
    arrays = {}
    for axis in "xy":
        values = trace[axis]
        packed = isinstance(values, dict)
        arrays[axis] = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]) if packed else np.array(values)
    return arrays


@pytest.mark.parametrize("view", ROWS_VIEWS)
def test_every_view_draws_and_says_how_its_rows_were_made(shelf, measured, view):
    at = open_page(view)
    assert len(at.get("plotly_chart")) == ROWS_VIEWS[view]
    assert [code.value for code in at.code] == [measured.meta["command"]]
    assert len(at.expander[-1].code) == 1, "folded away"


@pytest.mark.parametrize(("y", "charts"), [(curves.BITS, 2), (curves.SIMILAR, 1), (curves.PSNR, 1), (curves.SSIM, 1)])
def test_every_measure_is_drawn_for_every_codec(shelf, measured, y, charts):
    at = open_page(y=y)
    assert len(at.get("plotly_chart")) == charts
    names = [trace["name"] for trace in json.loads(at.get("plotly_chart")[0].proto.spec)["data"] if trace.get("name")]
    assert names == ["lite", "JPEG"], "orders have their own place"


def test_drawn_curves_are_recomputed_from_the_rows(shelf, measured):
    at = open_page()
    frame = measured.frame.query("judge == 'lite0'")
    for chart, codec, name, level in ((1, "lite", "family", 1), (0, "jpeg", "JPEG", 2)):
        own = frame[frame["codec"] == codec]
        by = (
            own.assign(hit=[row[level] for row in own["right"]])
            .groupby("setting")
            .agg(x=("bpp", "mean"), y=("hit", "mean"))
        )
        by, found = by.sort_values("x"), drawn(at, chart, name)
        np.testing.assert_allclose(found["x"], by["x"], rtol=1e-6)
        np.testing.assert_allclose(found["y"], by["y"])


def test_another_hierarchy_and_another_judge_give_other_curves(shelf):
    kind = {"level_told": "coarse"}
    first = drawn(open_page(**kind), 0, "JPEG")["y"]
    assert (drawn(open_page(groups="wordnet", **kind), 0, "JPEG")["y"] != first).any()
    assert (drawn(open_page(judge="lite2", **kind), 0, "JPEG")["y"] != first).any()


def test_a_judge_from_the_loss_is_marked_and_never_the_first(shelf, measured):
    meta = json.loads(json.dumps(without_version(measured.meta)))
    meta["provenance"]["judges"]["lite0"]["in_loss"]["lite"] = True
    rows.write(shelf / "photos.parquet", measured.frame, meta)
    assert not open_page().warning
    at = open_page(judge="lite0")
    assert "sat in the codec's loss" in at.warning[0].value
    assert at.selectbox(key="judge").options == ["lite2", "lite0 (sat in the loss)"]


def test_photographs_without_a_judge_have_measures_of_the_picture_only(shelf):
    at = open_page(rows="kodak")
    assert at.selectbox(key="y").options == [curves.PSNR, curves.SSIM]
    assert "CTC (published)" in at.get("plotly_chart")[0].proto.spec
    assert "WACV 2025" in words(at)
    assert "hold no prefixes of our codec that a classifier has judged" in words(
        open_page("Stop when sure", rows="kodak")
    )


def test_the_other_file_after_a_judge_it_lacks_is_no_dead_end(shelf):
    at = open_page(judge="lite2")
    at.selectbox(key="rows").set_value("kodak").run()
    assert not at.exception
    assert len(at.get("plotly_chart")) == 1


def test_only_menus_that_act_on_the_view_are_there(shelf):
    def menus(view: str, **state) -> set[str]:
        at = open_page(view, **state)
        return {box.key for box in [*at.selectbox, *at.select_slider]} - {"view"}

    assert menus("Curves") == {"rows", "judge", "groups", "y", "level_told", "at"}
    assert menus("Curves", y=curves.PSNR) == {"rows", "judge", "groups", "y", "at"}
    assert menus("Against rivals") == {"rows", "judge", "groups", "of", "against"}
    assert menus("Stop when sure") == {"rows", "judge", "of", "sure_of", "threshold"}


def test_the_lead_is_the_gap_of_the_rows_at_every_rate(shelf, measured):
    at = open_page("Against rivals", against="jpeg")
    line = drawn(at, 0, "kind")
    frame = measured.frame.query("judge == 'lite0'")
    means = {
        codec: frame[frame["codec"] == codec]
        .assign(hit=[row[0] for row in frame[frame["codec"] == codec]["right"]])
        .groupby("setting")
        .agg(x=("bpp", "mean"), y=("hit", "mean"))
        .sort_values("x")
        for codec in ("lite", "jpeg")
    }
    mine, theirs = (np.interp(np.log(line["x"]), np.log(row["x"]), row["y"]) for row in means.values())
    np.testing.assert_allclose(line["y"], 100 * (mine - theirs), atol=1e-6)
    assert "**lite against JPEG**" in words(at)


def test_a_click_leads_to_the_photographs_of_the_point(shelf):
    """`frames.draw_charts` names the file as the menu of Failures does."""
    assert files.called(files.shipped()["kodak"]) == "Kodak"


def test_nothing_measured_says_how_to_measure(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    at = open_page()
    assert any("hiercodec evaluate DATASET" in item.value for item in at.code)
    assert not at.get("plotly_chart")


def test_values_that_do_not_exist_count_as_nothing(shelf):
    at = open_page(rows="gone", judge="nobody", groups="none", codecs=["gone"], of="gone", y="gone", against="gone")
    assert len(at.get("plotly_chart")) == 2


def test_ones_own_rows_are_opened_and_chosen(shelf, measured):
    at = open_page("Files")
    own = rows.encode(rows.table(some_rows(6, ("lite",)).frame, without_version(measured.meta)))
    at.file_uploader[0].upload("mine.parquet", own).run()
    assert not at.exception
    assert at.selectbox(key="rows").value == "Yours: mine.parquet"
    at.segmented_control(key="view").set_value("Curves").run()
    assert not at.exception
    assert at.selectbox(key="rows").value == "Yours: mine.parquet"
    assert "6 photographs" in words(at)


def test_a_file_that_is_no_result_is_refused_in_words(shelf):
    at = open_page("Files")
    at.file_uploader[0].upload("x.parquet", b"not a parquet file").run()
    assert "cannot be opened" in at.error[0].value


def test_a_curve_of_compressai_is_drawn_dashed(shelf, measured):
    at = open_page("Files")
    curve = exchange.to_compressai(measured, "jpeg") | {"name": "theirs"}
    at.file_uploader[0].upload("x.json", json.dumps(curve).encode()).run()
    at.segmented_control(key="view").set_value("Curves").run()
    at.selectbox(key="y").set_value(curves.PSNR).run()
    assert not at.exception
    assert "theirs (published)" in at.get("plotly_chart")[0].proto.spec


def test_label_pixels_and_both_are_drawn_from_their_rows_and_limits_told(shelf):
    ways = ("lite", "lite + label", "lite + label, label only", "lite + label, fused")
    made = some_rows(10, ways, ("lite2", "lite0"))
    alone = made.frame["codec"].str.endswith("label only") & (made.frame["setting"] != "q1")
    rows.write(shelf / "label-val.parquet", made.frame[~alone], without_version(made.meta))
    at = open_page("Label or pixels", label_level="coarse")
    frame = made.frame.query("judge == 'lite2'")
    for name, codec in (("pixels", "lite"), ("label and pixels", "lite + label, fused")):
        hits = frame[frame["codec"] == codec].assign(hit=lambda table: [row[0] for row in table["right"]])
        np.testing.assert_allclose(drawn(at, 0, name)["y"], hits.groupby("setting")["hit"].mean()[["q1", "q10", "q40"]])
    assert len(drawn(at, 0, "label alone")["y"]) == 1
    assert "the label alone names the kind of" in words(at).lower()
    assert "bits of meaning per kB" in words(at)
    assert "python -m tools.assets limits" in words(at)
    assert len(at.dataframe) == 3
    found = json.loads(locate("results", "label-limits.json").read_text(encoding="utf-8"))
    (light,) = (r for r in found["questions"] if r["name"] == ["Which half is lighter, left or right?", "0.1 bpp"])
    table = at.dataframe[2].value.set_index("question")
    cell = table.loc["Which half is lighter, left or right?", "0.1 bpp"]
    assert cell == f"{100 * light['share']:.0f} ({100 * light['low']:.0f} to {100 * light['high']:.0f})"


def test_without_rows_of_labels_the_view_says_how_to_measure_them(shelf):
    assert any("--label-by lite0" in item.value for item in open_page("Label or pixels").code)
