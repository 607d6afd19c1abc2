"""Untrusted bytes in, pixels or one clear error out."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec import images
from hiercodec.errors import DamagedImage, ImageTooLarge, NotAnImage, NotRGB
from hiercodec.images import reading


def picture(height: int = 20, width: int = 30, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def file_of(image: Image.Image | np.ndarray, fmt: str, **options) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, fmt, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("fmt", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_are_exact(fmt, options):
    rgb = picture()
    assert np.array_equal(images.read_rgb(file_of(rgb, fmt, **options)), rgb)


def test_jpeg_is_close():
    rgb = picture()
    got = images.read_rgb(file_of(rgb, "JPEG", quality=95))
    assert got.dtype == np.uint8
    assert np.abs(got.astype(int) - rgb).mean() < 5


def test_encode_png_is_exact_and_carries_nothing_else():
    rgb = picture()
    data = images.encode_png(rgb)
    assert np.array_equal(images.read_rgb(data), rgb)
    assert Image.open(io.BytesIO(data)).info == {}


def test_one_pixel():
    assert images.read_rgb(file_of(np.full((1, 1, 3), 7, np.uint8), "PNG")).tolist() == [[[7, 7, 7]]]


def test_result_can_be_written_to():
    images.read_rgb(file_of(picture(), "PNG"))[0, 0] = 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation(orientation, fmt):
    # Corners as they should be seen: red, green / blue, white.
    seen = np.zeros((32, 48, 3), np.uint8)
    seen[:16, :24], seen[:16, 24:], seen[16:, :24], seen[16:, 24:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    flips = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen, 1),
        7: seen[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(seen, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    quality = {"lossless": True} if fmt == "WEBP" else {"quality": 95} if fmt == "JPEG" else {}
    got = images.read_rgb(file_of(np.ascontiguousarray(flips[orientation]), fmt, exif=exif, **quality))
    assert got.shape == seen.shape
    for y, x in ((4, 4), (4, 40), (26, 4), (26, 40)):
        assert np.abs(got[y, x].astype(int) - seen[y, x]).max() < 30


def test_broken_exif_turns_nothing():
    rgb = picture()
    data = file_of(rgb, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(images.read_rgb(data), rgb)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_laid_over_the_background(mode):
    image = Image.new("RGBA", (4, 4), (200, 10, 10, 0))
    image.putpixel((0, 0), (200, 10, 10, 255))
    data = file_of(image if mode == "RGBA" else image.convert("LA" if mode == "LA" else "RGBA"), "PNG")
    assert images.read_rgb(data)[3, 3].tolist() == [255, 255, 255]
    assert images.read_rgb(data)[0, 0].max() < 255


def test_half_transparency():
    data = file_of(Image.new("RGBA", (2, 2), (0, 0, 0, 128)), "PNG")
    assert abs(int(images.read_rgb(data)[0, 0, 0]) - 127) <= 1


def test_palette_with_transparency():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    assert images.read_rgb(file_of(image, "PNG")).tolist() == [[[255, 0, 0], [0, 255, 0]]]
    assert images.read_rgb(file_of(image, "PNG", transparency=1)).tolist() == [[[255, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey(mode):
    got = images.read_rgb(file_of(Image.new(mode, (3, 2), 1 if mode == "1" else 90), "PNG"))
    assert got.shape == (2, 3, 3)
    assert set(got.ravel().tolist()) == {255 if mode == "1" else 90}


def test_sixteen_bit_grey_is_rounded_not_clipped():
    samples = np.array([[0, 128, 257, 32768, 65535]], np.uint16)
    got = images.read_rgb(file_of(Image.fromarray(samples), "PNG"))
    assert got[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_sixteen_bit_colour():
    rows = b"\0" + struct.pack(">6H", 0, 65535, 256 * 200, 65535, 0, 256 * 7)
    got = images.read_rgb(png(2, 1, 16, 2, zlib.compress(rows)))
    assert got.tolist() == [[[0, 255, 200], [255, 0, 7]]]


def test_cmyk():
    got = images.read_rgb(file_of(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert got[4, 4, 0] > 200
    assert got[4, 4, 1:].max() < 60


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for fmt in ("PNG", "WEBP"):
        data = file_of(
            frames[0], fmt, save_all=True, append_images=frames[1:], **({"lossless": True} if fmt == "WEBP" else {})
        )
        assert images.read_rgb(data)[0, 0].tolist() == [255, 0, 0]


# -- refusals


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("fmt", ["ICO", "JPEG2000", "PCX", "TGA", "EPS", "PDF", "SGI"])
def test_other_formats_are_refused(fmt):
    with pytest.raises(NotAnImage, match="not a PNG, JPEG, WebP"):
        images.read_rgb(file_of(picture(), fmt))


@pytest.mark.parametrize("data", [b"", b"\0", b"hello there", b"<svg xmlns='x'/>", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF"])
def test_not_a_picture(data):
    with pytest.raises(NotAnImage) as info:
        images.read_rgb(data)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("size", [(5000, 5000), (70_000, 1), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_huge_pictures_are_refused_before_decoding(size):
    # 400 million pixels are above both of Pillow's own limits, 25 million below, 100 million (next test) between.
    with pytest.raises((ImageTooLarge, DamagedImage)) as info:
        images.read_rgb(png(*size, 8, 2, zlib.compress(b"")))
    if max(size) < 2**31 - 1:
        assert info.type is ImageTooLarge


def test_who_shrinks_pictures_is_told_how_large_they_may_be():
    with pytest.raises(ImageTooLarge, match="more than 120 million pixels"):
        images.read_within(png(20_000, 20_000, 8, 2, zlib.compress(b"")), 384)


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_pillows_warning_zone_is_an_error_too(action):
    """Whatever the process does with Pillow's warning about large pictures."""
    warnings.simplefilter(action, Image.DecompressionBombWarning)  # pytest puts the filters back
    with pytest.raises(ImageTooLarge):
        images.read_rgb(png(10_000, 10_000, 8, 2, zlib.compress(b"")))


