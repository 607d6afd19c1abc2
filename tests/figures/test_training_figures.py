"""Learning curves from logs: crops counted through runs, training beside held-out figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hiercodec.cli import main as cli
from hiercodec.errors import ConfigError
from hiercodec.figures.training import ENOUGH, WINDOW, in_sequence, learning_curves, levels_of, read_log

LEVELS = ("coarse", "fine")


def held(step, **figures):
    return {"run": "a", "crops": step, "validation": {"levels": dict.fromkeys(LEVELS, figures)}}


def test_crops_are_counted_through_runs():
    records = [{"run": "a", "crops": 5}, {"run": "a", "crops": 9}, {"run": "b", "crops": 3}, {"run": "b", "crops": 2}]
    found, starts = in_sequence(records)
    assert [r["at"] for r in found] == [5, 9, 12, 14]
    assert starts == [(0, "a"), (9, "b"), (12, "b")]


def test_curves_are_drawn_over_crops():
    """A run at twice the batch sees twice the crops a step."""
    records = [{"run": "a", "step": 5, "crops": 40}, {"run": "b", "step": 5, "crops": 80, "bpp_fine": 1.0}]
    assert in_sequence(records) == ([{**records[0], "at": 40}, {**records[1], "at": 120}], [(0, "a"), (40, "b")])
    fig = learning_curves([*records, {**held(6, bpp=0.5), "run": "b", "crops": 96}], LEVELS)
    assert fig.layout.xaxis.title.text == "crops"
    assert next(t.x for t in fig.data if t.name == "class, held out") == (136,)


def test_training_lines_are_means_and_held_out_marks_are_what_was_logged():
    training = [{"run": "a", "crops": i, "bpp_coarse": float(i), "psnr_fine": 30.0} for i in range(1, WINDOW + 4)]
    records = [*training, held(WINDOW + 4, bpp=0.5, psnr=29.0, agreement=0.75)]
    assert levels_of(records) == LEVELS
    fig = learning_curves(records, LEVELS)
    lines = {(t.name, t.xaxis): (list(t.x), list(t.y)) for t in fig.data}
    assert lines["kind", "x"] == ([WINDOW], [(WINDOW + 1) / 2]), "three lines too few for a second mean"
    assert lines["class, held out", "x2"] == ([WINDOW + 4], [29.0])
    assert lines["kind, held out", "x3"] == ([WINDOW + 4], [0.75])
    assert ("kind", "x3") not in lines, "nothing logged, nothing drawn"


def test_a_handful_of_photographs_makes_no_mark():
    few, enough = held(1, agreement=1.0), held(2, agreement=0.7)
    few["validation"]["photos"], enough["validation"]["photos"] = ENOUGH - 1, ENOUGH
    marks = [t for t in learning_curves([few, enough], LEVELS).data if t.name == "kind, held out"]
    assert [(list(t.x), list(t.y)) for t in marks] == [([2], [0.7])]


def test_the_shipped_log_draws(tmp_path):
    log = Path(__file__).parents[2] / "assets" / "models" / "lite_log.jsonl"
    assert cli.main(["curves", str(log), str(tmp_path / "out.html"), "--mode", "dark"]) == 0
    assert (tmp_path / "out.html").stat().st_size > 1000
    records = read_log(log)
    assert len(learning_curves(records, levels_of(records)).data) >= 2


@pytest.mark.parametrize("text", ["", "not json\n", json.dumps([1]) + "\n", json.dumps({"loss": 1}) + "\n"])
def test_what_is_no_log_is_one_clear_error(tmp_path, text, capsys):
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a training log"):
        read_log(path)
    assert cli.main(["curves", str(path), str(tmp_path / "out.html")]) == 2
    assert capsys.readouterr().err.startswith("hiercodec: ")
    assert cli.main(["curves", str(tmp_path / "missing"), str(tmp_path / "out.html")]) == 2


def test_the_shipped_logs_count_crops():
    root = Path(__file__).parents[2] / "assets"
    for records in (
        read_log(root / "models" / "lite_log.jsonl"),
        json.loads((root / "results" / "tic-proof.json").read_text())["log"],
    ):
        assert all("crops" in record for record in records)
