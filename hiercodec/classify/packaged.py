"""EfficientNet-Lite0 and Lite2 from the packages that carry their weights.

The weights are a pickled state dict. They are unpickled here and nowhere else in the project, from bytes whose SHA-256 is
pinned and with `weights_only=True`.
"""

from __future__ import annotations

import hashlib
import io

import torch

from hiercodec.classify.catalog import PACKAGED, Packaged, card_of
from hiercodec.classify.classifier import Classifier
from hiercodec.errors import ClassifierNotFound


def load_packaged(name: str) -> Classifier:
    """The packaged classifier `name`, at the temperature of its card.

    `ClassifierNotFound` where the weights are not installed or are not the pinned ones.
    """
    import timm

    known = PACKAGED[name]
    tensors = _state_dict(name, known)
    module = timm.create_model(known.architecture)
    try:
        module.load_state_dict(dict(zip(module.state_dict(), tensors.values(), strict=True)))
    except (RuntimeError, ValueError) as error:
        raise ClassifierNotFound(f"{name}: this timm's {known.architecture} differs: {_first_line(error)}") from None
    card = card_of(name)
    return Classifier(
        name,
        module.to(memory_format=torch.channels_last),
        known.preprocess,
        known.sha256,
        card,
        temperature=card.get("temperature", 1.0),
    )


def _state_dict(name: str, known: Packaged) -> dict[str, torch.Tensor]:
    path = known.path()
    if path is None:
        raise ClassifierNotFound(f"the weights of {name} are not installed: {known.install}")
    data = path.read_bytes()  # hashed and unpickled from memory, so that both see the same bytes
    if (found := hashlib.sha256(data).hexdigest()) != known.sha256:
        raise ClassifierNotFound(
            f"{path.name} is not the file that {name} needs (SHA-256 {found[:12]}…, not {known.sha256[:12]}…): "
            f"{known.install} --force-reinstall --no-deps"
        )
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
