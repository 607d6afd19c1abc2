"""The last layer of a distilled student in closed form: ridge regression from its own features to the teacher's logits.

Gradient descent leaves the last layer behind the features that it sees; with the features fixed, its best value is one
linear solve away. The strength of the ridge and a final temperature are chosen on pictures that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from hiercodec.classify.network import Net

RIDGES = (1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)
SCALES = (0.7, 0.85, 1.0, 1.2, 1.4, 1.7)


@torch.inference_mode()
def hidden(net: Net, x: Tensor) -> Tensor:
    """The student's pooled features before its last layer, [n, head]."""
    for stage in net.stages:
        x = stage(x)
    return F.relu(net.head.hidden(x)).float().mean((2, 3))


@torch.inference_mode()
def refit(
    net: Net,
    teacher: Callable[[Tensor], Tensor],
    batches: Iterable[Tensor],
    held: Iterable[Tensor],
) -> dict[str, float]:
    """Replace the last layer's weights if that lowers the divergence on `held`; returns what was tried and chosen.

    batches, held: normalised pictures [n, 3, H, W]; teacher: pictures → logits [n, classes].
    """
    gram, cross, count = torch.zeros(()), torch.zeros(()), 0
    for x in batches:
        h, goal = _with_one(hidden(net, x)), teacher(x).double()
        gram, cross, count = gram + h.T @ h, cross + h.T @ (goal - goal.mean(1, keepdim=True)), count + len(x)
    pairs = [(_with_one(hidden(net, x)), teacher(x).float()) for x in held]
    features, goal = (torch.cat(part) for part in zip(*pairs, strict=True))
    layer = net.head.logits
    before = _divergence(features @ torch.cat([layer.weight, layer.bias[:, None]], 1).T.double(), goal)
    best, chosen = (before, None), {}
    scale = gram.diagonal()[:-1].mean()  # ridges are shares of the mean square of a feature
    penalty = torch.full((len(gram),), 1.0, dtype=gram.dtype) * scale
    penalty[-1] = 0.0
    for ridge in RIDGES:
        weight = torch.linalg.solve(gram + torch.diag(ridge * penalty), cross).T
        for factor in SCALES:
            value = _divergence(features @ (factor * weight).T, goal)
            if value < best[0]:
                best, chosen = (value, factor * weight), {"ridge": ridge, "factor": factor}
    if best[1] is not None:
        layer.weight.copy_(best[1][:, :-1])
        layer.bias.copy_(best[1][:, -1])
    return {"pictures": count, "held_kl_before": round(before, 4), "held_kl": round(best[0], 4), **chosen}


def _with_one(h: Tensor) -> Tensor:
    return torch.cat([h, h.new_ones(len(h), 1)], 1).double()


def _divergence(logits: Tensor, goal: Tensor) -> float:
    p, q = goal.log_softmax(-1), logits.float().log_softmax(-1)
    return F.kl_div(q, p, log_target=True, reduction="batchmean").item()
