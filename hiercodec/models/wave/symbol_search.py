"""What an encoder of planes may try beyond thresholds: significances and refinements told otherwise where that costs least.

Planes take turns, coarse first. With the planes before settled, every coefficient of a plane has two indexes to choose from:
becoming significant or not, the upper half of its interval or the lower one. With s = 1 for the larger of both,

    J(s) = |F(x̂(s)) − F(x)|² + price · bits(s) + future · Σ (what c lies outside of its interval)²

F is pixels and whatever else is to survive; bits are read off the context network's answers for the plain plane. The last
term is what no finer plane mends. J is made smooth by s = σ(θ / τ), where θ begins as c's distance from the boundary in
thresholds, and descended by Adam (Kingma and Ba, arXiv 1412.6980) while τ falls; then s is rounded, and what is not better
than the plain plane is taken back. No random number, and no change of format: any decoder reads the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from hiercodec.models.common import Keep
from hiercodec.models.wave import wavelet
from hiercodec.models.wave.context import LOGIT, begun, pack, set_phase, unpack
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.models.wave.planes import known_passes

REACH = 0.5
"""How far from the boundary a coefficient may be and still be told otherwise, in thresholds."""

RATE, MOMENTA = 0.08, (0.8, 0.95)
"""Adam's step, in thresholds, and its two momenta."""

SOFT, HARD = 0.3, 0.08
"""τ at the first and at the last step, in thresholds."""

PRICE = 0.6
"""What a bit may cost in squared error (of pixels in 0…255, summed), in squares of the plane's threshold."""

FUTURE = 20.0
"""What a squared error counts that no finer plane mends, against one of this plane: theirs are to be smaller.

On 16 training photographs of 224×224, steered by MobileNetV2 and V1 (weight .003), 6 steps a plane, against the plain planes
at equal bits where kinds (0.09 bpp) and families (0.2 bpp) end: 6 gave −.18 and −.36 dB, +1.57 and +.27 bits of meaning at
the level of classes by lite2, +1.49 and +.22 by lite0; 20 −.05 and −.16 dB, +1.40 and +.14, +1.54 and +.32. At the end of
the file 6 costs 1.5 dB, 20 costs 1.0.
"""

WIDEST = 192.0
"""The first threshold whose plane is searched; planes before hold a few coefficients, the finest is told as it is."""


