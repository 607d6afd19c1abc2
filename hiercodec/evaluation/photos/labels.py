"""What class a photograph is of: by a wnid on its path, by numbered folders, by lists, by ImageNet's ground-truth files."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from hiercodec.errors import ConfigError
from hiercodec.evaluation.photos.stored import Photo, Stored
from hiercodec.fsio import from_printable, printable, read_bytes
from hiercodec.images import suffixes
from hiercodec.taxonomy.classes import by_wnid

AUTO, INDEX, NONE = "auto", "index", "none"
"""How photographs are labelled: by wnids and ImageNet's own files; by folders 0…999; not at all. Else: a file of labels."""

WNID = re.compile(r"(?<![0-9A-Za-z])n\d{8}(?![0-9A-Za-z])")
NUMBER = re.compile(r"0*(\d{1,3})")
VALIDATION = "ILSVRC2012_val_{:08d}"
"""ImageNet's validation photographs by their numbers from 1 on."""

COUNTED = "ILSVRC2012_validation_ground_truth.txt"
"""The development kit's file, which counts classes in an order of its own."""
TRUTHS = (
    "LOC_val_solution.csv",
    "val.txt",
    "imagenet_2012_validation_synset_labels.txt",
    COUNTED,
    "val_annotations.txt",
)
"""Files of labels as they go with ImageNet: Kaggle's, Caffe's, TensorFlow's, the development kit's; Tiny ImageNet's."""
MAX_FOLDERS = 100
"""Of more folders than that no file of labels is looked for: they are classes themselves."""
KITS = ("", "ILSVRC2012_devkit_t12/data", "devkit/data", "data")
"""Where such files lie, in a photograph's folder or one of the three above it."""

Truth = dict[str, int]
"""Name of a photograph, or its file name without the suffix → class index."""


def of_path(path: str) -> int:
    """The class of the innermost wnid on a path, file names and archives' names included; −1 where there is none.

    >>> of_path("train/n01443537/images/a.jpg"), of_path("ILSVRC2012_val_00000001_n01751748.JPEG"), of_path("a.jpg")
    (1, 65, -1)
    """
    return next((by_wnid()[wnid] for wnid in reversed(WNID.findall(path)) if wnid in by_wnid()), -1)


def of_folders(path: str) -> int:
    """The number 0…999 that the innermost numbered folder on a path is called by; −1 where there is none.

    >>> of_folders("val/007/a.jpg"), of_folders("1001/a.jpg")
    (7, -1)
    """
    numbers = (NUMBER.fullmatch(part) for part in reversed(PurePosixPath(path).parts[:-1]))
    return next((int(number[1]) for number in numbers if number), -1)


def labelled(places: Sequence[Stored], source: Path, how: str = AUTO) -> tuple[list[Photo], str]:
    """The photographs of a source with their classes, and the file that said which, if one did; `how` as AUTO says.

    `ConfigError` where a file of labels cannot be read, or names none of the photographs.
    """
    if how == NONE:
        return [(place, -1) for place in places], ""
    if how == INDEX:
        return [(place, of_folders(f"{source.absolute().name}/{place.name}")) for place in places], ""
    if how != AUTO:
        truth = read_truth(Path(how))
        photos = [(place, _looked_up(truth, place)) for place in places]
        if not any(label >= 0 for _, label in photos):
            raise ConfigError(f"{how} names none of these photographs")
        return photos, printable(how)
    photos = [(place, of_path(f"{source.absolute()}/{place.name}")) for place in places]
    path, truth = next(_truths_beside([place for place, label in photos if label < 0]), ("", {}))
    return [(p, label if label >= 0 else _looked_up(truth, p)) for p, label in photos], printable(path)


def _looked_up(truth: Truth, place: Stored) -> int:
    return truth.get(place.name, truth.get(PurePosixPath(place.name).stem, -1))


def _truths_beside(places: Sequence[Stored]) -> Iterator[tuple[str, Truth]]:
    """ImageNet's files of labels near photographs, of those that name one of them.

    Class numbers are believed where photographs are called as ImageNet's are: `val.txt` may be any data set's.
    """
    folders = dict.fromkeys(place.path.absolute().parent for place in places)
    if len(folders) > MAX_FOLDERS:
        return
    imagenet = any(is_validation(place.name) for place in places)
    for near in dict.fromkeys(above for folder in folders for above in (folder, *folder.parents[:3])):
        for path in (near / kit / name for kit in KITS for name in TRUTHS[0 if imagenet else -1 :]):
            if path.is_file():
                try:
                    truth = read_truth(path)
                except ConfigError:
                    if path.name == COUNTED:  # the message says what it lacks
                        raise
                    continue  # no file of labels, for all its name
                if any(_looked_up(truth, place) >= 0 for place in places):
                    yield str(path), truth


def is_validation(name: str) -> bool:
    """Whether a photograph is called as those of ImageNet's validation are."""
    return re.fullmatch(r"ILSVRC2012_val_\d{8}", PurePosixPath(name).stem) is not None


