"""The context network: what every symbol of a bit-plane is likely to be, in integers.

State: for every coefficient its signed index k = sign(c)·⌊|c| / T⌋ at the threshold T reached, in five arrays, one a scale,
coarsest first, (B, C, h, w). In each of them 2×2 positions of the subbands stand side by side as channels (`pack`), and LL
with the coarsest scale. Half of the positions (the main diagonal of each 2×2) are phase 0, the others phase 1.

    E_4 … E_0     fine to coarse: what the planes before told of this scale and of finer ones
    for scale 0 … last, phase 0, 1:
        logits  = head(E_scale, what this plane told of coarser scales and of phase 0)          (B, 3·n, h, w)
        ◄── what the plane's first part tells of the phase (`walk` waits for it)

One network for all scales and planes: 2.8·10⁵ weights. Everything is integer arithmetic by construction: weights are int8
times a power of two a channel, activations are whole numbers in 0…255, sums stay below 2²⁴ and so are exact in float32 in
any order (`freeze` proves it from the weights), and roundings are of exact numbers. So every machine, thread count and batch
gets the same logits. Training runs the same arithmetic and rounds straight through.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hiercodec.models.wave.wavelet import SCALES

UNIT = 32
"""Activations count in 1/32."""

LOGIT = 16
"""Logits count in 1/16, and lie in −127…127."""

LARGEST = 255
"""The largest activation."""

EXACT = 1 << 24
"""Whole numbers up to here are exact in float32, and so are their sums."""

PHASES = ((0, 3), (1, 2))
"""Positions of each 2×2 block in raster order that a phase takes."""

BANDS = 9
"""Subbands of a scale: three of each colour; LL brings three more to the coarsest."""

_INDEXES = 1024


def _magnitudes() -> Tensor:
    """24·log2(1 + k) rounded, at most 255, for k = 0…1023."""
    return torch.tensor([min(LARGEST, round(24 * math.log2(1 + k))) for k in range(_INDEXES)], dtype=torch.float32)


def straight(smooth: Tensor, rounded: Tensor) -> Tensor:
    """`rounded`, through which gradients pass as through `smooth`."""
    return smooth + (rounded - smooth).detach()


class Integer(nn.Conv2d):
    """A convolution with int8 weights times a power of two a channel, whose results are whole numbers."""

    def __init__(self, inputs: int, outputs: int, size: int, *, stride: int = 1, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, size, stride=stride, padding=size // 2 if stride == 1 else 0)
        assert self.bias is not None
        nn.init.normal_(self.weight, std=gain / math.sqrt(inputs * size * size))
        nn.init.zeros_(self.bias)
        self._frozen = False

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """(int8 weights, whole biases, step): a channel's sums are counted in its step, a power of two."""
        assert self.bias is not None
        largest = self.weight.detach().abs().amax((1, 2, 3), keepdim=True).clamp_min(2.0**-20)
        step = torch.exp2(torch.ceil(torch.log2(largest / 127)))
        weights = (self.weight.detach() / step).round().clamp(-127, 127)
        return weights, (self.bias.detach() * UNIT / step.flatten()).round(), step

    @torch.no_grad()
    def freeze(self) -> None:
        """Put the whole numbers in the place of the weights, once and for all; `ValueError` if sums could be inexact."""
        weights, biases, step = self.integers()
        worst = weights.abs().double().sum((1, 2, 3)) * LARGEST + biases.abs().double()
        if not worst.max() < EXACT:
            raise ValueError("weights of the context network are too large for exact sums")
        self.weight.copy_(weights * step)
        self.bias.copy_(biases * step.flatten())  # pyright: ignore[reportOptionalMemberAccess]
        self._frozen = True

    def forward(self, x: Tensor, more: Tensor | float = 0.0) -> Tensor:
        """Whole numbers of `x` → whole numbers; `more` (whole) is added to the sums."""
        assert self.bias is not None
        if self._frozen:
            return (F.conv2d(x, self.weight, self.bias, self.stride, self.padding) + more).round_()
        weights, biases, step = self.integers()
        weight = straight(self.weight, weights * step)
        bias = straight(self.bias * UNIT, biases * step.flatten())
        y = F.conv2d(x, weight, bias, self.stride, self.padding) + more
        return straight(y, y.round())


