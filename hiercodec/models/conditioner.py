"""What a model takes from a core: shifts of its features P, in a small file beside its weights (`hiercodec fit-core`).

core ──path──► group of every level ──► P + Σ_level gate(confidence)·shift(group) ──► scales of every block

Means come from P as it is, so a core changes what symbols cost and no pixel; a shift of zero changes nothing. Sums are of
float64 and of a fixed order, so every machine gets the same ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as deserialise
from safetensors.numpy import save as serialise
from torch import Tensor

from hiercodec.errors import InputError, ModelNotFound
from hiercodec.fsio import locate, read_bytes, write_bytes
from hiercodec.stream import Core
from hiercodec.stream.core import CONDITIONER

FOLDER = locate("core")
MAX_BYTES = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class Conditioner:
    """`groups` int16 (levels, classes): the group of every class; `gates` float16 (levels, 4): how much a confidence counts.

    `shifts` float16, one (K, C) a level, are what its groups add to P. `card` says what it was fitted to and on;
    `hierarchy` is the digest, `sha256` names the content, and its first digits stand in streams.
    """

    groups: np.ndarray
    gates: np.ndarray
    shifts: tuple[np.ndarray, ...]
    card: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def mark(self) -> str:
        """By what streams name it."""
        return self.sha256[:CONDITIONER]

    @property
    def hierarchy(self) -> str:
        """Digest of the hierarchy whose groups it knows."""
        return str(self.card["hierarchy_digest"])

    def shift(self, core: Core) -> Tensor:
        """What is added to P, float64 (1, C, 1, 1); `CorruptStream` where no encoder can have written the core."""
        total = np.zeros(self.shifts[0].shape[1])
        path = core.path(list(self.groups))
        for (group, confidence), gates, shifts in zip(path, self.gates, self.shifts, strict=False):
            total += np.float64(gates[confidence]) * shifts[group].astype(np.float64)
        return torch.from_numpy(total).view(1, -1, 1, 1)

    def serialised(self) -> bytes:
        """The file's content."""
        tensors = {"groups": self.groups.astype(np.int16), "gates": self.gates.astype(np.float16)}
        return serialise(tensors | {f"shift.{i}": array.astype(np.float16) for i, array in enumerate(self.shifts)})


def save(path: Path, conditioner: Conditioner) -> Conditioner:
    """Write `path` (.safetensors) and its card beside it (.json), each whole or not at all; returns it with its `sha256`."""
    data = conditioner.serialised()
    made = read(data, conditioner.card)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, data)
    card = {**conditioner.card, "sha256": made.sha256}
    write_bytes(path.with_suffix(".json"), (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    return made


def read(data: bytes, card: Mapping[str, Any]) -> Conditioner:
    """The conditioner that a file holds; `ValueError` where it is none."""
    try:
        tensors = deserialise(data)
        shifts = tuple(tensors[f"shift.{i}"] for i in range(sum(name.startswith("shift.") for name in tensors)))
        found = Conditioner(tensors["groups"], tensors["gates"], shifts, card, hashlib.sha256(data).hexdigest())
        shapes = [(int(groups.max()) + 1, shifts[0].shape[1]) for groups in found.groups[: len(shifts)]]
        sound = [shift.shape for shift in shifts] == shapes and found.gates.shape == (len(shifts), 4)
    except (SafetensorError, LookupError, AttributeError) as error:
        raise ValueError(f"it lacks a part ({error})") from None
    if not sound or not all(np.isfinite(array).all() for array in (found.gates, *shifts)):
        raise ValueError("its parts do not fit each other")
    return found


def load_all(weights: Path, fingerprint: bytes) -> dict[str, Conditioner]:
    """Mark → every conditioner of the model whose weights lie at `weights`; `ModelNotFound` where one is damaged.

    They are the files of `FOLDER` whose cards name its fingerprint, and the one beside weights that are not shipped.
    """
    found = {}
    for path in (*sorted(FOLDER.glob("*.safetensors")), path_of(weights)):
        if not path.with_suffix(".json").is_file():
            continue
        try:
            card = json.loads(read_bytes(path.with_suffix(".json"), max_bytes=MAX_BYTES))
            if card["fingerprint"] != fingerprint.hex():
                continue
            conditioner = read(read_bytes(path, max_bytes=MAX_BYTES), card)
            if conditioner.sha256 != card["sha256"]:
                raise ValueError(f"SHA-256 {conditioner.sha256[:12]}…, not {card['sha256'][:12]}…")
        except (InputError, ValueError, LookupError, TypeError) as error:
            raise ModelNotFound(f"{path.name} is not the conditioner that was shipped ({error}); restore it") from None
        found[conditioner.mark] = conditioner
    return found


def path_of(model: str | Path) -> Path:
    """Where a model's conditioner is: beside its weights, if a path is given; else among the shipped ones."""
    path = Path(model)
    return path.with_suffix(".core.safetensors") if path.suffix else FOLDER / f"{model}.safetensors"
