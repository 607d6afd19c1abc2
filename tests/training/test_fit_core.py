"""What a conditioner is fitted by, and that a fitted one codes what it was fitted to in fewer bits."""

from __future__ import annotations

import numpy as np
import pytest
import timm

from hiercodec import classify, stream
from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from hiercodec.models import conditioner
from hiercodec.taxonomy import load_hierarchy
from hiercodec.training.conditioner import fit, samples


@pytest.fixture(scope="module")
def judge() -> Classifier:
    return Classifier("net", timm.create_model("mobilenetv2_050"), Preprocess(size=64), "0" * 64)


def pictures(n: int) -> list[np.ndarray]:
    """Two kinds of pictures, in turns: stripes that a random model knows nothing of, and noise."""
    rng = np.random.default_rng(0)
    stripes = np.tile(np.arange(64) // 2 % 2 * 200, (64, 3, 1)).transpose(0, 2, 1).astype(np.uint8)
    return [np.roll(stripes, i, 1) if i % 2 else rng.integers(0, 255, (64, 64, 3), np.uint8) for i in range(n)]


def test_a_conditioner_learns_what_its_groups_look_like(tiny_lite, judge, tmp_path):
    groups = load_hierarchy()
    leaf = [int(np.flatnonzero(groups.levels[0].assignment == kind)[0]) for kind in (0, 1)]
    answers = np.eye(1000, dtype=np.float32)[leaf]
    judge.probabilities = lambda chunk: np.stack([answers[int(np.ptp(p[0, :, 0]) == 200)] for p in chunk])
    seen = samples(tiny_lite, pictures(12), judge, groups)
    assert sorted(set(seen.groups[:, 0].tolist())) == [0, 1]
    assert (seen.confidences == 3).all()
    found = conditioner.save(tmp_path / "c.safetensors", fit(tiny_lite, seen, groups, steps=120, rate=0.03, side=4))
    assert found.card["photos"] == 12
    assert found.shifts[0].shape == (10, tiny_lite.network.preset.width)
    told = {kind: classify.core_of(answers[kind], groups, "0" * 64) for kind in (0, 1)}
    sizes = {}
    tiny_lite.conditioners[found.mark] = found
    try:
        for i, rgb in enumerate(pictures(2)):
            for kind, core in told.items():
                data = tiny_lite.encode(rgb, core=core, conditioned=True)
                sizes[i, kind == i] = sum(b.length for b in stream.parse(data).blocks)
                assert tiny_lite.decode(data).complete
            sizes[i, None] = sum(b.length for b in stream.parse(tiny_lite.encode(rgb)).blocks)
    finally:
        del tiny_lite.conditioners[found.mark]
    right, wrong, none = (sum(sizes[i, which] for i in (0, 1)) for which in (True, False, None))
    assert right < none
    assert right < wrong
