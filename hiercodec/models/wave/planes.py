"""Bit-planes as symbols: which symbols a plane has, in which order, and what they say of the coefficients.

A plane at threshold T tells of a coefficient that was insignificant whether |c| ≥ T, and its sign if so (one symbol of
three: 0, +, −), and of a significant one which half of its interval it lies in (one of two). It comes in two parts:

    first     scale by scale, coarsest first, and phase by phase: coefficients that are likely to become significant
              (logit above `LIKELY`), likeliest first. The network waits for each pass, and is told these only.
    rest      refinements, coarsest scale first; then the unlikely coefficients of all scales, likeliest first.

The order is that of worth: a refinement saves about 0.25 T² of squared error a bit, as much as significance at a probability
of 0.04, which is where the first part ends.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hiercodec.models.wave.context import LOGIT, PHASES, ContextNetwork, Pass, of_phase, pack
from hiercodec.stream.tables import PRECISION, TOTAL

LIKELY = -51
"""Logit (probability 0.04) above which a coefficient's significance is told in the first part of a plane."""

PIECE = 1 << 14
"""The longest run of symbols: a decoder goes to a cut in steps of these."""

TABLE_DIGEST = "62de34143431e075"


@functools.lru_cache(maxsize=1)
def probabilities() -> np.ndarray:
    """Mass (int64[255], units of 2⁻²⁴) of "yes" at logits −127…127 in sixteenths."""
    logits = np.arange(-127, 128) / LOGIT
    units = np.floor(TOTAL / (1 + np.exp(-logits)) + 0.5).astype(np.int64)
    if hashlib.sha256(units.astype("<i4").tobytes()).hexdigest()[:16] != TABLE_DIGEST:
        raise RuntimeError("this platform computes other probabilities than the wave models are defined with")
    return units


@dataclass(frozen=True, slots=True, eq=False)
class Symbols:
    """A run of symbols in coding order, all of one kind: where they stand and how likely their values are.

    `scale` int8[n] and `position` int64[n] name coefficients: an index into the scale's raveled array of the state. `main`
    and `sign` are logits, int8[n]; `refining` says that they halve an interval (0, 1) instead of telling significance
    (0, +, −: 0, 1, 2).
    """

    scale: np.ndarray
    position: np.ndarray
    main: np.ndarray
    sign: np.ndarray
    refining: bool

    def __len__(self) -> int:
        return len(self.position)

    def pmfs(self) -> np.ndarray:
        """Integer pmfs, int64 (n, 3); every entry ≥ 1, rows sum to 2²⁴."""
        table = probabilities()
        yes = table[self.main.astype(np.int64) + 127]
        if self.refining:
            return np.stack([TOTAL - yes, yes - 1, np.ones_like(yes)], 1)
        plus = np.maximum(1, (yes * table[self.sign.astype(np.int64) + 127]) >> PRECISION)
        return np.stack([TOTAL - yes, plus, yes - plus], 1)

    def take(self, order: np.ndarray | slice) -> Symbols:
        """Some of the symbols, or all in another order."""
        return Symbols(self.scale[order], self.position[order], self.main[order], self.sign[order], self.refining)

    def bits(self, values: np.ndarray) -> np.ndarray:
        """What the first `len(values)` symbols cost, float64."""
        n = len(values)
        return PRECISION - np.log2(self.pmfs()[np.arange(n), values])

    def parameters(self) -> np.ndarray:
        """The logits as bytes, what a block's checksum is over."""
        return np.concatenate([self.main, self.sign]).view(np.uint8)

    def of(self, indexes: Sequence[np.ndarray], plane_shift: int) -> np.ndarray:
        """The symbols (int32[n]) of coefficients whose indexes at the finest threshold are `indexes`, raveled, a scale each.

        `plane_shift` is the number of planes behind this one.
        """
        k = np.empty(len(self), np.int64)
        for scale, chosen in by_scale(self.scale):
            k[chosen] = indexes[scale][self.position[chosen]]
        size = np.abs(k) >> plane_shift
        return (size & 1 if self.refining else np.where(size > 0, np.where(k > 0, 1, 2), 0)).astype(np.int32)


