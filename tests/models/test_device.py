"""Devices by name: the one there is, or one line that says there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import hiercodec as hc
from hiercodec.cli.main import main
from hiercodec.errors import InputError
from hiercodec.models import store
from hiercodec.models.device import device_of

ROOT = Path(__file__).resolve().parents[2]


def machine(monkeypatch, **counts):
    """A machine with these devices beside its processor."""
    monkeypatch.setattr("hiercodec.models.device._counts", lambda: {"cpu": 1, "cuda": 0, "mps": 0, **counts})


def test_a_device_that_is_not_there_is_one_line(monkeypatch, capsys):
    machine(monkeypatch)
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(InputError, match=f"^there is no device '{name}' on this machine.*; usable: cpu$"):
            hc.load(device=name)
    for name in ("gpu", "meta", "", None, 1.5):
        with pytest.raises(InputError, match=r"^no device .*; known are cpu, cuda, cuda:N, mps and auto$"):
            hc.load(device=name)
    assert main(["train", str(ROOT / "configs" / "smoke.toml"), "--accelerator", "cuda"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hiercodec: there is no device 'cuda' on this machine")
    assert said.count("\n") == 1


def test_the_number_of_a_device_counts(monkeypatch):
    machine(monkeypatch, cuda=2)
    assert device_of("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(InputError, match="no device 'cuda:2'"):
        device_of("cuda:2")


def test_auto_is_the_fastest_there_is(monkeypatch):
    for counts, fastest in (({}, "cpu"), ({"mps": 1}, "mps"), ({"cuda": 1}, "cuda")):
        machine(monkeypatch, **counts)
        assert device_of("auto") == torch.device(fastest)


def test_a_device_that_fails_is_not_called_a_broken_model(monkeypatch):
    """Nor is a bug in the code that makes a model of its file."""

    def fail(*args, **kwargs):
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(torch.nn.Module, "to", fail)
    with pytest.raises(RuntimeError, match="CUDA error"):
        hc.load()
    monkeypatch.setattr(store, "build", lambda *a, **k: None + 1)
    with pytest.raises(TypeError):
        hc.load()
