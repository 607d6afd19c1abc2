"""Files as people have them become the pixels that a browser shows: colours, transparency, animations, slight damage."""

from __future__ import annotations

import io
import struct
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from hiercodec import images
from hiercodec.errors import DamagedImage, ImageError, ImageTooLarge, NotAnImage
from hiercodec.images import read_rgb, read_within, reading
from hiercodec.images.colour import SRGB, matrix_profile
from hiercodec.images.mending import mended

P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
RAMP = bytes(range(0, 256, 16))
RGB_RAMP = b"".join(bytes([v, 255 - v, 128]) for v in RAMP)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, depth: int, colour: int, row: bytes, *more: bytes) -> bytes:
    """A PNG of one row, with chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + body + chunk(b"IEND", b"")


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def primaries(values: tuple[float, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in values)))


def photo(height: int = 128, width: int = 160) -> Image.Image:
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def file_of(image: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def heard(data: bytes, **options) -> tuple[np.ndarray, list[str]]:
    words: list[str] = []
    return read_rgb(data, note=words.append, **options), words


def away(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


# ---- colours -----------------------------------------------------------------------------------------------------------
def linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encoded(light: np.ndarray) -> np.ndarray:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


P3_TO_SRGB = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
"""Linear Display P3 → linear sRGB (CSS Color 4)."""

PROFILES = {
    "p3": (matrix_profile(2.2, P3), lambda v: encoded(v**2.2 @ P3_TO_SRGB.T)),
    "linear": (matrix_profile(1.0, SRGB), encoded),
    "gamma 1.8": (matrix_profile(1.8, SRGB), lambda v: encoded(v**1.8)),
}


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_profiles_are_applied_in_every_format(name, format):
    profile, meant = PROFILES[name]
    flat = np.repeat(np.repeat(np.array([[[90, 160, 60], [200, 120, 100]]], np.uint8), 32, 0), 32, 1)
    data = file_of(Image.fromarray(flat), format, icc_profile=profile, **({"quality": 100} if format != "PNG" else {}))
    plain = file_of(Image.fromarray(flat), format, **({"quality": 100} if format != "PNG" else {}))
    rgb, words = heard(data)
    expected = 255 * meant(read_rgb(plain) / 255)
    assert np.abs(rgb - expected).max() <= 2
    assert away(rgb, flat) > 5
    assert not words


def test_a_profile_that_means_srgb_changes_no_pixel():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image in (photo(), photo().convert("L")):
        data = file_of(image, "PNG", icc_profile=srgb)
        assert np.array_equal(read_rgb(data), np.asarray(image.convert("RGB")))


def test_alpha_and_palettes_are_converted_before_they_are_laid_on_white():
    profile, _ = PROFILES["linear"]
    half = Image.new("RGBA", (4, 4), (64, 64, 64, 128))
    rgb = read_rgb(file_of(half, "PNG", icc_profile=profile))
    grey = 255 * encoded(np.array(64 / 255))
    assert abs(int(rgb[0, 0, 0]) - round(grey * 128 / 255 + 255 * 127 / 255)) <= 1
    colours = photo().quantize(16)
    data = file_of(colours, "PNG", icc_profile=profile)
    expected = 255 * encoded(np.asarray(colours.convert("RGB")) / 255)
    assert np.abs(read_rgb(data) - expected).max() <= 2


@pytest.mark.parametrize("profile", [b"no profile at all", matrix_profile(2.2, P3)[:200], b"\0" * 5_000_000])
def test_a_profile_that_cannot_be_used_is_said_and_the_pixels_stay(profile):
    data = file_of(photo(), "PNG", icc_profile=profile)
    rgb, words = heard(data)
    assert np.array_equal(rgb, np.asarray(photo()))
    assert len(words) == 1
    assert "taken for sRGB" in words[0] or "a part of it cannot be used (iCCP)" in words[0]


def test_a_profile_for_other_pictures_is_said():
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    rgb, words = heard(file_of(cmyk, "JPEG", icc_profile=matrix_profile(2.2, P3)))
    assert "it is for RGB, the picture is CMYK" in words[0]
    assert rgb[4, 4, 0] > 200


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(
    ("chunks", "meant"),
    [
        ((gamma(1.0),), encoded),
        ((gamma(0.45455),), lambda v: v),
        ((primaries(P3),), lambda v: v),
        ((gamma(0.45455), primaries(P3)), lambda v: encoded(v**2.2 @ P3_TO_SRGB.T)),
        ((chunk(b"sRGB", b"\0"), gamma(1.0), primaries(P3)), lambda v: v),
    ],
)
def test_gamma_and_primaries_of_a_png_mean_what_they_mean_to_browsers(chunks, meant, grey):
    data = png(16, 8, 0 if grey else 2, RAMP if grey else RGB_RAMP, *chunks)
    values = (
        np.frombuffer(RAMP, np.uint8)[:, None].repeat(3, 1)
        if grey
        else np.frombuffer(RGB_RAMP, np.uint8).reshape(16, 3)
    )
    rgb, words = heard(data)
    assert np.abs(rgb[0] - 255 * meant(values / 255)).max() <= 2
    assert not words


@pytest.mark.parametrize(
    "chunks", [(gamma(0.0),), (gamma(0.5), primaries((0,) * 8)), (gamma(0.5), primaries((0.3,) * 8))]
)
def test_gamma_that_cannot_be_right_is_passed_over(chunks):
    assert np.array_equal(read_rgb(png(16, 8, 2, RGB_RAMP, *chunks))[0].ravel(), np.frombuffer(RGB_RAMP, np.uint8))


def test_colours_for_screens_of_another_kind_are_said():
    _, words = heard(png(16, 8, 2, RGB_RAMP, chunk(b"cICP", bytes([9, 16, 0, 1]))))
    assert words == ["what it says of its colours by cICP was passed over"]
    assert heard(png(16, 8, 2, RGB_RAMP, chunk(b"cICP", bytes([1, 13, 0, 1]))))[1] == []


# ---- transparency ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_transparent_grey_of_every_depth(depth):
    values = list(range(min(2**depth, 8)))
    bits = "".join(f"{v:0{depth}b}" for v in values)
    row = bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))
    rgb = read_rgb(png(len(values), depth, 0, row, chunk(b"tRNS", struct.pack(">H", 1))))
    scale = 255 // (2**depth - 1)
    assert rgb[0].tolist() == [[255] * 3 if v == 1 else [v * scale] * 3 for v in values]


def test_the_transparent_value_of_sixteen_bits_is_that_one_and_no_neighbour():
    grey = [0, 0x1234, 0x1235, 65535]
    key = chunk(b"tRNS", struct.pack(">H", 0x1234))
    rgb = read_rgb(png(4, 16, 0, struct.pack(">4H", *grey), key))
    assert rgb[0].tolist() == [[0] * 3, [255] * 3, [18] * 3, [255] * 3]
    colours = [(0x1234, 0x5678, 0x9ABC), (0x1234, 0x5678, 0x9ABD), (0x12FF, 0x56FF, 0x9AFF)]
    key = chunk(b"tRNS", struct.pack(">3H", *colours[0]))
    data = png(3, 16, 2, struct.pack(">9H", *sum(colours, ())), key)
    assert read_rgb(data)[0].tolist() == [[255] * 3, [18, 86, 154], [18, 86, 154]]


# ---- animations and formats --------------------------------------------------------------------------------------------
def test_of_an_animation_what_is_shown_first():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    more = {"save_all": True, "append_images": frames[1:]}
    assert read_rgb(file_of(frames[0], "PNG", **more, default_image=True))[0, 0].tolist() == [0, 255, 0]
    assert read_rgb(file_of(frames[0], "PNG", **more))[0, 0].tolist() == [255, 0, 0]
    for format in ("GIF", "WEBP", "AVIF"):
        assert read_rgb(file_of(frames[0], format, **more))[0, 0].argmax() == 0


@pytest.mark.parametrize("format", ["GIF", "BMP", "PPM", "TIFF", "AVIF"])
def test_other_formats_that_people_have_are_read(format):
    image = photo().quantize(64).convert("RGB")
    options = {"quality": 100, "subsampling": "4:4:4"} if format == "AVIF" else {}
    assert away(read_rgb(file_of(image, format, **options)), np.asarray(image)) <= (6 if format == "AVIF" else 0)


def test_suffixes_are_those_of_the_formats_that_are_read():
    assert {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif", ".gif", ".bmp", ".tif", ".ppm"} <= set(
        images.suffixes()
    )
    assert not {".eps", ".pdf", ".psd", ".pfm", ".ico", ".jp2", ".wmf", ".fits"} & set(images.suffixes())


PHONE = Path(__file__).parent / "data" / "phone.heic"
"""64×48 pixels with red rising to the right, green downwards and blue falling to the right, as a phone packs them."""


def test_what_phones_write_is_read_where_its_reader_is_installed():
    pytest.importorskip("pi_heif")
    seen = read_rgb(PHONE.read_bytes()).astype(int)
    down, across = np.mgrid[0:48, 0:64]
    made = np.stack([4 * across, 5 * down, 255 - 2 * across], -1)
    assert np.abs(seen - made).mean() < 4
    assert {".heic", ".heif"} <= set(images.suffixes())
    for cut in (40, 200, 700):
        with pytest.raises(DamagedImage):
            read_rgb(PHONE.read_bytes()[:cut])


def test_what_phones_write_is_refused_with_what_to_do_where_it_is_not(monkeypatch):
    monkeypatch.setattr(reading, "formats", lambda: images.FORMATS)
    with pytest.raises(NotAnImage, match=r"but HEIC: save or share it as JPEG .*pip install pi-heif"):
        read_rgb(PHONE.read_bytes())


def test_samples_in_floating_point_are_refused_with_what_to_do():
    with pytest.raises(NotAnImage, match="floating point"):
        read_rgb(b"Pf\n2 2\n-1.0\n" + bytes(16))


# ---- slight damage -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 4}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_end_is_shown_with_a_word(options, mode):
    data = file_of(photo().convert(mode), "JPEG", quality=90, **options)
    rgb, words = heard(data[:-2])
    assert np.array_equal(rgb, read_rgb(data))
    assert words == ["its last bytes are missing"]
    rgb, words = heard(data[: -4 if options.get("progressive") else -30])
    assert away(rgb[:96], read_rgb(data)[:96]) <= 16
    assert words[0] == "its last bytes are missing"


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_of_which_more_is_missing_is_damaged(options):
    data = file_of(photo(400, 300), "JPEG", quality=90, **options)
    for share in (0.3, 0.5) if options else (0.3, 0.5, 0.8):
        with pytest.raises(DamagedImage):
            read_rgb(data[: int(share * len(data))])
    with pytest.raises(DamagedImage, match="damaged JPEG" if options else "rows are missing"):
        read_rgb(data[: len(data) // 2])


def bad(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 255])


@pytest.mark.parametrize("kind", [b"gAMA", b"tEXt", b"iCCP", b"zTXt", b"pHYs", b"eXIf", b"tIME"])
@pytest.mark.parametrize("after", [False, True])
def test_a_png_whose_ancillary_chunk_is_damaged_is_shown_with_a_word(kind, after):
    data = file_of(photo(), "PNG")
    place = data.index(b"IEND" if after else b"IDAT") - 4
    rgb, words = heard(data[:place] + bad(chunk(kind, b"name\0anything")) + data[place:])
    assert np.array_equal(rgb, np.asarray(photo()))
    assert words == [f"a part of it cannot be used ({kind.decode()}) and was passed over, as browsers do"]


def test_a_png_whose_pixels_are_damaged_is_damaged_and_one_that_lacks_a_few_rows_is_not():
    noisy = Image.fromarray(np.random.default_rng(0).integers(0, 256, (320, 40, 3), np.uint8))
    data = file_of(noisy, "PNG")
    torn = bytearray(data)
    torn[len(data) // 2] ^= 255
    with pytest.raises(DamagedImage):
        read_rgb(bytes(torn))
    rgb, words = heard(data[:-1000])
    missing = int(words[0].split()[2])
    assert 5 <= missing <= 12
    assert np.array_equal(rgb[:-missing], np.asarray(noisy)[:-missing])
    assert (rgb[-missing:] == 255).all()
    with pytest.raises(DamagedImage):
        read_rgb(data[: len(data) // 2])
    for end in (4, 12, 16, 20):
        assert np.array_equal(heard(data[:-end])[0], np.asarray(noisy))


def test_a_png_of_very_many_parts_is_refused():
    data = file_of(photo(), "PNG")
    place = data.index(b"IDAT") - 4
    with pytest.raises(ImageTooLarge, match="parts"):
        read_rgb(data[:place] + chunk(b"tIME", b"") * 100_001 + data[place:])


@pytest.mark.parametrize(
    "part",
    [chunk(b"PLTE", bytes(3)), chunk(b"tRNS", bytes(1)), chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(1 << 21)))],
)
def test_a_part_many_times_over_costs_no_more_than_reading_it(part):
    """Each is compared with no other, and of those that cannot be used few are looked at: else minutes."""
    good = png(2, 8, 2, bytes(6))  # the signature and the header are 33 bytes
    head, rest = good[:33], good[33:]
    began = time.process_time()
    mended(head + part * 15_000 + chunk(b"aaAa", b"") * 15_000 + rest, lambda words: None)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        (format, mode)
        for format in images.FORMATS
        for mode in ("RGB", "L", "P", "RGBA")
        if (format, mode) not in {("PPM", "P"), ("PPM", "RGBA"), ("JPEG", "P"), ("JPEG", "RGBA")}
    ],
)
def test_whatever_is_damaged_is_an_image_error_or_a_picture_and_what_is_said_is_one_line(format, mode):
    """Bytes that are lost or changed anywhere: no reader of Pillow's raises what would end a run."""
    rng, profile = np.random.default_rng(0), matrix_profile(2.2, P3)
    whole, said = file_of(photo(40, 48).convert(mode), format, icc_profile=profile), []
    for _ in range(60):
        data = bytearray(whole[: rng.integers(len(whole)) if rng.random() < 0.3 else None])
        for place in rng.integers(0, max(1, min(len(data), rng.choice([64, 400, 10**6]))), 3 if data else 0):
            data[place] = rng.choice([0, 1, 10, 27, 127, 255])
        try:
            read_rgb(bytes(data), note=said.append)
        except ImageError as error:
            said.append(str(error))
    assert all(words.isprintable() for words in said), said


