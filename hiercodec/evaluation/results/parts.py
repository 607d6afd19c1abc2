"""A run of `hiercodec evaluate` on disk: parts that appear whole beside the file they make, so that it may die any moment.

    OUT.parts/run.json          what is measured, and how
    OUT.parts/000000.parquet    rows of up to `BATCH` photographs, and so on, in the order in which they were measured
    OUT                         all of them in the photographs' order, written in one step; then the parts go

Every one of these files is written whole or not at all. What a part holds depends on its photographs alone, so a run that
was killed and goes on makes the file that it would have made. A photograph is the same if its name, its label and its bytes
are: rows of those stay, wherever in the data set they stand now, and the others are measured, so a run can go on after
photographs were added, mended or taken away, whether it was finished or not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.errors import ConfigError, InputError, OutputError
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.photos.stored import Photo, Stored
from hiercodec.evaluation.results import rows
from hiercodec.fsio import check_writable, read_bytes, write_bytes, write_json

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4
"""Photographs a part: what a kill costs at most, times the processes at work."""

FREE = ("command", "date", "commit")
"""What is said of the run that was started, whatever the one is called that goes on with it."""
MAY_CHANGE = {*FREE, "data.name", "data.sources", "data.photos", "data.labelled", "data.digest"}
"""What may differ between the run that was started and the one that goes on with it."""


def content_id(data: bytes) -> str:
    """16 hex digits that name a file's bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


class Parts:
    """The parts of a run that makes `out` of `photos`; `meta` is what the file will say of itself."""

    def __init__(self, out: str | Path, meta: Mapping[str, Any], photos: Sequence[Photo]) -> None:
        self.out, self.meta, self.photos = Path(out), {"version": rows.VERSION, **meta}, list(photos)
        self.folder = Path(f"{out}{rows.PARTS}")
        self._where: dict[str, Path] = {}  # photograph → the file that its rows are in

    def begin(self, *, resume: bool = False, tell: Callable[[str], object] = lambda line: None) -> list[list[Photo]]:
        """Make the folder, or with `resume` go on with what is there; returns the photographs to measure, a part each.

        `tell` hears what stays and what does not. `ConfigError` names what differs between the run that was started and
        this one, also where none of its photographs is among these.
        """
        started = [rows.read(self.out, columns=["photo"]).meta] if self.out.exists() and resume else []
        if resume and (self.folder / rows.RUN).is_file():
            started.append(rows.started(self.folder))
        if started:
            for meta in started:
                self._compare(meta)
            self.meta |= {key: started[0][key] for key in FREE if key in started[0]}
            self._keep(tell)
        else:
            clear(self.out)
        missing = [photo for photo in self.photos if photo[0].name not in self._where]
        if missing:
            write_json(self.folder / rows.RUN, self.meta)
        return [missing[start : start + BATCH] for start in range(0, len(missing), BATCH)]

    def add(self, part: bytes) -> int:
        """Keep the rows of one part (`rows.encode`); returns how many photographs it has."""
        used = [int(path.stem) for path in self._files() if path.stem.isdigit()]
        path = self.folder / f"{max(used, default=-1) + 1:06d}.parquet"
        write_bytes(path, part)
        names = set(rows.open_table(part, path.name, ["photo"])[0]["photo"].to_pylist())
        self._where |= dict.fromkeys(names, path)
        return len(names)

    def finish(self) -> None:
        """Join the rows of all photographs, of which none is missing, into `out`, and remove the parts."""
        import pyarrow as pa

        files = set(self._where.values())
        if files != {self.out} or _said(self.out) != json.loads(json.dumps(self.meta)):
            place = {stored.name: at for at, (stored, _) in enumerate(self.photos)}
            tables = [self._own(path) for path in self._files() if path in files]
            joined = pa.concat_tables(tables or [rows.table([], {})])
            order = np.argsort([place[name] for name in joined["photo"].to_pylist()], kind="stable")
            described = joined.take(pa.array(order)).replace_schema_metadata(rows.described(self.meta))
            write_bytes(self.out, rows.encode(described))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        """Where rows may be: a file that is gone on with, and parts, in the order in which they were measured."""
        return [path for path in (self.out, *sorted(self.folder.glob("*.parquet"))) if path.exists()]

    def _own(self, path: Path) -> pa.Table:
        """The rows of a file that count: of photographs that are there, as they are, and not in another file."""
        table, _ = rows.open_table(read_bytes(path, max_bytes=rows.MAX_FILE), str(path))
        return table.filter(np.array([self._where.get(name) == path for name in table["photo"].to_pylist()], bool))

    def _keep(self, tell: Callable[[str], object]) -> None:
        """Find the photographs that are measured and as they were. Those that could not be used are tried again."""
        measured: dict[str, tuple[Path, int, str | None]] = {}
        for path in self._files():
            table, _ = rows.open_table(
                read_bytes(path, max_bytes=rows.MAX_FILE), str(path), ["photo", "label", "codec", "content"]
            )
            columns = (table[name].to_pylist() for name in ("photo", "label", "codec", "content"))
            for photo, label, codec, content in zip(*columns, strict=True):
                if codec == ORIGINAL:
                    measured[photo] = path, label, content
        there = {stored.name for stored, _ in self.photos}
        if measured and not there & set(measured):
            raise ConfigError(
                f"cannot go on with {self.out}: none of its {len(measured)} photographs is in this data set. Choose another "
                "--out, or throw it away with --force"
            )
        for stored, label in self.photos:
            path, was, content = measured.get(stored.name, (self.out, None, None))
            if was == label and content is not None and content == _content_of(stored):
                self._where[stored.name] = path
        changed, gone = len(there & set(measured)) - len(self._where), len(set(measured) - there)
        tell(
            f"going on: {len(self._where)} of {len(there)} photographs are measured. Of those that were, {changed} changed "
            f"and {gone} are gone, and their rows with them"
        )

    def _compare(self, started: Mapping[str, Any]) -> None:
        if difference := first_difference(started, json.loads(json.dumps(self.meta))):
            where, then, now = difference
            raise ConfigError(f"cannot go on with {self.out}: {where} was {then} when it was started and is {now} now")


