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
from collections.abc import Generator, Iterable, Iterator, Sequence
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


@functools.lru_cache(maxsize=1)
def _pmfs() -> tuple[np.ndarray, np.ndarray]:
    """The pmfs of refinements, int32 (255, 3) by logit, and of significances, int32 (255, 255, 3) by logit and sign's."""
    yes = probabilities()
    refining = np.stack([TOTAL - yes, yes - 1, np.ones_like(yes)], -1)
    plus = np.maximum(1, (yes[:, None] * yes) >> PRECISION)
    significance = np.stack([np.broadcast_to(TOTAL - yes[:, None], plus.shape), plus, yes[:, None] - plus], -1)
    return refining.astype(np.int32), significance.astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Symbols:
    """A run of symbols in coding order, all of one kind: where they stand and how likely their values are.

    `position` int32[n] names coefficients, by where they stand in the state (`Layout`). `main` and `sign` are logits,
    int8[n]; `refining` says that they halve an interval (0, 1) instead of telling significance (0, +, −: 0, 1, 2).
    """

    position: np.ndarray
    main: np.ndarray
    sign: np.ndarray
    refining: bool

    def __len__(self) -> int:
        return len(self.position)

    def pmfs(self) -> np.ndarray:
        """Integer pmfs, int32 (n, 3); every entry ≥ 1, rows sum to 2²⁴."""
        refining, significance = _pmfs()
        main = self.main.astype(np.intp) + 127
        return refining[main] if self.refining else significance[main, self.sign.astype(np.intp) + 127]

    def take(self, order: np.ndarray | slice) -> Symbols:
        """Some of the symbols, or all in another order."""
        return Symbols(self.position[order], self.main[order], self.sign[order], self.refining)

    def bits(self, values: np.ndarray) -> np.ndarray:
        """What the first `len(values)` symbols cost, float64."""
        n = len(values)
        return PRECISION - np.log2(self.pmfs()[np.arange(n), values])

    def parameters(self) -> np.ndarray:
        """The logits as bytes, what a block's checksum is over."""
        return np.concatenate([self.main, self.sign]).view(np.uint8)

    def of(self, indexes: np.ndarray, plane_shift: int) -> np.ndarray:
        """The symbols (int32[n]) of coefficients whose indexes at the finest threshold are `indexes`.

        `plane_shift` is the number of planes behind this one.
        """
        k = indexes[self.position]
        size = np.abs(k) >> plane_shift
        return (size & 1 if self.refining else np.where(size > 0, np.where(k > 0, 1, 2), 0)).astype(np.int32)


def tell(indexes: np.ndarray, symbols: Symbols, values: np.ndarray) -> None:
    """Write the first `len(values)` symbols of a plane into `indexes`, which hold twice those of the plane before."""
    where = symbols.position[: len(values)]
    k = indexes[where]
    indexes[where] = k + np.sign(k) * values if symbols.refining else np.where(values == 2, -1, values)


