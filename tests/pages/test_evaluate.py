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
from hiercodec.ui.results import files
from tests.evaluation.some_rows import some_rows

PAGE = Path(__file__).resolve().parents[2] / "pages" / "results.py"
VIEWS = (
    "Accuracy",
    "Meaning",
    "Picture",
    "How many groups?",
    "Against rivals",
    "Whole files",
    "Stop when sure",
    "Files",
)


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
    kinds = (at.title, at.subheader, at.markdown, at.caption, at.code, at.warning, at.error, at.info)
    return " ".join(item.value for kind in kinds for item in kind)


def open_page(view: str = "Accuracy", **state) -> AppTest:
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


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_something_and_how_its_rows_were_made(shelf, measured, view):
    at = open_page(view)
    assert "hiercodec evaluate photos" in words(at) or view == "Files"
    assert len(at.get("plotly_chart")) == {"Accuracy": 4, "Meaning": 4, "Picture": 2, "Whole files": 0, "Files": 0}.get(
        view, {"How many groups?": 2}.get(view, 1)
    )


def test_drawn_curves_are_recomputed_from_the_rows(shelf, measured):
    at = open_page()
    frame = measured.frame.query("judge == 'lite0'")
    for chart, codec, name, level in ((0, "lite", "family", 1), (3, "jpeg", "JPEG", 2)):
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
    first = drawn(open_page(), 1, "JPEG")["y"]
    assert (drawn(open_page(groups="wordnet"), 1, "JPEG")["y"] != first).any()
    assert (drawn(open_page(judge="lite2"), 1, "JPEG")["y"] != first).any()


def test_a_judge_from_the_loss_is_marked_and_never_the_first(shelf, measured):
    meta = json.loads(json.dumps(without_version(measured.meta)))
    meta["provenance"]["judges"]["lite0"]["in_loss"]["lite"] = True
    rows.write(shelf / "photos.parquet", measured.frame, meta)
    assert not open_page().warning
    at = open_page(judge="lite0")
    assert "sat in the codec's loss" in at.warning[0].value
    assert at.selectbox(key="judge").options == ["lite2", "lite0 (sat in the loss)"]


def test_photographs_without_a_judge_have_pictures_only(shelf):
    assert "No classifier has looked" in words(open_page(rows="kodak"))
    at = open_page("Picture", rows="kodak")
    assert "CTC (published)" in at.get("plotly_chart")[0].proto.spec
    assert "WACV 2025" in words(at)


def test_nothing_measured_says_how_to_measure(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    at = open_page()
    assert any("hiercodec evaluate DATASET" in item.value for item in at.code)
    assert not at.get("plotly_chart")


def test_values_that_do_not_exist_count_as_nothing(shelf):
    at = open_page(rows="gone", judge="nobody", groups="none", codecs=["gone"], of="gone", beside="gone")
    assert len(at.get("plotly_chart")) == 4


def test_ones_own_rows_are_opened_and_stand_beside_the_shipped(shelf, measured):
    at = open_page("Files")
    own = rows.encode(rows.table(some_rows(6, ("lite",)).frame, without_version(measured.meta)))
    at.file_uploader[0].upload("mine.parquet", own).run()
    assert not at.exception
    assert at.selectbox(key="rows").value == "Yours: mine.parquet"
    assert "can be drawn beside" in words(at)
    at.selectbox(key="rows").set_value("photos").run()
    at.selectbox(key="beside").set_value("Yours: mine.parquet").run()
    at.pills(key="codecs").set_value(["lite", "lite · Yours: mine.parquet"]).run()
    at.segmented_control(key="view").set_value("Accuracy").run()
    assert not at.exception
    both = [trace["name"] for trace in json.loads(at.get("plotly_chart")[1].proto.spec)["data"] if "name" in trace]
    assert both == ["“lite” (ours)", "“lite” (ours), Yours: mine.parquet"]


def test_a_file_that_is_no_result_is_refused_in_words(shelf):
    at = open_page("Files")
    at.file_uploader[0].upload("x.parquet", b"not a parquet file").run()
    assert "cannot be opened" in at.error[0].value


def test_a_curve_of_compressai_is_drawn_dashed(shelf, measured):
    at = open_page("Files")
    curve = exchange.to_compressai(measured, "jpeg") | {"name": "theirs"}
    at.file_uploader[0].upload("x.json", json.dumps(curve).encode()).run()
    at.segmented_control(key="view").set_value("Picture").run()
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
    assert len(at.dataframe) == 4
    found = json.loads(locate("results", "label-limits.json").read_text(encoding="utf-8"))
    (light,) = (r for r in found["questions"] if r["name"] == ["Which half is lighter, left or right?", "0.1 bpp"])
    table = at.dataframe[3].value.set_index("question")
    cell = table.loc["Which half is lighter, left or right?", "0.1 bpp"]
    assert cell == f"{100 * light['share']:.0f} ({100 * light['low']:.0f} to {100 * light['high']:.0f})"


def test_without_rows_of_labels_the_view_says_how_to_measure_them(shelf):
    assert any("--label-by lite0" in item.value for item in open_page("Label or pixels").code)
