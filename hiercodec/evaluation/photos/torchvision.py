"""Data sets of torchvision's by name, from its own cache or fetched: those whose photographs are files.

They lie where torch keeps what it fetches (`TORCH_HOME`), under `datasets/`. A class counts as one of ImageNet's where a
wnid says so or its name is a name of exactly one of them ("beagle"); photographs of other classes have no label.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hiercodec.errors import ConfigError, HierarchyError, first_line
from hiercodec.evaluation.photos import labels
from hiercodec.evaluation.photos.stored import Photo, Stored
from hiercodec.fsio import printable
from hiercodec.taxonomy import class_of

SPLITS = ("val", "test", "valid")
"""The parts of a data set to measure on, the first that it has; "NAME:SPLIT" asks for another."""
FILES = ("samples", "_samples", "imgs", "_images", "_image_files")
"""Where its classes keep the paths of photographs, some with their classes' numbers."""
NUMBERS = ("targets", "_labels")


def photographs(name: str) -> list[Photo]:
    """The photographs of a data set, "Imagenette" or "Imagenette:train"; `ConfigError` says why there are none."""
    try:
        from torchvision import datasets
    except ImportError:
        raise ConfigError("data sets of torchvision's need it: pip install torchvision") from None
    called, _, split = name.partition(":")
    kind = getattr(datasets, called, None)
    if called not in datasets.__all__ or not inspect.isclass(kind):
        raise ConfigError(
            f"torchvision has no data set {called!r}: see its list, pytorch.org/vision/stable/datasets.html"
        )
    root = cache()
    dataset = _opened(kind, called, split, root)
    files = next((list(getattr(dataset, file)) for file in FILES if getattr(dataset, file, None)), [])
    if not files:
        raise ConfigError(f"torchvision:{called} keeps no files of photographs, so it cannot be measured")
    numbers = next((getattr(dataset, number) for number in NUMBERS if getattr(dataset, number, None) is not None), None)
    rows = [row if isinstance(row, tuple) else (row, numbers[i] if numbers else -1) for i, row in enumerate(files)]
    known = [_class_of(names) for names in getattr(dataset, "classes", ())]
    photos = []
    for path, number in rows:
        label = labels.of_path(Path(path).as_posix())
        if label < 0 and isinstance(number, int) and 0 <= number < len(known):
            label = known[number]
        photos.append((Stored(printable(os.path.relpath(path, root)), Path(path)), label))
    return sorted(photos, key=lambda photo: photo[0].name)


def cache() -> Path:
    """The folder that torchvision's data sets are kept in."""
    from torch import hub

    return Path(hub.get_dir()).parent / "datasets"


def _opened(kind: Any, called: str, split: str, root: Path) -> Any:
    """The data set as it lies in the cache, else fetched."""
    options = inspect.signature(kind).parameters
    parts: Sequence[dict[str, Any]] = [{}]
    if "split" in options:
        parts = [{"split": one} for one in ([split] if split else SPLITS)]
    elif "train" in options:
        parts = [{"train": split == "train"}]
    elif split:
        raise ConfigError(f"torchvision:{called} has no splits")
    why: Exception | None = None
    for fetch in ({}, {"download": True}) if "download" in options else ({},):
        for part in parts:
            try:
                if fetch:
                    root.mkdir(parents=True, exist_ok=True)
                return kind(str(root), **part, **fetch)
            except ValueError as error:  # no such split
                why = why or error
            except (RuntimeError, OSError, EOFError, ImportError, TypeError) as error:
                why = error
    raise ConfigError(f"torchvision:{called} is neither in {root} nor can it be fetched: {first_line(why)}")


def _class_of(names: str | Sequence[str]) -> int:
    """The one class of ImageNet's that is called by one of these names; −1 where none is, or two are."""
    indexes = set()
    for name in [names] if isinstance(names, str) else names:
        with contextlib.suppress(HierarchyError):
            indexes.add(class_of(name).index)
    return indexes.pop() if len(indexes) == 1 else -1
