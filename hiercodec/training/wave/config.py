"""A training run of one part of a `wave` model, as a TOML file describes it."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hiercodec.errors import ConfigError
from hiercodec.models.wave.preset import WAVE, WavePreset
from hiercodec.models.wave.wavelet import SCALES
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY
from hiercodec.training.config import CHECKED, Positive, RunConfig, Share, Whole

STRIDE = 2 ** (SCALES + 1)


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class WaveConfig(RunConfig):
    """One stage, "context" or "filter"; the other part stays as it is in `init` (a name, a path, "": new weights).

    `photos` and `labels` as in `TrainConfig`; `cache_mb` MiB of them stay decoded. `planes` says how often each plane
    is drawn. A context network learns to save its bits. A filter learns squared error relative to the unfiltered picture's
    (`distortion`) and, for frozen `classifiers`, of which each step draws one, their `features` and answers: `gamma` has a
    weight for each level's cross-entropy, used where the plane belongs to that level. `cut_share` is how often a plane is
    cut at random.
    """

    photos: Annotated[tuple[str, ...], Field(min_length=1)]
    labels: str = "auto"
    preset: Literal["wave"] = "wave"
    stage: Literal["context", "filter"] = "context"
    changes: dict[str, Any] = field(default_factory=dict)
    init: str = ""
    hierarchy: str = DEFAULT_HIERARCHY
    classifiers: tuple[str, ...] = ()
    crop: Annotated[int, Field(ge=STRIDE, multiple_of=STRIDE)] = 192
    labelled_share: Share = 0.0
    planes: tuple[Annotated[float, Field(ge=0)], ...] = (0.03, 0.03, 0.03, 0.07, 0.12, 0.18, 0.22, 0.2, 0.12)
    distortion: Positive = 1.0
    features: Annotated[float, Field(ge=0)] = 0.0
    gamma: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.0, 0.0)
    cut_share: Share = 0.5
    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.01
    validate_photos: Annotated[int, Field(ge=1)] = 24
    limit: Whole = 0
    cache_mb: Whole = 1024

    @model_validator(mode="after")
    def _fits_together(self) -> WaveConfig:
        try:
            preset = self.architecture()
        except ConfigError as error:
            raise ValueError(f"changes: {error}") from None
        if len(self.planes) != preset.planes or not sum(self.planes):
            raise ValueError(f"planes: expected {preset.planes} weights, not all zero")
        if len(self.gamma) != len(preset.plan):
            raise ValueError(f"gamma: expected {len(preset.plan)} numbers, for {', '.join(preset.plan.names)}")
        return self

    def architecture(self) -> WavePreset:
        """The preset with this run's changes."""
        return WAVE.scaled(**self.changes)