def tell(indexes: Sequence[np.ndarray], symbols: Symbols, values: np.ndarray) -> None:
    """Write the first `len(values)` symbols of a plane into `indexes`, which hold twice those of the plane before.

    Raveled arrays, a scale each, changed in place.
    """
    for scale, chosen in by_scale(symbols.scale[: len(values)]):
        where, value = symbols.position[chosen], values[chosen]
        k = indexes[scale]
        k[where] += np.sign(k[where]) * value if symbols.refining else np.where(value == 2, -1, value)


def by_scale(scale: np.ndarray) -> Iterator[tuple[int, slice | np.ndarray]]:
    """Every scale that occurs, and where in `scale` it does."""
    if len(scale) and (scale[0] == scale).all():
        yield int(scale[0]), slice(len(scale))
    else:
        yield from ((int(s), np.flatnonzero(scale == s)) for s in np.unique(scale))


class Layout:
    """Where the coefficients of a picture stand in the arrays of the state.

    `shapes` are (C, h, w) of the five arrays; `inside` are bool arrays of these shapes, False where padding stands.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], bands: int) -> None:
        ones = [torch.ones(1, 3, *sizes[0]), *(torch.ones(1, bands, *size) for size in sizes)]
        self.inside = [array[0].bool().numpy() for array in pack(ones)]
        self.shapes = [array.shape for array in self.inside]
        self._numbers = [np.arange(array.size).reshape(array.shape) for array in self.inside]

    def of_phase(self, scale: int, phase: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (int64, raveled) that a phase takes of a scale's array, and which of them are inside."""
        c, h, w = self.shapes[scale]
        chosen = np.s_[:, list(PHASES[phase])]
        return (
            self._numbers[scale].reshape(c // 4, 4, h, w)[chosen].ravel(),
            self.inside[scale].reshape(c // 4, 4, h, w)[chosen].ravel(),
        )


Plane = Generator[Symbols, np.ndarray, None]
"""Gives runs of symbols in coding order; each is answered by its values, as many as there are."""

Block = Generator[tuple[int, Symbols], np.ndarray, None]
"""As `Plane`, over several planes; every run comes with the plane that it belongs to."""


@torch.inference_mode()
def plane_symbols(
    network: ContextNetwork, layout: Layout, indexes: Sequence[np.ndarray], plane: int, last: int
) -> Plane:
    """The symbols of one plane over scales 0…`last`, from the indexes of the plane before (raveled, a scale each).

    A coder answers with what it codes, a decoder with what it reads.
    """
    before = [
        torch.from_numpy(k.reshape(shape).astype(np.float32))[None]
        for k, shape in zip(indexes, layout.shapes, strict=True)
    ]
    passes = network.walk(before, plane, last)
    step: Pass | None = next(passes)
    refinements: list[Symbols] = []
    unlikely: list[Symbols] = []
    while step is not None:
        n = step.logits.shape[1] // 3
        logits = [part[0].to(torch.int8).numpy().ravel() for part in step.logits.split(n, 1)]
        where, inside = layout.of_phase(step.scale, step.phase)
        known, likely = indexes[step.scale][where] != 0, logits[0] > LIKELY
        first = _run(step.scale, where, inside & ~known & likely, logits)
        refinements.append(_run(step.scale, where, inside & known, logits, refining=True))
        unlikely.append(_run(step.scale, where, inside & ~known & ~likely, logits))
        values = yield first
        told = 2 * indexes[step.scale]
        told[first.position] = np.where(values == 2, -1, values)
        answer = torch.from_numpy(told[where].astype(np.float32)).view(1, n, *step.logits.shape[-2:])
        try:
            step = passes.send(answer)
        except StopIteration:
            step = None
    for part in refinements:
        if len(part):
            yield part
    rest = joined(unlikely)
    if len(rest):
        yield rest.take(_likeliest(rest.main))


def _run(
    scale: int, where: np.ndarray, chosen: np.ndarray, logits: Sequence[np.ndarray], *, refining: bool = False
) -> Symbols:
    """The chosen ones of a pass's coefficients; likeliest first, or, refining, in raster order."""
    main, refine, sign = logits
    n = int(np.count_nonzero(chosen))
    run = Symbols(
        np.full(n, scale, np.int8), where[chosen], (refine if refining else main)[chosen], sign[chosen], refining
    )
    return run if refining else run.take(_likeliest(run.main))


def _likeliest(logits: np.ndarray) -> np.ndarray:
    """The order by falling logit; ties stay as they are."""
    return np.argsort(-logits, kind="stable")


def block_symbols(
    network: ContextNetwork, layout: Layout, indexes: Sequence[np.ndarray], planes: range, begins: np.ndarray
) -> Block:
    """The symbols of a run of planes, from the indexes of the plane before it (raveled, a scale each).

    `begins` (scales,) is the plane at which a scale begins: before it nothing of it, nor of finer ones, is significant.
    A coder answers with what it codes, a decoder with what it reads.
    """
    for plane in planes:
        told = [2 * k for k in indexes]
        last = int(np.count_nonzero(begins <= plane)) - 1
        if last >= 0:
            runs = plane_symbols(network, layout, indexes, plane, last)
            symbols = next(runs, None)
            while symbols is not None:
                answers = [np.zeros(0, np.int32)]
                for start in range(0, len(symbols), PIECE):
                    piece = symbols.take(slice(start, start + PIECE))
                    answers.append((yield plane, piece))
                    tell(told, piece, answers[-1])
                values = np.concatenate(answers)
                try:
                    symbols = runs.send(values)
                except StopIteration:
                    symbols = None
        indexes = told


def begins_of(indexes: Sequence[np.ndarray], planes: int) -> np.ndarray:
    """The plane (int64[scales]) at which each scale begins, of coefficients at the finest threshold; `planes` for never."""
    first = [planes - int(np.abs(k).max(initial=0)).bit_length() for k in indexes]
    return np.maximum(0, np.minimum.accumulate(first[::-1])[::-1])


def joined(parts: Sequence[Symbols]) -> Symbols:
    """Runs of one kind as one."""
    columns = [
        np.concatenate([getattr(part, name) for part in parts]) for name in ("scale", "position", "main", "sign")
    ]
    return Symbols(*columns, refining=parts[0].refining)


def indexes_of(bands: Sequence[Tensor], finest: float, planes: int) -> list[np.ndarray]:
    """Signed indexes (int64, raveled, a scale each) at the finest threshold of subbands (1, C, h, w) times their gains.

    They saturate at what `planes` planes can say.
    """
    largest = 2**planes - 1
    arrays = (array[0].double().numpy().ravel() for array in pack(bands))
    return [(np.sign(c) * np.minimum(np.floor(np.abs(c) / finest), largest)).astype(np.int64) for c in arrays]


def known_passes(
    network: ContextNetwork,
    before: Sequence[Tensor],
    now: Sequence[Tensor],
    plane: int,
    last: int,
    there: Tensor | None = None,
) -> Iterator[tuple[Pass, Tensor, Tensor]]:
    """The passes of a plane whose indexes `now` are known, each with those of its phase before and now.

    What the network is answered is what the plane's first part tells: likely significance only.
    """
    walk = network.walk(before, plane, last, there)
    step: Pass | None = next(walk)
    while step is not None:
        old, new = of_phase(before[step.scale], step.phase), of_phase(now[step.scale], step.phase)
        yield step, old, new
        likely = step.logits.chunk(3, 1)[0] > LIKELY
        step = _next(walk, torch.where(old != 0, 2 * old, torch.where(likely, new, 0.0)))


def _next(walk: Generator[Pass, Tensor, None], answer: Tensor) -> Pass | None:
    """The pass after an answer; None after the last one."""
    try:
        return walk.send(answer)
    except StopIteration:
        return None