def rectified(x: Tensor) -> Tensor:
    """What a layer sees of a sum: 0…255."""
    return x.clamp(0, LARGEST)


def saturated(x: Tensor) -> Tensor:
    """What is kept of a sum: −255…255."""
    return x.clamp(-LARGEST, LARGEST)


class Residual(nn.Module):
    """x + b(a(x)) in whole numbers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a, self.b = Integer(width, width, 3), Integer(width, width, 3, gain=0.2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) → the same."""
        return saturated(x + self.b(rectified(self.a(rectified(x)))))


class Phase(nn.Module):
    """One phase of a scale: logits from the features, and the features once the phase is told."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.refine = Residual(width)
        self.head, self.head_ll = Integer(width, 6 * BANDS, 1, gain=0.3), Integer(width, 18, 1, gain=0.3)
        self.told, self.told_ll = Integer(4 * BANDS, width, 3), Integer(12, width, 3)

    def logits(self, features: Tensor, coarsest: bool) -> Tensor:
        """(B, 3·n, h, w): significance, refinement and sign of the phase's n coefficients a position."""
        seen = rectified(features)
        out = self.head(seen)
        if coarsest:
            pairs = zip(out.chunk(3, 1), self.head_ll(seen).chunk(3, 1), strict=True)
            out = torch.cat([part for pair in pairs for part in pair], 1)
        return out.clamp(-127, 127)

    def learn(self, features: Tensor, told: Tensor, descriptor: Descriptor, coarsest: bool) -> Tensor:
        """The features once the plane's first part has told the phase's indexes `told` (B, n, h, w)."""
        n = 2 * BANDS
        more = self.told_ll(descriptor(told[:, n:])) if coarsest else 0.0
        return self.refine(saturated(features + self.told(descriptor(told[:, :n]), more)))


class Descriptor(nn.Module):
    """How indexes are shown to the network: 24·log2(1 + |k|), then 32 times their signs."""

    magnitudes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("magnitudes", _magnitudes(), persistent=False)

    def forward(self, k: Tensor) -> Tensor:
        """(B, n, h, w) → (B, 2n, h, w)."""
        return torch.cat([self.magnitudes[k.abs().clamp_max(_INDEXES - 1).long()], 32 * k.sign()], 1)


class Pass(NamedTuple):
    """One phase of one scale of a plane: its logits (B, 3·n, h, w), whole numbers."""

    scale: int
    phase: int
    logits: Tensor


