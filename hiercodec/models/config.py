"""Presets: the frozen description of a codec model, stored in its card and rebuilt from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields

from hiercodec.errors import ConfigError
from hiercodec.levels import PAPER_PLAN, PLANS, LevelPlan

STRIDE = 16
"""Pixels a latent position covers, each way; images are padded to a multiple of it."""

HYPER_STRIDE = 4
"""Latent positions a hyper-latent position covers, each way (so z stands at stride 64)."""


@dataclass(frozen=True, slots=True)
class LinearBlock:
    """What one block carries of the KLT: spans [first, last) of components and their quantisation step.

    The step's unit is the pixel range 0…1 in an orthonormal KLT. The components fill the block's first channels; the
    channels left over start at zero and belong to the learned paths.
    """

    spans: tuple[tuple[int, int], ...]
    step: float

    @property
    def components(self) -> tuple[int, ...]:
        """Component numbers, one a channel."""
        return tuple(c for first, last in self.spans for c in range(first, last))


@dataclass(frozen=True, slots=True)
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
    spatial: tuple[int, ...] = ()

    @property
    def components(self) -> int:
        """How many KLT components are used in all."""
        return 1 + max(max(block.components) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Preset:
    """Everything that fixes a codec's architecture.

    `transform` is "lite" (KLT linear path plus residual convolutions) or "tic" (Swin blocks, the paper's backbone);
    `n` is the transform width N, `n_hyper` the hyper-latent channels, `width` the width of the shared context and
    parameter networks, `delta_width` that of the Δ-networks (0: none, the paper's ablation). `dead_zone` is how much wider
    than half a step a block's zero bin is on either side: bits that buy almost nothing are not spent.
    """

    name: str
    transform: str
    n: int
    n_hyper: int
    width: int
    delta_width: int
    linear: LinearPath | None = None
    plan: LevelPlan = field(default=PAPER_PLAN)
    depths: tuple[int, ...] = ()
    context: str = "conv"
    dead_zone: tuple[float, ...] = (0.2, 0.1, 0.1)

    @property
    def m(self) -> int:
        """M, the number of latent channels."""
        return self.plan.channels

    def to_dict(self) -> dict:
        """Plain values for a model card; `from_dict` reads them back."""
        out = asdict(self)
        out["plan"] = next(i for i, plan in PLANS.items() if plan == self.plan)
        return out

    @classmethod
    def from_dict(cls, values: dict) -> Preset:
        """Read what `to_dict` wrote; `ConfigError` says which field is wrong."""
        try:
            values = dict(values)
            if not isinstance(values["plan"], LevelPlan):
                values["plan"] = PLANS[values["plan"]]
            if isinstance(values.get("linear"), dict):
                linear = values["linear"]
                blocks = (
                    LinearBlock(tuple((int(a), int(b)) for a, b in block["spans"]), float(block["step"]))
                    for block in linear["blocks"]
                )
                values["linear"] = LinearPath(tuple(blocks), tuple(int(c) for c in linear.get("spatial", ())))
            for name in ("depths", "dead_zone"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"not a model preset: {error}") from error

    def scaled(self, **changes) -> Preset:
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
)
TIC = Preset(
    name="tic", transform="tic", n=192, n_hyper=192, width=320, delta_width=384, depths=(2, 4, 6), context="attention"
)
PRESETS: dict[str, Preset] = {"lite": LITE, "tic": TIC}
