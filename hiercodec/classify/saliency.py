"""Where a classifier sees a picture's class: what an encoder may spend its bits by (`Codec.encode`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import INTERPOLATIONS
from hiercodec.images import check_rgb

STRIDE = 16
"""Pixels a position of the map covers, each way: the codec's latent grid."""

LONGEST = 4
"""The longest side looked at, in input sizes of the classifier; a longer picture is squeezed to it."""


def activation_map(features: Tensor, weights: Tensor, grid: tuple[int, int]) -> Tensor:
    """Class-activation maps (Zhou et al., arXiv 1512.04150) in 0…1: (B, 1, *grid), 1 at the peak.

    features (B, C, h, w) are what is pooled before the last linear layer, weights (B, C) that layer's row for each picture's
    class. A class that is seen nowhere prefers no place: 1 everywhere.
    """
    maps = torch.einsum("bchw,bc->bhw", features.float(), weights.float())[:, None].relu()
    maps = F.interpolate(maps, grid, mode="bilinear", align_corners=False)
    peak = maps.amax((2, 3), keepdim=True)
    return torch.where(peak > 0, maps / peak.clamp_min(1e-6), 1.0)


@torch.inference_mode()
def saliency(classifier: Classifier, rgb: np.ndarray) -> np.ndarray:
    """Where `classifier` sees its own answer in uint8 RGB (H, W, 3): float64 (⌈H/16⌉, ⌈W/16⌉) in 0…1.

    The whole picture is looked at, its short side at the classifier's size. `TypeError` for a classifier that is not a timm
    convolutional network with one linear layer after its pooling.
    """
    height, width = check_rgb(rgb).shape[:2]
    own = classifier.preprocess
    module: Any = classifier.module  # timm's networks have more methods than nn.Module says
    head = module.get_classifier() if hasattr(module, "get_classifier") else None
    if not isinstance(head, torch.nn.Linear):
        raise TypeError(f"{classifier.name} has no class-activation map: it does not end in pooling and a linear layer")
    scale = own.size / min(height, width)
    size = [min(LONGEST * own.size, max(1, round(side * scale))) for side in (width, height)]
    picture = np.asarray(Image.fromarray(rgb).resize((size[0], size[1]), INTERPOLATIONS[own.interpolation]), np.float32)
    x = (picture / 255 - np.asarray(own.mean, np.float32)) / np.asarray(own.std, np.float32)
    features = module.forward_features(torch.from_numpy(x).to(classifier.device).permute(2, 0, 1)[None])
    winner = module.forward_head(features).argmax(1)
    grid = (-(-height // STRIDE), -(-width // STRIDE))
    return activation_map(features, head.weight[winner], grid)[0, 0].double().cpu().numpy()
