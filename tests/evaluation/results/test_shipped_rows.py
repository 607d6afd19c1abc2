"""The rows that ship: they open, are small, and belong to the weights and the hierarchy that ship beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec import installed
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.summary import summary
from hiercodec.fsio import locate
from hiercodec.taxonomy import load_hierarchy

FILES = {path.stem: path for path in sorted(locate("results").glob("*.parquet"))}
MAX_MB = 8


def test_they_are_small():
    assert sum(path.stat().st_size for path in FILES.values()) < 1e6 * MAX_MB


def test_rows_of_labels_are_of_what_ships_and_judged_by_others_than_who_wrote_them():
    """Measure again, as docs/evaluate.md says, whenever the weights or the default hierarchy change."""
    found = rows.read(FILES["label-val"])
    made_by = found.meta["provenance"]
    assert set(made_by["models"].values()) == {installed.models()["lite"]["fingerprint"]}
    assert made_by["hierarchy_digest"] == load_hierarchy().digest
    assert found.frame["photo"].nunique() >= 200
    assert "lite2" in found.judges
    assert "lite0" not in found.judges
    assert json.loads(locate("fusion.json").read_text())["model"].endswith(installed.models()["lite"]["fingerprint"])
    for level, told in zip(found.levels, label_only(found), strict=True):
        assert told > 0.75, level
    sizes = found.frame[found.frame["setting"] == "label"]["bytes"]
    assert (sizes <= 40).all(), "a header and a label of at most 8 bytes"
    for rate in (0.02, 0.05, 0.1, 0.2, 0.4):
        part = found.frame[found.frame["setting"] == f"{rate:g} bpp"]
        assert part["bpp"].max() <= rate * 1.01


def label_only(found):
    """How often the label alone is right, level by level."""
    alone = found.of(judge="lite2", codec="lite + label, label only").frame
    return np.stack(alone["right"].to_list()).mean(0)


@pytest.mark.parametrize(
    ("name", "models"), [("imagenet-val", ["lite", "wave"]), ("kodak", ["lite", "wave", "wave-pixels"])]
)
def test_they_are_those_of_what_ships(name, models):
    """Measure again, as docs/evaluate.md says, whenever the weights or the default hierarchy change."""
    found = rows.read(FILES[name])
    made_by = found.meta["provenance"]
    assert made_by["models"] == {model: installed.models()[model]["fingerprint"] for model in models}
    assert {"jpeg", "webp", "avif", "jpeg2000"} <= set(made_by["rivals"])
    assert "/" + "work/" not in found.meta["command"]
    results = summary(found)
    assert all(point["bpp"] > 0 and point["psnr"] > 10 for point in results["points"])
    if name == "imagenet-val":
        assert made_by["hierarchy_digest"] == load_hierarchy(made_by["hierarchy"]).digest
        assert {"lite0", "lite2"} <= set(found.judges)
        for judge in ("lite0", "lite2"):
            assert (
                made_by["judges"][judge]["in_loss"] | {"lite": False, "wave": False}
                == made_by["judges"][judge]["in_loss"]
            )
        assert results["labelled"] == results["photos"]