class ContextNetwork(nn.Module):
    """See the module. `width` is the number of channels of its features, `planes` that of the bit-planes."""

    def __init__(self, width: int, planes: int) -> None:
        super().__init__()
        self.look, self.look_ll = Integer(8 * BANDS, width, 3), Integer(24, width, 3)
        self.where = nn.Parameter(torch.zeros(SCALES, planes, width))
        self.down, self.up = Integer(width, width, 2, stride=2, gain=0.5), Integer(width, 4 * width, 1, gain=0.5)
        self.before, self.now = Residual(width), Residual(width)
        self.phases = nn.ModuleList(Phase(width) for _ in PHASES)
        self.descriptor = Descriptor()

    @torch.no_grad()
    def freeze(self) -> None:
        """Fix the whole numbers that the coder works with; `ValueError` if sums of them could be inexact in float32."""
        self.where.copy_((self.where * UNIT).round() / UNIT)
        for module in self.modules():
            if isinstance(module, Integer):
                module.freeze()

    def walk(
        self, indexes: Sequence[Tensor], plane: int, last: int, begun: Tensor | None = None
    ) -> Generator[Pass, Tensor, None]:
        """The passes of a plane over scales 0…`last`; each is answered by what the plane's first part tells of it.

        `indexes` are those of the threshold before, a scale each; the answer (B, n, h, w) has those of this plane where
        they are told, and twice those of before elsewhere. `begun` (B, scales), if given, is 0 for pictures in which a
        scale has not begun. No answer follows the last pass.
        """
        seen = self._features(indexes, plane, last, begun)
        known = None
        for scale in range(last + 1):
            features = seen[scale]
            if known is not None:
                up = F.pixel_shuffle(self.up(rectified(known)), 2)
                features = saturated(features + up[..., : features.shape[-2], : features.shape[-1]])
            features = self.now(features)
            for phase, part in enumerate(self.phases):
                told = yield Pass(scale, phase, part.logits(features, scale == 0))  # pyright: ignore[reportCallIssue]
                if scale == last and phase == len(PHASES) - 1:
                    return
                features = part.learn(features, told, self.descriptor, scale == 0)  # pyright: ignore[reportCallIssue]
            known = features if begun is None else features * begun[:, scale].view(-1, 1, 1, 1)

    def _features(self, indexes: Sequence[Tensor], plane: int, last: int, begun: Tensor | None) -> list[Tensor]:
        """E of every scale up to `last`: what the planes before told."""
        out: list[Tensor] = []
        for scale in range(last, -1, -1):
            where = (self.where[scale, plane] * UNIT).view(1, -1, 1, 1)
            more = straight(where, where.round())
            k = indexes[scale]
            if scale == 0:
                more = more + self.look_ll(self.descriptor(k[:, 4 * BANDS :]))
            if out:
                finer = rectified(out[-1])
                more = more + self.down(F.pad(finer, (0, finer.shape[-1] % 2, 0, finer.shape[-2] % 2)))
            features = self.before(saturated(self.look(self.descriptor(k[:, : 4 * BANDS]), more)))
            out.append(features if begun is None else features * begun[:, scale].view(-1, 1, 1, 1))
        return out[::-1]


def pack(bands: Sequence[Tensor]) -> list[Tensor]:
    """[LL, scales…] (B, C, h, w) → the five arrays of the state, (B, 4·C, ⌈h/2⌉, ⌈w/2⌉), LL behind the coarsest scale."""
    packed = [F.pixel_unshuffle(F.pad(band, (0, band.shape[-1] % 2, 0, band.shape[-2] % 2)), 2) for band in bands]
    return [torch.cat([packed[1], packed[0]], 1), *packed[2:]]


def unpack(state: Sequence[Tensor], sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """The inverse of `pack` for subbands of these sizes (`wavelet.sizes`)."""
    arrays = [state[0][:, 4 * BANDS :], state[0][:, : 4 * BANDS], *state[1:]]
    return [F.pixel_shuffle(array, 2)[..., :h, :w] for array, (h, w) in zip(arrays, [sizes[0], *sizes], strict=True)]


def of_phase(packed: Tensor, phase: int) -> Tensor:
    """What a phase takes of an array of the state: (B, 4n, h, w) → (B, 2n, h, w)."""
    b, channels, h, w = packed.shape
    return packed.view(b, channels // 4, 4, h, w)[:, :, PHASES[phase]].flatten(1, 2)


def set_phase(packed: Tensor, phase: int, values: Tensor) -> None:
    """Write what `of_phase` gives back into the array, in place."""
    b, channels, h, w = packed.shape
    packed.view(b, channels // 4, 4, h, w)[:, :, PHASES[phase]] = values.view(b, channels // 4, 2, h, w)


def begun(now: Sequence[Tensor]) -> Tensor:
    """(B, scales): 1 where a scale, or a finer one, has anything significant at this plane."""
    some = torch.stack([k.abs().amax((1, 2, 3)) > 0 for k in now], 1).float()
    return some.flip(1).cummax(1).values.flip(1)
