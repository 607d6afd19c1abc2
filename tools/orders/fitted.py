"""What the ordering rivals need beside a codec's own weights: small, fitted on training photographs, one file a model.

`python -m tools.fit_rivals` makes it; it names the weights it was fitted to and fits no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise
from torch import nn

from hiercodec.errors import ModelMismatch, ModelNotFound
from hiercodec.fsio import write_bytes

FOLDER = Path(__file__).parent
HIDDEN = 192


class Head(nn.Module):
    """P (B, C, h, w) → raw scales and means, (B, 2·channels, h, w), of a latent that is one block."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(width, HIDDEN, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(HIDDEN, HIDDEN, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(HIDDEN, 2 * channels, 1),
        )

    def forward(self, hyper):
        return self.net(hyper)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """`tensors` by name: the head's (`head.…`, half precision), `saliency` (C + 1,) float32, and the policies' integers.

    `card` says what it was fitted on, `sha256` names the content.
    """

    tensors: Mapping[str, np.ndarray]
    card: Mapping[str, Any]

    @property
    def policies(self) -> dict[str, np.ndarray]:
        """The integer arrays that policies read."""
        return {name: array.astype(np.int64) for name, array in self.tensors.items() if array.dtype == np.int16}


def path_of(model: str | Path) -> Path:
    """Where the fit for a model is: beside its weights, if a path is given; else among the shipped ones."""
    path = Path(model)
    return path.with_suffix(".rivals.safetensors") if path.suffix else FOLDER / f"{model}.safetensors"


def save(path: Path, fitted: Fitted) -> None:
    """Write a fit, its card in the file's metadata, whole or not at all; `OutputError` if the disk refuses."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, serialise(dict(fitted.tensors), metadata={"card": json.dumps(dict(fitted.card))}))


def load(path: Path, fingerprint: bytes) -> Fitted:
    """The fit for the model with this fingerprint; `ModelNotFound` or `ModelMismatch` say how to make one."""
    again = "`python -m tools.fit_rivals` makes one from training photographs"
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            card = json.loads((file.metadata() or {}).get("card", "{}"))
    except FileNotFoundError:
        raise ModelNotFound(f"no fit of the ordering rivals at {path.name}; {again}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelNotFound(f"{path.name} is not a fit of the ordering rivals: {error}") from error
    if card.get("fingerprint") != fingerprint.hex():
        raise ModelMismatch(
            f"{path.name} was fitted to model {card.get('fingerprint')}, this is {fingerprint.hex()}; {again}", offset=0
        )
    return Fitted(tensors, card)
