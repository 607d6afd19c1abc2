"""Pictures that a codec elsewhere has made, as a peer: `folder:PATH`, whose name in results is that of the folder.

    PATH/points.csv         photo,setting,bytes[,picture]: a line a photograph and setting
    PATH/0.5/a.png          its picture, where the table names none: SETTING/PHOTO.png, PHOTO without its own suffix

`photo` is what rows call the photograph, its path in the data set; `picture` is a path in the folder. Pictures have the size
that is measured, after `--crop`, and any format that is read (a lossy one adds its own loss). Bytes are believed.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from hiercodec.errors import ImageError, InputError
from hiercodec.fsio import printable, read_bytes
from hiercodec.images import load_rgb
from hiercodec.protocols import OperatingPoint, Peer

KIND = "folder"
TABLE = "points.csv"
COLUMNS = ("photo", "setting", "bytes")
PICTURE = "picture"

Points = Mapping[str, tuple[int, Path]]
"""Setting → bytes of the file, and where the picture is that it decodes to."""


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """The pictures of one folder; those of one photograph are had by `of`."""

    name: str
    path: Path
    table: Mapping[str, Points]
    digest: str
    photo: str = ""

    def of(self, photo: str) -> Peer:
        """What there is of a photograph; `InputError` where that is nothing, or a picture is missing."""
        if photo not in self.table:
            named = f"names {len(self.table)}, such as {next(iter(self.table))!r}" if self.table else "has no lines"
            raise InputError(f"{self.path / TABLE} does not name the photograph {photo!r}; it {named}")
        for setting, (_, picture) in self.table[photo].items():
            if not picture.is_file():
                raise InputError(f"there is no picture {picture} of {photo!r} at setting {setting!r}")
        return replace(self, photo=photo)

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """The pictures of a photograph, uint8 (H, W, 3), in the order of the table."""
        for setting, (n_bytes, path) in self.table[self.photo].items():
            try:
                picture = load_rgb(path)
            except ImageError as error:
                raise InputError(str(error)) from None
            if picture.shape != rgb.shape:
                (height, width, _), (h, w, _) = picture.shape, rgb.shape
                raise InputError(f"{path} is {width}×{height}, and {self.photo!r} is measured at {w}×{h}")
            yield OperatingPoint(setting, n_bytes, picture)

    def provenance(self) -> dict[str, Any]:
        """What names the table and the pictures, by their sizes."""
        return {"imported": TABLE, "digest": self.digest}


def read(path: str) -> Folder:
    """The folder at `path`; `InputError` names the line of its table that cannot be used, and why."""
    folder = Path(path)
    where = folder / TABLE
    content = read_bytes(where)
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no UTF-8: {error}") from None
    table: dict[str, dict[str, tuple[int, Path]]] = {}
    try:
        if missing := [name for name in COLUMNS if name not in (lines.fieldnames or ())]:
            raise ValueError(f"no column {missing[0]!r}; the first line names {', '.join(COLUMNS)}, perhaps {PICTURE}")
        for row in lines:
            photo, setting, point = _point(folder, row)
            if setting in table.setdefault(photo, {}):
                raise ValueError(f"{photo!r} has setting {setting!r} twice")
            table[photo][setting] = point
    except (ValueError, csv.Error) as error:
        raise InputError(f"{where}, line {lines.line_num}: {error}") from None
    digest = hashlib.sha256(content)
    for points in table.values():
        for _, picture in points.values():
            digest.update(f"{picture.stat().st_size if picture.is_file() else -1}\n".encode())
    return Folder(printable(folder.resolve().name), folder, table, digest.hexdigest()[:16])


def _point(folder: Path, row: Mapping[str, Any]) -> tuple[str, str, tuple[int, Path]]:
    """(photo, setting, (bytes, picture)) of one line; `ValueError` says what is wrong."""
    photo, setting, n_bytes = (row[name] or "" for name in COLUMNS)
    if not photo or not setting:
        raise ValueError("photo and setting must have a name each")
    if not n_bytes.strip().isdecimal() or not int(n_bytes):
        raise ValueError(f"bytes must be a whole number above 0, not {n_bytes[:20]!r}")
    picture = row.get(PICTURE) or f"{setting}/{PurePosixPath(photo).with_suffix('.png')}"
    if not (folder / picture).resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"the picture {picture!r} is not in the folder")
    return photo, setting, (int(n_bytes), folder / picture)