def test_importing_leaves_the_process_warning_filters_alone():
    code = "import numpy, PIL.Image, warnings as w; a = list(w.filters); import hiercodec.images; assert w.filters == a"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        (np.zeros((4, 5, 3)), "round"),
        (np.zeros((3, 4, 5), np.uint8), "moveaxis"),
        (np.zeros((4, 5), np.uint8), "repeat grey"),
        (np.zeros((4, 5, 4), np.uint8), "transparency"),
        (np.zeros((4, 5, 3), np.int64), "uint8"),
        (np.zeros((4, 5, 2), np.uint8), "three channels"),
        (np.zeros((1, 4, 5, 3), np.uint8), "one picture"),
        (np.zeros((0, 5, 3), np.uint8), "no pixel"),
        (np.zeros(5, np.uint8), "height, width"),
        ("photo.jpg", "PIL.Image.open"),
        ([[1, 2, 3]], "numpy.asarray"),
        (io.BytesIO(), "PIL.Image.open"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_remedy(bad, remedy):
    with pytest.raises(NotRGB, match=remedy):
        images.as_rgb(bad)


def test_pillow_images_become_pixels_as_files_do():
    rgb = picture().copy()  # writable, so that nothing need be copied
    assert images.as_rgb(rgb) is rgb
    exif = Image.Exif()
    exif[0x0112] = 6
    cases = [Image.fromarray(rgb), Image.fromarray(rgb).convert("RGBA"), Image.fromarray(rgb).convert("L")]
    for image in (*cases, Image.open(io.BytesIO(file_of(rgb, "PNG", exif=exif)))):
        got = images.as_rgb(image)
        assert np.array_equal(got, images.read_rgb(file_of(image, "PNG", exif=image.getexif())))
    half = Image.open(io.BytesIO(file_of(picture(64, 64), "PNG")[:-60]))
    with pytest.raises(DamagedImage):
        images.as_rgb(half)


def test_caps_hold(monkeypatch):
    data = file_of(picture(6, 7), "PNG")
    monkeypatch.setattr(reading, "MAX_PIXELS", 42)
    images.read_rgb(data)
    monkeypatch.setattr(reading, "MAX_PIXELS", 41)
    for read, large in (
        (images.read_rgb, data),
        (images.as_rgb, picture(6, 7)),
        (images.as_rgb, Image.new("1", (7, 6))),
    ):
        with pytest.raises(ImageTooLarge, match="7×6"):
            read(large)
    monkeypatch.setattr(reading, "MAX_BYTES", len(data) - 1)
    with pytest.raises(ImageTooLarge, match="bytes"):
        images.read_rgb(data)


def with_scans(count: int, size: tuple[int, int] = (40, 30)) -> bytes:
    """A progressive JPEG whose last scan is there again and again until there are `count`."""
    data = file_of(Image.new("RGB", size, (9, 99, 200)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + data[-2:]


def with_segment(data: bytes, payload: bytes) -> bytes:
    """A JPEG with an APP5 segment behind its first marker."""
    return data[:2] + b"\xff\xe5" + (len(payload) + 2).to_bytes(2, "big") + payload + data[2:]


def test_a_jpeg_of_many_scans_is_refused_before_decoding():
    assert images.read_rgb(with_scans(images.MAX_SCANS)).shape == (30, 40, 3)
    began = time.process_time()
    with pytest.raises(ImageTooLarge, match="more than 100 scans"):
        images.read_rgb(with_scans(1500, (5000, 4000)))
    assert time.process_time() - began < 3  # 1500 scans of 20 million pixels take 20 s


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"subsampling": 0}])
def test_ordinary_jpegs_hold_few_scans_whatever_else_they_hold(options):
    data = file_of(picture(200, 300), "JPEG", quality=95, **options)
    for fake in (b"\xff\xda" * 30_000, b"\xff\xd9" + b"\xff\xda\x00\x02" * 15_000):
        assert images.read_rgb(with_segment(data, fake)).shape == (200, 300, 3)
        assert images.read_rgb(data + fake).shape == (200, 300, 3)  # as a film behind the photograph


