"""The sample photographs: where they lie in installed packages, who made them, and the size the app works at.

No photograph is shipped. Each is read from scikit-image's or scikit-learn's own package data, found without importing
the package, and checked against the sha256 in `assets/samples/manifest.json`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from hiercodec.errors import InputError
from hiercodec.fsio import locate
from hiercodec.images import read_rgb

MANIFEST = locate("samples", "manifest.json")
SHORT_SIDE = 224
LONG_SIDE = 336
"""The working size: a short side of 224, what the classifiers read, and at most 3 : 2."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One photograph: credit, what it teaches, and `truth`, the class indexes that are right (none: no class is).

    `crop` is the part that is shown, as (left, top, right, bottom) in the file's pixels (None: all of it). `role` says what
    it was chosen for (see tools/samples.py) and `measured` by which figures. `lesson` is written like the texts of a course
    (docs/courses.md): what it says of the codec are facts and claims, worked out from the trace that is shown.
    """

    id: str
    title: str
    package: str
    file: str
    sha256: str
    author: str
    licence: str
    source: str
    truth: tuple[int, ...]
    lesson: str
    crop: tuple[int, int, int, int] | None = None
    role: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def path(self) -> Path:
        """Where the installed package keeps the file; `InputError` if the package is not installed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(f"sample {self.id!r} lies in the package {self.package}, which is not installed")
        return Path(spec.submodule_search_locations[0]) / self.file

    def pixels(self) -> np.ndarray:
        """What is shown of it at the working size, uint8[H, W, 3]; `InputError` if the file is missing or another one."""
        left, top, right, bottom = self.crop or (0, 0, None, None)
        return working_size(self.file_pixels()[top:bottom, left:right])

    def file_pixels(self) -> np.ndarray:
        """The whole photograph as its file has it; errors as those of `pixels`."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise InputError(f"sample {self.id!r}: {self.path} cannot be read ({error.strerror})") from None
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise InputError(f"sample {self.id!r}: {self.path} is not the photograph the manifest names")
        return read_rgb(data)


def working_size(rgb: np.ndarray, short: int = SHORT_SIDE, long: int = LONG_SIDE) -> np.ndarray:
    """Shrink so that the short side is `short` (never enlarge), then centre-crop the long side to at most `long`."""
    height, width = rgb.shape[:2]
    scale = min(1.0, short / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(rgb)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    left, top = max(0, size[0] - long) // 2, max(0, size[1] - long) // 2
    return np.array(image.crop((left, top, left + min(size[0], long), top + min(size[1], long))))


HIDDEN = "hidden"
"""The role of photographs that are there, and not shown."""


@lru_cache(maxsize=1)
def _all() -> tuple[Sample, ...]:
    rows = json.loads(MANIFEST.read_text(encoding="utf-8"))["samples"]
    return TypeAdapter(tuple[Sample, ...]).validate_python(rows)


@lru_cache(maxsize=1)
def samples() -> tuple[Sample, ...]:
    """The samples that the page shows, in its order."""
    return tuple(row for row in _all() if row.role != HIDDEN)


def sample(name: str) -> Sample:
    """The sample called `name`, shown or hidden; `InputError` names those there are."""
    for row in _all():
        if row.id == name:
            return row
    raise InputError(f"no sample {name!r}; there are {', '.join(row.id for row in _all())}")
