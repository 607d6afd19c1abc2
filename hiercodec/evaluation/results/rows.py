"""Measured rows: one a photograph × codec × setting × judge, in one Parquet file, and nothing else is ever stored.

Every curve, table and interval is worked out from rows. What a file holds stands in `schema`; how it was made (the
command, weights, encoders, judges, the hierarchy) stands in its metadata under the key `hiercodec`, as JSON.
pyarrow and pandas load when a file is read or written.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hiercodec.errors import ConfigError, InputError
from hiercodec.fsio import read_bytes, without_folders, write_bytes

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VERSION = 1
KEY = "hiercodec"
PARTS = ".parts"
"""What the folder of an unfinished run is called after its file (`parts`)."""

RUN = "run.json"
"""The file in it that says what is measured, and how."""

MAX_FILE = 1 << 32
"""Cap of a file of rows, in bytes: ImageNet's 50 000 photographs × 20 points × 2 judges are about 150 MB."""

MAX_CLASSES = 32
MASS = 0.999
"""A row keeps its likeliest classes until they hold this much of the probability, and at most `MAX_CLASSES`."""

POINT = ("photo", "codec", "setting")
ORDER = (*POINT, "judge")
"""The columns that name an operating point of one photograph, and those that name a row; rows stand in their order."""

LABEL, AS_ORIGINAL, UNKNOWN = "label", "original", ""
"""What column `truth_from` says: right is the photograph's class, or what the judge says of the original, or nothing."""

HEAVY = ("classes", "p", "content")
"""Columns that few readers need and that make most of a file."""

SKIPPED = ""
"""What stands for a codec in the row of a photograph that could not be used."""

ABOUT = ("note", "content", "scores")
"""Columns that most rows have no value in; a frame may leave them out."""


