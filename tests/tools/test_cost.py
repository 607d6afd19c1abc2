"""What a run would cost: operations counted, hours estimated, and the shipped `tic` runs within their limits."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from hiercodec.cli import main as cli
from hiercodec.models import PRESETS, HierNetwork
from hiercodec.training.config import TrainConfig, read_config
from tests.models.tiny import TINY_LITE
from tools import cost as costs

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
CHANGES = {f: getattr(TINY_LITE, f) for f in ("n", "n_hyper", "width", "delta_width", "linear")}
TINY = TrainConfig(name="t", photos=("unused",), changes=CHANGES, crop=64, batch=2, steps=10, cut_share=0.0)


def cost(config, tflops=1.0):
    return costs.cost(config, tflops)


def test_hours_follow_from_operations_steps_and_batch():
    one = cost(TINY, tflops=1e-6)
    assert one["hours"] == pytest.approx(one["gflop_per_crop"] * 1e9 * 20 / 1e6 / 3600, rel=0.01)
    assert cost(dataclasses.replace(TINY, steps=30, batch=4), tflops=1e-6)["hours"] == pytest.approx(6 * one["hours"])
    assert cost(TINY, tflops=2e-6)["hours"] == pytest.approx(one["hours"] / 2)
    assert one["parameters"] == sum(p.numel() for p in HierNetwork(PRESETS["lite"].scaled(**CHANGES)).parameters())


def test_a_larger_crop_costs_its_area_and_a_cut_prefix_more():
    counted = cost(dataclasses.replace(TINY, crop=128))["gflop_per_crop"]
    assert cost(dataclasses.replace(TINY, crop=256))["gflop_per_crop"] == pytest.approx(4 * counted, rel=0.01)
    plain, cut = (cost(dataclasses.replace(TINY, cut_share=share))["exaflop"] for share in (0.0, 1.0))
    fewer = cost(dataclasses.replace(TINY, levels_per_step=2))["exaflop"]
    assert fewer < plain < cut


def test_the_classifier_of_the_loss_is_counted(monkeypatch):
    plain = cost(TINY)["exaflop"] / 20
    layer = torch.nn.Conv2d(3, 5, 1, bias=False).requires_grad_(False)
    monkeypatch.setattr(costs, "_classifier", lambda config: layer)
    forward = 2 * 64 * 64 * 3 * 5
    assert (cost(TINY)["exaflop"] / 20 - plain) * 1e18 == pytest.approx(forward * (1 + 3 * 2))


def test_the_command_prints_one_line_a_run_and_a_sum(capsys, monkeypatch):
    monkeypatch.setattr(costs, "read_config", lambda path: TINY)
    assert cli.main(["a.toml", "b.toml"], costs.costs) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:7] for line in lines] == ["a.toml:", "b.toml:", "togethe"]
    assert "estimate" in lines[-1]
    cli.main(["a.toml", "--json", "--tflops", "1"], costs.costs)
    assert json.loads(capsys.readouterr().out)[0]["steps"] == 10


@pytest.mark.parametrize("name", ["tic-rd", "tic", "tic-proof-rd", "tic-proof"])
def test_the_configs_of_tic_describe_one_model_within_sixty_megabytes(name):
    config = read_config(CONFIGS / f"{name}.toml")
    with torch.device("meta"):
        network = HierNetwork(PRESETS[config.preset].scaled(**config.changes))
    assert config.preset == "tic"
    assert config.name == name
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < 60_000_000
    if not name.endswith("-rd"):
        first = read_config(CONFIGS / f"{name}-rd.toml")
        assert config.init == f"{first.run_dir}/{first.name}.safetensors", "the second stage starts from the first"
        assert config.changes == first.changes
        assert not first.classifiers
        assert config.classifiers
