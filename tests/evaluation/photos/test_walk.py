"""One rule for what a data set is: the same photographs from a folder, a tar, a zip and uploads, whatever is beside them."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hiercodec.errors import ConfigError, DamagedImage, HiercodecError, InputError
from hiercodec.evaluation.photos import labels, stored, walk
from hiercodec.evaluation.photos.dataset import inventory, load_photos
from hiercodec.evaluation.photos.uploads import photographs
from hiercodec.evaluation.photos.walk import Passed
from hiercodec.fsio import from_printable, printable
from hiercodec.images import encode_png

PNG = encode_png(np.full((4, 6, 3), 9, np.uint8))

PHOTOS = ["a.png", "b/c.JPEG", "b/d.jfif", "b/e.jpe", "deep/er/f.WebP", "with blank/100% #1.jpg", "zoë/@home.jpg"]
HIDDEN = [
    "._a.jpg", ".b.png", "b/.ipynb_checkpoints/c-checkpoint.jpg", "b/@eaDir/c.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "__MACOSX/b/._c.jpg", "__MACOSX/b/c.jpg", "#recycle/x.png", "$RECYCLE.BIN/x.png", ".Trash-1000/files/x.png",
    "@Recycle/x.png", "lost+found/x.png", ".@__thumb/x.png",
]  # fmt: skip
OTHERS = {"Thumbs.db": walk.OTHER, "notes.txt": walk.OTHER, "b/IMG_1.DNG": walk.OTHER_FORMAT, "b/drawing.svg":
          walk.OTHER_FORMAT, "backup.tar": walk.ARCHIVE, "README": walk.OTHER}  # fmt: skip


def folder(root: Path) -> Path:
    for name in (*PHOTOS, *HIDDEN, *OTHERS):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
    return root


def tarred(root: Path, to: Path) -> Path:
    with tarfile.open(to, "w") as tar:
        tar.add(root, ".")  # as `tar cf x.tar .` does: every name begins with "./"
    return to


def zipped(root: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root))
    return to


@pytest.mark.parametrize("kind", ["folder", "tar", "zip", "uploads"])
def test_the_same_photographs_count_wherever_they_lie(tmp_path, kind):
    root = folder(tmp_path / "set")
    if kind == "uploads":
        found = photographs([("set.zip", zipped(root, tmp_path / "set.zip").read_bytes())])
        assert sorted(one.name for one in found) == sorted(PHOTOS)
        assert all(one.read().shape == (4, 6, 3) for one in found)
        return
    make = {"folder": lambda root, to: root, "tar": tarred, "zip": zipped}[kind]
    found = inventory([make(root, tmp_path / f"set.{kind}")])
    assert [stored.name for stored, _ in found.photos] == sorted(PHOTOS)
    assert all(stored.read().shape == (4, 6, 3) for stored, _ in found.photos)
    passed = {name: why for why, names in found.passed.names.items() for name in names}
    assert {name: passed[name] for name in OTHERS} == OTHERS
    assert sum(why == walk.HIDDEN for why in passed.values()) >= 7
    first, *others = found.report()
    assert first == "photographs: 7, none of them labelled"
    assert any("pictures of formats that are not read: 2 (b/IMG_1.DNG, b/drawing.svg)" in line for line in others)


def test_links_are_followed_once(tmp_path):
    """Class folders that are links count, loops and second ways to the same photograph do not."""
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "set"
    for name in ("n01440764/a.png", "n01440764/sub/b.png"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_bytes(PNG)
    (root / "n01443537").mkdir(parents=True)
    (root / "n01443537" / "own.png").write_bytes(PNG)
    (root / "n01440764").symlink_to(elsewhere / "n01440764")  # a class folder by a link
    (root / "again").symlink_to(elsewhere / "n01440764")  # the same folder once more
    (elsewhere / "n01440764" / "loop").symlink_to(root)  # a loop
    (root / "n01443537" / "self").symlink_to(".")
    (root / "n01443537" / "blob.png").symlink_to(elsewhere / "blob")  # as caches of models and data sets lay files out
    (elsewhere / "blob").write_bytes(PNG)
    (root / "a way to own.png").symlink_to("n01443537/own.png")
    (root / "nowhere.png").symlink_to("missing.png")
    (root / "itself.png").symlink_to("itself.png")
    os.link(root / "n01443537" / "own.png", root / "n01443537" / "twin.png")  # no link, another name of equal right
    found = inventory([root])
    names = {stored.name: label for stored, label in found.photos}
    assert sorted(names.values()) == [0, 0, 1, 1, 1] or sorted(names.values()) == [-1, -1, 1, 1, 1]
    assert {"n01443537/own.png", "n01443537/blob.png", "n01443537/twin.png"} <= set(names)
    assert len(names) == 5
    assert found.passed.names[walk.NOWHERE] == ["itself.png", "nowhere.png"]
    assert "a way to own.png" in found.passed.names[walk.AGAIN]
    assert len(found.passed.names[walk.AGAIN]) == 4


def test_what_is_no_file_and_what_may_not_be_opened_is_said(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "locked").mkdir(mode=0o000)
    found = inventory([tmp_path])
    assert len(found.photos) == 1
    assert found.passed.names[walk.SPECIAL] == ["pipe.png"]
    if os.geteuid():
        assert any("Permission denied" in why for why in found.passed.names)
    (tmp_path / "locked").chmod(0o700)


def test_links_in_tars_lead_where_they_lead(tmp_path):
    """A photograph with a second name of equal right is one under both; a symbolic way to it is none."""
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as tar:

        def add(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", data: bytes = b"") -> None:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, to, len(data)
            tar.addfile(member, io.BytesIO(data))

        add("./n01440764/a.png", data=PNG)
        add("./n01443537/hard.png", tarfile.LNKTYPE, "./n01440764/a.png")
        add("./n01443537/soft.png", tarfile.SYMTYPE, "../n01440764/a.png")
        add("./n01443537/blob.png", tarfile.SYMTYPE, "../blobs/x")
        add("./blobs/x", data=PNG)
        add("./nowhere.png", tarfile.SYMTYPE, "missing")
        add("./loop.png", tarfile.SYMTYPE, "loop.png")
        add("./pipe.png", tarfile.FIFOTYPE)
        add("./n01440764/a.png", data=PNG + b"again")  # `tar --append`: the last counts
    found = inventory([path])
    assert {stored.name: label for stored, label in found.photos} == {
        "n01440764/a.png": 0, "n01443537/hard.png": 1, "n01443537/blob.png": 1
    }  # fmt: skip
    assert all(stored.content().startswith(PNG) for stored, _ in found.photos)
    assert found.passed.names[walk.AGAIN] == ["n01443537/soft.png"]
    assert found.passed.names[walk.NOWHERE] == ["nowhere.png", "loop.png"]
    assert found.passed.names[walk.SPECIAL] == ["pipe.png"]


NAMES = [
    b"caf\xe9.png", "café.png".encode(), "cafe\u0301.png".encode(), b"100%41.png", b"a#b?c.png", b" blank .png",
    b"back\\slash.png", b"line\nfeed.png", "turned\u202egnp.png".encode(), b"x" * 251 + b".png", b"<b>&amp;'\".png",
    b"\xff\xfe/\x80.png",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["folder", "tar", "list"])
def test_every_name_is_kept_and_can_be_printed_and_given_back(tmp_path, kind):
    root = tmp_path / "set"
    for number, name in enumerate(NAMES):
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.full((1, 1 + number, 3), 9, np.uint8)))
    source = tarred(root, tmp_path / "set.tar") if kind == "tar" else root
    if kind == "list":  # as results spell the names
        source = root / "list.txt"
        source.write_text("\n".join(stored.name for stored, _ in inventory([root]).photos), encoding="utf-8")
    found = {stored.name: stored for stored, _ in inventory([source]).photos}
    for number, name in enumerate(NAMES):
        spelled = printable(os.fsdecode(name))
        assert spelled.encode("utf-8").decode().isprintable()
        assert os.fsencode(from_printable(spelled)) == name
        assert found[spelled].read().shape == (1, 1 + number, 3)
    assert len(found) == len(NAMES)


def test_names_in_a_list_are_found_in_either_unicode_form_and_as_bytes(tmp_path):
    (tmp_path / "cafe\u0301.png").write_bytes(PNG)
    (tmp_path / os.fsdecode(b"na\xefve.png")).write_bytes(PNG)
    (tmp_path / "list.txt").write_bytes("café.png 7\n".encode() + b"na\xefve.png 8\n")
    photos = load_photos([tmp_path / "list.txt"])
    assert photos.names == ["cafe\u0301.png", r"na\xefve.png"]
    assert photos.labels.tolist() == [7, 8]
    assert [p.shape for p in photos.pixels] == [(4, 6, 3)] * 2


def test_archives_whose_names_are_utf8_and_do_not_say_so(tmp_path):
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zoXY.png", PNG)
    path.write_bytes(path.read_bytes().replace(b"zoXY.png", "zoë.png".encode()))
    (stored, _), *_ = inventory([path]).photos
    assert stored.name == "zoë.png"
    assert stored.read().shape == (4, 6, 3)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_names_in_archives_are_what_unpacking_would_make_of_them(tmp_path, kind):
    names = ["../p/a.png", "/abs/n01440764/b.png", "./c.png", "d/../e.png", "//f.png", "../.hidden/g.png"]
    path = tmp_path / f"a.{kind}"
    with tarfile.open(path, "w") if kind == "tar" else zipfile.ZipFile(path, "w") as archive:
        for name in names:
            if isinstance(archive, zipfile.ZipFile):
                archive.writestr(name, PNG)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(PNG)
                archive.addfile(member, io.BytesIO(PNG))
    found = inventory([path])
    assert [stored.name for stored, _ in found.photos] == ["abs/n01440764/b.png", "c.png", "e.png", "f.png", "p/a.png"]
    assert found.passed.names == {walk.HIDDEN: [".hidden/g.png"]}
    assert all(stored.read().shape == (4, 6, 3) for stored, _ in found.photos)


def test_zips_of_windows_part_folders_by_backslashes_and_others_hold_links(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, system, kind in (
            ("7\\a.png", 0, 0), ("__MACOSX\\._a.png", 0, 0), ("b\\c.png", 3, 0), ("7\\soft.png", 0, stat.S_IFLNK)
        ):  # fmt: skip
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = system, kind << 16
            archive.writestr(entry, b"a.png" if kind else PNG)
    found = inventory([path], labels.INDEX)
    assert {stored.name: label for stored, label in found.photos} == {"7/a.png": 7, r"b\\c.png": -1}
    assert found.passed.names == {walk.HIDDEN: ["__MACOSX/._a.png"], walk.SPECIAL: ["7/soft.png"]}
    assert all(stored.read().shape == (4, 6, 3) for stored, _ in found.photos)
    assert [one.name for one in photographs([("a.zip", path.read_bytes())])] == ["7/a.png", r"b\\c.png"]


@pytest.mark.parametrize("cut", [100, 700, 1100, 1600, 3 * 1024 + 1])
def test_a_tar_that_is_cut_or_damaged_between_its_members_is_not_taken_for_a_shorter_one(tmp_path, cut):
    (tmp_path / "set").mkdir()
    for name in "abcde":
        (tmp_path / "set" / f"{name}.png").write_bytes(PNG)
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name in "abcde":
            tar.add(tmp_path / "set" / f"{name}.png", f"{name}.png")
    whole = path.read_bytes()
    assert len(inventory([path]).photos) == 5
    path.write_bytes(whole[:cut])
    with pytest.raises(ConfigError, match="not an uncompressed tar that can be read"):
        inventory([path])
    path.write_bytes(whole[:2058] + b"\xff" + whole[2059:])  # in the header of the third
    with pytest.raises(ConfigError, match="damaged at byte 2048"):
        inventory([path])


def test_links_in_tars_that_lead_on_and_on_are_left_early(tmp_path):
    path, n = tmp_path / "links.tar", 5000
    with tarfile.open(path, "w") as tar:
        for i in range(n):
            member = tarfile.TarInfo(f"{i}.png")
            member.type, member.linkname = tarfile.SYMTYPE, f"{(i + 1) % n}.png"
            tar.addfile(member)
    started = time.process_time()
    assert len(inventory([path]).passed.names[walk.NOWHERE]) == n
    assert time.process_time() - started < 10


def test_a_photograph_that_may_not_be_looked_at_does_not_keep_links_from_being_followed(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    for path in (tmp_path / "set" / "a.png", tmp_path / "b.png"):
        path.write_bytes(PNG)
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "b.png")
    allowed = Path.stat

    def guarded(self, **options):
        if self.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return allowed(self, **options)

    monkeypatch.setattr(Path, "stat", guarded)
    assert [stored.name for stored, _ in inventory([tmp_path / "set"]).photos] == ["a.png", "link.png"]


def test_what_is_no_data_set_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "one.png").write_bytes(PNG)
    for name, words in (
        ("a.tar.gz", "unpack it"), ("a.zip", "not a zip archive"), ("one.png", "give a folder"), ("x" * 300, "give a folder")
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            inventory([tmp_path / name])


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_that_is_damaged_anywhere_is_an_error_of_ours_or_photographs(tmp_path, kind, how):
    root, path, rng = folder(tmp_path / "set"), tmp_path / f"a.{kind}", np.random.default_rng(how)
    if kind == "tar":
        tarred(root, path)
    else:
        with zipfile.ZipFile(path, "w", how) as archive:
            for name in PHOTOS:
                archive.writestr(name, PNG)
    whole = path.read_bytes()
    for turn in range(150):
        data = bytearray(whole[: rng.integers(len(whole)) if turn % 5 == 0 else None])
        for place in rng.integers(0, len(data), 2) if data else ():
            data[place] = rng.choice([0, 1, 47, 127, 255])
        path.write_bytes(data)
        for read in (lambda: inventory([path]).photos, lambda: photographs([(path.name, path.read_bytes())])):
            with contextlib.suppress(HiercodecError):
                for one in read():
                    with contextlib.suppress(HiercodecError):
                        (one[0] if isinstance(one, tuple) else one).read()
        stored._archive.cache_clear()


def test_a_damaged_member_of_a_zip_is_one_photograph_that_cannot_be_read(tmp_path):
    path = tmp_path / "torn.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.png", PNG)
        archive.writestr("b.png", PNG)
    data = bytearray(path.read_bytes())
    data[50] ^= 255
    path.write_bytes(data)
    (torn, _), (whole, _) = inventory([path]).photos
    with pytest.raises(DamagedImage, match="damaged in its archive"):
        torn.read()
    assert whole.read().shape == (4, 6, 3)
    path.unlink()
    with pytest.raises(InputError):
        walk.walk(path, Passed())