@torch.inference_mode(False)
@torch.no_grad()
def search(network: WaveNetwork, x: Tensor, steps: int, keep: Keep | None = None) -> list[Tensor]:
    """Signed indexes at the finest threshold, five arrays of the state (1, C, h, w), for a picture x (1, 3, H, W) in 0…1.

    Half of `steps`, rounded up, a plane (there are four of them, and a channel model has three blocks); `keep` says what is
    to survive besides pixels.
    """
    preset = network.preset
    coefficients = [array.cpu() for array in pack(network.analyse(x * 255))]
    kept = [] if keep is None else keep.of(x)
    indexes = [torch.zeros_like(array) for array in coefficients]
    for plane in range(preset.planes):
        turn = _Plane(network, coefficients, indexes, plane)
        searched = preset.threshold(plane) <= WIDEST and plane < preset.planes - 1
        indexes = turn.improved(x, -(-steps // 2), keep, kept) if searched else turn.plain
    return indexes


class _Plane:
    """One plane of a picture, with all planes before it settled: both indexes that every coefficient may have, and bits."""

    def __init__(
        self, network: WaveNetwork, coefficients: Sequence[Tensor], before: Sequence[Tensor], plane: int
    ) -> None:
        self._network, self._step = network, network.preset.threshold(plane)
        self._before, self._plane = before, plane
        self._signs = [torch.where(b != 0, b, c).sign() for b, c in zip(before, coefficients, strict=True)]
        self._large = [torch.where(b != 0, 2 * b.abs() + 1, 1.0) for b in before]  # the larger index, without its sign
        # θ: how far a coefficient lies above the boundary between both
        self._above = [
            c * sign / self._step - large for c, sign, large in zip(coefficients, self._signs, self._large, strict=True)
        ]
        self.plain = self._chosen([above >= 0 for above in self._above])
        points = torch.tensor(network.preset.table)
        larger, smaller = (
            [torch.where(k > 0, k + points[k.clamp_max(4).long()], 0.0) * self._step for k in sizes]
            for sizes in (self._large, [large - 1 for large in self._large])
        )
        self._values = [
            (low, high - low) for low, high in zip(smaller, larger, strict=True)
        ]  # the smaller's; the step up

    def improved(self, x: Tensor, steps: int, keep: Keep | None, kept: Sequence[Tensor]) -> list[Tensor]:
        """Indexes that cost no more of J than the plain ones."""
        price = PRICE * self._step**2
        first = self._network.preset.threshold(self._network.plan.levels[0].stop - 1)
        weight = 0.0 if keep is None else keep.weight * 255**2 * (self._step / first) ** 2 * x.numel()
        fixed, extra = self._costs(price)

        def cost(shares: Sequence[Tensor]) -> Tensor:
            """J of shares s in 0…1 of the larger index."""
            x_hat = self._picture(shares, x)
            total = ((x_hat - x) * 255).square().sum()
            if keep is not None:
                lost = keep.differences(x_hat, kept, weight)
                total = total + torch.stack([change.square().sum().to(total) for change in lost]).sum()
            return total + fixed + torch.stack([(s * e).sum() for s, e in zip(shares, extra, strict=True)]).sum().to(x)

        plain = [(above >= 0).float() for above in self._above]
        open_ = [(above.abs() < REACH) & torch.isfinite(e) for above, e in zip(self._above, extra, strict=True)]
        extra = [torch.where(free, e, 0.0) for free, e in zip(open_, extra, strict=True)]
        moved = [above.clone().requires_grad_() for above in self._above]
        optimiser = torch.optim.Adam(moved, lr=RATE, betas=MOMENTA)
        plain_cost = cost(plain)

        def shares(tau: float) -> list[Tensor]:
            soft = [torch.sigmoid(m / tau) for m in moved] if tau else [(m >= 0).float() for m in moved]
            return [torch.where(free, s, p) for free, s, p in zip(open_, soft, plain, strict=True)]

        for step in range(steps):
            tau = SOFT * (HARD / SOFT) ** (step / max(1, steps - 1))
            optimiser.zero_grad()
            with torch.enable_grad():
                (cost(shares(tau)) / plain_cost).backward()
            optimiser.step()
        better = shares(0.0)
        return self._chosen([s > 0 for s in better]) if cost(better) < plain_cost else self.plain

    def _chosen(self, larger: Sequence[Tensor]) -> list[Tensor]:
        """Signed indexes, the larger one where `larger`."""
        return [
            sign * torch.where(up, large, large - 1)
            for sign, large, up in zip(self._signs, self._large, larger, strict=True)
        ]

    def _picture(self, shares: Sequence[Tensor], x: Tensor) -> Tensor:
        """x̂ where every coefficient lies between the values of both indexes."""
        values = [
            (sign * (low + share * step)).to(x)
            for share, sign, (low, step) in zip(shares, self._signs, self._values, strict=True)
        ]
        height, width = x.shape[-2:]
        reached = torch.tensor([math.log2(self._step)]).to(x)
        return self._network.synthesise(unpack(values, wavelet.sizes(height, width)), reached, height, width)

    def _costs(self, price: float) -> tuple[float, list[Tensor]]:
        """What the smaller indexes cost in all, and what the larger one costs more, by bits and by what is never mended.

        Infinite in scales that have not begun.
        """
        fixed, extra = 0.0, []
        logits = self._logits()
        for (significance, refinement, sign), b, s, above in zip(
            logits, self._before, self._signs, self._above, strict=True
        ):
            known = b != 0
            main = torch.where(known, refinement, significance)
            yes, no = F.softplus(-main), F.softplus(main)
            yes = yes + torch.where(known, 0.0, F.softplus(-sign * s))
            outside = FUTURE * (above * self._step).square()
            small = price * no / math.log(2) + torch.where(above >= 0, outside, 0.0)
            large = price * yes / math.log(2) + torch.where(above < 0, outside, 0.0)
            begun_here = torch.isfinite(main)
            fixed += float(torch.where(begun_here, small, 0.0).sum())
            extra.append(torch.where(begun_here, large - small, float("inf")))
        return fixed, extra

    def _logits(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Natural logits of significance, refinement and sign of all coefficients of the plain plane; NaN: not begun."""
        out = [torch.full((3, *k.shape), float("nan")) for k in self.plain]
        last = int(begun(self.plain).sum()) - 1
        if last >= 0:
            for step, _, _ in known_passes(self._network.context, self._before, self.plain, self._plane, last):
                for array, part in zip(out[step.scale], step.logits.chunk(3, 1), strict=True):
                    set_phase(array, step.phase, part.float() / LOGIT)
        return [(a[0], a[1], a[2]) for a in out]
