"""One TOML file describes one run."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from hiercodec.errors import ConfigError
from hiercodec.training.codec.loss import LossWeights

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run. Paths are relative to the working directory; `init` is a model to start from (name, path or "").

    `photos` are folders or tar shards; `classifier` a spec of `hiercodec.classify.load_classifier` ("" trains without the
    semantic terms); `semantic_warmup` steps bring γ up from zero; `cut_share` is how often a prefix that ends inside a block
    is trained besides the complete ones, of which each step reconstructs `levels_per_step` at random; `labelled_share` the
    share of the batch drawn from photographs with labels.
    """

    name: str
    photos: tuple[str, ...]
    preset: str = "lite"
    changes: dict = field(default_factory=dict)
    init: str = ""
    out: str = "runs"
    hierarchy: str = "consensus"
    classifier: str = ""
    crop: int = 128
    batch: int = 8
    labelled_share: float = 0.0
    steps: int = 10_000
    lr: float = 1e-3
    lr_linear: float = 1e-4
    lr_end: float = 0.05
    warmup: int = 50
    semantic_warmup: int = 200
    cut_share: float = 0.5
    levels_per_step: int = 3
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    bf16: bool = False
    compile: bool = False
    threads: int = 0
    log_every: int = 20
    save_every: int = 200
    validate_every: int = 500
    validate_photos: int = 24
    holdout: float = 0.04
    limit: int = 0
    loss: LossWeights = field(default_factory=LossWeights)

    @property
    def run_dir(self) -> Path:
        """Where checkpoints and the log go."""
        return Path(self.out) / self.name

    def to_dict(self) -> dict:
        """Plain values, for the card."""
        return asdict(self)


def read_config(path: str | Path) -> TrainConfig:
    """Read a TOML file; `ConfigError` names unknown or missing fields."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    known = {f.name for f in fields(TrainConfig)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"{path}: unknown field {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        loss = {k: tuple(v) if isinstance(v, list) else v for k, v in values.pop("loss", {}).items()}
        values["photos"] = tuple(values["photos"])
        return TrainConfig(loss=LossWeights(**loss), **values)
    except KeyError as error:
        raise ConfigError(f"{path}: field {error} is missing") from error
    except TypeError as error:
        raise ConfigError(f"{path}: {error}") from error