def read_truth(path: Path) -> Truth:
    """A file of labels: `name label …` lines, a .csv or .tsv of them, Kaggle's LOC_val_solution.csv, or 50 000 lines of
    wnids or of the development kit's numbers, in the order of ImageNet's validation photographs."""
    lines = list(_lines(path))
    if len(lines) >= 1000 and all(len(cells) == 1 for _, cells in lines):
        order = None if WNID.fullmatch(lines[0][1][0]) else kit_order(path.parent)
        return {VALIDATION.format(i): _counted(cells[0], order, path) for i, (_, cells) in enumerate(lines, start=1)}
    truth: Truth = {}
    for number, (name, *rest) in lines:
        name, label = name.strip(), (rest or [""])[0].split(" ")[0]
        if label and (number > 1 or index_of(label) is not None):
            truth[name] = truth[PurePosixPath(name).stem] = _class_in(path, number, label)
    return truth


def _counted(text: str, order: Sequence[int] | None, path: Path) -> int:
    try:
        return by_wnid()[text] if order is None else order[int(text) - 1]
    except (KeyError, ValueError, IndexError):
        raise ConfigError(f"{path}: {text[:40]!r} is not one of ImageNet's 1000 classes") from None


def kit_order(folder: Path) -> list[int]:
    """Class index by the development kit's own number less 1, which is not in the order of wnids.

    Read from `map_clsloc.txt` or `meta.mat`; `ConfigError` where neither lies in `folder`.
    """
    try:
        if (folder / "map_clsloc.txt").is_file():
            rows = [
                line.split() for line in read_bytes(folder / "map_clsloc.txt").decode().splitlines() if line.strip()
            ]
            wnids = {int(number): wnid for wnid, number, *_ in rows}
        elif (folder / "meta.mat").is_file():
            from scipy.io import loadmat

            synsets: Any = loadmat(str(folder / "meta.mat"), squeeze_me=True)["synsets"]
            wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in synsets if not row["num_children"]}
        else:
            raise ConfigError(
                f"{folder / COUNTED} counts classes in the development kit's own order: put that kit's meta.mat beside "
                "it, or measure with --labels none"
            )
        return [by_wnid()[wnids[number]] for number in range(1, 1001)]
    except (ValueError, KeyError, TypeError, UnicodeError) as error:
        raise ConfigError(f"the order of classes in {folder} cannot be read: {error}") from None


def index_of(label: str) -> int | None:
    """The class that a label means, an index 0…999 or a wnid; −1 for a wnid of no class; None for anything else."""
    if label.isascii() and label.isdigit() and int(label) < len(by_wnid()):
        return int(label)
    return by_wnid().get(label, -1) if WNID.fullmatch(label) else None


def _class_in(path: Path, number: int, label: str) -> int:
    """`index_of` of a label in a file; `ConfigError` names the line where it means nothing."""
    if (known := index_of(label)) is None:
        raise ConfigError(f"{path}, line {number}: {label!r} is neither a class index 0…999 nor a wnid")
    return known


# ---- lists -------------------------------------------------------------------------------------------------------------
LISTS = (".txt", ".csv", ".tsv")


def listed(path: Path) -> Iterator[Photo]:
    """The photographs that a list names, in its order: `path label` lines of a .txt, or a .csv or .tsv (header or not).

    Paths are relative to the list's folder. A label is a class index 0…999 or a wnid; without one, a wnid on the path
    counts. `ConfigError` names the line that cannot be read.
    """
    for number, (name, *rest) in _lines(path):
        label = (rest or [""])[0]
        if number == 1 and path.suffix.lower() != LISTS[0] and not name.strip().lower().endswith(suffixes()):
            continue
        name = _spelling(path.parent, name)
        known = _class_in(path, number, label) if label else of_path(name)
        yield Stored(printable(name), path.parent / name), known


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of the lines of a list that are not empty; what is no UTF-8 in them is kept, as in names of files."""
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # what PowerShell writes
    text = data.decode("utf-16", "replace") if utf16 else data.decode("utf-8", "surrogateescape")
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    if separator == "," and "," not in text.partition("\n")[0]:
        separator = ";"  # as spreadsheets write it where the comma is a decimal one
    try:
        file = io.StringIO(text, newline="")
        rows = csv.reader(file, delimiter=separator) if separator else map(_cells, file)
        for number, cells in enumerate(rows, start=1):
            if cells and cells[0].strip():
                yield number, [cells[0], *(cell.strip() for cell in cells[1:] if cell.strip())]
    except csv.Error as error:
        raise ConfigError(f"cannot read the list {path}: {error}") from None


def _cells(line: str) -> list[str]:
    """`path label`, where the path may hold blanks and the label be missing; what tabs part is cells as it stands."""
    line = line.rstrip()
    if "\t" in line:
        return line.split("\t")
    name, _, last = line.rpartition(" ")
    return [name, last] if name and not last.lower().endswith(suffixes()) else [line]


def _spelling(folder: Path, name: str) -> str:
    """How the file is called that a list means: as written, in another Unicode form, as results or as Windows spell it."""
    plain = name.strip()
    forms = (unicodedata.normalize(form, plain) for form in ("NFC", "NFD"))
    spellings = (name, plain, *forms, from_printable(name), plain.replace("\\", "/"))
    return next((spelling for spelling in spellings if os.path.exists(folder / spelling)), plain)
