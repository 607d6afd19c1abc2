"""One TOML file describes one run; pydantic checks it, and every wrong field is named at once."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.dataclasses import dataclass

from hiercodec import plugins
from hiercodec.errors import ConfigError
from hiercodec.fsio import CONFIGS
from hiercodec.models import PRESETS, Preset, WavePreset
from hiercodec.models.channels.config import STRIDE
from hiercodec.models.wave.preset import WAVE
from hiercodec.models.wave.wavelet import SCALES
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY
from hiercodec.training.codec.loss import LossWeights

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
CHECKED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class RunConfig:
    """What every training run has. Paths are relative to the working directory; results go to `out`/`name`.

    `batch` counts the crops of one process; `accelerator`, `devices`, `nodes` and `strategy` are Lightning Fabric's.
    `precision` "bf16-mixed" computes the learned paths in bfloat16. The learning rate rises over `warmup` steps, stays for
    the share `hold` of the others and falls along a cosine to `lr_end` of its peak; `ema` is the decay of the averaged
    weights, `clip` the gradient's greatest norm.
    `plugins` are modules that register parts (docs/extending.md), `workers` processes that prepare batches (0: this one),
    `threads` PyTorch's (0: its own choice).
    """

    name: Annotated[str, Field(pattern=r"^\w[^/]*$")]
    plugins: tuple[str, ...] = ()
    out: str = "runs"
    seed: Whole = 0
    steps: Count = 10_000
    batch: Count = 8
    lr: Positive = 1e-3
    lr_end: Share = 0.05
    warmup: Whole = 50
    hold: Share = 0.0
    ema: Share = 0.998
    clip: Positive = 1.0
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: Count = 1
    nodes: Count = 1
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    compile: bool = False
    threads: Whole = 0
    workers: Whole = 0
    log_every: Count = 20
    save_every: Count = 200
    validate_every: Count = 500

    @property
    def run_dir(self) -> Path:
        """Where checkpoints and the log go."""
        return Path(self.out) / self.name

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the card."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class CodecConfig(RunConfig):
    """A training run of a codec of either family: `preset` with `changes`, from the model `init` (name, path or "": anew).

    `photos` are folders, tar shards or "samples:", labelled as `labels` says (see `photos.labels.AUTO`); `cache_mb` MiB of
    them stay decoded in memory, the share `holdout` is held out, of which `validate_photos` are looked at. `classifiers` are
    specs of `hiercodec.classify.load_classifier` (none trains without the semantic terms), of which each step draws one;
    `labelled_share` is the share of the batch drawn from photographs with labels, `cut_share` how often what is trained ends
    inside a block.
    """

    photos: Annotated[tuple[str, ...], Field(min_length=1)]
    labels: str = "auto"
    preset: str = "lite"
    changes: dict[str, Any] = field(default_factory=dict)
    init: str = ""
    hierarchy: str = DEFAULT_HIERARCHY
    classifiers: tuple[str, ...] = ()
    crop: Annotated[int, Field(ge=STRIDE, multiple_of=STRIDE)] = 128
    labelled_share: Share = 0.0
    cut_share: Share = 0.5
    validate_photos: Count = 24
    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.04
    limit: Whole = 0
    cache_mb: Whole = 256

    def architecture(self) -> Preset | WavePreset:
        """The preset with this run's changes; `ConfigError` where they do not fit."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _has_such_a_model(self) -> CodecConfig:
        try:
            self.architecture()
        except ConfigError as error:
            raise ValueError(f"changes: {error}") from None
        return self


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class TrainConfig(CodecConfig):
    """A run of a model of channels (without `init`: from the KLT).

    `semantic_warmup` steps bring γ up from zero; each step reconstructs `levels_per_step` complete prefixes at random;
    `lr_linear` is the KLT's learning rate.
    """

    lr_linear: Positive = 1e-4
    semantic_warmup: Whole = 200
    levels_per_step: Count = 3
    loss: LossWeights = field(default_factory=LossWeights)

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(f"expected one of {', '.join(PRESETS)}")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> TrainConfig:
        names = self.architecture().plan.names
        lists = {f.name: f.default for f in fields(LossWeights) if isinstance(f.default, tuple)}
        lengths = {name: len(getattr(self.loss, name)) for name in lists}
        if wrong := [k for k, n in lengths.items() if n != len(names) and (n or lists[k])]:  # an empty default may stay
            raise ValueError(f"loss.{', loss.'.join(wrong)}: expected {len(names)} numbers, for {', '.join(names)}")
        return self

    def architecture(self) -> Preset:
        """The preset with this run's changes."""
        return PRESETS[self.preset].scaled(**self.changes)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class WaveConfig(CodecConfig):
    """A run of one stage of a `wave` model, "context" or "filter"; the other part stays as it is in `init`.

    `planes` says how often each plane is drawn. A context network learns to save its bits. A filter learns squared error
    relative to the unfiltered picture's (`distortion`) and, for frozen `classifiers`, their `features` and answers: `gamma`
    has a weight for each level's cross-entropy, used where the plane belongs to that level.
    """

    preset: Literal["wave"] = "wave"
    stage: Literal["context", "filter"] = "context"
    crop: Annotated[int, Field(ge=2 ** (SCALES + 1), multiple_of=2 ** (SCALES + 1))] = 192
    planes: tuple[Weight, ...] = (0.03, 0.03, 0.03, 0.07, 0.12, 0.18, 0.22, 0.2, 0.12)
    distortion: Positive = 1.0
    features: Weight = 0.0
    gamma: tuple[Weight, ...] = (0.0, 0.0, 0.0)
    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.01
    cache_mb: Whole = 1024

    @model_validator(mode="after")
    def _fits_together(self) -> WaveConfig:
        preset = self.architecture()
        if len(self.planes) != preset.planes or not sum(self.planes):
            raise ValueError(f"planes: expected {preset.planes} weights, not all zero")
        if len(self.gamma) != len(preset.plan):
            raise ValueError(f"gamma: expected {len(preset.plan)} numbers, for {', '.join(preset.plan.names)}")
        return self

    def architecture(self) -> WavePreset:
        """The preset with this run's changes."""
        return WAVE.scaled(**self.changes)


