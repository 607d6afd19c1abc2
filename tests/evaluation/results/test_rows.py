"""Files of measured rows: there and back, the same bytes for the same rows, one clear line for anything else."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation.results import rows
from tests.evaluation.some_rows import LEVELS, some_rows


def test_rows_come_back_as_they_were_written(tmp_path):
    found = some_rows()
    rows.write(tmp_path / "r.parquet", found.frame, found.meta)
    again = rows.read(tmp_path / "r.parquet")
    pd.testing.assert_frame_equal(again.frame, found.frame)
    assert again.meta == found.meta
    assert (again.levels, again.codecs, again.judges) == (LEVELS, ["lite", "jpeg"], ["lite0"])
    assert len(again) == 8 * (1 + 2 * 3)
    rows.write(tmp_path / "s.parquet", again.frame, again.meta)
    assert (tmp_path / "s.parquet").read_bytes() == (tmp_path / "r.parquet").read_bytes()


def test_cells_have_the_types_of_the_schema():
    found = some_rows(labelled=False).frame
    assert list(found.columns) == rows.schema().names
    first, second = found.iloc[0], found.iloc[1]
    assert (first["codec"], first["setting"], first["label"]) == ("original", "", -1)
    assert np.isnan(first["psnr"])
    assert second["psnr"] > 0
    assert first["p"].dtype == np.float16
    assert first["classes"].dtype == np.int16
    assert first["right"].dtype == bool
    nobody = some_rows(judges=("",))
    assert nobody.judges == []
    assert not len(nobody.frame.iloc[0]["path"])


def test_some_columns_can_be_read_alone(tmp_path):
    found = some_rows()
    rows.write(tmp_path / "r.parquet", found.frame, found.meta)
    light = [name for name in rows.schema().names if name not in rows.HEAVY]
    assert list(rows.read(tmp_path / "r.parquet", columns=light).frame.columns) == light


def test_rows_are_chosen_by_column():
    found = some_rows(judges=("lite0", "lite2"))
    chosen = found.of(codec=["lite", "original"], judge="lite2")
    assert set(chosen.frame["codec"]) == {"lite", "original"}
    assert chosen.judges == ["lite2"]
    assert len(chosen) == 8 * 4
    assert chosen.meta == found.meta


@pytest.mark.parametrize("what", ["text", "another table", "another version", "a missing column", "a wrong type"])
def test_anything_else_is_one_clear_error(what, tmp_path):
    found = some_rows(2)
    table = rows.table(found.frame, found.meta)
    if what == "another table":
        table = pa.table({"a": [1]})
    elif what == "another version":
        table = rows.table(found.frame, {**found.meta, "version": 99})
    elif what == "a missing column":
        table = table.drop_columns(["bits"])
    elif what == "a wrong type":
        place = table.column_names.index("label")
        table = table.set_column(place, "label", table["label"].cast(pa.string()))
    out = io.BytesIO()
    pq.write_table(table, out)
    (tmp_path / "r.parquet").write_bytes(b"no rows" if what == "text" else out.getvalue())
    words = {"another version": "version 99", "a missing column": "'bits'", "a wrong type": "'label'"}
    with pytest.raises(InputError, match=rf"r\.parquet .*{words.get(what, 'holds no rows')}") as caught:
        rows.read(tmp_path / "r.parquet")
    assert "\n" not in str(caught.value)


def test_slim_rows_take_less_room_and_say_nearly_the_same():
    found = some_rows(20)
    thin = rows.slim(found, 2)
    assert set(thin.frame["classes"].map(len)) == {2}
    for column in ("right", "path", "bytes", "photo", "setting"):
        pd.testing.assert_series_equal(thin.frame[column], found.frame[column])
    for column in ("bpp", "psnr", "wup"):
        assert thin.frame[column].to_numpy() == pytest.approx(found.frame[column].to_numpy(), rel=1 / 2048, nan_ok=True)
    for a, b in zip(thin.frame["p"], found.frame["p"], strict=True):
        assert a.dtype == np.float16
        assert a == pytest.approx(b[:2], rel=1 / 128)
    assert thin.meta == {**found.meta, "classes": 2}
    sizes = [len(rows.encode(rows.table(r.frame, r.meta))) for r in (thin, found)]
    assert sizes[0] < sizes[1]
    pd.testing.assert_frame_equal(rows.slim(thin, 2).frame, thin.frame)
