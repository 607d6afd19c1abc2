"""From a specification to a `Classifier`: a packaged one, timm by name, timm with local weights.

Packages carry a pickled state dict. It is unpickled here and nowhere else in the project, from bytes whose SHA-256 is
pinned and with `weights_only=True`.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as deserialise

from hiercodec.classify.catalog import HUB_FILE, JUDGES, PACKAGED, Packaged, card_of, missing
from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from hiercodec.errors import ClassifierNotFound, first_line

CLASSES = 1000
OF_ARCHITECTURE = "pad_type"
"""The option of a specification that is the architecture's; the others are the weights', or `Preprocess`'s."""


def load(spec: str) -> Classifier:
    """See `hiercodec.classify.load_classifier`."""
    if spec in PACKAGED:
        return load_packaged(spec)
    if spec.startswith("timm:"):
        return load_timm(spec.removeprefix("timm:"))
    if spec in JUDGES:
        return JUDGES[spec]()  # pyright: ignore[reportReturnType]
    raise ClassifierNotFound(f"no classifier {spec!r}: {missing(spec) or 'it stands for having none'}")


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
        raise ClassifierNotFound(f"{name}: this timm's {known.architecture} differs: {first_line(error)}") from None
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
    if (sha256 := hashlib.sha256(data).hexdigest()) != known.sha256:
        raise ClassifierNotFound(
            f"{path.name} is not the file that {name} needs (SHA-256 {sha256[:12]}…, not {known.sha256[:12]}…): "
            f"{known.install} --force-reinstall --no-deps"
        )
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def load_timm(rest: str) -> Classifier:
    """NAME, or NAME@PATH[?key=value&…]. Nothing is built before its weights are on this machine."""
    import timm
    from timm.data import resolve_data_config

    name, _, location = rest.partition("@")
    if not timm.is_model(name):  # also keeps "hf-hub:…" out: only architectures that timm itself defines
        raise ClassifierNotFound(f"timm has no model {name!r}")
    given, _, query = location.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    of_architecture: dict[str, Any] = {key: options.pop(key) for key in [OF_ARCHITECTURE] if key in options}
    expected, temperature = options.pop("sha256", None), options.pop("temperature", "1")
    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
        assert config is not None
    except RuntimeError as error:
        raise ClassifierNotFound(f"timm has no model {name!r}: {first_line(error)}") from None
    if config.num_classes != CLASSES:
        raise ClassifierNotFound(f"timm:{name} has {config.num_classes} classes; {CLASSES} are needed")
    known = Preprocess.of_timm(resolve_data_config({}, pretrained_cfg=config.to_dict()))
    try:
        preprocess = Preprocess(**{**asdict(known), **options})
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False)
        option = first["loc"][0] if first["loc"] else "mode"
        raise ClassifierNotFound(f"classifier option {option}: {first['msg']}") from None
    path = Path(given) if location else _from_hub(name, config.hf_hub_id)
    tensors, sha256 = read_weights(path, expected or (None if location else _sha256_of_hub(path)))
    try:
        if location:
            module = timm.create_model(name, **of_architecture)
            module.load_state_dict(tensors)
        else:  # timm renames tensors of some checkpoints, so it loads them itself
            module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
        card = {"architecture": f"timm {name}", "weights": "local file" if location else f"{config.hf_hub_id}"}
        module = module.to(memory_format=torch.channels_last)
        return Classifier(f"timm:{name}", module, preprocess, sha256, card, temperature=float(temperature))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ClassifierNotFound(f"{path} does not fit timm:{name}: {first_line(error)}") from None


def read_weights(path: Path, expected: str | None = None) -> tuple[dict[str, torch.Tensor], str]:
    """(tensors, floating ones cast to float32; the file's SHA-256, which is the `expected` one) of a safetensors file."""
    try:
        data = path.read_bytes()  # hashed and read from memory, so that both see the same bytes
        sha256 = hashlib.sha256(data).hexdigest()
        if expected not in (None, sha256):
            raise ClassifierNotFound(
                f"{path} has the SHA-256 {sha256[:12]}…, not {expected[:12]}…: it is not those weights"
            )
        tensors = deserialise(data)
    except (OSError, SafetensorError) as error:
        raise ClassifierNotFound(f"no classifier weights at {path}: {first_line(error)}") from None
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, sha256


def _from_hub(name: str, repository: str | None) -> Path:
    """The pretrained weights of a timm model, out of the hub's cache or fetched into it."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    if not repository:
        raise ClassifierNotFound(f"timm:{name} has no pretrained weights")
    cached = try_to_load_from_cache(repository, HUB_FILE)
    if isinstance(cached, str):
        return Path(cached)
    try:
        return Path(hf_hub_download(repository, HUB_FILE))
    except Exception as error:  # the hub and its HTTP client each raise errors of their own
        why = f"its weights are not on this machine and cannot be fetched ({first_line(error)})"
        raise ClassifierNotFound(f"timm:{name}: {why}") from None


def _sha256_of_hub(path: Path) -> str | None:
    """What the hub says of a file in its cache, where large files are named by their SHA-256; None of small ones."""
    name = path.resolve().name
    return name if re.fullmatch(r"[0-9a-f]{64}", name) else None
