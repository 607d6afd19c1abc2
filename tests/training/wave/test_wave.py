"""Training a wave model: what it counts and sees is what files cost and decoders show, and both stages learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from hiercodec import models, stream
from hiercodec.cli.train import trainer_of
from hiercodec.errors import ConfigError
from hiercodec.models.wave.codec import layout_of
from hiercodec.training.config import WaveConfig, checked
from hiercodec.training.wave.quantise import degrade, plane_bits
from tests.models.tiny import make_wave, smooth_photo
from tools.bench import ideal_bits

SMALL = {"name": "t", "photos": ["samples:"], "preset": "wave", "crop": 64, "batch": 2, "steps": 30, "log_every": 10,
         "validate_every": 1000, "validate_photos": 1, "lr": 5e-3, "warmup": 2, "threads": 1, "holdout": 0.1,
         "changes": {"width": 8, "filter_width": 8, "filter_blocks": 1}}  # fmt: skip


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    return make_wave(tmp_path_factory.mktemp("wave"))


def picture(size=(128, 192)) -> np.ndarray:
    return smooth_photo(np.random.default_rng(4), *size)


@torch.inference_mode()
def test_the_bits_that_training_counts_are_those_that_files_cost(codec):
    photo, preset = picture(), codec.network.preset
    bands = codec.network.analyse(torch.tensor(photo).permute(2, 0, 1)[None].float())
    counted = sum(
        plane_bits(codec.network.context, bands, plane, torch.tensor([preset.threshold(plane)])).sum().item()
        for plane in range(preset.planes)
    )
    data = codec.encode(photo)
    begins = 5 * np.log2(preset.planes + 1)
    assert counted + begins == pytest.approx(ideal_bits(codec, data), rel=1e-3)
    payload = sum(len(block.payload) for block in stream.parse(data).blocks)
    assert payload == pytest.approx((counted + begins) / 8, rel=0.01)


@torch.inference_mode()
def test_the_pictures_that_training_sees_are_those_that_decoders_show(codec):
    photo, preset = picture(), codec.network.preset
    x = torch.tensor(photo).permute(2, 0, 1)[None].float() / 255
    data = codec.encode(photo)
    header = stream.parse(data).header
    for level in codec.plan:
        plane = level.stop - 1
        seen, reached = degrade(codec.network, x, torch.tensor([preset.threshold(plane)]), torch.tensor([2.0]))
        state, *_ = codec.prefixes(data).latent(codec.parse(data).cuts()[level.name])
        bands, log2 = state.bands(preset, layout_of(header), header)
        assert torch.allclose(codec.network.inverse(bands, *photo.shape[:2]), seen, atol=1e-4)
        assert reached.item() == pytest.approx(log2.item(), abs=1e-6)
    less, half = degrade(codec.network, x, torch.tensor([24.0]), torch.tensor([0.5]))
    assert np.log2(24) < half.item() <= np.log2(48)
    assert (less - x).square().mean() > (
        degrade(codec.network, x, torch.tensor([24.0]), torch.tensor([2.0]))[0] - x
    ).square().mean()


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["context", "filter"])
def test_a_stage_learns_and_leaves_the_other_part_as_it_was(stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "c.toml"
    values = SMALL | {"stage": stage, "out": str(tmp_path / "runs")}
    if stage == "filter":
        values |= {"planes": [0, 0, 0, 0, 0, 0, 1, 0, 0]}
    config.write_text("\n".join(f"{k} = {json.dumps(v)}" for k, v in values.items() if k != "changes") + "\n[changes]\n"
                      + "\n".join(f"{k} = {v}" for k, v in SMALL["changes"].items()))  # fmt: skip
    trainer = trainer_of(config)
    before = {k: v.clone() for k, v in trainer.raw.state_dict().items()}
    path = trainer.run()
    log = [json.loads(line) for line in (tmp_path / "runs/t/log.jsonl").read_text().splitlines()]
    key = "loss" if stage == "context" else "mse_ratio"
    figures = [line[key] for line in log if key in line]
    assert figures[-1] < figures[0]
    after = trainer.raw.state_dict()
    changed = {k.split(".")[1] for k in before if not torch.equal(before[k], after[k])}
    assert changed == {stage}
    codec = models.load(path)
    assert codec.decode(codec.encode(picture())).complete
    assert codec.card["validation"]["levels"]["coarse"]["bpp"] > 0
    assert codec.card["training"]["stage"] == stage


def test_wrong_fields_are_named():
    with pytest.raises(ConfigError, match="planes: expected 9 weights"):
        checked(SMALL | {"planes": [1.0]}, WaveConfig, "x.toml")
    with pytest.raises(ConfigError, match="gamma: expected 3 numbers"):
        checked(SMALL | {"gamma": [1.0]}, WaveConfig, "x.toml")
    with pytest.raises(ConfigError, match=r"changes: .*width"):
        checked(SMALL | {"changes": {"width": 0}}, WaveConfig, "x.toml")
