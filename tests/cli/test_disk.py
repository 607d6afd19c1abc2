"""A full disk and a read-only one: one line, no traceback, nothing half-written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec import fsio, models
from hiercodec.cli.main import main
from hiercodec.errors import OutputError
from tests.models.make_golden import DATA
from tests.models.tiny import TINY_LITE, smooth_photo

MODEL = str(DATA / "tiny-lite-v1.safetensors")
STREAM = str(DATA / "tiny-lite-v1.hc")
PHOTO = smooth_photo(np.random.default_rng(1), 75, 90)
TRAIN = """
name = "t"
photos = ["{photos}"]
out = "{out}"
changes = {{ n = 8, n_hyper = 4, width = 16, delta_width = 8 }}
crop = 32
batch = 2
steps = 2
validate_photos = 1
holdout = 0.5
accelerator = "cpu"
"""


def mount(path: Path, options: str) -> None:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount a disk here: {done.stderr.strip()}")


@pytest.fixture(params=["full", "read-only"])
def disk(request, tmp_path) -> Iterator[tuple[Path, str]]:
    """(a disk on which nothing can be written, what the system says of it)."""
    path = tmp_path / "disk"
    path.mkdir()
    mount(path, "size=4k" if request.param == "full" else "ro")
    try:
        if request.param == "full":
            (path / "filler").write_bytes(bytes(4096))
        yield path, "No space left" if request.param == "full" else "not writable|Read-only"
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        Image.fromarray(PHOTO).save(folder / f"{i}.png")
    return folder


def refused(arguments: list[str], disk: tuple[Path, str], capsys) -> None:
    path, reason = disk
    before = sorted(path.iterdir())
    capsys.readouterr()
    assert main(arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("hiercodec: ")]
    assert len(said) == 1
    assert any(word in said[0] for word in reason.split("|")), said
    assert [p for p in path.iterdir() if p.is_file() and p not in before] == []


def test_decode_to_it(disk, capsys):
    refused(["decode", STREAM, str(disk[0] / "out.png"), "--model", MODEL], disk, capsys)


def test_encode_to_it(disk, photos, capsys):
    refused(["encode", str(photos / "0.png"), str(disk[0] / "out.hc"), "--model", MODEL], disk, capsys)


def test_train_on_it(disk, photos, tmp_path, capsys):
    config = tmp_path / "t.toml"
    config.write_text(TRAIN.format(photos=photos, out=disk[0]))
    refused(["train", str(config)], disk, capsys)


def test_a_model_is_written_whole_or_not_at_all(disk):
    from hiercodec.models.channels.network import HierNetwork

    network = HierNetwork(TINY_LITE)
    with pytest.raises(OutputError, match=disk[1]):
        models.store.save(disk[0] / "m.safetensors", TINY_LITE, models.store.half(network), {"name": "m"})
    assert not [path for path in disk[0].iterdir() if path.name != "filler"]


def test_a_model_that_was_there_stays_when_a_new_one_does_not_fit(tmp_path, monkeypatch):
    from hiercodec.models.channels.network import HierNetwork

    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fsio.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        models.store.save(path, TINY_LITE, models.store.half(HierNetwork(TINY_LITE)), {"name": "m"})
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
