"""The ablation command: arms differ in what they should, statistics agree with references, stopped commands go on."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from hiercodec import stream
from hiercodec.classify import Classifier, Preprocess
from hiercodec.errors import ConfigError
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.levels import PAPER_PLAN, PLANS
from hiercodec.models import LITE
from hiercodec.taxonomy import load_hierarchy
from hiercodec.training.config import TrainConfig
from tests.models.tiny import TINY_LITE, make_codec, smooth_photo
from tools import ablation
from tools.ablation import ARMS, BASE, COMPONENTS, WITHOUT_DELTA, chosen, layout, measure, over_seeds, summary

SPLITS = (1, 2, 3, 4)

# The arms


def test_plans_of_the_splits():
    assert set(PLANS) == {*SPLITS, 5}  # 5 counts bit-planes
    widths = {i: tuple(level.width for level in PLANS[i]) for i in SPLITS}
    assert widths == {1: (128, 96, 96), 2: (96, 128, 96), 3: (96, 96, 128), 4: (107, 107, 106)}
    assert PLANS[1] is PAPER_PLAN
    assert all(PLANS[i].names == PAPER_PLAN.names and PLANS[i].channels == 320 for i in SPLITS)


@pytest.mark.parametrize("plan", [PLANS[i] for i in SPLITS], ids=str)
def test_every_layout_carries_the_same_components_finely_once(plan):
    path = layout(plan)
    coarse, intermediate, fine = path.blocks
    assert sorted(intermediate.components + fine.components) == list(range(COMPONENTS))
    assert set(coarse.components) <= set(range(COMPONENTS))
    assert all(len(block.components) <= level.width for block, level in zip(path.blocks, plan, strict=True))
    assert coarse.step == pytest.approx(3 * fine.step)


def test_an_impossible_layout_is_refused():
    from hiercodec.levels import LevelPlan

    with pytest.raises(ValueError, match="do not fit"):
        layout(LevelPlan.from_cuts(("a", "b", "c"), (300, 310, 320), (10, 100, 1000)))


def test_arms_differ_in_their_own_thing_only():
    base = {"n": 8, "n_hyper": 4, "width": 16, "delta_width": 8}
    presets = {arm.name: LITE.scaled(**arm.changes(base)) for arm in ARMS}
    assert len({arm.slug for arm in ARMS}) == len(ARMS)
    reference = presets[BASE.name]
    assert presets[WITHOUT_DELTA.name] == dataclasses.replace(reference, delta_width=0)
    for name, preset in presets.items():
        if name not in (BASE.name, WITHOUT_DELTA.name):
            assert dataclasses.replace(preset, plan=reference.plan, linear=reference.linear) == reference
            assert "/".join(str(level.width) for level in preset.plan) == name


@pytest.mark.parametrize("plan", [2, 3, 4])
def test_streams_of_every_split_decode_and_name_their_plan(plan, tmp_path):
    codec = make_codec(TINY_LITE.scaled(name=f"split{plan}", plan=plan, linear=layout(PLANS[plan])), tmp_path)
    rgb = smooth_photo(np.random.default_rng(plan), 40, 56)
    data = codec.encode(rgb)
    assert stream.parse(data).header.plan_id == plan
    assert codec.decode(data).complete
    assert codec.decode(data[: stream.parse(data).cuts()["coarse"]]).level == "coarse"


# Statistics


def test_intervals_over_seeds():
    one = over_seeds([2.0])
    assert (one.low, one.high) == (None, None)
    two = over_seeds([0.0, 2.0])
    assert two.high - 1.0 == pytest.approx(12.706, abs=1e-3)  # t(0.975, 1) · s/√2, s = √2
    share = over_seeds([0.4, 0.8], share=True)
    assert (share.low, share.high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no values"):
        over_seeds([])


def rows(arm, seed, scale=1.0, gain=0.0):
    points = []
    for k, (level, share) in enumerate((name, s) for name in PAPER_PLAN.names for s in (0.5, 1.0)):
        agreement = dict.fromkeys(PAPER_PLAN.names, 0.3 + 0.1 * k + gain)
        row = {"bpp": 0.1 * 1.6**k * scale, "psnr": 22.0 + 1.5 * k, "wup": 0.4 + 0.08 * k + gain}
        points.append({"level": level, "share": share, **row, "agreement": agreement})
    return {"arm": arm, "seed": seed, "points": points}


def test_the_summary_pairs_by_seed():
    runs = [rows(WITHOUT_DELTA.name, s, scale=1 + 0.1 * s) for s in (0, 1, 2)]
    runs += [rows(BASE.name, s, scale=(1 + 0.1 * s) * 0.98) for s in (0, 1)] + [rows("96/128/96", 0, gain=-0.05)]
    found = summary(runs)
    delta, split = found["comparisons"]
    assert (delta["arm"], delta["against"]) == (BASE.name, WITHOUT_DELTA.name)
    assert delta["bd_rate_percent"]["mean"] == pytest.approx(-2.0, abs=1e-3)
    assert delta["bd_rate_percent"]["high"] == pytest.approx(-2.0, abs=1e-2), "the seeds' own spread must cancel"
    assert delta["bd_rate_percent"]["seeds"] == 2
    assert split["bd_rate_percent"]["low"] is None
    assert split["against"] == BASE.name
    coarse = next(a for a in found["arms"] if a["arm"] == BASE.name)["levels"]["coarse"]
    assert coarse["agreement"]["mean"] == pytest.approx(0.4)
    assert coarse["bpp"]["mean"] == pytest.approx(0.16 * 1.05 * 0.98)
    json.dumps(found)


def test_nothing_measured_is_no_comparison():
    assert summary([])["comparisons"] == []


# Measuring and running


class Flat(torch.nn.Module):
    """Ten logits a colour channel's mean: an answer that follows the picture, for nothing."""

    def forward(self, x):
        mean = x.mean((2, 3))
        return torch.cat([mean[:, :1] * torch.linspace(0, 30, 10), torch.zeros(len(x), 990)], 1)


