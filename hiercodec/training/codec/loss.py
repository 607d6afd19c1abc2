"""Eq. 2: Σ_k [ R_k + λ_k·255²·w_k·MSE_k + γ_k·CE_k ].

R_k is the rate of the whole prefix up to level k in bpp: z and every block ≤ k, each counted once, with the parameters
that code it. CE_k is the cross-entropy between the target's and the picture's probability mass over the K_k groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hiercodec.training.codec.frozen import Frozen, View


@dataclass(frozen=True, slots=True)
class LossWeights:
    """λ, w, γ and rate weights, one a level; `smoothing` is label smoothing over the groups of a level.

    `features` weighs, beside each γ_k·CE_k, the distance of the frozen classifier's features (not in the paper): the
    same goal with a target at every position, so a gradient with far less noise in small batches. `limit`, one a level,
    bounds what both may pull at each picture, as a multiple of its distortion gradient: unbounded, at batch 5, their
    noise pushed PSNR down by 2.5 dB in 240 steps without moving the cross-entropy. `ladder[k][i]` weighs the cross-entropy
    over level i's groups at prefix k, inside γ_k (default: a prefix is judged at its own level alone, as in the paper).
    `chroma` weighs the colour part of the squared error (1: the plain MSE): at 0.6 bpp it is a tenth of the error and a
    quarter to a third of what classifiers lose.
    """

    lmbda: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    w: tuple[float, ...] = (0.33, 0.67, 1.0)
    gamma: tuple[float, ...] = (0.5, 1.0, 2.0)
    rate: tuple[float, ...] = (1.0, 1.0, 1.0)
    smoothing: float = 0.1
    features: float = 0.0
    limit: tuple[float, ...] = (1.0, 1.0, 1.0)
    ladder: tuple[tuple[float, ...], ...] = ()
    chroma: float = 1.0


def prefix_rates(likelihoods: dict, pixels: int) -> Tensor:
    """R_k in bpp for every level, (L,): z plus blocks ≤ k, averaged over the batch; `pixels` counts the whole batch."""
    z = -torch.log2(likelihoods["z"]).sum()
    blocks = torch.stack([-torch.log2(block).sum() for block in likelihoods["y"]])
    return (z + blocks.cumsum(0)) / pixels


def squared_error(error: Tensor, chroma: float) -> tuple[Tensor, Tensor]:
    """MSE of errors (N, B, 3, H, W) in 0…1 on the scale of 0…255², (N,); and the same with colour weighed by `chroma`.

    The part along grey and the part across it are orthogonal, so that with 1 both are the MSE.
    """
    mse = error.pow(2).mean((1, 2, 3, 4)) * 255**2
    colour = (error - error.mean(2, keepdim=True)).pow(2).mean((1, 2, 3, 4)) * 255**2
    return mse, mse + (chroma - 1) * colour


def squared_error_gradient(error: Tensor, chroma: float) -> Tensor:
    """The gradient of what `squared_error` weighs, at one picture batch's errors (B, 3, H, W) in 0…1; shape as theirs."""
    colour = error - error.mean(1, keepdim=True)
    return 2 * 255**2 / error.numel() * (error + (chroma - 1) * colour)


def group_mass(probabilities: Tensor, assignment: Tensor, k: int) -> Tensor:
    """Sum class probabilities (B, 1000) over groups, `assignment` (1000,) in 0…k-1 → (B, k)."""
    return torch.zeros(len(probabilities), k, device=probabilities.device).index_add(1, assignment, probabilities)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What one view shows of the originals: target mass per level, (B, K_k) each, and feature maps."""

    targets: list[Tensor]
    maps: list[Tensor]


class SemanticLoss(nn.Module):
    """How far frozen classifiers see reconstructions from originals: cross-entropy at every level, and features.

    The target is the true class where there is a label (≥ 0), smoothed over the level's groups, and the classifier's own
    distribution on the original elsewhere.
    """

    def __init__(self, classifiers: list[Frozen], assignments: list[tuple[int, Tensor]], smoothing: float) -> None:
        super().__init__()
        self.classifiers = classifiers
        self._registered = nn.ModuleList(classifiers)  # so that `to` and `train` reach them
        self.ks = [k for k, _ in assignments]
        for i, (_, assignment) in enumerate(assignments):
            self.register_buffer(f"assignment_{i}", assignment.long())
        self.smoothing = smoothing

    @torch.no_grad()
    def reference(self, x: Tensor, labels: Tensor, view: View) -> Reference:
        """What `view` shows of originals x (B, 3, H, W in 0…1) with labels (B,), -1 where there is none."""
        logits, maps = self.classifiers[view.classifier](view(x))
        known = labels >= 0
        p = logits.softmax(1)
        p[known] = 0.0
        p[known, labels[known]] = 1.0
        targets = []
        for i, k in enumerate(self.ks):
            mass = group_mass(p, getattr(self, f"assignment_{i}"), k)
            smooth = (1 - self.smoothing) * mass + self.smoothing / k
            targets.append(torch.where(known[:, None], smooth, mass))
        return Reference(targets, maps)

    def forward(self, x_hat: Tensor, reference: Reference, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """Of reconstructions (B, 3, H, W): CE per level in nats (L,), share of winners equal to the target's (L,),
        and feature distance, the relative squared error averaged over maps and pictures."""
        logits, maps = self.classifiers[view.classifier](view(x_hat))
        p = logits.softmax(1)
        ce, hits = [], []
        for i, (k, target) in enumerate(zip(self.ks, reference.targets, strict=True)):
            mass = group_mass(p, getattr(self, f"assignment_{i}"), k)
            ce.append(-(target * mass.clamp_min(1e-7).log()).sum(1).mean())
            hits.append((mass.argmax(1) == target.argmax(1)).float().mean())
        distance = torch.stack([_relative(a, b) for a, b in zip(maps, reference.maps, strict=True)]).mean()
        return torch.stack(ce), torch.stack(hits), distance


def _relative(mine: Tensor, theirs: Tensor) -> Tensor:
    """‖mine − theirs‖² / ‖theirs‖² of each picture, averaged."""
    error = (mine - theirs).float().pow(2).flatten(1).sum(1)
    return (error / theirs.float().pow(2).flatten(1).sum(1).clamp_min(1e-6)).mean()


def bounded_pull(semantic: Tensor, x_hat: Tensor, pull: Tensor, limit: float) -> Tensor:
    """Gradient of a scalar `semantic` at the leaf x_hat (B, 3, H, W), each picture's at most limit·‖pull‖ long.

    `pull` (B, 3, H, W) is the distortion's gradient there.
    """
    (gradient,) = torch.autograd.grad(semantic, x_hat)
    norm, bound = gradient.flatten(1).norm(dim=1), limit * pull.flatten(1).norm(dim=1)
    return gradient * (bound / norm.clamp_min(1e-12)).clamp_max(1.0).view(-1, 1, 1, 1)
