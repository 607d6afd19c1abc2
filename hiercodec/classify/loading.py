"""From a specification to a `Classifier`: a packaged one, timm by name, timm with local weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from hiercodec.classify.catalog import HUB_FILE, PACKAGED, missing
from hiercodec.classify.classifier import Classifier
from hiercodec.classify.preprocess import Preprocess
from hiercodec.errors import ClassifierNotFound

CLASSES = 1000
MODEL_KEYS = ("pad_type",)
NUMBERS = ("mean", "std")
OWN_KEYS = {"size": int, "crop": float, "interpolation": str, "temperature": float}


def load(spec: str) -> Classifier:
    """See `hiercodec.classify.load_classifier`."""
    if spec in PACKAGED:
        from hiercodec.classify.packaged import load_packaged

        return load_packaged(spec)
    if spec.startswith("timm:"):
        return load_timm(spec.removeprefix("timm:"))
    raise ClassifierNotFound(f"no classifier {spec!r}: {missing(spec) or 'it stands for having none'}")


def load_timm(rest: str) -> Classifier:
    """NAME, or NAME@PATH[?key=value&…]. Nothing is built before its weights are on this machine."""
    import timm
    from timm.data import resolve_data_config

    name, _, location = rest.partition("@")
    if not timm.is_model(name):  # also keeps "hf-hub:…" out: only architectures that timm itself defines
        raise ClassifierNotFound(f"timm has no model {name!r}")
    given, _, query = location.partition("?")
    model_options, own = parse_options(query)
    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
        assert config is not None
    except RuntimeError as error:
        raise ClassifierNotFound(f"timm has no model {name!r}: {_line(error)}") from None
    if config.num_classes != CLASSES:
        raise ClassifierNotFound(f"timm:{name} has {config.num_classes} classes; {CLASSES} are needed")
    path = Path(given) if location else _from_hub(name, config.hf_hub_id)
    tensors, sha256 = read_weights(path)
    data = resolve_data_config({}, pretrained_cfg=config.to_dict())
    known: dict[str, Any] = {
        "size": data["input_size"][-1],
        "crop": data["crop_pct"],
        "interpolation": data["interpolation"],
        "mean": data["mean"],
        "std": data["std"],
    }
    temperature = own.pop("temperature", 1.0)
    try:
        preprocess = Preprocess.from_dict({**known, **own})
        if location:
            module = timm.create_model(name, **model_options)
            module.load_state_dict(tensors)
        else:  # timm renames tensors of some checkpoints, so it loads them itself
            module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
        card = {"architecture": f"timm {name}", "weights": "local file" if location else f"{config.hf_hub_id}"}
        module = module.to(memory_format=torch.channels_last)
        return Classifier(f"timm:{name}", module, preprocess, sha256, card, temperature=temperature)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ClassifierNotFound(f"{path} does not fit timm:{name}: {_line(error)}") from None


def parse_options(query: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """`key=value&…` → (options of the architecture, fields of `Preprocess` and `temperature`)."""
    model: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        try:
            if key in MODEL_KEYS:
                model[key] = value
            elif key in NUMBERS:
                numbers = tuple(float(v) for v in value.split(","))
                own[key] = numbers * 3 if len(numbers) == 1 else numbers
            elif key in OWN_KEYS:
                own[key] = OWN_KEYS[key](value)
            else:
                known = ", ".join((*NUMBERS, *OWN_KEYS, *MODEL_KEYS))
                raise ClassifierNotFound(f"unknown classifier option {key!r}; known are {known}")
        except ValueError:
            raise ClassifierNotFound(f"classifier option {key} cannot be {value!r}") from None
    return model, own


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """(tensors, floating ones cast to float32; the file's SHA-256) of a safetensors file."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise ClassifierNotFound(f"no classifier weights at {path}: {_line(error)}") from None
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, sha256


def _from_hub(name: str, repository: str | None) -> Path:
    """The pretrained weights of a timm model, out of the hub's cache or fetched into it."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    if not repository:
        raise ClassifierNotFound(f"timm:{name} has no pretrained weights")
    found = try_to_load_from_cache(repository, HUB_FILE)
    if isinstance(found, str):
        return Path(found)
    try:
        return Path(hf_hub_download(repository, HUB_FILE))
    except Exception as error:  # the hub and its HTTP client each raise errors of their own
        why = f"its weights are not on this machine and cannot be fetched ({_line(error)})"
        raise ClassifierNotFound(f"timm:{name}: {why}") from None


def _line(error: Exception) -> str:
    """The first line of an error's text, shortened."""
    text = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().splitlines()[0]
    return text if len(text) <= 160 else text[:159] + "…"