def rough_photo(seed):
    """With grain, so that every block has something to add."""
    rng = np.random.default_rng(seed)
    return np.clip(smooth_photo(rng, 60, 50) + rng.normal(0, 12, (60, 50, 3)), 0, 255).astype(np.uint8)


PHOTOS = Photos(
    [rough_photo(i) for i in range(12)],
    np.array([3] + 11 * [-1]),
    [str(i) for i in range(12)],
)


@pytest.fixture
def classifier():
    return Classifier("flat", Flat(), Preprocess(size=32), "0" * 12)


def test_measured_points_are_real_bytes(tmp_path, classifier):
    codec = make_codec(TINY_LITE, tmp_path)
    photos = PHOTOS.spread(2)
    assert len(photos) == 2
    points = measure(codec, photos, Evaluator(classifier, load_hierarchy("consensus")))
    assert [(p["level"], p["share"]) for p in points] == [(n, s) for n in PAPER_PLAN.names for s in (0.5, 1.0)]
    rates = [p["bpp"] for p in points]
    assert rates == sorted(rates)
    files = [codec.encode(rgb) for rgb in photos.pixels]
    whole = np.mean([8 * len(data) / rgb[..., 0].size for data, rgb in zip(files, photos.pixels, strict=True)])
    assert rates[-1] == pytest.approx(whole, abs=1e-5)
    assert all(0 <= p["wup"] <= 1 and set(p["agreement"]) == set(PAPER_PLAN.names) for p in points)


@pytest.mark.slow
def test_a_stopped_ablation_goes_on_and_refuses_another_setting(tmp_path, classifier, monkeypatch, capsys):
    monkeypatch.setattr("hiercodec.classify.load_classifier", lambda spec, **where: classifier)
    monkeypatch.setattr("hiercodec.evaluation.photos.dataset.load_photos", lambda sources, limit, how: PHOTOS)
    monkeypatch.setattr("hiercodec.training.codec.task.semantic_loss", lambda config, smoothing: None)
    trained = []
    from hiercodec.training.codec import step

    plain = step.codec_trainer
    monkeypatch.setattr(step, "codec_trainer", lambda c, **kwargs: (trained.append(c.name), plain(c, **kwargs))[1])
    changes = {"n": 8, "n_hyper": 4, "width": 16, "delta_width": 8}
    config = TrainConfig(
        name="a", photos=("unused",), out=str(tmp_path / "runs"), changes=changes, classifiers=("flat",), crop=64, batch=1,
        steps=2, log_every=1, save_every=100, validate_every=100, validate_photos=1, holdout=0.2, threads=1,
    )  # fmt: skip
    out = tmp_path / "results" / "ablation.json"
    first = ablation.run(config, [BASE], [0], out, photos=2)
    assert [r["arm"] for r in first["runs"]] == [BASE.name]
    assert not ablation.run(config, [WITHOUT_DELTA], [0], out, photos=2, minutes=-1)["runs"][1:], "no time, no run"
    both = ablation.run(config, [BASE, WITHOUT_DELTA], [0], out, photos=2)
    assert len(trained) == 2, "the finished run must not be trained again"
    assert both["runs"][0]["parameters"] > both["runs"][1]["parameters"]
    assert json.loads(out.read_text())["summary"]["comparisons"][0]["against"] == WITHOUT_DELTA.name
    assert "BD-rate" in ablation.table(both)
    with pytest.raises(ConfigError, match="another setting"):
        ablation.run(dataclasses.replace(config, steps=3), [BASE], [0], out, photos=2)


def test_unknown_arms_and_missing_classifiers_are_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="no arm 64/64/192; there are 128-96-96"):
        chosen(["64/64/192"])
    assert chosen(["128-96-96-without-delta"]) == (WITHOUT_DELTA,)
    with pytest.raises(ConfigError, match="needs a classifier"):
        ablation.run(TrainConfig(name="a", photos=("x",)), ARMS, [0], tmp_path / "r.json")
