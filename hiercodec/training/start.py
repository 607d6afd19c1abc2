"""From a TOML file to the trainer of what it describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hiercodec.training.config import read_config, read_values
from hiercodec.training.run import Trainer


def trainer_of(path: str | Path, overrides: Mapping[str, Any] | None = None, *, resume: bool = False) -> Trainer:
    """The trainer of a run: of a `wave` model where `preset = "wave"`, else of a model of channels. Raises `ConfigError`."""
    if read_values(path).get("preset") == "wave":
        from hiercodec.training.wave.config import WaveConfig
        from hiercodec.training.wave.task import wave_trainer

        return wave_trainer(read_config(path, overrides, WaveConfig), resume=resume)
    from hiercodec.training.codec.step import codec_trainer

    return codec_trainer(read_config(path, overrides), resume=resume)
