"""In which order, and in which portions, the symbols of one latent are sent: a generator of refinement steps a policy.

    encoder:  steps(known, prior) ──► what each step tells of the symbols ──► one payload
    decoder:  the same generator, run on what arrived, so that nothing of an order is sent

A policy sees what a decoder knows before it needs the next symbol: the prior (scale indexes, channel, place), what was
fitted on training photographs, and how far every symbol is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from hiercodec import stream
from tools.orders import context
from tools.orders.intervals import Known, Step, tree

Fitted = Mapping[str, np.ndarray]
"""Small integer arrays by name: what a policy takes from training photographs."""


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What the hyper-latent says of a latent (C, h, w): scale indexes, uint8 (C, h, w), and saliency, int (h, w).

    Saliency counts in steps of the scale table: a place with 3 more is treated as if its scales were 3 steps larger.
    """

    scale: np.ndarray
    saliency: np.ndarray
    fitted: Fitted = field(default_factory=dict)

    def spread(self, of_channel: np.ndarray) -> np.ndarray:
        """A number a channel → one a symbol (n,)."""
        return np.repeat(of_channel, self.scale.shape[1] * self.scale.shape[2])


Policy = Callable[[Known, Prior], Iterator[Step]]


def _descending(key: np.ndarray) -> np.ndarray:
    """Positions by falling key, ties in raster order; keys are small integers, which sort by radix."""
    return np.argsort(-key.astype(np.int16), kind="stable")


def raster(known: Known, prior: Prior) -> Iterator[Step]:
    """Channel after channel, row after row: no order at all."""
    yield Step(np.arange(prior.scale.size), 0)


def channel(known: Known, prior: Prior) -> Iterator[Step]:
    """Whole channels, those that carry most over training photographs first (cf. ProgDTD, arXiv 2305.02145)."""
    yield Step(_descending(known.scale - stream.SCALE_LEVELS * prior.spread(prior.fitted["channel"])), 0)


def sigma(known: Known, prior: Prior) -> Iterator[Step]:
    """Whole symbols, the largest scale of the picture first (cf. EfficientPIC, arXiv 2411.10185)."""
    yield Step(_descending(known.scale), 0)


def saliency(known: Known, prior: Prior) -> Iterator[Step]:
    """Whole symbols by scale times saliency of their place (cf. LimitNet, MobiSys 2024)."""
    salient = known.scale + np.tile(prior.saliency.ravel(), len(prior.scale))
    yield Step(_descending(stream.SCALE_LEVELS * salient + known.scale), 0)  # like scales together: they code faster


def nested(known: Known, prior: Prior) -> Iterator[Step]:
    """Grids of 9, 3 and 1 steps, each in order of scale (cf. PLONQ, arXiv 2102.02913)."""
    order = _descending(known.scale)
    yield Step(order, 2)
    yield Step(order)
    yield Step(order)


def _split(known: Known, where: np.ndarray) -> Step:
    """A trit for each interval at `where`, by falling expected fall of error per bit; like intervals lie together."""
    return Step(where[np.argsort(tree().rank[known.numbers(where)], kind="stable")])


def trit(known: Known, prior: Prior) -> Iterator[Step]:
    """Trit-planes from the top, each in order of expected distortion per bit (cf. DPICT, arXiv 2112.06334)."""
    for plane in range(int(known.width.max()), 0, -1):
        yield _split(known, np.flatnonzero(known.width == plane))


def refine(known: Known, prior: Prior) -> Iterator[Step]:
    """`trit`, with scales corrected from what is decoded nearby before each of the last planes (cf. CTC, CVPR 2023)."""
    own = known.scale.copy()
    for plane in range(int(known.width.max()), 0, -1):
        if plane <= context.PLANES:
            known.scale = context.corrected(own, known, prior.scale.shape, prior.fitted["refine"])
        yield _split(known, np.flatnonzero(known.width == plane))
    known.scale = own


def task(known: Known, prior: Prior) -> Iterator[Step]:
    """`trit`, each channel's planes moved by what it means to a classifier (cf. PICM, arXiv 2512.20070).

    Moves count in thirds of a plane, so that a plane is sent in up to three portions.
    """
    shift = prior.spread(prior.fitted["task"])
    for portion in range(int((3 * known.width + shift).max()), int(shift.min()), -1):
        where = np.flatnonzero((known.width > 0) & (3 * known.width + shift == portion))
        if len(where):
            yield _split(known, where)


def learned_step(known: Known, prior: Prior) -> Iterator[Step]:
    """Layer after layer, each with a step of its own for every channel, by scale (cf. DeepHQ, arXiv 2408.12150)."""
    order = _descending(known.scale)
    for widths in prior.fitted["steps"]:
        target = prior.spread(widths)[order]
        while len(where := order[known.width[order] > target]):
            top = known.width[where].max()
            yield Step(where[known.width[where] == top])


POLICIES: dict[str, Policy] = {
    "single": raster,
    "sigma": sigma,
    "channel": channel,
    "trit": trit,
    "trit+refine": refine,
    "nested": nested,
    "learned-step": learned_step,
    "saliency": saliency,
    "task": task,
}
"""Policies of a latent that is one block, by the name that `order:NAME` has."""


def write(policy: Policy, symbols: np.ndarray, prior: Prior) -> bytes:
    """The payload of symbols int (C, h, w), all of which must lie in their tables."""
    flat, known, writer = symbols.ravel().astype(np.int64), Known(prior.scale.ravel()), stream.SymbolWriter()
    for step in policy(known, prior):
        branches = known.branches(step, flat[step.where])
        writer.write(branches, *known.tables(step))
        known.narrow(step, branches)
    return writer.payload()


def arrived(policy: Policy, payload: bytes, prior: Prior, *, complete: bool) -> Known:
    """What a payload, or what a cut left of it, tells of every symbol; `CorruptStream` if no encoder wrote a whole one."""
    known, reader = Known(prior.scale.ravel()), stream.SymbolReader(payload, complete=complete)
    for step in policy(known, prior):
        branches = reader.read(*known.tables(step))
        known.narrow(step, branches)
        if len(branches) < len(step.where):
            break
    return known
