"""A run of `hiercodec evaluate` on disk: parts that appear whole beside the file they make, so that it may die any moment.

    OUT.parts/run.json          what is measured, and how
    OUT.parts/000000.parquet    rows of the first `BATCH` photographs, and so on, in any order
    OUT                         all of them in order, written in one step; then the parts go

Every one of these files is written whole or not at all. What a part holds depends on its photographs alone, so a run that
was killed and goes on makes the file that it would have made. `OUT` is there only when everything is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hiercodec.errors import ConfigError, OutputError
from hiercodec.evaluation import rows
from hiercodec.evaluation.rows import Rows
from hiercodec.fsio import check_writable, read_bytes, write_bytes, write_json

BATCH = 4
"""Photographs a part: what a kill costs at most, times the processes at work."""

RUN = "run.json"
FREE = ("command", "date", "commit")
"""What may differ between the run that was started and the one that goes on with it."""


class Parts:
    """The parts of a run that makes `out`; `meta` is what the file will say of itself."""

    def __init__(self, out: str | Path, meta: Mapping[str, Any], photos: int) -> None:
        self.out, self.meta, self.photos = Path(out), {"version": rows.VERSION, **meta}, photos
        self.folder = Path(f"{out}{rows.PARTS}")

    @property
    def batches(self) -> list[range]:
        """The photographs of every part, by index."""
        return [range(start, min(start + BATCH, self.photos)) for start in range(0, self.photos, BATCH)]

    def begin(self, *, resume: bool = False) -> list[int]:
        """Make the folder, or with `resume` go on with what is there; returns the parts that are missing.

        `ConfigError` names what differs between the run that was started and this one.
        """
        if resume and self.out.exists():
            self._compare(rows.read(self.out, columns=["photo"]).meta)
            shutil.rmtree(self.folder, ignore_errors=True)
            return []
        if resume and (self.folder / RUN).is_file():
            started = _started(self.folder)
            self._compare(started)
            self.meta = {**self.meta, **{key: started[key] for key in FREE if key in started}}
        else:
            clear(self.out)
            write_json(self.folder / RUN, self.meta)
        return [number for number in range(len(self.batches)) if not self._part(number).is_file()]

    def add(self, number: int, part: bytes) -> None:
        """Keep the rows of one part (`rows.encode`)."""
        write_bytes(self._part(number), part)

    def finish(self) -> None:
        """Join the parts, of which none is missing, into `out`, and remove them."""
        import pyarrow as pa

        if not self.out.exists():
            found = [rows.open_table(read_bytes(self._part(i)), f"part {i}")[0] for i in range(len(self.batches))]
            write_bytes(
                self.out, rows.encode(pa.concat_tables(found).replace_schema_metadata(rows.described(self.meta)))
            )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _part(self, number: int) -> Path:
        return self.folder / f"{number:06d}.parquet"

    def _compare(self, started: Mapping[str, Any]) -> None:
        if found := first_difference(started, json.loads(json.dumps(self.meta))):
            where, then, now = found
            raise ConfigError(f"cannot go on with {self.out}: {where} was {then} when it was started and is {now} now")


def check_out(out: str | Path, *, resume: bool = False, force: bool = False) -> None:
    """Raise `OutputError` where a run could not write its file, before anything is loaded or measured.

    An existing file, or a run that was stopped, needs `resume` (go on) or `force` (throw away and measure anew).
    """
    folder = Path(f"{out}{rows.PARTS}")
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        check_writable(out)
        check_writable(folder / RUN) if folder.exists() else check_writable(folder)
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


def so_far(out: str | Path, *, columns: Sequence[str] | None = None) -> Rows:
    """The rows that a run which makes `out` has measured so far, in the order of the photographs."""
    import pandas as pd

    folder = Path(f"{out}{rows.PARTS}")
    meta = _started(folder)
    found = [
        rows.decode(read_bytes(part), name=str(part), columns=columns) for part in sorted(folder.glob("*.parquet"))
    ]
    empty = rows.table([], {}).select(list(columns or rows.schema().names)).to_pandas()
    return Rows(pd.concat([r.frame for r in found], ignore_index=True) if found else empty, meta)


def first_difference(a: Any, b: Any, where: str = "") -> tuple[str, Any, Any] | None:
    """(key path, value in a, value in b) of the first that differs, what is `FREE` apart; None if nothing does."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys((*a, *b)):
            if not (where == "" and key in FREE) and (
                found := first_difference(a.get(key), b.get(key), f"{where}{key}.")
            ):
                return found
        return None
    return None if a == b else (where.rstrip("."), a, b)


def _started(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(read_bytes(folder / RUN)))
    except ValueError as error:
        raise ConfigError(f"{folder / RUN} cannot be read: {error}") from None
