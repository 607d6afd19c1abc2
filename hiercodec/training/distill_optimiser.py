"""The optimiser of a distillation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix updates are orthogonalised (Jordan et al. 2024); vectors and depthwise filters take Adam.

    `parts` are modules, each with a
    factor on both learning rates: `lr` of matrices (every update has singular values near `lr`), `lr_vectors` of the rest.
    """

    def __init__(
        self, parts: list[tuple[nn.Module, float]], *, lr: float, lr_vectors: float, weight_decay: float
    ) -> None:
        groups = []
        for module, scale in parts:
            params = list(module.parameters())
            matrices = [p for p in params if p.ndim > 1 and p[0].numel() > 9]
            rest = [p for p in params if p.ndim <= 1 or p[0].numel() <= 9]
            groups.append({"params": matrices, "base": lr * scale, "matrix": True})
            groups.append({"params": rest, "base": lr_vectors * scale, "matrix": False})
        super().__init__(groups, {"decay": weight_decay})

    @torch.no_grad()
    def step(self, factor: float) -> None:  # type: ignore[override]
        """One update at `factor` times the base learning rates."""
        for group in self.param_groups:
            lr = group["base"] * factor
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(m=torch.zeros_like(p), v=torch.zeros_like(p), t=torch.zeros(()))
                state["t"] += 1
                t = int(state["t"])
                state["m"].lerp_(p.grad, 0.05 if group["matrix"] else 0.1)
                if group["matrix"]:
                    g = p.grad.lerp(state["m"], 0.95).flatten(1)
                    blocks = g.split(160) if min(g.shape) > 160 else (g,)  # large ones by rows: far cheaper
                    update = torch.cat([orthogonalise(b) for b in blocks]).view_as(p)
                    update = update * math.sqrt(max(1.0, p.shape[0] / p[0].numel()))
                else:
                    state["v"].lerp_(p.grad.square(), 0.01)
                    update = (state["m"] / (1 - 0.9**t)) / ((state["v"] / (1 - 0.99**t)).sqrt() + 1e-8)
                if p.ndim > 1:
                    p.mul_(1 - lr * group["decay"])
                p.sub_(update, alpha=lr)


def orthogonalise(g: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly, by five Newton–Schulz steps."""
    wide = g.shape[0] <= g.shape[1]
    x = g if wide else g.T
    if g.is_cuda:
        x = x.bfloat16()  # a CPU without bfloat16 instructions takes four times as long with it
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x if wide else x.T).float()
