"""Configs: what ships reads, and a wrong one is told everything that is wrong with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hiercodec.errors import ConfigError
from hiercodec.training.config import RunConfig, WaveConfig, read_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))
START = "name = 'x'\nphotos = ['a']\n"


def written(tmp_path, text):
    path = tmp_path / "c.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_shipped_configs_read(path):
    if path.stem.startswith("wave"):
        config = read_config(path, kind=WaveConfig)
        assert len(config.planes) == config.architecture().planes
    else:
        config = read_config(path)
        assert len(config.loss.lmbda) == len(config.architecture().plan)
    assert config.name == path.stem


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (START + "learning_rate = 1", ["learning_rate is no field"]),
        (START + "lr_liner = 1", ["did you mean lr_linear"]),
        ("name = 'x'", ["photos is missing"]),
        ("name = ", ["is not TOML"]),
        (START + "batch = 'eight'\nsteps = -3\nlr = '1e-3'\ncrop = 100\nseed = true\n[loss]\nbeta = 3\nlmbda = ['a', 1, 2]",
         ["batch = 'eight' should be a valid integer", "steps = -3 should be greater than or equal to 1", "lr = '1e-3'",
          "crop = 100 should be a multiple of 16", "seed = True", "loss.beta is no field", "loss.lmbda.0 = 'a'"]),
        (START + "preset = 'lita'", ["expected one of lite, tic"]),
        (START + "[changes]\nm = 3", ["changes: ", "m: "]),
        (START + "[loss]\nw = [1, 2]\nlimit = []", ["loss.w, loss.limit: expected 3 numbers"]),
        (START + "lr = nan", ["lr = nan"]),
        ("name = '../x'\nphotos = ['a']", ["name = '../x'"]),
        (START + "precision = 'bf16-true'\nstrategy = 'fsdp'", ["precision = 'bf16-true'", "strategy = 'fsdp'"]),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_wrong_config_is_one_line_that_names_all(tmp_path, text, messages):
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path, text))
    assert all(message in str(caught.value) for message in messages), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shipped_config_is_found_from_any_folder_and_a_file_there_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("smoke", "smoke.toml", "configs/smoke.toml"):
        assert read_config(name).name == "smoke"
    (tmp_path / "smoke.toml").write_text(START)
    assert read_config("smoke.toml").name == "x"
    with pytest.raises(ConfigError, match=r"cannot read elsewhere/smoke\.toml"):
        read_config("elsewhere/smoke.toml")


def test_options_replace_fields_and_are_checked_like_them(tmp_path):
    path = written(tmp_path, START + "steps = 5")
    assert read_config(path, {"steps": 7, "photos": ["b", "c"]}).photos == ("b", "c")
    with pytest.raises(ConfigError, match="devices = 0"):
        read_config(path, {"devices": 0})


def test_a_config_is_checked_when_it_is_changed(tmp_path):
    config = read_config(written(tmp_path, START))
    assert dataclasses.replace(config, steps=3).steps == 3
    with pytest.raises(ValueError, match="steps"):
        dataclasses.replace(config, steps=0)


def test_other_purposes_read_their_own_kind(tmp_path):
    path = written(tmp_path, "name = 'latents'\nbatch = 64")
    assert read_config(path, kind=RunConfig).batch == 64
    with pytest.raises(ConfigError, match="photos is no field"):
        read_config(written(tmp_path, START), kind=RunConfig)
