"""The table of measurements: rows become arrays whatever their order, and every page and command speaks of the same ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.classify import Confidence
from hiercodec.cli.main import main
from hiercodec.errors import InputError
from hiercodec.evaluation.results import exchange, failures, rows, stopping
from hiercodec.evaluation.results.bjontegaard import at_full_rate
from hiercodec.evaluation.results.curves import curve
from hiercodec.evaluation.results.rows import AS_ORIGINAL, LABEL, Rows
from hiercodec.evaluation.results.summary import counted, summary
from hiercodec.evaluation.results.table import counts, right, tables
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.results import files
from tests.evaluation.some_rows import LEVELS, some_rows

ROOT = Path(__file__).resolve().parents[3]
TREE = load_hierarchy("consensus")


# ---- rows become arrays ------------------------------------------------------------------------------------------------
def test_rows_become_arrays_whatever_their_order():
    measured = some_rows(12, judges=("lite0", "lite2"))
    whole = tables(measured, "lite2", TREE)["lite"]
    shuffled = replace(measured, frame=measured.frame.sample(frac=1, random_state=1))
    again = tables(shuffled, "lite2", TREE)["lite"]
    again = again.where(np.argsort(again.photos))
    for name in ("photos", "bytes", "path", "right", "truth", "margin", "wup"):
        assert np.array_equal(getattr(whole, name), getattr(again, name)), name
    one = measured.of(photo=whole.photos[5], codec="lite", judge="lite2", setting=whole.settings[1]).frame.iloc[0]
    assert whole.bytes[5, 1] == one["bytes"]
    assert whole.right[5, 1].tolist() == list(one["right"])
    assert (whole.path[5, 1] == one["path"]).all()
    assert whole.margin[5, 1] == pytest.approx(float(one["p"][0]) - float(one["p"][1]))
    assert whole.truth[5].tolist() == [level.assignment[one["label"]] for level in TREE.levels]
    assert whole.labelled
    assert set(whole.truth_from) == {LABEL}


def test_without_a_label_what_the_judge_says_of_the_original_is_right_and_said_to_be():
    measured = some_rows(6, labelled=False)
    found = tables(measured, "lite0", TREE)["lite"]
    originals = measured.of(codec="original").frame.set_index("photo")["path"]
    assert all((found.truth[i] == originals[name]).all() for i, name in enumerate(found.photos))
    assert (found.right == (found.path == found.truth[:, None])).all()
    assert not found.labelled
    assert set(found.truth_from) == {AS_ORIGINAL}


def test_other_groups_are_answered_from_stored_classes_and_the_files_own_are_not():
    measured = some_rows(10)
    own, other = tables(measured, "lite0", TREE)["lite"], tables(measured, "lite0", load_hierarchy("wordnet"))["lite"]
    assert own.extra == {}
    assert other.has("unsure coarse")
    assert (own.path[:, :, -1] == other.path[:, :, -1]).all(), "classes are classes"
    assert (own.path[:, :, 0] != other.path[:, :, 0]).any()


def test_photographs_count_that_the_named_codecs_have():
    measured = with_holes(some_rows(20, ("lite", "jpeg", "avif")), 5)
    assert {codec: len(table) for codec, table in tables(measured, "lite0").items()} == dict.fromkeys(
        ("original", "lite", "jpeg", "avif"), 15
    )
    free = tables(measured, "lite0", common_to=[])
    assert {codec: len(table) for codec, table in free.items()} == {"original": 20, "lite": 20, "jpeg": 20, "avif": 15}
    pair = tables(measured, "lite0", common_to=["lite", "avif"])
    assert len(pair["lite"]) == len(pair["avif"]) == 15


def test_what_nobody_judged_is_refused():
    with pytest.raises(InputError, match="no photograph that lite2 has judged"):
        tables(some_rows(2), "lite2")
    blank = some_rows(2)
    blank.frame["right"] = [np.zeros(0, bool)] * len(blank)
    with pytest.raises(InputError, match="no photograph"):
        tables(blank, "lite0")


# ---- a file with holes -------------------------------------------------------------------------------------------------
def with_holes(measured: Rows, photos: int) -> Rows:
    """The same, without one AVIF row of each of the first photographs: not those that are hardest, nor all settings."""
    frame, gone = measured.frame, set(sorted(measured.frame["photo"].unique())[:photos])
    setting = frame["photo"].map(lambda name: ("q1", "q10", "q40")[int(name[5:9]) % 3])
    hole = frame["photo"].isin(gone) & (frame["codec"] == "avif") & (frame["setting"] == setting)
    return Rows(frame[~hole], measured.meta)


def own_settings(measured: Rows, codec: str) -> Rows:
    """The same, with settings of their own for every photograph of a codec."""
    frame = measured.frame.copy()
    mine = frame["codec"] == codec
    frame.loc[mine, "setting"] = frame.loc[mine, "setting"] + frame.loc[mine, "photo"]
    return Rows(frame, measured.meta)


@pytest.fixture(params=["labelled", "unlabelled"])
def shelf(request, tmp_path, monkeypatch) -> Rows:
    """A file that ships, of 40 photographs: 9 lack a setting of AVIF, and JPEG 2000 has other settings for each."""
    codecs = ("lite", "jpeg", "avif", "jpeg2000")
    whole = some_rows(40, codecs, ("lite0", "lite2"), labelled=request.param == "labelled")
    measured = own_settings(with_holes(whole, 9), "jpeg2000")
    rows.write(
        tmp_path / "imagenet-val.parquet", measured.frame, {k: v for k, v in measured.meta.items() if k != "version"}
    )
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    return measured


def by_hand(measured: Rows, level: int) -> dict[tuple[str, str], float]:
    """(codec, setting) → the share of right answers over the photographs of which nothing is missing."""
    frame = measured.of(judge="lite0", codec=["lite", "jpeg", "avif"]).frame
    size = frame.groupby("photo")["setting"].size()
    frame = frame[frame["photo"].isin(size.index[size == 9])]
    frame = frame.assign(hit=[bool(row[level]) for row in frame["right"]])
    return {(str(c), str(s)): share for (c, s), share in frame.groupby(["codec", "setting"])["hit"].mean().items()}


def opened(page: str, **state) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120)
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.info) for item in kind)


def test_every_function_of_a_table_is_over_the_same_photographs(shelf):
    level, name = 2, "fine"
    wanted, found = by_hand(shelf, level), tables(shelf, "lite0", TREE)
    assert counts(shelf, found) == {"photos": 31, "of": 40, "left_out": ["jpeg2000"]}
    told = summary(shelf)
    assert counted(told).startswith("31 of 40 photographs")
    kind = "top1" if told["labelled"] else "agreement"
    for point in told["points"]:
        assert point["accuracy"]["lite0"][name][kind] == pytest.approx(
            wanted[point["codec"], point["setting"]], abs=1e-5
        )
    assert {point["codec"] for point in told["points"]} == {"lite", "jpeg", "avif"}
    for codec in ("lite", "jpeg", "avif"):
        table, own = found[codec], [wanted[codec, setting] for setting in found[codec].settings]
        line = curve(table, right(name))
        assert line.mean == pytest.approx(own)
        assert line.n == 31
        sure = stopping.sureness(table, name, Confidence())
        assert [o.accuracy for o in stopping.fixed(table, name)] == pytest.approx(own)
        assert stopping.controlled(table, name, sure, [0.999])[0].accuracy == pytest.approx(own[-1])
        wrong = [failures.FAILURES["wrong here"](table, level, cut).sum() for cut in range(3)]
        assert 1 - np.array(wrong) / 31 == pytest.approx(own)
        assert [1 - row.errors / row.photos for row in failures.severity(table)] == pytest.approx(own)
        sent = exchange.to_compressai(shelf, codec)
        (given,) = [values for key, values in sent["results"].items() if key.startswith(f"lite0 {name}")]
        assert given == pytest.approx(own, abs=1e-5)
        assert "31 of 40 photographs" in sent["description"]
    (gap,) = at_full_rate(found["lite"], found["avif"], [right(name)])
    assert gap.n == 31
    assert gap.value == pytest.approx(wanted["lite", "q40"] - wanted["avif", "q40"])


def test_every_page_and_command_says_the_same_and_over_how_many(shelf, capsys, tmp_path):
    wanted = by_hand(shelf, 2)
    assert main(["results", "show", str(tmp_path / "imagenet-val.parquet"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    kind = "top1" if shown["labelled"] else "agreement"
    shares = {(p["codec"], p["setting"]): p["accuracy"]["lite0"]["fine"][kind] for p in shown["points"]}
    assert shares == pytest.approx(wanted, abs=1e-5)
    assert main(["results", "show", str(tmp_path / "imagenet-val.parquet")]) == 0
    assert "31 of 40 photographs" in capsys.readouterr().err

    at = opened("results", judge="lite0")
    assert "31 of 40 photographs" in words(at)
    assert "without jpeg2000" in words(at)
    at = opened("results", judge="lite0", view="Stop when sure", sure_of="fine")
    assert "of 31 photographs" in words(at)
    next(switch for switch in at.toggle if str(switch.key).endswith("_table")).set_value(True).run()
    column = next(table.value for table in at.dataframe if "rule" in table.value).set_index("rule")["right (%)"]
    for setting in ("q1", "q10", "q40"):
        assert column[f"all at {setting}"] == pytest.approx(100 * wanted["lite", setting], abs=0.051)

    at = opened("failures", rows=next(iter(files.shipped())), judge="lite0", cut="q10", show="wrong here", of="class")
    assert "31 of 40 photographs" in words(at)
    wrong = round(31 * (1 - wanted["lite", "q10"]))
    assert f"**{wrong} of 31** photographs" in words(at)
    at = opened("failures", rows=next(iter(files.shipped())), judge="lite0", codec="jpeg2000")
    assert "No photograph has all settings of JPEG 2000" in words(at)


def test_a_file_of_which_no_photograph_is_whole_is_told_so_on_the_page(tmp_path, monkeypatch):
    measured = own_settings(some_rows(4, ("jpeg",), judges=("lite0",)), "jpeg")
    bare = Rows(measured.frame[measured.frame["codec"] != "original"], measured.meta)
    rows.write(tmp_path / "imagenet-val.parquet", bare.frame, {k: v for k, v in bare.meta.items() if k != "version"})
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    assert "no photograph" in words(opened("results"))
    assert "no photograph" in words(opened("failures", rows=next(iter(files.shipped())), codec="jpeg"))


def test_levels_keep_their_order():
    assert tables(some_rows(2), "lite0")["lite"].levels == tuple(LEVELS)
