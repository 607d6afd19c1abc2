"""The training loop on a tiny codec: it learns, resumes to the exact step, and leaves a codec that decodes."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hiercodec import models
from hiercodec.errors import ConfigError
from hiercodec.evaluation.dataset import Photos
from hiercodec.training.config import TrainConfig, read_config
from hiercodec.training.data import Crops, mirrored
from hiercodec.training.run import Trainer
from tests.models.tiny import TINY_LITE, smooth_photo

PHOTOS = Photos([smooth_photo(np.random.default_rng(i), 70, 90) for i in range(25)], np.full(25, -1), ["x"] * 25)


@pytest.fixture
def config(tmp_path):
    changes = {f: getattr(TINY_LITE, f) for f in ("n", "n_hyper", "width", "delta_width", "linear")}
    return TrainConfig(
        name="t", photos=("unused",), out=str(tmp_path), changes=changes, crop=64, batch=2, steps=6, warmup=2,
        log_every=1, save_every=3, validate_every=1000, validate_photos=2, lr=2e-3, holdout=0.1,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_it_learns_and_every_part_gets_a_gradient(config):
    trainer = Trainer(dataclasses.replace(config, steps=40), photos=PHOTOS)
    before = {name: p.detach().clone() for name, p in trainer.raw.named_parameters()}
    path = trainer.run()
    records = [json.loads(line) for line in trainer.log_path.read_text().splitlines()]
    losses = [r["loss"] for r in records if "loss" in r]
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    still = [n for n, p in trainer.raw.named_parameters() if torch.equal(p, before[n])]
    assert not still, f"these never moved: {still}"
    codec = models.load(path)
    rgb = smooth_photo(np.random.default_rng(77), 50, 40)
    assert codec.decode(codec.encode(rgb)).image.shape == rgb.shape
    held = [r["validation"] for r in records if "validation" in r]
    assert held[-1]["levels"]["coarse"]["bpp"] < held[-1]["levels"]["fine"]["bpp"]


@pytest.mark.slow
def test_resuming_is_exact(config):
    """Six steps at once and three plus three leave the same weights, bit for bit."""
    whole = Trainer(config, photos=PHOTOS)
    whole.run()
    parts = dataclasses.replace(config, name="parts", steps=6)
    first = Trainer(parts, photos=PHOTOS)
    for _ in range(3):
        first._train_step()
        first.step += 1
    first.save()
    second = Trainer(parts, photos=PHOTOS, resume=True)
    assert second.step == 3
    second.run()
    a, b = (load_file(t.config.run_dir / "last.safetensors") for t in (whole, second))
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_a_stopped_run_finishes_its_step_and_leaves_what_resumes(config, monkeypatch):
    trainer = Trainer(config, photos=PHOTOS)
    step = trainer._train_step
    monkeypatch.setattr(trainer, "_train_step", lambda: (trainer.stop(), step())[1])
    codec = models.load(trainer.run())
    assert codec.card["steps"] == 1
    assert Trainer(config, photos=PHOTOS, resume=True).step == 1


def test_clipping_sees_the_codec_and_not_the_prior_s_own_loss(config):
    """Together, the long gradient of the prior's quantiles hid spikes in all others."""
    trainer = Trainer(dataclasses.replace(config, clip=0.05), photos=PHOTOS)
    norm = trainer._train_step()["grad"]
    rest = [p.grad for n, p in trainer.raw.named_parameters() if "quantiles" not in n]
    assert norm > 0.05
    assert torch.stack([g.norm() for g in rest]).norm().item() == pytest.approx(0.05, rel=1e-3)
    assert trainer.raw.entropy_bottleneck.quantiles.grad.norm() > 0.2


def test_batches_depend_on_seed_and_step_alone():
    a, b = (Crops(PHOTOS, crop=32, batch=3, seed=1) for _ in range(2))
    b.batch(0)
    assert torch.equal(a.batch(5)[0], b.batch(5)[0])
    assert not torch.equal(a.batch(5)[0], a.batch(6)[0])
    assert a.batch(1)[0].shape == (3, 3, 32, 32)


def test_photos_smaller_than_the_crop_are_mirrored():
    small = Photos([np.full((5, 9, 3), 80, np.uint8)], np.array([3]), ["a"])
    x, labels = Crops(small, crop=48, batch=2).batch(0)
    assert torch.allclose(x, torch.full((2, 3, 48, 48), 80 / 255))
    assert labels.tolist() == [3, 3]


def test_lines_go_on_by_mirroring():
    assert mirrored(3, 8, torch.device("cpu")).tolist() == [0, 1, 2, 2, 1, 0, 0, 1]
    assert torch.equal(mirrored(5, 5, torch.device("cpu")), torch.arange(5))


def test_a_crop_off_the_grid_is_refused():
    with pytest.raises(ConfigError, match="multiple of 16, got 100"):
        Crops(PHOTOS, crop=100, batch=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 'x'\nphotos = ['a']\nlearning_rate = 1", "unknown field learning_rate"),
        ("name = 'x'", "field 'photos' is missing"),
        ("name = ", "is not TOML"),
        ("name = 'x'\nphotos = ['a']\n[loss]\nbeta = 3", "beta"),
    ],
)
def test_a_wrong_config_is_one_clear_error(tmp_path, text, message):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_config(path)


def test_the_shipped_configs_read(monkeypatch):
    from pathlib import Path

    for path in (Path(__file__).parents[2] / "configs").glob("*.toml"):
        config = read_config(path)
        assert config.preset in models.PRESETS
        assert len(config.loss.lmbda) == len(config.loss.gamma) == 3
