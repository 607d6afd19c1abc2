"""Photographs that strangers give: what is found in files and archives, and what is refused before it is unpacked."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from hiercodec.errors import DamagedImage, ImageError, InputError
from hiercodec.evaluation.photos import uploads
from hiercodec.evaluation.photos.uploads import photographs
from hiercodec.images import encode_png

PNG = encode_png(np.full((4, 6, 3), 9, np.uint8))


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_photographs_are_found_in_files_and_archives():
    archive = zipped(
        {"a/n02123045/cat.PNG": PNG, "__MACOSX/a/._cat.png": b"", ".hidden.png": PNG, "notes.txt": b"", "a/b.jpg": PNG}
    )
    found = photographs([("one.png", PNG), ("more.zip", archive), ("table.csv", b""), ("one.png", PNG)])
    assert [row.name for row in found] == ["one.png", "a/n02123045/cat.PNG", "a/b.jpg", "one.png (2)"]
    assert [row.label for row in found] == [-1, 281, -1, -1]
    assert all(row.read().shape == (4, 6, 3) for row in found)


def test_names_are_cut_and_hold_nothing_that_cannot_be_printed():
    (found,) = photographs([("x" * 500 + "\n\0.png", PNG)])
    assert len(found.name) == uploads.NAME
    assert found.name.endswith(r"xx\u000a\u0000.png")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "no photograph"),
        ([("a.txt", b"hello")], "no photograph"),
        ([("a.zip", b"PK\x03\x04 nothing")], "not a zip archive"),
        ([("a.zip", zipped({}))], "no photograph"),
        ([("a.zip", zipped({f"{i}.png": b"" for i in range(uploads.MAX_FILES + 1)}))], "at most 60"),
        ([("a.zip", zipped({f"{i}.txt": b"" for i in range(uploads.MAX_ENTRIES + 1)}))], "entries"),
        ([("a.zip", zipped({f"{i}.png": bytes(60 << 20) for i in range(5)}))], "MB unpacked"),
    ],
)
def test_what_is_too_much_is_refused_before_it_is_unpacked(files, says):
    with pytest.raises(InputError, match=says):
        photographs(files)


def test_an_archive_that_lies_or_is_damaged_gives_one_error():
    honest = zipped({"a.png": PNG})
    lying = bytearray(honest)
    centre = lying.index(b"PK\x01\x02")
    lying[centre + 24 : centre + 28] = (3).to_bytes(4, "little")  # the size unpacked, as the directory has it
    (found,) = photographs([("a.zip", bytes(lying))])
    with pytest.raises(ImageError):
        found.read()
    locked = bytearray(honest)
    for place in (6, centre + 8):
        locked[place] |= 1  # of its flags: encrypted
    (found,) = photographs([("a.zip", bytes(locked))])
    with pytest.raises(DamagedImage, match=r"^encrypted in its archive$"):
        found.read()
    torn = bytearray(zipped({"a.png": PNG}, zipfile.ZIP_STORED))
    torn[50] ^= 255
    (found,) = photographs([("a.zip", bytes(torn))])
    with pytest.raises(DamagedImage, match="damaged in its archive"):
        found.read()
