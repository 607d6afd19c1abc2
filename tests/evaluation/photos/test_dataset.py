"""Data sets are read one photograph at a time, in name order, from folders, tar shards and the samples."""

from __future__ import annotations

import os
import pickle
import tarfile

import numpy as np
import pytest

from hiercodec.errors import ConfigError, DamagedImage, InputError, Unreadable
from hiercodec.evaluation.photos import stored
from hiercodec.evaluation.photos.dataset import SAMPLES, inventory, load_photos
from hiercodec.evaluation.results.run import digest
from hiercodec.images import encode_png
from hiercodec.taxonomy import classes

WNIDS = [classes()[i].wnid for i in (5, 900)]
NAMES = [f"val/{WNIDS[0]}/a.png", f"val/{WNIDS[1]}/b.PNG", "val/c.png"]


@pytest.fixture
def folder(tmp_path):
    """Two labelled photographs, one flat, and something else."""
    root = tmp_path / "set"
    for value, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.full((4 + value, 6, 3), value, np.uint8)))
    (root / "notes.txt").write_text("no photograph")
    return root


@pytest.fixture
def shard(folder):
    path = folder.parent / "shard.tar"
    with tarfile.open(path, "w") as tar:
        for name in reversed(NAMES):
            tar.add(folder / name, name)
        tar.add(folder / "notes.txt", "notes.txt")
    return path


@pytest.mark.parametrize("kind", ["folder", "shard"])
def test_folders_and_shards_read_alike(kind, request):
    photos = load_photos([request.getfixturevalue(kind)])
    order = sorted(range(3), key=lambda i: NAMES[i])
    assert photos.names == sorted(NAMES)
    assert photos.labels.tolist() == [(5, 900, -1)[i] for i in order]
    assert [(p.shape[0] - 4, p.max()) for p in photos.pixels] == [(i, i) for i in order]


def test_nothing_is_decoded_before_it_is_asked_for_nor_kept(shard, monkeypatch):
    read = []
    decode = stored.read_rgb
    monkeypatch.setattr(stored, "read_rgb", lambda data: read.append(1) or decode(data))
    photos = load_photos([shard, shard]).split(0.5)[0].spread(2).take(np.array([1, 0]))
    assert not read
    assert len(photos) == 2
    for _ in range(2):
        assert photos.pixels[1].shape[1:] == (6, 3)
    assert len(read) == 2


def test_a_selection_is_what_indexing_gives(folder):
    photos = load_photos([folder])
    chosen = photos.take(np.array([2, 0]))
    assert chosen.names == [photos.names[2], photos.names[0]]
    assert np.array_equal(chosen.pixels[0], photos.pixels[2])
    assert chosen.labels.tolist() == photos.labels[[2, 0]].tolist()
    with pytest.raises(IndexError):
        chosen.pixels[2]


def test_a_slice_is_as_lazy_as_the_whole(shard, monkeypatch):
    photos = load_photos([shard])
    expected = [photos.pixels[i] for i in (1, 2)]
    part = photos.take(np.arange(len(photos))).pixels[1:3]
    assert len(part) == 2
    assert all(np.array_equal(a, b) for a, b in zip(part, expected, strict=True))
    monkeypatch.setattr(stored, "read_rgb", lambda data: pytest.fail("decoded before it was asked for"))
    assert len(photos.pixels[:2]) == 2


def test_other_processes_can_be_given_them(shard):
    photos = pickle.loads(pickle.dumps(load_photos([shard]).spread(2)))
    assert photos.pixels[1].dtype == np.uint8


def test_the_samples_are_a_data_set():
    photos = load_photos([SAMPLES])
    assert len(photos) >= 7
    assert (photos.labels >= 0).sum() >= 5
    assert photos.pixels[0].dtype == np.uint8


