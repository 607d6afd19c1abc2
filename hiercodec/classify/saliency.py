"""Where a classifier sees what it answers: class-activation maps, by torchcam (of the `app` extra).

An encoder may spend its bits by such a map (`Codec.encode`), and the app shows it beside where the bits went. Training takes
maps of whole batches whose forward pass it has already made, without torchcam: see `training.codec.frozen`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from hiercodec.classify.classifier import Classifier
from hiercodec.images import check_rgb

STRIDE = 16
"""Pixels a position of the map covers, each way: the codec's latent grid."""

LONGEST = 4
"""The longest side looked at, in input sizes of the classifier; a longer picture is squeezed to it."""


@torch.enable_grad()
def saliency(classifier: Classifier, rgb: np.ndarray, classes: Sequence[int] = ()) -> np.ndarray:
    """Where `classifier` sees `classes` together (none: its own answer) in uint8 RGB (H, W, 3): float64 (⌈H/16⌉, ⌈W/16⌉).

    Grad-CAM (Selvaraju et al., arXiv 1610.02391) of the log of the classes' summed mass before normalisation; for one class
    and a linear layer after pooling that is the class-activation map of Zhou et al. (arXiv 1512.04150). 0…1, 1 at the peak;
    what is seen nowhere prefers no place: 1 everywhere. The whole picture is looked at, its short side at the classifier's
    size. `TypeError` for a classifier without feature maps. One call at a time: it puts hooks on the network.
    """
    from torchcam.methods import GradCAM

    logging.getLogger("torchcam").setLevel(logging.ERROR)  # it warns that it chose the last layer with maps: as we want
    height, width = check_rgb(rgb).shape[:2]
    x = _whole(classifier, rgb).requires_grad_()  # the weights are frozen, so that the gradient needs a leaf of its own
    try:
        extractor = GradCAM(classifier.module, input_shape=tuple(x.shape[1:]))
    except (ValueError, TypeError, StopIteration):
        raise TypeError(f"{classifier.name} has no class-activation map: no layer of it gives feature maps") from None
    with extractor:
        logits = classifier.module(x)
        chosen = list(classes) or [int(logits.argmax())]
        (activation,) = extractor(0, logits[:, chosen].logsumexp(1, keepdim=True), normalized=False)
    maps = F.interpolate(activation[None].float(), (-(-height // STRIDE), -(-width // STRIDE)), mode="bilinear")[0, 0]
    peak = maps.max()
    return (maps / peak if peak > 0 else torch.ones_like(maps)).double().cpu().numpy()


def _whole(classifier: Classifier, rgb: np.ndarray) -> torch.Tensor:
    """The whole picture as the classifier's input (1, 3, h, w), its short side at the classifier's size."""
    own, (height, width) = classifier.preprocess, rgb.shape[:2]
    scale = min(own.sides) / min(height, width)
    size = [min(LONGEST * min(own.sides), max(1, round(side * scale))) for side in (width, height)]
    picture = np.asarray(Image.fromarray(rgb).resize((size[0], size[1]), own.resampling), np.float32)
    x = (picture / 255 - np.asarray(own.mean, np.float32)) / np.asarray(own.std, np.float32)
    return torch.from_numpy(x).to(classifier.device).permute(2, 0, 1)[None].contiguous()