def schema() -> pa.Schema:
    """Names, types and meanings of the columns.

    photo: path within the data set; label: class index, −1 none; codec ("original" for the picture itself) and setting;
    bytes of the whole file or prefix; bpp: bits a pixel; psnr: dB, null for the original; ms_ssim: 0…1, null for the
    original and where a side is under 161 pixels; seconds: encoding and decoding of this point, NaN where points share
    the work; judge: "" without one; classes and p: the likeliest classes, likeliest first, and their calibrated
    probabilities (half precision); path and path_p: the winner of every level of the file's hierarchy and its
    probability; right: whether it is; bits: information at every level (`meaning`); wup, wup_eq1: similarity of the answer
    to what is right, NLTK's and Eq. 1's. Right is the photograph's class, and where it has none (label −1) what this judge
    says of the original: truth_from says which. A picture that no byte of a block has reached is never right.
    Without a judge these nine are empty or null, with one they never are.

    scores: of a point, whoever judged it, that of each task of the file's `tasks` (0…1, 1: as on the original; NaN: there is
    nothing to compare with; see the room `tasks`), null without tasks.

    note: in the original's row what was mended or passed over in the file, null if nothing; content: there, too, what names
    the file's bytes (16 hex digits). A photograph that could not be used has one row: codec SKIPPED, the reason in `note`,
    and no measurement. Readers are not given such rows among the others: see `Rows.skipped`.
    """
    import pyarrow as pa

    short, single = pa.int16(), pa.float32()
    types = {
        "photo": pa.string(), "label": short, "codec": pa.string(), "setting": pa.string(),
        "bytes": pa.int32(), "bpp": single, "psnr": single, "ms_ssim": single, "seconds": single,
        "judge": pa.string(), "classes": pa.list_(short), "p": pa.list_(pa.float16()),
        "path": pa.list_(short), "path_p": pa.list_(single), "right": pa.list_(pa.bool_()), "bits": pa.list_(single),
        "wup": single, "wup_eq1": single, "truth_from": pa.string(), "note": pa.string(), "content": pa.string(),
        "scores": pa.list_(single),
    }  # fmt: skip
    return pa.schema(list(types.items()))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as a pandas frame (columns of `schema`; lists are arrays) and the metadata of their file.

    `meta` has `version`, `command`, `provenance` (models, rivals, judges with `sha256` and `in_loss`, hierarchy and its
    digest, versions), `levels` (name → groups), `tasks` (their names, where there are any), `crop`, `data` and whatever a
    later version adds. `unused` are the rows of photographs that could not be used, which are no measurements (None: there
    is none).
    """

    frame: pd.DataFrame
    meta: Mapping[str, Any] = field(default_factory=dict)
    unused: pd.DataFrame | None = None

    @property
    def skipped(self) -> dict[str, str]:
        """Photograph → why it could not be used."""
        return {} if self.unused is None else dict(zip(self.unused["photo"], self.unused["note"], strict=True))

    @property
    def notes(self) -> dict[str, str]:
        """Photograph → what was mended or passed over in its file before it was measured."""
        noted = self.frame[self.frame["note"].notna()]
        return dict(zip(noted["photo"], noted["note"], strict=True))

    @property
    def whole(self) -> pd.DataFrame:
        """Every row of the file, those of photographs that could not be used last."""
        import pandas as pd

        return self.frame if self.unused is None else pd.concat([self.frame, self.unused], ignore_index=True)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def levels(self) -> dict[str, int]:
        """Level → groups, coarse first: what the lists of `path`, `right` and `bits` run over."""
        return dict(self.meta.get("levels") or {})

    @property
    def codecs(self) -> list[str]:
        """Codecs in the order they were measured, the original apart."""
        return [name for name in self.frame["codec"].unique() if name != "original"]

    @property
    def judges(self) -> list[str]:
        """Judges in the order they were asked; none if nothing was judged."""
        return [name for name in self.frame["judge"].unique() if name]

    def of(self, **wanted: str | int | Sequence) -> Rows:
        """The rows whose columns have these values: `rows.of(codec="lite", judge=["lite0", "lite2"])`."""
        chosen = np.ones(len(self.frame), bool)
        for name, value in wanted.items():
            values = [value] if isinstance(value, (str, int)) else list(value)
            chosen &= self.frame[name].isin(values).to_numpy()
        return replace(self, frame=self.frame[chosen])


def read(path: str | Path, *, columns: Sequence[str] | None = None) -> Rows:
    """The rows of a file (all columns, or some: reading without `HEAVY` is much faster); `InputError` says why not.

    Of a run that is still going on, or was stopped, these are the rows it has so far.
    """
    folder = Path(f"{path}{PARTS}")
    if not Path(path).exists() and folder.is_dir():
        return _so_far(folder, columns)
    return decode(read_bytes(path, max_bytes=MAX_FILE), name=str(path), columns=columns)


def started(folder: Path) -> dict[str, Any]:
    """What a run said of itself when it began; `ConfigError` where that cannot be read."""
    try:
        return dict(json.loads(read_bytes(folder / RUN)))
    except ValueError as error:
        raise ConfigError(f"{folder / RUN} cannot be read: {error}") from None


def _so_far(folder: Path, columns: Sequence[str] | None) -> Rows:
    """The rows that an unfinished run has measured so far, in the order in which it did."""
    import pyarrow as pa

    parts = [open_table(read_bytes(part), str(part))[0] for part in sorted(folder.glob("*.parquet"))]
    joined = pa.concat_tables(parts or [table([], {})]).replace_schema_metadata(described(started(folder)))
    return decode(encode(joined), name=str(folder), columns=columns)


def decode(data: bytes, *, name: str = "this file", columns: Sequence[str] | None = None) -> Rows:
    """The rows in the bytes of a file; `name` is what an error calls it. The bytes need not be trusted."""
    arrow, meta = open_table(data, name, columns and list(dict.fromkeys((*columns, "photo", "codec", "note"))))
    try:
        frame = arrow.to_pandas(ignore_metadata=True)  # what a file asks of pandas is not obeyed
    except ValueError as error:  # Arrow's errors and text that is no UTF-8
        raise InputError(f"{name} is damaged: {error}") from None
    unused = frame["codec"] == SKIPPED
    measured = frame[~unused].reset_index(drop=True) if unused.any() else frame
    return Rows(measured[list(columns)] if columns else measured, meta, frame[unused] if unused.any() else None)


def open_table(data: bytes, name: str, columns: Sequence[str] | None = None) -> tuple[pa.Table, dict[str, Any]]:
    """(Arrow table, metadata) of the bytes of a file; errors as those of `decode`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    asked = list(columns or schema().names)
    try:
        there = set(pq.read_schema(io.BytesIO(data)).names)
        arrow = pq.read_table(io.BytesIO(data), columns=[name for name in asked if name in there])
        meta = json.loads((arrow.schema.metadata or {})[KEY.encode()])
        version = meta["version"]
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name} holds no rows of `hiercodec evaluate`: {error}") from None
    if version != VERSION:
        raise InputError(f"{name} has rows of version {version}; this release reads version {VERSION}")
    known = schema()
    for column in asked:
        if column not in there or arrow.schema.field(column).type != known.field(column).type:
            raise InputError(f"{name} has no column {column!r} of the type that rows have")
    return arrow.select(asked), meta


def table(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, meta: Mapping[str, Any]) -> pa.Table:
    """An Arrow table of rows (mappings, or a frame) with the metadata; a column that is missing is an error."""
    import pandas as pd
    import pyarrow as pa

    wanted = schema().with_metadata(described(meta))
    if isinstance(rows, pd.DataFrame):
        rows = rows.assign(**{column: None for column in ABOUT if column not in rows})
        return pa.Table.from_pandas(rows, wanted, preserve_index=False)
    return pa.Table.from_pylist(list(rows), wanted)


def described(meta: Mapping[str, Any]) -> dict[str, str]:
    """The metadata as a file keeps it."""
    text = json.dumps({"version": VERSION, **meta}, ensure_ascii=False)
    return {KEY: text.encode(errors="backslashreplace").decode()}  # names that are no UTF-8, as `fsio.write_json`


