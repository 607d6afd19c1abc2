"""Weights on disk: one safetensors file and one JSON card a model, and the models that are shipped.

The file holds half-precision network weights, for models of channels the integer tables of z's prior, and (under
`training.`) what training needs to go on. The fingerprint is a hash of everything a decoder uses; it stands in every
stream's header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise
from torch import Tensor, nn

from hiercodec import installed, plugins, stream, values
from hiercodec.device import resolve
from hiercodec.errors import ConfigError, ModelNotFound, first_line, is_out_of_memory
from hiercodec.fsio import read_bytes, write_bytes
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.models.channels.codec import Codec
from hiercodec.models.channels.config import PRESETS, Preset
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.wave.codec import WaveCodec
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.models.wave.preset import WavePreset

MAX_WEIGHTS = 2**30
"""Bytes that a weights file may have: `tic` takes 50 MB and as much again for training."""

AnyPreset: TypeAlias = "Preset | WavePreset"
AnyCodec: TypeAlias = "Codec | WaveCodec"

FINGERPRINT_BYTES = 4
TRAINING = "training."


def fingerprint(tensors: dict[str, Tensor], declared: str = "") -> bytes:
    """First 4 bytes of a SHA-256 over names, types, shapes and contents of all tensors that decoding uses.

    And over what the preset has `declared` that streams do not say.
    """
    digest = hashlib.sha256(declared.encode())
    for name in sorted(n for n in tensors if not n.startswith(TRAINING)):
        array = tensors[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.digest()[:FINGERPRINT_BYTES]


def half(network: nn.Module) -> dict[str, Tensor]:
    """A network's weights by name, in half precision, as files hold them."""
    return {f"network.{k}": v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}


def pack(network: HierNetwork, pmfs: list[tuple[int, np.ndarray]], medians: np.ndarray) -> dict[str, Tensor]:
    """All that a decoder needs of a model of channels, by name: weights and z's tables. `build` makes a codec of it."""
    tensors = half(network)
    tensors["z.pmf"] = torch.from_numpy(np.concatenate([pmf for _, pmf in pmfs]).astype(np.int32))
    tensors["z.length"] = torch.tensor([len(pmf) for _, pmf in pmfs], dtype=torch.int32)
    tensors["z.offset"] = torch.tensor([offset for offset, _ in pmfs], dtype=torch.int32)
    tensors["z.median"] = torch.from_numpy(medians.astype(np.float32))
    return tensors


def save(path: Path, preset: AnyPreset, tensors: dict[str, Tensor], card: dict,
         training: dict[str, Tensor] | None = None) -> bytes:  # fmt: skip
    """Write `path` (.safetensors) and its card beside it (.json), each whole or not at all; returns the fingerprint.

    `tensors` are those of `pack`, or of `half` for a `wave` model. `OutputError` if the disk refuses.
    """
    mark = fingerprint(tensors, preset.declared)
    more = {TRAINING + name: value.detach().cpu().contiguous() for name, value in (training or {}).items()}
    described = preset.to_dict()
    data = serialise({**tensors, **more}, metadata={"preset": json.dumps(described)})
    card = {**card, "preset": described, "fingerprint": mark.hex(), "weights": path.name}
    card["sha256"] = hashlib.sha256(data).hexdigest()
    write_bytes(path, data, parents=True)
    text = values.dumps(card, indent=2) + "\n"
    write_bytes(path.with_suffix(".json"), text.encode(errors="backslashreplace"))  # as `fsio.write_json`
    return mark


@overload
def build(preset: Preset, tensors: dict[str, Tensor], *, name: str, card: dict | None = ...) -> Codec: ...
@overload
def build(preset: AnyPreset, tensors: dict[str, Tensor], *, name: str, card: dict | None = ...) -> AnyCodec: ...
def build(preset: AnyPreset, tensors: dict[str, Tensor], *, name: str, card: dict | None = None) -> AnyCodec:
    """A codec on the processor, from a preset and its tensors, as they are or as `save` wrote them.

    `LookupError`, `RuntimeError` or `ValueError` where the tensors are not those of such a preset.
    """
    state = {k.removeprefix("network."): v.float() for k, v in tensors.items() if k.startswith("network.")}
    mark = fingerprint(tensors, preset.declared)
    if isinstance(preset, WavePreset):
        waves = WaveNetwork(preset)
        waves.load_state_dict(state)
        return WaveCodec(waves, name=name, fingerprint=mark, card=card)
    for key, kind in {"z.pmf": "i", "z.length": "i", "z.offset": "i", "z.median": "f"}.items():
        if tensors[key].ndim != 1 or tensors[key].numpy().dtype.kind != kind:
            raise ValueError(f"{key} is {tensors[key].dtype}{list(tensors[key].shape)}")
    network = HierNetwork(preset)
    network.load_state_dict(state)
    pmf, ends = tensors["z.pmf"].numpy(), np.cumsum(tensors["z.length"].numpy())
    pieces = np.split(pmf, ends[:-1])
    tables = stream.Tables.from_pmfs(list(zip(tensors["z.offset"].tolist(), pieces, strict=True)))
    return Codec(network, tables, tensors["z.median"].numpy(), name=name, fingerprint=mark, card=card)


