"""What crosses from a worker to the server: equal values, and nothing that its sender could have chosen to run."""

from __future__ import annotations

import ast
import math
import pickle
import re
from pathlib import Path

import msgpack
import numpy as np
import pytest

from hiercodec.errors import ParameterDesync, WorkFailed
from hiercodec.evaluation.traces.trace import LabelAnswer, Step, Trace
from hiercodec.protocols import OperatingPoint
from hiercodec.taxonomy import load_hierarchy
from hiercodec.workers import Pool, wire
from hiercodec.workers.wire import NotPlain, packed, unpacked
from hiercodec.workers.worker import ChildProcess
from tests.workers import jobs

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "value",
    [
        None, True, -3, 2**63, 0.1, math.inf, "ö", b"\x00\xff", [], (), [1, (2, [3])], {"a": (1,), 7: None},
        (1, "progress", (3, 24, "decoding")),
        Step(9, 0.1, math.inf, None, 0.5, {"fine": ((1, "b", 0.25),)}),
        Trace(1, 2, 9, {"z": 9}, {"fine": 9}, (), answers={"fine": (1, 2)}, label={"fine": LabelAnswer(1, "b", 0.5, 8)}),
    ],
)  # fmt: skip
def test_a_value_arrives_as_it_was_sent(value):
    again = unpacked(packed(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64", "bool", ">i2"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 4)])
def test_arrays_keep_their_type_shape_and_can_be_written(dtype, shape):
    value = np.ones(shape, dtype)
    again = unpacked(packed(value))
    assert (again.dtype, again.shape, again.flags.writeable) == (value.dtype, shape, True)
    assert np.array_equal(again, value)


def test_records_errors_and_hierarchies_cross():
    point = unpacked(packed(OperatingPoint("q1", 9, np.zeros((2, 2, 3), np.uint8), seconds=math.nan)))
    assert (point.setting, point.bytes, math.isnan(point.seconds), point.picture.shape) == ("q1", 9, True, (2, 2, 3))
    error = unpacked(packed(ParameterDesync("they differ", block="fine", offset=7)))
    assert (type(error), str(error), error.block) == (ParameterDesync, "they differ (at byte 7)", "fine")
    tree = load_hierarchy()
    assert unpacked(packed(tree)).digest == tree.digest


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("value", [Evil(print), object(), {1, 2}, np.array(["a"]), np.array([object()]), 1j, print])
def test_what_is_no_data_is_not_sent(value):
    with pytest.raises(NotPlain):
        packed(value)


def ext(code, *rest):
    return msgpack.packb(msgpack.ExtType(code, msgpack.packb(list(rest))))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xc1", b"\x93\x01", pickle.dumps([1]), ext(99), ext(wire.ARRAY, "|O", [1], b"12345678"),
        ext(wire.ARRAY, "|u1", [9], b"1"), ext(wire.RECORD, "os:system", {"command": "true"}),
        ext(wire.RECORD, "hiercodec.evaluation.traces.trace:Step", {"nothing": 1}), ext(wire.ERROR, "Any", [], {}),
        ext(wire.ERROR, "is_out_of_memory", [], {}), ext(wire.TUPLE) + b"more",
    ],
)  # fmt: skip
def test_what_nobody_packs_is_refused(data):
    with pytest.raises(NotPlain):
        unpacked(data)


def test_nesting_without_end_is_refused():
    deep = msgpack.packb([])
    for _ in range(3000):
        deep = msgpack.packb(msgpack.ExtType(wire.TUPLE, deep))
    with pytest.raises(NotPlain):
        unpacked(deep)


def test_the_server_unpickles_nothing():
    """No room of ours reads pickles but packaged weights, CompressAI's, and children from who began them (SECURITY.md)."""
    readers = re.compile(r"\bpickle\b|torch\.load\(|allow_pickle=True|joblib\.load|\.recv\(")
    found = {path.name for path in (ROOT / "hiercodec").rglob("*.py") if readers.search(code_of(path))}
    assert found == {"loading.py", "child.py", "zoo.py"}


def code_of(path: Path) -> str:
    """A module without its docstrings and comments."""
    return ast.unparse(ast.parse(re.sub(r'"""(?s:.*?)"""', '""', path.read_text(encoding="utf-8"))))


def test_a_worker_that_was_taken_over_cannot_have_the_server_run_anything(tmp_path):
    """It sends what `multiprocessing` would unpickle; the server opens no file, and the next visitor is served."""
    pool = Pool(1, lambda: ChildProcess(1500 * 10**6), seconds=60, cpu_seconds=30)
    with pytest.raises(WorkFailed, match="sent no answer"):
        pool.submit(jobs.forge, str(tmp_path / "written")).result()
    assert not (tmp_path / "written").exists()
    assert pool.submit(jobs.count, 3).result() == 3
    pool.close()