def test_what_cannot_be_read_is_named(folder, tmp_path):
    (folder / NAMES[2]).write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    photos = load_photos([folder])
    with pytest.raises(DamagedImage, match=r"val/c.png"):
        list(photos.pixels)
    (folder / NAMES[2]).unlink()
    with pytest.raises(InputError, match=r"c.png: cannot be read"):
        list(photos.pixels)
    for name, content in (("x.tar", b"no tar at all" * 100), ("y.tar", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=f"{name}"):
            load_photos([tmp_path / name])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no photographs in .*empty"):
        load_photos([tmp_path / "empty"])
    with pytest.raises(ConfigError, match=r"no photographs at .*nowhere"):
        load_photos([tmp_path / "nowhere"])


def test_a_limit_takes_the_first(shard):
    assert load_photos([shard, shard], limit=4).names == [*sorted(NAMES), sorted(NAMES)[0]]
    assert len(load_photos([shard], limit=0)) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", f"{NAMES[1]} 7\n\n{NAMES[0]} {WNIDS[1]}\n{NAMES[2]}\n"),
        ("a.csv", f"path,label\n{NAMES[1]},7\n{NAMES[0]},{WNIDS[1]}\n{NAMES[2]},\n"),
        ("a.tsv", f"{NAMES[1]}\t7\n{NAMES[0]}\t{WNIDS[1]}\n{NAMES[2]}\n"),
    ],
)
def test_a_list_names_photographs_and_labels_in_its_own_order(folder, name, text):
    (folder / name).write_text(text)
    photos = load_photos([folder / name])
    assert photos.names == [NAMES[1], NAMES[0], NAMES[2]]
    assert photos.labels.tolist() == [7, 900, -1]
    assert photos.pixels[0].shape[0] == 5


def test_a_list_without_labels_takes_them_from_folders_and_paths_may_hold_blanks(folder):
    (folder / "my photo.png").write_bytes((folder / NAMES[2]).read_bytes())
    (folder / "a.txt").write_text(f"{NAMES[0]}\nmy photo.png\nmy photo.png 3")
    photos = load_photos([folder / "a.txt"])
    assert photos.names == [NAMES[0], "my photo.png", "my photo.png"]
    assert photos.labels.tolist() == [5, -1, 3]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", f"{NAMES[1]} 7\r\n{NAMES[0]} {WNIDS[1]}\r\n".encode("utf-16")),  # PowerShell's
        ("a.csv", f"path;label\r\n{NAMES[1]};7\r\n{NAMES[0]};{WNIDS[1]}\r\n".encode("utf-8-sig")),  # a spreadsheet's
        ("a.txt", f"{NAMES[1]} 7\n{NAMES[0]} {WNIDS[1]}\n".replace("/", "\\").encode()),  # Windows' paths
    ],
)
def test_lists_as_windows_writes_them(folder, name, data):
    (folder / name).write_bytes(data)
    photos = load_photos([folder / name])
    assert (photos.names, photos.labels.tolist()) == ([NAMES[1], NAMES[0]], [7, 900])
    assert photos.pixels[0].shape[0] == 5


def test_a_wnid_of_no_class_is_no_label_on_a_list_as_on_a_path(folder):
    (folder / "a.txt").write_text(f"{NAMES[0]} n99999999\n{NAMES[1]} 7\n")
    assert load_photos([folder / "a.txt"]).labels.tolist() == [-1, 7]


def test_what_a_list_names_and_no_photograph_is_one_that_cannot_be_read(folder):
    """A folder, a pipe that nobody writes to, a name that no file can have: each is skipped, none ends or stops a run."""
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe.png")
    names = ["folder.png", "pipe.png", "a\0b.png", "x" * 300 + ".png", "missing.png", NAMES[0]]
    (folder / "a.txt").write_text("\n".join(names))
    photos = inventory([folder / "a.txt"]).photos
    for place, _ in photos[:-1]:
        with pytest.raises(Unreadable, match="cannot be read"):
            place.content()
    assert len(digest(photos)) == 16
    assert len(load_photos([folder / "a.txt"]).usable()) == 1


@pytest.mark.parametrize("label", ["1000", "-1", "cat", "²"])
def test_a_label_that_is_none_is_named_with_its_line(folder, label):
    (folder / "a.csv").write_text(f"{NAMES[0]},1\n{NAMES[1]},{label}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"line 2: '{label}' is neither a class index 0…999 nor a wnid"):
        load_photos([folder / "a.csv"])