class Layout:
    """Where the coefficients of a picture stand in its state: the five arrays of `context.pack`, raveled, in their order.

    `inside` (bool) is False where padding stands.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], bands: int) -> None:
        ones = [torch.ones(1, 3, *sizes[0]), *(torch.ones(1, bands, *size) for size in sizes)]
        packed = pack(ones)
        self._shapes = [array.shape[1:] for array in packed]
        self._bounds = np.cumsum([array.numel() for array in packed])[:-1]
        self.inside = flat(packed).astype(bool)
        self._numbers = self.arrays(np.arange(self.inside.size, dtype=np.int32))

    def arrays(self, state: np.ndarray) -> list[np.ndarray]:
        """The five arrays (C, h, w) of a state, views of it."""
        return [part.reshape(shape) for part, shape in zip(np.split(state, self._bounds), self._shapes, strict=True)]

    def of_phase(self, scale: int, phase: int) -> np.ndarray:
        """Where the coefficients stand (int32, raveled) that a phase takes of a scale's array."""
        c, h, w = self._shapes[scale]
        return self._numbers[scale].reshape(c // 4, 4, h, w)[:, list(PHASES[phase])].ravel()


def flat(arrays: Iterable[Tensor]) -> np.ndarray:
    """The five arrays of the state (1, C, h, w) as one."""
    return np.concatenate([array[0].cpu().numpy().ravel() for array in arrays])


Block = Generator[tuple[int, Symbols], np.ndarray, None]
"""As `Plane`, over several planes; every run comes with the plane that it belongs to."""


@torch.inference_mode()
def plane_symbols(
    network: ContextNetwork, layout: Layout, before: np.ndarray, now: np.ndarray, plane: int, last: int
) -> Iterator[Symbols]:
    """The runs of symbols of one plane over scales 0…`last`, in coding order.

    `before` are the indexes of the plane before, `now` twice as much to begin with: who takes a run writes it there (`tell`)
    before the next one is asked for.
    """
    passes = network.walk([torch.from_numpy(k.astype(np.float32))[None] for k in layout.arrays(before)], plane, last)
    step: Pass | None = next(passes)
    refinements: list[Symbols] = []
    unlikely: list[Symbols] = []
    while step is not None:
        n = step.logits.shape[1] // 3
        main, refine, sign = (part[0].to(torch.int8).numpy().ravel() for part in step.logits.split(n, 1))
        where = layout.of_phase(step.scale, step.phase)
        inside, known, likely = layout.inside[where], before[where] != 0, main > LIKELY
        refinements.append(Symbols(where, refine, sign, True).take(inside & known))
        unlikely.append(Symbols(where, main, sign, False).take(inside & ~known & ~likely))
        yield _likeliest_first(Symbols(where, main, sign, False).take(inside & ~known & likely))
        answer = torch.from_numpy(now[where].astype(np.float32)).view(1, n, *step.logits.shape[-2:])
        step = _next(passes, answer)
    yield from refinements
    columns = [np.concatenate([getattr(run, name) for run in unlikely]) for name in ("position", "main", "sign")]
    yield _likeliest_first(Symbols(*columns, refining=False))


def _likeliest_first(run: Symbols) -> Symbols:
    """In the order of falling logits; ties stay as they are."""
    return run.take(np.argsort(-run.main, kind="stable"))


def block_symbols(
    network: ContextNetwork, layout: Layout, indexes: np.ndarray, planes: range, begins: np.ndarray
) -> Block:
    """The symbols of a run of planes, from the indexes of the plane before it.

    `begins` (scales,) is the plane at which a scale begins: before it nothing of it, nor of finer ones, is significant.
    A coder answers with what it codes, a decoder with what it reads.
    """
    for plane in planes:
        now = 2 * indexes
        last = int(np.count_nonzero(begins <= plane)) - 1
        for run in plane_symbols(network, layout, indexes, now, plane, last) if last >= 0 else ():
            for start in range(0, len(run), PIECE):
                piece = run.take(slice(start, start + PIECE))
                tell(now, piece, (yield plane, piece))
        indexes = now


def begins_of(indexes: Sequence[np.ndarray], planes: int) -> np.ndarray:
    """The plane (int64[scales]) at which each scale begins, of coefficients at the finest threshold; `planes` for never."""
    first = [planes - int(np.abs(k).max(initial=0)).bit_length() for k in indexes]
    return np.maximum(0, np.minimum.accumulate(first[::-1])[::-1])


def indexes_of(bands: Sequence[Tensor], finest: float, planes: int) -> np.ndarray:
    """The state at the finest threshold, int32, of subbands (1, C, h, w) times their gains.

    Indexes saturate at what `planes` planes can say.
    """
    c = flat(pack(bands)).astype(np.float64)
    return (np.sign(c) * np.minimum(np.floor(np.abs(c) / finest), 2**planes - 1)).astype(np.int32)


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
