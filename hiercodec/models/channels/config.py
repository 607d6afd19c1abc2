"""Presets: the frozen description of a codec model, stored in its card and rebuilt from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from hiercodec.levels import PAPER_PLAN, PLANS, LevelPlan, plan_id, read_plan
from hiercodec.models.channels.backbones import BACKBONES
from hiercodec.models.channels.context import CONTEXTS
from hiercodec.models.channels.order import DEFAULT, ORDERS
from hiercodec.models.common import CHECKED, Count, Whole, read_preset
from hiercodec.plugins import Registry, unknown

STRIDE = 16
"""Pixels a latent position covers, each way; images are padded to a multiple of it."""

HYPER_STRIDE = 4
"""Latent positions a hyper-latent position covers, each way (so z stands at stride 64)."""

Component = Annotated[int, Field(strict=True, ge=0, le=3 * STRIDE * STRIDE)]


def _known(registry: Registry[Any]) -> AfterValidator:
    """Accepts the names that the registry has."""

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(unknown(registry.kind, name, registry))
        return name

    return AfterValidator(check)


@dataclass(frozen=True, slots=True, config=CHECKED)
class LinearBlock:
    """What one block carries of the KLT: spans [first, last) of components and their quantisation step.

    The step's unit is the pixel range 0…1 in an orthonormal KLT. The components fill the block's first channels; the
    channels left over start at zero and belong to the learned paths.
    """

    spans: Annotated[tuple[tuple[Component, Component], ...], Field(min_length=1)]
    step: Annotated[float, Field(gt=0)]

    @property
    def components(self) -> tuple[int, ...]:
        """Component numbers, one a channel."""
        return tuple(c for first, last in self.spans for c in range(first, last))


@dataclass(frozen=True, slots=True, config=CHECKED)
class LinearPath:
    """Which KLT components each block carries, and how finely.

    A component may appear in several blocks: a later block then codes what the earlier ones left over, so that the coarse
    block can hold the whole picture coarsely instead of a few components finely. With an odd ratio of steps the bins nest
    and such a refinement costs next to nothing: on Kodak, the plain KLT at step 0.22 spends 3.6 % more bits in two layers of
    ratio 3 than in one layer, 8.6 % with ratio 2.

    `spatial` names components that are transformed once more, by a DCT over 4×4 neighbouring patches: the means of luma
    and of both chromas, which one patch has in common with the next. On 300 photographs it takes 1.35, 1.47 and 0.98 bits
    from each of their coarse coefficients (zero-order entropy), and nothing from any other component.
    """

    blocks: tuple[LinearBlock, ...] = (
        LinearBlock(((0, 96),), 0.69),
        LinearBlock(((0, 40), (136, 192)), 0.23),
        LinearBlock(((40, 136),), 0.23),
    )
    spatial: tuple[Component, ...] = ()

    @property
    def components(self) -> int:
        """How many KLT components are used in all."""
        return 1 + max(max(block.components) for block in self.blocks)


@dataclass(frozen=True, slots=True, config=CHECKED)
class Preset:
    """Everything that fixes a codec's architecture and the order of its symbols.

    `transform`, `context` and `order` name parts in the registries `BACKBONES`, `CONTEXTS` and `ORDERS`; `n` is the
    transform width N, `n_hyper` the hyper-latent channels, `width` the width of the shared context and parameter networks,
    `delta_width` that of the Δ-networks (0: none, the paper's ablation). `plan` is any plan of levels. `dead_zone` is how
    much wider than half a step a block's zero bin is on either side: bits that buy almost nothing are not spent. `prices`
    is what a bit of each block may cost an encoder's search (`effort`) in squared error (of pixels in 0…1, summed):
    the slope of the model's own curve there. The last one counts for all further blocks; without any nothing is searched.
    """

    name: str
    transform: Annotated[str, _known(BACKBONES)]
    n: Count
    n_hyper: Count
    width: Count
    delta_width: Whole
    linear: LinearPath | None = None
    plan: Annotated[LevelPlan, BeforeValidator(read_plan)] = PAPER_PLAN
    depths: tuple[Count, ...] = ()
    context: Annotated[str, _known(CONTEXTS)] = "conv"
    dead_zone: tuple[Annotated[float, Field(ge=0, lt=0.5)], ...] = (0.2, 0.1, 0.1)
    order: Annotated[str, _known(ORDERS)] = DEFAULT
    prices: tuple[Annotated[float, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _one_a_level(self) -> Preset:
        levels = len(self.plan)
        counts = {"dead_zone": len(self.dead_zone), "linear.blocks": len(self.linear.blocks) if self.linear else levels}
        wrong = [f"{name}: {count} for {levels} levels" for name, count in counts.items() if count != levels]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def m(self) -> int:
        """M, the number of latent channels."""
        return self.plan.channels

    @property
    def declared(self) -> str:
        """What streams leave to the model's card, as text that its fingerprint covers: nothing for ids of `PLANS`."""
        stated = plan_id(self.plan) in PLANS and self.order == DEFAULT
        return "" if stated else json.dumps([self.plan.names, self.plan.cuts, self.order])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model card; `from_dict` reads them back."""
        spelt = {"names": self.plan.names, "cuts": self.plan.cuts, "ks": tuple(level.k for level in self.plan)}
        number = plan_id(self.plan)
        return asdict(self) | {"plan": number if number in PLANS else spelt}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preset:
        """Read what `to_dict` wrote; `ConfigError` names every field that is wrong."""
        return read_preset(cls, values)

    def scaled(self, **changes: Any) -> Preset:
        """A copy with some fields changed (small models, ablations), as objects or as the plain values of a TOML file."""
        return self.from_dict({f.name: getattr(self, f.name) for f in fields(self)} | changes)


LITE = Preset(
    name="lite",
    transform="lite",
    n=64,
    n_hyper=32,
    width=128,
    delta_width=96,
    linear=LinearPath(spatial=(0, 1, 4)),
    context="conv",
    prices=(0.06, 0.016, 0.007),
)
TIC = Preset(
    name="tic", transform="tic", n=192, n_hyper=192, width=320, delta_width=384, depths=(2, 4, 6), context="attention"
)
PRESETS: dict[str, Preset] = {"lite": LITE, "tic": TIC}
