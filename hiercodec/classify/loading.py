"""From a specification to a `Classifier`: the bundled one, timm by name, timm with local weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from hiercodec.classify.classifier import Classifier
from hiercodec.classify.network import Net, NetConfig
from hiercodec.classify.preprocess import Preprocess
from hiercodec.errors import ClassifierNotFound
from hiercodec.fsio import locate

BUNDLED = locate("models", "classifier.safetensors")
CLASSES = 1000
MODEL_KEYS = ("pad_type",)
PREPROCESS_KEYS = ("mean", "std", "crop", "size", "interpolation")


def load(spec: str) -> Classifier:
    """See `hiercodec.classify.load_classifier`."""
    if spec == "bundled":
        return load_own(BUNDLED, name="bundled")
    if spec.startswith("timm:"):
        return load_timm(spec.removeprefix("timm:"))
    if spec.endswith(".safetensors"):
        return load_own(Path(spec), name=Path(spec).stem)
    raise ClassifierNotFound(
        f"no classifier {spec!r}; known are bundled, timm:NAME, timm:NAME@PATH.safetensors[?key=value&…]"
    )


def load_own(path: Path, *, name: str) -> Classifier:
    """A network of our own kind; its configuration and preprocessing are in the file, its card beside it."""
    tensors, metadata, weights_id = read_weights(path)
    try:
        config = NetConfig.from_dict(json.loads(metadata["net"]))
        preprocess = Preprocess.from_dict(json.loads(metadata["preprocess"]))
        with torch.device("meta"):
            net = Net(config)
        net.load_state_dict(tensors, assign=True)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ClassifierNotFound(f"{path} does not hold a classifier of this project: {_line(error)}") from None
    card_path = path.with_suffix(".json")
    card = json.loads(card_path.read_text(encoding="utf-8")) if card_path.is_file() else {}
    return Classifier(name, net.to(memory_format=torch.channels_last), preprocess, weights_id, card)


def load_timm(rest: str) -> Classifier:
    """NAME, or NAME@PATH[?key=value&…]."""
    import timm
    from timm.data import resolve_data_config

    name, _, location = rest.partition("@")
    if not timm.is_model(name):  # also keeps "hf-hub:…" out: only architectures that timm itself defines
        raise ClassifierNotFound(f"timm has no model {name!r}")
    path, _, query = location.partition("?")
    model_options, own = parse_options(query)
    try:
        module = timm.create_model(name, pretrained=not location, **model_options)
    except Exception as error:  # the hub, its HTTP client and timm each raise errors of their own
        why = "its weights are not cached and the hub cannot be reached" if not location else "it cannot be built"
        raise ClassifierNotFound(f"timm:{name}: {why} ({_line(error)})") from None
    if getattr(module, "num_classes", None) != CLASSES:
        raise ClassifierNotFound(f"timm:{name} has {module.num_classes} classes; {CLASSES} are needed")
    weights_id = None
    if location:
        tensors, _, weights_id = read_weights(Path(path))
        try:
            module.load_state_dict(tensors)
        except RuntimeError as error:
            raise ClassifierNotFound(f"{path} does not fit timm:{name}: {_line(error)}") from None
    data = resolve_data_config({}, model=module)
    known: dict[str, Any] = {
        "size": data["input_size"][-1],
        "crop": data["crop_pct"],
        "interpolation": data["interpolation"],
        "mean": data["mean"],
        "std": data["std"],
    }
    try:
        preprocess = Preprocess.from_dict({**known, **own})
    except ValueError as error:
        raise ClassifierNotFound(f"timm:{name}: {error}") from None
    card = {"architecture": f"timm {name}", "weights": "local file" if location else "timm, pretrained"}
    return Classifier(
        f"timm:{name}", module.to(memory_format=torch.channels_last), preprocess, weights_id or hash_of(module), card
    )


def parse_options(query: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """`key=value&…` → (options of the architecture, fields of `Preprocess`)."""
    model: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        try:
            if key in MODEL_KEYS:
                model[key] = value
            elif key in ("mean", "std"):
                numbers = tuple(float(v) for v in value.split(","))
                own[key] = numbers * 3 if len(numbers) == 1 else numbers
            elif key in PREPROCESS_KEYS:
                own[key] = {"size": int, "crop": float, "interpolation": str}[key](value)
            else:
                known = ", ".join((*PREPROCESS_KEYS, *MODEL_KEYS))
                raise ClassifierNotFound(f"unknown classifier option {key!r}; known are {known}")
        except ValueError:
            raise ClassifierNotFound(f"classifier option {key} cannot be {value!r}") from None
    return model, own


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str], str]:
    """(tensors, floating ones cast to float32; metadata; 12 hex digits of the file's SHA-256) of a safetensors file."""
    try:
        weights_id = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise ClassifierNotFound(f"no classifier weights at {path}: {_line(error)}") from None
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, metadata, weights_id


def hash_of(module: nn.Module) -> str:
    """12 hex digits that name a module's weights, whatever file they came from."""
    digest = hashlib.sha256()
    for key, value in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _line(error: Exception) -> str:
    """The first line of an error's text, shortened."""
    text = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().splitlines()[0]
    return text if len(text) <= 160 else text[:159] + "…"
