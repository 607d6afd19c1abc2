"""Training a tiny codec through the shared loop: it learns, and leaves a codec that decodes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hiercodec import models
from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos.dataset import Photos
from hiercodec.training.codec.loss import squared_error
from hiercodec.training.codec.model import EntropyBottleneck
from hiercodec.training.codec.step import codec_trainer
from hiercodec.training.config import TrainConfig
from tests.models.tiny import TINY_LITE, smooth_photo
from tests.training.codec import noiseless

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = Photos([smooth_photo(np.random.default_rng(i), 70, 90) for i in range(25)], np.full(25, -1), ["x"] * 25)


@pytest.fixture
def config(tmp_path):
    changes = {f: getattr(TINY_LITE, f) for f in ("n", "n_hyper", "width", "delta_width", "linear")}
    return TrainConfig(
        name="t", photos=("unused",), out=str(tmp_path), changes=changes, crop=64, batch=2, steps=6, warmup=2,
        accelerator="cpu", log_every=1, save_every=3, validate_every=1000, validate_photos=2, lr=2e-3, holdout=0.1,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_it_learns_and_every_part_gets_a_gradient(config):
    trainer = codec_trainer(dataclasses.replace(config, steps=40), photos=PHOTOS)
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
    assert (codec.card["steps"], codec.card["crops"], codec.card["validation"]) == (40, 80, held[-1])


@pytest.mark.slow
def test_resuming_is_exact(config):
    """Six steps at once and three plus three leave the same weights, bit for bit."""
    whole = codec_trainer(config, photos=PHOTOS)
    whole.run()
    parts = dataclasses.replace(config, name="parts")
    first = codec_trainer(parts, photos=PHOTOS)
    parts.run_dir.mkdir()
    for step in range(3):
        first._train_step(first.task.batches[step])
    first.save()
    second = codec_trainer(parts, photos=PHOTOS, resume=True)
    assert (second.step, second.crops) == (3, 6)
    second.run()
    a, b = (load_file(t.checkpoint_path) for t in (whole, second))
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_clipping_sees_the_codec_and_not_the_prior_s_own_loss(config):
    """Together, the long gradient of the prior's quantiles hid spikes in all others."""
    trainer = codec_trainer(dataclasses.replace(config, clip=0.05), photos=PHOTOS)
    norm = trainer._train_step(trainer.task.batches[0])["grad"]
    rest = [p.grad for n, p in trainer.raw.named_parameters() if "quantiles" not in n]
    assert norm > 0.05
    assert torch.stack([g.norm() for g in rest]).norm().item() == pytest.approx(0.05, rel=1e-3)
    assert trainer.raw.entropy_bottleneck.quantiles.grad.norm() > 0.2


def test_what_bounds_the_semantic_pull_is_the_gradient_of_the_error_that_is_trained_on(config, monkeypatch):
    weights = dataclasses.replace(config.loss, chroma=3.0)
    trainer = codec_trainer(dataclasses.replace(config, loss=weights), photos=PHOTOS)
    task, bounds = trainer.task, []

    class Semantic:
        classifiers = (None,)

        def reference(self, x, labels, view):
            return None

        def __call__(self, leaf, reference, view):
            return leaf.mean() * torch.ones(3), torch.ones(3), leaf.mean()

    def bounded(term, leaf, pull, limit):
        bounds.append((leaf, pull))
        return torch.zeros_like(leaf)

    monkeypatch.setattr("hiercodec.training.codec.step.bounded_pull", bounded)
    task.semantic = Semantic()
    batch = task.batches[0]
    task.loss(trainer.raw, batch, 0)
    x = batch[0].permute(0, 3, 1, 2) / 255
    for k, (leaf, pull) in enumerate(bounds[: len(task.names)]):
        error = weights.lmbda[k] * weights.w[k] * squared_error((leaf - x)[None], weights.chroma)[1].sum()
        (expected,) = torch.autograd.grad(error, leaf)
        assert torch.allclose(pull, expected, rtol=1e-4, atol=1e-9)


def test_one_photograph_is_held_out_and_one_alone_is_too_few(config):
    task = codec_trainer(config, photos=PHOTOS.spread(3)).task
    assert (len(task.train), len(task.held_out)) == (2, 1)
    with pytest.raises(ConfigError, match="one photograph is too few"):
        codec_trainer(config, photos=PHOTOS.spread(1))


@pytest.mark.slow
def test_two_processes_are_one_at_twice_the_batch(tmp_path, monkeypatch):
    """Two processes over gloo, each with two crops a step, go where one goes with four."""
    monkeypatch.setattr(EntropyBottleneck, "quantize", EntropyBottleneck.quantize)  # put back after the test
    noiseless.main("one", "1", "4", str(tmp_path))
    command = [sys.executable, "-m", "tests.training.codec.noiseless", "two", "2", "2", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    runs = {}
    for name in ("two", "one"):
        folder = tmp_path / name
        lines = (folder / "log.jsonl").read_text().splitlines()
        runs[name] = load_file(folder / "last.safetensors"), [json.loads(line) for line in lines]
    (two, log_two), (one, log_one) = runs["two"], runs["one"]
    assert [r["crops"] for r in log_two] == [r["crops"] for r in log_one]
    for a, b in zip(log_two[:-1], log_one[:-1], strict=True):
        assert all(a[key] == pytest.approx(b[key], rel=1e-4) for key in ("loss", "bpp_coarse", "bpp_fine")), (a, b)
    start = load_file(tmp_path / "start.safetensors")
    moved = torch.cat([(one[f"model.{k}"] - v).flatten() for k, v in start.items()])
    apart = torch.cat([(one[f"model.{k}"] - two[f"model.{k}"]).flatten() for k in start])
    assert moved.norm() > 0.1
    assert apart.norm() < 1e-4 * moved.norm()