Config = TypeVar("Config", bound=RunConfig)


def read_config(
    path: str | Path, overrides: Mapping[str, Any] | None = None, kind: type[Config] = TrainConfig
) -> Config:
    """Read a TOML file, with the fields of `overrides` in place of its own; `ConfigError` names every wrong field."""
    return checked(read_values(path) | dict(overrides or {}), kind, path)


def read_values(path: str | Path) -> dict[str, Any]:
    """The plain values of a TOML file, or of the shipped one of that name ("smoke", "configs/smoke.toml").

    `ConfigError` where it cannot be read.
    """
    given, shipped = Path(path), CONFIGS / f"{Path(path).stem}.toml"
    ours = not given.exists() and str(given.parent) in (".", "configs") and shipped.is_file()
    try:
        return tomllib.loads((shipped if ours else given).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def checked(values: dict[str, Any], kind: type[Config], source: str | Path) -> Config:
    """The config that plain values describe; `ConfigError` names `source` and every wrong field."""
    for name in values.get("plugins", ()):
        plugins.use(name)
    try:  # as JSON, where strict means that "8" is no number, but not that a list is no tuple
        return TypeAdapter(kind).validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        known = [f.name for f in fields(kind)]
        wrong = (_said(row["loc"], row["type"], row["msg"], row["input"], known) for row in error.errors())
        raise ConfigError(f"{source}: {'; '.join(wrong)}") from None


def _said(loc: tuple[int | str, ...], kind: str, message: str, value: Any, known: list[str]) -> str:
    """One wrong field in words."""
    where = ".".join(map(str, loc))
    if kind == "missing":
        return f"{where} is missing"
    if kind == "unexpected_keyword_argument":
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        return f"{where} is no field" + (f" (did you mean {close[0]}?)" if close else "")
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return f"{where} = {value!r} {message}" if loc else message