def _content_of(place: Stored) -> str | None:
    try:
        return content_id(place.content())
    except InputError:
        return None


def _said(path: Path) -> dict[str, Any]:
    """What a file of rows says of itself."""
    return dict(rows.read(path, columns=["photo"]).meta)


def check_out(out: str | Path, *, resume: bool = False, force: bool = False) -> None:
    """Raise `OutputError` where a run could not write its file, before anything is loaded or measured.

    An existing file, or a run that was stopped, needs `resume` (go on) or `force` (throw away and measure anew).
    """
    folder = Path(f"{out}{rows.PARTS}")
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        check_writable(out)
        check_writable(folder / rows.RUN) if folder.exists() else check_writable(folder)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror or error}") from None
    if resume or force:
        return
    remedy = "go on with --resume, or measure anew with --force"
    if Path(out).exists():
        raise OutputError(f"{out} is there already: choose another --out, or measure anew with --force")
    if folder.exists():
        raise OutputError(f"a run that makes {out} was started and not finished: {remedy}")


def clear(out: str | Path) -> None:
    """Remove a file of rows and the parts of a run that would make it."""
    Path(out).unlink(missing_ok=True)
    shutil.rmtree(f"{out}{rows.PARTS}", ignore_errors=True)


def first_difference(a: Any, b: Any, where: str = "") -> tuple[str, Any, Any] | None:
    """(key path, value in a, value in b) of the first that differs, but for what `MAY_CHANGE`; None if nothing does."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys((*a, *b)):
            if f"{where}{key}" not in MAY_CHANGE and (
                difference := first_difference(a.get(key), b.get(key), f"{where}{key}.")
            ):
                return difference
        return None
    return None if a == b else (where.rstrip("."), a, b)
