"""The frozen description of a `wave` model, stored in its card and rebuilt from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from hiercodec.levels import PLANS, LevelPlan, plan_id, read_plan
from hiercodec.models.common import CHECKED, Count, read_preset
from hiercodec.models.wave.wavelet import SCALES

Gain = Annotated[float, Field(gt=0, le=8)]
Point = Annotated[float, Field(ge=0, lt=1)]

GAINS = (
    (1.1, 1.32, 1.32),
    (1.1, 1.32, 1.32),
    (1.06, 1.272, 1.272),
    (1.0, 1.2, 1.2),
    (0.9, 1.08, 1.08),
    (0.7, 0.84, 0.84),
)
"""Finest scale × 0.7, the next × 0.9, the coarsest × 1.1, colour × 1.2: chosen on 30 training photographs (docs/wave.md)."""

PLAN = PLANS[5]
"""Kinds to threshold 96, families to 48, classes to 12: bit-planes take the place that channels have in the paper."""


@dataclass(frozen=True, slots=True, config=CHECKED)
class WavePreset:
    """Everything that fixes a `wave` model's architecture and the order of its symbols.

    `plan` counts bit-planes where other models count channels: a level's block is a run of planes. Plane p has the threshold
    `finest`·2^(P−1−p), P planes in all, in the unit of pixels (0…255). `gains` weigh LL and the scales, coarsest first, by
    colour (Y, Cb, Cr) before they meet the thresholds: a coefficient with gain ½ is cut as if the threshold were twice as
    large. `points` say where in its interval a coefficient is put that became significant in the last plane that tells of
    it, one plane before, or earlier. `width` is that of the context network, `filter_width` and `filter_blocks` those of
    the residual network behind the inverse.
    """

    name: str
    width: Count = 48
    filter_width: Count = 64
    filter_blocks: Count = 5
    finest: Annotated[float, Field(gt=0)] = 12.0
    plan: Annotated[LevelPlan, BeforeValidator(read_plan)] = PLAN
    gains: tuple[tuple[Gain, Gain, Gain], ...] = GAINS
    points: tuple[Point, Point, Point] = (0.38, 0.425, 0.465)
    transform: Literal["wave"] = "wave"

    @model_validator(mode="after")
    def _one_gain_a_scale(self) -> WavePreset:
        if len(self.gains) != SCALES + 1:
            raise ValueError(f"gains: {len(self.gains)} for LL and {SCALES} scales")
        return self

    @property
    def planes(self) -> int:
        """P, the number of bit-planes."""
        return self.plan.channels

    def threshold(self, plane: int) -> float:
        """T of a plane, in units of pixels."""
        return self.finest * 2.0 ** (self.planes - 1 - plane)

    @property
    def table(self) -> tuple[float, float, float, float, float]:
        """Points of the indexes 0 to 4; those of larger ones are the last."""
        new, next_, rest = self.points
        return 0.0, new, next_, next_, rest

    @property
    def declared(self) -> str:
        """What streams leave to the model's card, as text that its fingerprint covers."""
        return json.dumps([self.plan.names, self.plan.cuts, self.finest, self.gains, self.points])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model card; `from_dict` reads them back."""
        number = plan_id(self.plan)
        spelt = {"names": self.plan.names, "cuts": self.plan.cuts, "ks": tuple(level.k for level in self.plan)}
        return asdict(self) | {"plan": number if number in PLANS else spelt}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> WavePreset:
        """Read what `to_dict` wrote; `ConfigError` names every field that is wrong."""
        return read_preset(cls, values)

    def scaled(self, **changes: Any) -> WavePreset:
        """A copy with some fields changed, as objects or as the plain values of a TOML file."""
        return self.from_dict({f.name: getattr(self, f.name) for f in fields(self)} | changes)


WAVE = WavePreset(name="wave")
