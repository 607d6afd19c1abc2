"""Eq. 2: Σ_k [ R_k + λ_k·255²·w_k·MSE_k + γ_k·CE_k ].

R_k is the rate of the whole prefix up to level k in bpp: z and every block ≤ k, each counted once, with the parameters
that code it. CE_k is the cross-entropy between the target's and the picture's probability mass over the K_k groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class LossWeights:
    """λ, w, γ and rate weights, one a level; `smoothing` is label smoothing over the groups of a level."""

    lmbda: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    w: tuple[float, ...] = (0.33, 0.67, 1.0)
    gamma: tuple[float, ...] = (0.5, 1.0, 2.0)
    rate: tuple[float, ...] = (1.0, 1.0, 1.0)
    smoothing: float = 0.1


def prefix_rates(likelihoods: dict, pixels: int) -> Tensor:
    """R_k in bpp for every level, (L,): z plus blocks ≤ k, averaged over the batch; `pixels` counts the whole batch."""
    z = -torch.log2(likelihoods["z"]).sum()
    blocks = torch.stack([-torch.log2(block).sum() for block in likelihoods["y"]])
    return (z + blocks.cumsum(0)) / pixels


def group_mass(probabilities: Tensor, assignment: Tensor, k: int) -> Tensor:
    """Sum class probabilities (B, 1000) over groups, `assignment` (1000,) in 0…k-1 → (B, k)."""
    return torch.zeros(len(probabilities), k, device=probabilities.device).index_add(1, assignment, probabilities)


class SemanticLoss(nn.Module):
    """CE_k of a frozen classifier on reconstructions, at every level of a hierarchy.

    The target is the true class where there is a label (≥ 0), smoothed over the level's groups, and the classifier's own
    distribution on the original elsewhere.
    """

    def __init__(self, module: nn.Module, mean, std, assignments: list[tuple[int, Tensor]], smoothing: float) -> None:
        super().__init__()
        self.module = module.eval().requires_grad_(False)
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32).view(1, 3, 1, 1))
        self.ks = [k for k, _ in assignments]
        for i, (_, assignment) in enumerate(assignments):
            self.register_buffer(f"assignment_{i}", assignment.long())
        self.smoothing = smoothing

    def train(self, mode: bool = True) -> SemanticLoss:
        """The classifier stays frozen in evaluation mode."""
        super().train(mode)
        self.module.eval()
        return self

    def probabilities(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in 0…1 → (B, 1000)."""
        return self.module((x.clamp(0, 1) - self.mean) / self.std).float().softmax(1)

    @torch.no_grad()
    def targets(self, x: Tensor, labels: Tensor) -> list[Tensor]:
        """Target mass per level, (B, K_k) each, from originals x and labels (B,), -1 where there is none."""
        known = labels >= 0
        p = torch.zeros(len(x), self.assignment_0.numel(), device=x.device)
        if (~known).any():
            p[~known] = self.probabilities(x[~known])
        p[known, labels[known]] = 1.0
        out = []
        for i, k in enumerate(self.ks):
            mass = group_mass(p, getattr(self, f"assignment_{i}"), k)
            smooth = (1 - self.smoothing) * mass + self.smoothing / k
            out.append(torch.where(known[:, None], smooth, mass))
        return out

    def forward(self, x_hat: Tensor, target: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """(CE_k in nats, share of winners equal to the target's) of reconstructions x_hat at one level."""
        mass = group_mass(self.probabilities(x_hat), getattr(self, f"assignment_{level}"), self.ks[level])
        ce = -(target * mass.clamp_min(1e-7).log()).sum(1).mean()
        return ce, (mass.argmax(1) == target.argmax(1)).float().mean()
