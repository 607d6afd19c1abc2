"""What effort bought: found in rows where it is known, absent where it cannot be, and drawn as a table."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hiercodec.fsio import APP, locate
from tests.evaluation.some_rows import some_rows
from tools.effort import bought, table

SPEC = "lite@people:3"


def test_what_is_cheaper_and_better_by_construction_is_found_so():
    found = bought(some_rows(12, codecs=(SPEC, "lite", "jpeg"), judges=("a", "b")))
    assert found["photos"] == 12
    assert list(found["codecs"]) == [SPEC]
    row = found["codecs"][SPEC]
    assert row["bytes"]["low"] < row["bytes"]["value"] < row["bytes"]["high"] < -20
    assert row["psnr"]["value"] > 1
    assert [*row["meaning"]] == ["a", "b"]
    assert [*row["meaning"]["b"]] == ["coarse", "intermediate", "fine"]
    assert row["file"]["psnr"] > row["file"]["plain_psnr"]


def test_without_judges_there_is_no_meaning_and_without_the_plain_model_nothing():
    assert bought(some_rows(6, codecs=(SPEC, "lite"), judges=("",)))["codecs"][SPEC]["meaning"] == {}
    assert bought(some_rows(6, codecs=(SPEC, "jpeg")))["codecs"] == {}


def test_the_table_says_every_figure_with_its_interval():
    data = bought(some_rows(12, codecs=(SPEC, "lite")))
    drawn = table({"data": {"some": data}, "seconds": {"encode_cpu_s": {SPEC: 1.25}}})
    (line,) = [line for line in drawn.splitlines() if line.startswith(f"| `{SPEC}`")]
    assert line.count("[") == 5
    assert "| nobody | 1.25 | −" in line


def test_who_steered_is_said_and_who_steered_does_not_judge():
    ours = f"{SPEC} by net"
    made = some_rows(12, codecs=(ours, "lite"), judges=("a", "b"))
    frame = made.frame[~((made.frame["codec"] == ours) & (made.frame["judge"] == "b"))]
    meta = {
        **made.meta,
        "provenance": {**made.meta["provenance"], "steered_by": {ours: ["timm:net@FILE?x=1", "other"]}},
    }
    data = bought(replace(made, frame=frame, meta=meta))
    assert [*data["codecs"][ours]["meaning"]] == ["a"]
    drawn = table({"data": {"some": data}, "seconds": {"encode_cpu_s": {ours: 1.25}}})
    assert f"| `{SPEC}` | net and other | 1.25 |" in drawn


def test_the_page_on_effort_shows_what_was_measured():
    path = locate("results", "effort.json")
    if not path.exists():
        pytest.skip("not measured yet")
    assert table(json.loads(path.read_text(encoding="utf-8"))).strip() in (APP / "docs" / "effort.md").read_text()