def encode(arrow: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file, the same for the same rows: zstd, one byte plane after another for floats."""
    import pyarrow.parquet as pq

    planes = [name for name in arrow.column_names if name in {"bpp", "psnr", "ms_ssim", "seconds", "wup", "wup_eq1"}]
    out = io.BytesIO()
    pq.write_table(
        arrow,
        out,
        compression="zstd",
        compression_level=15,
        row_group_size=1 << 16,
        use_dictionary=["photo", "codec", "setting", "judge", "label", "bytes", "truth_from", "note"],  # pyright: ignore[reportArgumentType]
        column_encoding={
            **dict.fromkeys(planes, "BYTE_STREAM_SPLIT"),
            **{f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in ("p", "path_p", "bits", "classes", "path")},
        },
    )
    return out.getvalue()


def write(path: str | Path, rows: Iterable[Mapping[str, Any]] | pd.DataFrame, meta: Mapping[str, Any]) -> None:
    """Write a file of rows, whole or not at all; `OutputError` if it cannot be."""
    write_bytes(path, encode(table(rows, meta)))


def join(several: Sequence[Rows]) -> Rows:
    """Rows of several runs over the same photographs as one; what more than one of them measured is taken once.

    Photographs, codecs and judges keep the order in which they first occur. `InputError` where the runs cannot stand
    beside each other: other photographs, or such that nobody named (an imported curve's), other crop or hierarchy, or one
    name for two weights, encoders or judges.
    """
    import pandas as pd

    first = several[0]
    for other in several[1:]:
        for what in ("data", "crop", "levels", "tasks"):
            mine, theirs = first.meta.get(what), other.meta.get(what)
            if what == "data":
                mine, theirs = ((side or {}).get("digest") for side in (mine, theirs))
                if mine is None or theirs is None:
                    raise InputError(
                        "rows cannot be joined: a curve of averages does not say which photographs it is of"
                    )
            if mine != theirs:
                raise InputError(f"rows cannot be joined: their {what} differ ({mine} and {theirs})")
    frame = pd.concat([rows.frame for rows in several], ignore_index=True).drop_duplicates(list(ORDER))
    keys = [frame.groupby(by, sort=False).ngroup() for by in ("judge", ["codec", "setting"], "codec", "photo")]
    commands = dict.fromkeys(without_folders(line) for rows in several for line in rows.meta["command"].split(" && "))
    made_by = functools.reduce(_merged, (rows.meta["provenance"] for rows in several))
    meta = {**first.meta, "command": " && ".join(commands), "provenance": made_by}
    unused = [rows.unused for rows in several if rows.unused is not None]
    return Rows(
        frame.iloc[np.lexsort(keys)].reset_index(drop=True),
        meta,
        pd.concat(unused, ignore_index=True).drop_duplicates("photo") if unused else None,
    )


def _merged(a: Any, b: Any, where: str = "") -> Any:
    """Both of two provenances; versions that differ are both named, anything else that differs is an error."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        both = {key: _merged(a[key], b[key], f"{where}{key}.") for key in a if key in b}
        return {**a, **b, **both}
    if a is None or b is None or a == b:
        return b if a is None else a
    if where.startswith(("packages.", "python.", "machine.", "commit.")):
        return " | ".join(dict.fromkeys([*str(a).split(" | "), *str(b).split(" | ")]))
    raise InputError(f"rows cannot be joined: {where.rstrip('.')} is {a} in one and {b} in another")


def without(rows: Rows, codec: str) -> Rows:
    """The rows of all other codecs, as if this one had not been measured: so that it can be measured anew and joined."""
    made_by = {
        key: {name: value for name, value in named.items() if name != codec}
        if key in {"models", "rivals", "steered_by"}
        else named
        for key, named in rows.meta["provenance"].items()
    }
    others = [name for name in rows.frame["codec"].unique() if name != codec]
    return replace(rows.of(codec=others), meta={**rows.meta, "provenance": made_by})


def slim(rows: Rows, classes: int) -> Rows:
    """The same rows in less room, to ship: at most `classes` classes each, and floats rounded to 3 digits or more.

    Probabilities keep 7 significant bits (an error of 0.8 % at most), other values 11 (0.05 %); `right`, `path` and `bytes`
    stay as they are. `meta["classes"]` says what was kept.
    """
    frame = rows.frame.assign(content=None)
    frame["classes"] = [row[:classes] for row in frame["classes"]]
    frame["p"] = [_rounded(row[:classes], 7) for row in frame["p"]]
    for column in ("path_p", "bits"):
        frame[column] = [_rounded(row, 11) for row in frame[column]]
    for column in ("bpp", "psnr", "ms_ssim", "seconds", "wup", "wup_eq1"):
        frame[column] = _rounded(frame[column].to_numpy(), 11)
    return replace(rows, frame=frame, meta={**rows.meta, "classes": classes})


def _rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """To the nearest number of so many significant bits: the zeros that follow compress well."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 2**bits) / 2**bits, exponent).astype(values.dtype)
