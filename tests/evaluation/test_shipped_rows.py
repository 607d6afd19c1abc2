"""The rows that ship: they open, are small, and belong to the weights and the hierarchy that ship beside them."""

from __future__ import annotations

import pytest

from hiercodec import models
from hiercodec.evaluation import rows
from hiercodec.evaluation.results import summary
from hiercodec.fsio import locate
from hiercodec.taxonomy import load_hierarchy

FILES = {path.stem: path for path in sorted(locate("results").glob("*.parquet"))}
MAX_MB = 6.0


def test_they_are_small():
    assert sum(path.stat().st_size for path in FILES.values()) < 1e6 * MAX_MB


@pytest.mark.parametrize("name", ["imagenet-val", "kodak"])
def test_they_are_those_of_what_ships(name):
    """Measure again, as docs/evaluate.md says, whenever the weights or the default hierarchy change."""
    found = rows.read(FILES[name])
    made_by = found.meta["provenance"]
    assert made_by["models"]["lite"] == models.shipped()["lite"]["fingerprint"]
    assert {"jpeg", "webp", "avif", "jpeg2000"} <= set(made_by["rivals"])
    assert "/" + "work/" not in found.meta["command"]
    results = summary(found)
    assert all(point["bpp"] > 0 and point["psnr"] > 10 for point in results["points"])
    if name == "imagenet-val":
        assert made_by["hierarchy_digest"] == load_hierarchy(made_by["hierarchy"]).digest
        assert {"lite0", "lite2"} <= set(found.judges)
        for judge in ("lite0", "lite2"):
            assert made_by["judges"][judge]["in_loss"]["lite"] is False
        assert results["labelled"] == results["photos"]
