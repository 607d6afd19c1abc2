"""What the paper's ablations (§5.3) compare: Δ-networks or none, and how the latent channels are shared out.

Arms are compared on a reduced backbone (their base is `configs/ablation.toml`) and differ in nothing else. A split moves
channels between blocks, so the linear path must move with it; `layout` does that by one rule for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hiercodec.errors import ConfigError
from hiercodec.levels import PLANS, LevelPlan
from hiercodec.models import LinearBlock, LinearPath

COMPONENTS = 192
"""KLT components of every arm."""

STEPS = (0.69, 0.23, 0.23)
"""Quantisation step of each block of every arm; a ratio of 3 makes the bins nest."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its name in results, the level plan's id, and whether later blocks have Δ-networks."""

    name: str
    plan: int
    delta: bool = True

    @property
    def slug(self) -> str:
        """The name for a folder."""
        return self.name.replace("/", "-").replace(" ", "-").replace("Δ", "delta")

    def changes(self, base: dict) -> dict:
        """`base`, the preset's changes common to all arms, with this arm's own."""
        own = {"plan": self.plan, "linear": layout(PLANS[self.plan])}
        return {**base, **own, **({} if self.delta else {"delta_width": 0})}


BASE = Arm("128/96/96", 1)
"""The paper's choice; the other splits are compared with it."""

WITHOUT_DELTA = Arm("128/96/96 without Δ", 1, delta=False)
"""What the Δ-networks are compared with."""

ARMS = (BASE, WITHOUT_DELTA, Arm("96/128/96", 2), Arm("96/96/128", 3), Arm("107/107/106", 4))


def chosen(names: Sequence[str] | None) -> tuple[Arm, ...]:
    """The arms with these names or slugs; all if none are given; `ConfigError` lists those there are."""
    if names is None:
        return ARMS
    known = {arm.name: arm for arm in ARMS} | {arm.slug: arm for arm in ARMS}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"no arm {', '.join(unknown)}; there are {', '.join(arm.slug for arm in ARMS)}")
    return tuple(known[name] for name in names)


def layout(plan: LevelPlan) -> LinearPath:
    """The layered KLT of a three-level plan: the same 192 components at the same steps, whatever the widths.

    The first ¾ of the coarse block's channels hold that many components coarsely. The intermediate block refines the first
    5/12 of its width and fills the rest with the last components, which cost least. The fine block takes those between. For
    128/96/96 this is `lite`'s own layout. `ValueError` if a component would have no place.

    >>> [block.spans for block in layout(PLANS[1]).blocks]
    [((0, 96),), ((0, 40), (136, 192)), ((40, 136),)]
    """
    coarse, intermediate, fine = (level.width for level in plan)
    first = 5 * intermediate // 12
    last = COMPONENTS - (intermediate - first)
    if last - first > fine or 3 * coarse // 4 > COMPONENTS:
        raise ValueError(f"{COMPONENTS} components do not fit blocks of {coarse}, {intermediate} and {fine} channels")
    spans = (((0, 3 * coarse // 4),), ((0, first), (last, COMPONENTS)), ((first, last),))
    return LinearPath(tuple(LinearBlock(span, step) for span, step in zip(spans, STEPS, strict=True)))
