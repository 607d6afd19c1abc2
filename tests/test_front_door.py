"""`import hiercodec`: the names, what each does with good and bad input, and the README's lines as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hiercodec as hc
from hiercodec.taxonomy import load_hierarchy
from tests.models.tiny import smooth_photo

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = [
    "decode",
    "decode_until",
    "encode",
    "hierarchy",
    "label",
    "load",
    "predict",
    "read_label",
    "truncate",
    "wup",
]
ERRORS = [
    "BadMagic", "ClassifierNotFound", "ConfigError", "CorruptStream", "CourseError", "DamagedImage", "HierarchyError",
    "HiercodecError", "ImageError", "ImageTooLarge", "IncompleteHeader", "InputError", "ModelMismatch", "ModelNotFound",
    "NotAnImage", "NotRGB", "OutOfMemory", "OutOfTime", "OutputError", "ParameterDesync", "ResourceError", "StreamError",
    "Unreadable", "UnsupportedVersion", "WorkFailed", "WorkerDied",
]  # fmt: skip


class Judge:
    """A classifier that is sure of class 281, tabby."""

    name, sha256, weights_id = "judge", "0" * 64, "0" * 12

    def probabilities(self, pictures):
        return np.eye(1000, dtype=np.float32)[[281] * len(pictures)]


@pytest.fixture(scope="module")
def data(tiny_lite, photo):
    return tiny_lite.encode(photo)


def test_the_exported_names_are_pinned():
    types = ["Codec", "Decoded", "Label", "LabelReading", "Prediction", "Stopped"]
    assert sorted(hc.__all__) == sorted([*ERRORS, *FUNCTIONS, *types])
    assert {*hc.__all__} <= {*dir(hc)}
    for name in hc.__all__:
        assert getattr(hc, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'cut'"):
        _ = hc.cut


def test_every_error_is_exported():
    from hiercodec import errors

    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert tree == set(ERRORS)


def test_it_starts_fast_and_alone():
    code = (
        "import sys, time; start = time.process_time(); import hiercodec; print(time.process_time() - start); "
        "sys.exit(bool({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) < 0.1


def test_pictures_of_pillow_and_arrays_give_the_same_stream(tiny_lite, photo, data):
    assert tiny_lite.encode(Image.fromarray(photo)) == data
    image = tiny_lite.decode(data).image
    assert (image.dtype, image.shape) == (np.uint8, photo.shape)


@pytest.mark.parametrize(
    "bad", [lambda x: x / 255, lambda x: x.transpose(2, 0, 1), lambda x: x[..., 0], lambda x: None]
)
def test_what_is_no_picture_is_refused(tiny_lite, photo, bad):
    with pytest.raises(hc.NotRGB):
        tiny_lite.encode(bad(photo))
    with pytest.raises(hc.NotRGB):
        hc.predict(bad(photo), Judge())


def test_truncate_takes_one_cut(tiny_lite, data):
    cut = hc.truncate(data, level="coarse")
    assert (tiny_lite.decode(cut).level, tiny_lite.decode(cut).fraction) == ("coarse", 0.0)
    assert hc.truncate(data, bytes=100) == data[:100]
    assert hc.truncate(data, bytes=10**9) == data
    for wrong in ({}, {"level": "coarse", "bytes": 5}, {"bytes": 0}, {"level": "poodle"}):
        with pytest.raises(hc.InputError):
            hc.truncate(data, **wrong)
    with pytest.raises(hc.BadMagic):
        hc.truncate(b"not a stream at all", bytes=5)


def test_predict_tells_kind_family_and_class(photo):
    seen = hc.predict(photo, Judge())
    groups = load_hierarchy()
    assert seen.path.names == groups.names
    assert [label for _, label, _ in seen.path.winners] == list(groups.path(281))
    assert [p for *_, p in seen.path.winners] == [1.0, 1.0, 1.0]
    assert seen.path.consistent
    assert seen.probabilities.shape == (1000,)
    assert hc.predict(Image.fromarray(photo), Judge(), hc.hierarchy("wordnet")).hierarchy.name == "wordnet"
    with pytest.raises(hc.ClassifierNotFound):
        hc.predict(photo, "no such thing")
    with pytest.raises(hc.HierarchyError):
        hc.predict(photo, Judge(), "no-such-hierarchy")


def test_a_hierarchy_of_other_classes_is_refused(photo, tmp_path):
    path = tmp_path / "pets.json"
    path.write_text(
        '{"format": "hiercodec/hierarchy", "version": 1, "name": "pets", "classes": ["a", "b"], "levels": []}'
    )
    with pytest.raises(hc.InputError, match="'pets' has 2"):
        hc.predict(photo, Judge(), path)


def test_wup_takes_names_wnids_and_indexes():
    assert hc.wup("vulture", "airliner") == pytest.approx(0.320, abs=5e-4)  # the paper's Fig. 6
    assert hc.wup("tabby cat", "Egyptian cat") == hc.wup(281, "n02124075") == hc.wup(281, 285)
    assert hc.wup(0, 0, measure="eq1") == 1.0
    for name in ("crane", "maillot"):
        with pytest.raises(hc.HierarchyError, match=r"names 2 classes: .*n0\d+.*n0\d+"):
            hc.wup(name, "tabby")
    for missing in ("unicorn", "n00000000", 1000):
        with pytest.raises(hc.HierarchyError, match="no class"):
            hc.wup("tabby", missing)


def readme_lines() -> str:
    """The README's Python lines."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def test_the_readmes_lines_run_from_any_folder(tmp_path, monkeypatch, capsys):
    """In this process; tests/test_packaging.py runs them in one of their own."""
    Image.fromarray(smooth_photo(np.random.default_rng(1), 96, 128)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(readme_lines(), "README.md", "exec"), {})
    path, stop, wup = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Stopped\(\d+ bytes: coarse '.+', 0\.\d\d sure\)", stop)
    assert path.count("›") == 2
    assert float(wup) == hc.wup("tabby", "Egyptian cat")