def test_scans_behind_metadata_that_ends_a_picture_are_counted():
    with pytest.raises(ImageTooLarge, match="scans"):
        images.read_rgb(with_segment(with_scans(images.MAX_SCANS + 1), b"\xff\xd9"))


@pytest.mark.parametrize("filler", [b"\xff\xfe\0\2", b"\xff\x01", b"\xff\0", b"\xff", b"\xff\xd0"])
def test_walking_through_a_jpeg_is_bounded_work(filler):
    data = with_scans(10)
    began = time.process_time()
    with contextlib.suppress(ImageTooLarge, DamagedImage):
        images.read_rgb(data[:-2] + filler * (12_000_000 // len(filler)))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_every_truncation_is_a_typed_error(fmt):
    data = file_of(picture(64, 64), fmt)
    for n in sorted({*range(1, 60), *range(60, len(data) // 2, 13)}):
        with pytest.raises((NotAnImage, DamagedImage)) as info:
            images.read_rgb(data[:n])
        assert "\n" not in str(info.value)


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "WEBP"])
def test_random_damage_gives_pixels_or_a_typed_error(fmt):
    rng = np.random.default_rng(5)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = np.frombuffer(file_of(picture(40, 40), fmt, exif=exif), np.uint8)
    outcomes = set()
    for _ in range(150):
        broken = data.copy()
        where = rng.integers(0, len(data), rng.integers(1, 4))
        broken[where] = rng.integers(0, 256, len(where))
        try:
            images.read_rgb(broken.tobytes())
            outcomes.add("pixels")
        except (NotAnImage, DamagedImage, ImageTooLarge):
            outcomes.add("error")
    assert "error" in outcomes


def test_load_rgb(tmp_path):
    rgb = picture()
    (tmp_path / "photo.jpg").write_bytes(file_of(rgb, "PNG"))  # the name does not matter
    assert np.array_equal(images.load_rgb(tmp_path / "photo.jpg"), rgb)


def test_load_rgb_names_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(file_of(picture(), "PNG")[:70])
    (tmp_path / "big.png").write_bytes(bytes(2000))
    cases = [
        (tmp_path, NotAnImage, "folder"),
        (tmp_path / "none.png", NotAnImage, "No such file"),
        (tmp_path / "empty.png", NotAnImage, "empty"),
        (tmp_path / "text.png", NotAnImage, "not a PNG"),
        (tmp_path / "cut.png", DamagedImage, "damaged PNG"),
        (tmp_path / "big.png", ImageTooLarge, "2000 bytes"),
        (Path("a\0b"), NotAnImage, "null"),
    ]
    for path, error, text in cases:
        with pytest.raises(error, match=text) as info:
            images.load_rgb(path)
        assert str(path) in str(info.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(NotAnImage, match="ordinary"):
        images.load_rgb(tmp_path / "pipe.png")


# -- sizes


def test_resize_to():
    rgb = picture(100, 60)
    assert images.resize_to(rgb, 50).shape == (50, 30, 3)
    assert images.resize_to(rgb, 100) is rgb
    assert images.resize_to(picture(1, 500), 10).shape == (1, 10, 3)
    flat = np.full((40, 40, 3), 77, np.uint8)
    assert set(images.resize_to(flat, 13).ravel().tolist()) == {77}
    with pytest.raises(ValueError, match="max_side"):
        images.resize_to(rgb, 0)


def test_centre_crop():
    rgb = picture(11, 20)
    assert np.array_equal(images.centre_crop(rgb, 5), rgb[3:8, 7:12])
    assert images.centre_crop(rgb, 16).shape == (11, 16, 3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (16, 32, 3), (17, 5, 3), (15, 16)])
def test_padding(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    padded = images.pad_to_multiple(array, 16)
    assert padded.shape[0] % 16 == padded.shape[1] % 16 == 0
    assert padded.shape[0] - shape[0] < 16
    assert padded.shape[1] - shape[1] < 16
    assert np.array_equal(padded[: shape[0], : shape[1]], array)
    assert np.array_equal(padded[-1, : shape[1]], array[-1])
    assert np.array_equal(padded[: shape[0], -1], array[:, -1])


def test_sha256_of_depends_on_pixels_and_shape_alone():
    rgb = picture()
    assert images.sha256_of(rgb) == images.sha256_of(np.asfortranarray(rgb))
    other = rgb.copy()
    other[3, 3, 1] ^= 1
    assert images.sha256_of(rgb) != images.sha256_of(other)
    assert images.sha256_of(rgb) != images.sha256_of(rgb.reshape(30, 20, 3))


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3)), np.zeros((0, 2, 3), np.uint8), [1]])
def test_encode_png_wants_pixels(bad):
    with pytest.raises(NotRGB, match="uint8"):
        images.encode_png(bad)
