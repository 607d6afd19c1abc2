"""Tasks whose answer is boxes, a map of classes, or the picture itself: torchvision's models by name, and LPIPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hiercodec.classify.loading import read_weights
from hiercodec.device import resolve
from hiercodec.errors import InputError, first_line
from hiercodec.tasks.scores import Boxes, average_precision, mean_iou

SURE = 0.5
"""A detection on the original counts from this score on; on other pictures all count, as AP asks for."""


def _network(kind: str, rest: str) -> tuple[nn.Module, Any, dict[str, Any]]:
    """(network, torchvision's weights entry, provenance) of NAME or NAME@FILE.safetensors; `InputError`."""
    from torchvision import models

    name, _, path = rest.partition("@")
    known = models.list_models(module=getattr(models, kind))
    if name not in known:
        raise InputError(f"torchvision has no {kind} model {name[:60]!r}; there are {', '.join(known)}")
    entry = models.get_model_weights(name).DEFAULT  # pyright: ignore[reportAttributeAccessIssue] (an Enum made by name)
    try:
        if path:
            network = models.get_model(
                name, weights=None, weights_backbone=None, num_classes=len(entry.meta["categories"])
            )
            tensors, sha256 = read_weights(Path(path))
            network.load_state_dict(tensors)
            return network.eval(), entry, {"model": name, "weights": sha256}
        network = models.get_model(name, weights=entry)
        return network.eval(), entry, {"model": name, "weights": str(entry), "url": entry.url}
    except OSError as error:  # URLError is one
        raise InputError(f"{name}: its weights are not on this machine and cannot be fetched ({error})") from None
    except RuntimeError as error:
        raise InputError(f"{path or name} does not fit {name}: {first_line(error)}") from None


def _tensor(picture: np.ndarray) -> torch.Tensor:
    """float32 (3, H, W) in 0…1."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float() / 255


class Detection:
    """Things and their boxes, by a detector of torchvision; the score is COCO's AP against the boxes on the original.

    It is the AP of each picture by itself, to be averaged over pictures, not one AP over a whole data set.
    """

    title = "AP of the boxes against those on the original"

    def __init__(self, rest: str, *_: object) -> None:
        self.network, entry, self.provenance = _network("detection", rest)
        self._place = resolve()
        self.network.to(self._place)
        self.categories = entry.meta["categories"]

    @torch.inference_mode()
    def answers(self, pictures: Sequence[np.ndarray]) -> list[Boxes]:
        """See `Task`."""
        detected = [self.network([_tensor(picture).to(self._place)])[0] for picture in pictures]
        return [Boxes(*(one[key].cpu().numpy() for key in ("boxes", "labels", "scores"))) for one in detected]

    def score(self, answer: Boxes, reference: Boxes) -> float:
        """See `Task`; NaN where nothing is found on the original."""
        return average_precision(answer, reference.where(reference.scores >= SURE))

    def words(self, answer: Boxes) -> list[tuple[str, float]]:
        """See `Task`: what is found with some sureness."""
        sure = answer.where(answer.scores >= SURE)
        return [(self.categories[i], float(p)) for i, p in zip(sure.classes, sure.scores, strict=True)]


class Segmentation:
    """The class of every pixel, by a segmenter of torchvision; the score is the mean IoU with the map of the original."""

    title = "mean IoU of the areas with those on the original"

    def __init__(self, rest: str, *_: object) -> None:
        self.network, entry, self.provenance = _network("segmentation", rest)
        self._place = resolve()
        self.network.to(self._place)
        self.categories, self.preprocess = entry.meta["categories"], entry.transforms()

    @torch.inference_mode()
    def answers(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """See `Task`: maps int[h, w] at the size that the network looks at."""
        seen = (self.preprocess(_tensor(picture))[None].to(self._place) for picture in pictures)
        return [self.network(picture)["out"][0].argmax(0).cpu().numpy() for picture in seen]

    def score(self, answer: np.ndarray, reference: np.ndarray) -> float:
        """See `Task`."""
        return mean_iou(answer, reference)

    def words(self, answer: np.ndarray) -> list[tuple[str, float]]:
        """See `Task`: the share of the picture that each class covers, largest first."""
        kinds, counts = np.unique(answer, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(self.categories[kinds[i]].strip("_"), float(counts[i] / answer.size)) for i in order]


class Perceptual:
    """How a picture looks: LPIPS (Zhang et al., arXiv 1801.03924) by torchmetrics; the score is 1 − LPIPS."""

    title = "1 − LPIPS: how alike the two pictures look"

    def __init__(self, rest: str, *_: object) -> None:
        if rest not in ("alex", "vgg", "squeeze"):
            raise InputError(f"LPIPS has the networks alex, vgg and squeeze, not {rest[:40]!r}")
        try:
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
        except ImportError as error:
            raise InputError(f"LPIPS needs {error.name}, which is not installed: pip install torchmetrics") from None
        try:
            self.network = LearnedPerceptualImagePatchSimilarity(rest, normalize=True)  # pyright: ignore[reportArgumentType]
        except OSError as error:
            raise InputError(
                f"lpips:{rest}: its weights are not on this machine and cannot be fetched ({error})"
            ) from None
        self._place = resolve()
        self.network.to(self._place)
        self.provenance = {"network": rest}

    def answers(self, pictures: Sequence[np.ndarray]) -> list[torch.Tensor]:
        """See `Task`: the pictures themselves."""
        return [_tensor(picture)[None].to(self._place) for picture in pictures]

    @torch.inference_mode()
    def score(self, answer: torch.Tensor, reference: torch.Tensor) -> float:
        """See `Task`."""
        return max(0.0, 1 - float(self.network(answer, reference)))

    def words(self, answer: torch.Tensor) -> list[tuple[str, float]]:
        """See `Task`: there is nothing to say of one picture alone."""
        return []
