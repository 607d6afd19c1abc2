"""What a classifier makes of a picture on the way to its answer, for an encoder that shall not lose it."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from hiercodec.classify.classifier import Classifier
from hiercodec.errors import InputError

STAGES = (1, 2, 3, 4)
"""Which of timm's feature maps: strides 4, 8, 16 and 32."""


def feature_maps(classifier: Classifier) -> Callable[[Tensor], list[Tensor]]:
    """A function of a picture (1, 3, H, W) in 0…1 that gives the classifier's feature maps of the whole of it.

    Differentiable; the short side is brought to the classifier's size. `InputError` for a network without timm's
    `forward_intermediates`.
    """
    if not hasattr(getattr(classifier, "module", None), "forward_intermediates"):
        raise InputError(f"{classifier.name} shows no feature maps: it is no network of timm's")
    module, own = classifier.module, classifier.preprocess
    mean, std = (torch.tensor(v, device=classifier.device).view(1, 3, 1, 1) for v in (own.mean, own.std))

    def maps(picture: Tensor) -> list[Tensor]:
        height, width = picture.shape[-2:]
        scale = min(own.sides) / min(height, width)
        size = (round(height * scale), round(width * scale))
        x = picture.to(classifier.device)
        if size != (height, width):
            x = F.interpolate(x, size, mode="bilinear", antialias=True)
        x = ((x - mean) / std).contiguous(memory_format=torch.channels_last)
        return module.forward_intermediates(x, indices=list(STAGES), intermediates_only=True)  # pyright: ignore

    return maps