def weights(name_or_path: str | Path) -> dict[str, Tensor]:
    """A model's network weights by name, float32, as training goes on from them; `InputError` if they cannot be read."""
    tensors = deserialise(read_bytes(weights_path(name_or_path), max_bytes=MAX_WEIGHTS))
    return {k.removeprefix("network."): v.float() for k, v in tensors.items() if k.startswith("network.")}


def preset_of(values: object) -> AnyPreset:
    """The preset of either family that a card describes; `ConfigError` where it is none."""
    if not isinstance(values, Mapping):
        raise ConfigError("not a model preset: it is no object")
    return (WavePreset if values.get("transform") == "wave" else Preset).from_dict(values)


def weights_path(name_or_path: str | Path) -> Path:
    """Where the weights of a model are, given by name, path or NAME=PATH; its card is the `.json` beside it."""
    return installed.MODELS.find(name_or_path)[1]


def load(name_or_path: str | Path = DEFAULT_MODEL, *, device: str | torch.device | None = None) -> AnyCodec:
    """Load a model by name (see `installed`), or a `.safetensors` file with its card beside it, called NAME by NAME=PATH.

    `device` is where its transforms run: "cpu", "cuda", "cuda:N", "mps" or "auto" (None: see `device.chosen`). Raises
    `ModelNotFound` with the names there are, or if a bit of it is not as its card says, and `InputError` where there is no
    such device.
    """
    place = resolve(device)
    name, path = installed.MODELS.find(name_or_path)
    card_path = path.with_suffix(".json")
    if not path.is_file() or not card_path.is_file():
        names = "; ".join([", ".join(installed.models()) or "none", *installed.MODELS.own().wrong])
        train = " (the README's section Train says how to make them)" if str(name_or_path) in PRESETS else ""
        raise ModelNotFound(f"no weights for model {str(name_or_path)!r}{train}; there are: {names}")
    card, data = installed.read_card(card_path), read_bytes(path, max_bytes=MAX_WEIGHTS)
    _check(data, path, card.get("sha256"))
    try:
        codec = build(preset_of(card["preset"]), deserialise(data), name=name, card=card)
        if codec.fingerprint.hex() != card.get("fingerprint", codec.fingerprint.hex()):
            raise ValueError(f"its weights have the fingerprint {codec.fingerprint.hex()}, its card says another")
    except (SafetensorError, ConfigError, LookupError, RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        lacking = set((card.get("training") or {}).get("plugins", ())) - {*plugins.load()}
        if isinstance(error, ConfigError) and lacking:
            needed = " ".join(sorted(lacking))
            say = f"--plugin {needed}, or {plugins.PLUGINS}={needed}"
            raise ModelNotFound(f"model {name!r} needs a plugin: {say}") from error
        raise ModelNotFound(f"{path.name} is not a hiercodec model: {first_line(error)}") from error
    return codec.to(place)


def _check(data: bytes, path: Path, expected: object) -> None:
    """Before anything is made of the weights: that they are those of the card. Cards of old say no sha256."""
    own = hashlib.sha256(data).hexdigest()
    if expected not in (None, own):
        raise ModelNotFound(
            f"{path.name} is not the file that its card names (SHA-256 {own[:12]}…, not {str(expected)[:12]}…); restore it"
        )


def find(mark: bytes, *, device: str | None = None) -> AnyCodec:
    """The model with this fingerprint; `ModelNotFound` names it."""
    cards = installed.models()
    for name, card in cards.items():
        if card.get("fingerprint") == mark.hex():
            return load(name, device=device)
    known = ", ".join(f"{name} {card.get('fingerprint')}" for name, card in cards.items()) or "none"
    raise ModelNotFound(f"no model has the stream's fingerprint {mark.hex()}; there are: {known}")