@pytest.mark.parametrize("body", [b"", b"\1", bytes(3), b"\xff" * 40, b"name\0\0text", b"abc\0" * 600], ids=len)
@pytest.mark.parametrize(
    "kind", [b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"tRNS", b"pHYs", b"zTXt", b"iTXt", b"acTL", b"fcTL"]
)
@pytest.mark.parametrize("colour", [0, 2, 3])
def test_a_part_that_holds_what_its_kind_does_not_costs_no_picture(kind, body, colour):
    more = [chunk(b"PLTE", RGB_RAMP)] if colour == 3 else []
    row = {0: RAMP, 2: RGB_RAMP, 3: bytes(range(16))}[colour]
    whole = read_rgb(png(16, 8, colour, row, *more))
    sound = len(body) <= 16 if colour == 3 else len(body) >= (2, 0, 6)[colour]
    rgb, _ = heard(png(16, 8, colour, row, *more, chunk(kind, body)))
    assert (kind == b"tRNS" and sound) or np.array_equal(rgb, whole)


def test_what_colours_mean_is_said_once_and_before_the_pixels():
    first, second = matrix_profile(1.0, SRGB), matrix_profile(2.2, P3)
    profiles = [chunk(b"iCCP", b"n\0\0" + zlib.compress(profile)) for profile in (first, second)]
    plain = png(16, 8, 2, RGB_RAMP)
    for twice in ((gamma(1.0), gamma(0.45455)), profiles):
        rgb, words = heard(png(16, 8, 2, RGB_RAMP, *twice))
        assert np.array_equal(rgb, read_rgb(png(16, 8, 2, RGB_RAMP, twice[0])))
        assert "passed over, as browsers do" in words[0]
    for late in (gamma(1.0), profiles[0], chunk(b"tRNS", RGB_RAMP[:1].rjust(2, b"\0") * 3)):
        rgb, words = heard(plain[:-12] + late + plain[-12:])
        assert np.array_equal(rgb, read_rgb(plain))
        assert "passed over, as browsers do" in words[0]


