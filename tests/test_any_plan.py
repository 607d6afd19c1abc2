"""Any plan of levels, end to end: trained, exported, coded, cut, decoded, traced, and drawn by the scrubber."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hiercodec import classify, models, stream, taxonomy
from hiercodec.classify import Classifier, Preprocess
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.levels import OWN_LAYOUT, PLANS
from hiercodec.report.numbers import numbers
from hiercodec.taxonomy.hierarchy import HierarchyLevel, make_hierarchy
from hiercodec.training.codec.loss import LossWeights
from hiercodec.training.codec.step import codec_trainer
from hiercodec.training.config import TrainConfig
from tests.evaluation.fake_codec import FakeClassifier
from tests.models.tiny import TINY_LITE, smooth_photo

PHOTOS = Photos([smooth_photo(np.random.default_rng(i), 70, 90) for i in range(12)], np.full(12, -1), ["x"] * 12)
NAMES = ("realm", "kind", "order", "family", "genus", "species", "breed", "fine")
KS = (2, 5, 10, 50, 100, 200, 500, 1000)


class TinyClassifier(nn.Module):
    """1000 logits from the mean colour, with the members of a timm network that the semantic loss uses."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 1000)

    def forward(self, x):
        return self.forward_head(x)

    def forward_head(self, x):
        return self.head(x.mean((2, 3)))

    def forward_intermediates(self, x, indices):
        return x, [x for _ in indices]


def plan_of(n: int) -> dict:
    """The last n names, 10 channels a level."""
    return {"names": list(NAMES[-n:]), "cuts": [10 * (i + 1) for i in range(n)], "ks": list(KS[-n:])}


def hierarchy_of(n: int):
    levels = [
        HierarchyLevel(name, k, np.arange(1000) * k // 1000, tuple(f"{name} {i}" for i in range(k)))
        for name, k in zip(NAMES[-n:-1], KS[-n:-1], strict=True)
    ]
    return make_hierarchy("h", levels, class_names=tuple(f"class {i}" for i in range(1000)))


@pytest.fixture(params=[2, 5, 8])
def trained(request, tmp_path, monkeypatch) -> tuple[int, Path]:
    """(levels, the file that two steps of training with all terms of the loss left)."""
    n = request.param
    torch.manual_seed(0)
    fake = Classifier("fake", TinyClassifier(), Preprocess(32, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3), "0" * 12)
    monkeypatch.setattr(classify, "load_classifier", lambda spec, **where: fake)
    # Finer levels than the plan's come first: levels are matched by name, not by their position.
    monkeypatch.setattr(taxonomy, "load_hierarchy", lambda name: hierarchy_of(8))
    changes = {f: getattr(TINY_LITE, f) for f in ("n", "n_hyper", "width", "delta_width")} | {
        "plan": plan_of(n),
        "linear": {"blocks": [{"spans": [[6 * i, 6 * i + 6]], "step": 0.3} for i in range(n)]},
        "dead_zone": [0.1] * n,
    }
    each = dict.fromkeys(("w", "gamma", "rate", "limit"), (1.0,) * n)
    config = TrainConfig(
        name="t", photos=("unused",), out=str(tmp_path), changes=changes, crop=64, batch=2, steps=2, warmup=1, log_every=1,
        validate_every=2, validate_photos=2, levels_per_step=n, cut_share=1.0, classifiers=("fake",), holdout=0.2,
        loss=LossWeights(lmbda=(1e-3,) * n, **each),
    )  # fmt: skip
    return n, codec_trainer(config, photos=PHOTOS).run()


def test_a_plan_of_one_s_own_goes_all_the_way(trained):
    n, path = trained
    names = list(NAMES[-n:])
    codec = models.load(path)
    assert codec.plan not in PLANS.values()
    assert codec.card["preset"]["plan"] == plan_of(n)
    assert list(codec.card["validation"]["levels"]) == names
    logged = [json.loads(line) for line in (path.parent / "log.jsonl").read_text().splitlines()]
    assert {f"ce_{name}" for name in names} <= set(logged[0])

    photo = smooth_photo(np.random.default_rng(77), 70, 100)
    data = codec.encode(photo)
    assert stream.parse(data).header.plan_id == OWN_LAYOUT + n
    assert list(stream.parse(data).cuts()) == [f"level {i + 1}" for i in range(n)]
    decoder = codec.prefixes(data)
    for level, end in decoder.stream.cuts().items():
        assert decoder.at(end).level == level
        assert np.array_equal(codec.decode(stream.truncate(data, end)).image, decoder.at(end).image)
    assert codec.decode(data).complete

    groups = hierarchy_of(n)
    label = classify.label_of(np.random.default_rng(n).dirichlet(np.full(1000, 0.01)), groups, "0" * 64)
    with_label = codec.encode(photo, label=label)
    assert len(with_label) - len(data) <= 4 + -(-(10 + 2 * n) // 8) + 2
    cut = codec.decode(stream.truncate(with_label, stream.level_end(with_label, "label")))
    assert list(classify.read_label(cut.label, groups).path) == names
    assert np.array_equal(codec.decode(with_label).image, codec.decode(data).image)

    found, decoded = trace(codec, photo, Evaluator(FakeClassifier(), hierarchy_of(n)).knowing([3]), steps=3 * n)
    assert list(found.levels) == names
    assert list(found.parts) == ["header", "z", *names]
    assert len(decoded) == len(found.steps)
    assert found.steps[-1].level == "fine"
    drawn = json.loads(json.dumps(numbers(Trace.from_json(json.loads(json.dumps(found.to_json()))))))
    assert drawn["levels"] == names
    assert [lane["level"] for lane in drawn["lanes"]] == names
    assert [name for name, *_ in drawn["stops"]] == ["z", *names]
    assert [name for name, *_ in drawn["parts"]] == ["header", "z", *names]
    assert sum(drawn["parts"][-1][1:]) == pytest.approx(1.0, abs=1e-4), "the last block ends where the axis does"
    assert found.answers == {name: (3 * k // 1000,) for name, k in zip(names, KS[-n:], strict=True)}
    assert all(list(step["answers"]) == names for step in drawn["steps"])