def test_a_word_on_a_part_with_an_odd_name_is_one_printable_line():
    data = file_of(photo(), "PNG")
    place = data.index(b"IDAT") - 4
    _, words = heard(data[:place] + bad(chunk(b"a\n\x1bb", b"x")) + data[place:])
    assert words == [r"a part of it cannot be used (a\u000a\u001bb) and was passed over, as browsers do"]


def test_nothing_is_told_to_the_whole_process():
    """A damaged file in one thread, while others read theirs: what is too damaged stays so, and Pillow's switch is off."""
    whole = file_of(photo(400, 300), "JPEG", quality=90)
    outcomes: list[str] = []

    def read(data: bytes) -> None:
        for _ in range(20):
            try:
                read_rgb(data)
                outcomes.append("pixels")
            except DamagedImage:
                outcomes.append("damaged")

    threads = [threading.Thread(target=read, args=(data,)) for data in (whole[:-2], whole[: len(whole) // 2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("pixels"), outcomes.count("damaged")) == (20, 20)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


# ---- large photographs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["JPEG RGB", "JPEG L", "PNG P", "PNG RGBA", "WEBP RGB"])
def test_large_photographs_are_decoded_small_and_look_the_same(kind, monkeypatch):
    """The bound is moved down so that the test need not decode 100 million pixels."""
    format, mode = kind.split()
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file_of(photo(1200, 1600).convert(mode), format, exif=exif)
    whole = read_within(data, 100)
    assert np.array_equal(whole, images.resize_to(read_rgb(data), 100)), "up to the bound nothing changes"
    monkeypatch.setattr("hiercodec.images.reading.MAX_PIXELS", 1_000_000)
    small = read_within(data, 100)
    assert small.shape == whole.shape == (100, 75, 3)
    assert away(small, whole) <= 6


def test_a_hundred_million_pixels_take_bounded_memory():
    import subprocess
    import sys

    code = (
        "import io, resource, sys; from PIL import Image; from hiercodec.images import read_within\n"
        "data = sys.stdin.buffer.read()\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (700 << 20, 700 << 20))\n"
        "assert read_within(data, 384).shape == (288, 384, 3)"
    )
    for format in ("JPEG", "PNG"):
        data = file_of(Image.new("RGB", (11_520, 8_640), (9, 99, 200)), format)
        run = subprocess.run([sys.executable, "-c", code], input=data, cwd=Path(__file__).parents[1], check=False)
        assert run.returncode == 0
    with pytest.raises(ImageTooLarge):
        read_rgb(data)
    with pytest.raises(ImageTooLarge):
        read_within(file_of(Image.new("1", (11_000, 11_000)), "PNG"), 384)
