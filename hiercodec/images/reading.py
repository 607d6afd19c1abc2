"""Untrusted bytes become RGB uint8[H, W, 3], as a browser shows them, or one clear error.

    bytes ── mended ──► Pillow, `formats` only ──► colour and alpha ── sRGB ──► on a background, upright

Past this door is a plain array of pixels: no metadata, no colour profile, no file name. Sizes are checked before a pixel is
decoded.
"""

from __future__ import annotations

import contextlib
import functools
import io
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from hiercodec.errors import DamagedImage, ImageError, ImageTooLarge, NotAnImage, NotRGB
from hiercodec.fsio import printable
from hiercodec.images.arrays import check_rgb, resize_to
from hiercodec.images.colour import to_srgb
from hiercodec.images.mending import Note, grey_rows, mended, tolerable

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "PPM", "TIFF")
"""The formats that are read, what browsers show and what data sets come in; what a file is called does not matter."""

HEIF = "HEIF"
"""What Pillow calls the format of phones' photographs, which it reads where `pi-heif` is installed."""

NO_SUFFIX = frozenset({".pfm"})
"""Suffixes of theirs that we pass over: samples in floating point, of no agreed scale."""

MAX_PIXELS = 20_000_000
MAX_LARGE = 120_000_000
"""Pixels of what is shrunk as it is read: the largest cameras' pictures."""
MAX_BYTES = 64 * 2**20
MAX_SIDE = 65_535
WHITE = (255, 255, 255)

EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xffO\xffQ", "JPEG 2000"),
    (b"\xff\n", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"<svg", "SVG"),
    (b"\0\x05\x16\x07", "a macOS resource fork"),
)
READ = frozenset({"PNG", "JPEG", "WebP", "AVIF", "GIF", "BMP", "TIFF"})
"""What `sniff` calls the formats of FORMATS; the format of phones it calls HEIC."""
HEIC = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
"""Brands of files of the HEIF family, of which phones make photographs."""

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, MemoryError)
DAMAGE += (struct.error, zlib.error, RuntimeError, AssertionError, Warning)
"""What Pillow's readers raise on damaged files (a `RuntimeError` where libavif cannot decode; an assertion where a PNG with
a palette has none; warnings too, where the process turns them into errors)."""

BAND = 1 << 22
"""Samples that are rounded at a time: deep pictures are large."""


@functools.cache
def formats() -> tuple[str, ...]:
    """FORMATS, and that of phones where this installation can read it."""
    try:
        from pi_heif import register_heif_opener  # pyright: ignore[reportMissingImports] (an extra)
    except ImportError:
        return FORMATS
    register_heif_opener()
    return (*FORMATS, HEIF)


@functools.cache
def suffixes() -> tuple[str, ...]:
    """What names of photographs end in, in small letters: every suffix that Pillow knows for one of `formats`."""
    known, read = Image.registered_extensions(), formats()
    return tuple(sorted(suffix for suffix, format in known.items() if format in read and suffix not in NO_SUFFIX))


def read_rgb(data: bytes, *, note: Note = lambda words: None) -> np.ndarray:
    """The picture in `data` as uint8[H, W, 3], upright, in sRGB, as a browser shows it.

    Of an animation what is shown first; transparency is laid over white; 16-bit samples are rounded to 8. `note` hears what
    was mended or passed over. Raises `NotAnImage` for anything but `formats`, `ImageTooLarge` above MAX_BYTES, MAX_PIXELS,
    65 535 pixels a side or what `mending` bounds, `DamagedImage` otherwise.
    """
    return _read(data, lambda words: note(printable(words)), None)


def read_within(data: bytes, side: int, *, note: Note = lambda words: None) -> np.ndarray:
    """`read_rgb`, shrunk (Lanczos) so that neither side exceeds `side`; takes up to MAX_LARGE pixels.

    Above MAX_PIXELS what is shrunk is not the whole picture, but the mean over squares of pixels that still has twice the
    `side` (a JPEG is decoded no larger): a few grey levels off, in a fraction of the time and memory.
    """
    return resize_to(_read(data, lambda words: note(printable(words)), side), side)


def load_rgb(path: str | Path, *, note: Note = lambda words: None) -> np.ndarray:
    """`read_rgb` of a file; a missing file, a folder or a device is `NotAnImage`, named in the message."""
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise NotAnImage(f"{path} is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise NotAnImage(f"{path} is not an ordinary file")
        if status.st_size > MAX_BYTES:
            raise ImageTooLarge(f"{path} has {status.st_size} bytes; at most {MAX_BYTES} are read")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise NotAnImage(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return read_rgb(data, note=note)
    except ImageError as error:
        raise type(error)(f"{path}: {error}") from None


def as_rgb(picture: Image.Image | np.ndarray) -> np.ndarray:
    """uint8[H, W, 3] of a picture in memory: such an array, a Pillow image of any mode turned upright and laid on white.

    The result is contiguous and writable: an array that is so already is returned as it is, any other view (mirrored, of
    every other pixel, Fortran's order, read-only, of a file) as a copy. Raises `NotRGB`, which says what to do, for arrays
    of any other shape or type and for other objects, `ImageTooLarge` above MAX_PIXELS or 65 535 pixels a side,
    `DamagedImage` where Pillow reads the pixels only now and cannot.

    >>> as_rgb(Image.new("L", (4, 2), 7)).shape
    (2, 4, 3)
    """
    if not isinstance(picture, Image.Image):
        height, width = check_rgb(picture).shape[:2]
        check_size(width, height, MAX_PIXELS)
        return np.require(picture, requirements=("C", "W", "A", "E"))  # what torch asks of an array
    try:
        return check_rgb(_pixels(picture))
    except DAMAGE as error:
        raise DamagedImage(f"a damaged picture: {error}") from None


def sniff(data: bytes) -> str | None:
    """What the first bytes say the format is, or None. A guess for messages, never a permission."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "AVIF" if brand in {b"avif", b"avis"} else "HEIC" if brand in HEIC else "a video"
    return next((name for signature, name in SIGNATURES if data.startswith(signature)), None)


def _read(data: bytes, note: Note, side: int | None) -> np.ndarray:
    if not data:
        raise NotAnImage("not a picture: the file is empty")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(f"the picture's file has {len(data)} bytes; at most {MAX_BYTES} are read")
    whole = mended(data, note)
    try:
        with _quiet(), Image.open(io.BytesIO(whole), formats=formats()) as image:
            if image.mode == "F":
                raise NotAnImage(
                    "its samples are in floating point, of no agreed scale: save it with 8 or 16 bits a sample"
                )
            cut = whole.startswith(b"\xff\xd8") and len(whole) > len(data)
            low = _low_bytes(whole) if _keyed_deep(image) else None
            return _pixels(image, note, side=side, cut=cut, low=low)
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"the picture has more than {_most(side) / 1e6:g} million pixels") from None
    except UnidentifiedImageError:
        raise _unreadable(data) from None
    except DAMAGE as error:
        raise DamagedImage(f"a damaged {sniff(data) or 'picture'}: {error}") from None


def _most(side: int | None) -> int:
    """Pixels that are read, of a picture as it is or of one to be shrunk to `side`."""
    return MAX_PIXELS if side is None else MAX_LARGE


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what Pillow prints of tags that nobody asked for, and of large pictures: `check_size` bounds them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _pixels(
    image: Image.Image,
    note: Note = lambda words: None,
    *,
    side: int | None = None,
    cut: bool = False,
    low: np.ndarray | None = None,
) -> np.ndarray:
    """The pixels of an image that Pillow has opened, uint8[H, W, 3]: sizes are checked first, then it is decoded.

    With `side`, a picture of more than MAX_PIXELS is shrunk to about twice that. A JPEG that was `cut` may miss a few rows.
    `low` are the low bytes of a deep picture whose transparency is a colour.
    """
    check_size(*image.size, _most(side))
    if image.format == "PNG" and image.info.get("default_image") and getattr(image, "n_frames", 1) > 1:
        image.seek(1)  # the picture of an animation for those that show none
    large = side is not None and image.width * image.height > MAX_PIXELS
    scale = max(1, max(image.size) // (2 * side)) if side is not None and large else 1
    if scale > 1:
        width, height = image.size
        image.draft(None, (-(-width // scale), -(-height // scale)))  # pyright: ignore[reportArgumentType]
        scale = max(1, scale * image.width // width)
    depth = _depth(image)
    image.load()
    if cut:
        _check_end(np.asarray(image), note)
    turn = _orientation(image)
    colour, alpha = _parts(image, depth, low, scale)
    rgb = to_srgb(colour, image.info, note).convert("RGB")
    if alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, WHITE), alpha)
    return np.array(rgb if turn is None else rgb.transpose(turn), dtype=np.uint8)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise `ImageTooLarge` above so many pixels, or MAX_SIDE a side."""
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        limits = f"{max_pixels / 1e6:g} million pixels and {MAX_SIDE} a side"
        raise ImageTooLarge(f"the picture is {width}×{height}; at most {limits} are read")


def _check_end(decoded: np.ndarray, note: Note) -> None:
    """Of a JPEG whose end is missing: whether enough of the picture is there."""
    rows = grey_rows(decoded)
    if not tolerable(rows, len(decoded)):
        raise DamagedImage(f"a damaged JPEG: {rows} of its {len(decoded)} rows are missing")
    if rows:
        note(f"its last {rows} rows are grey")


def _unreadable(data: bytes) -> NotAnImage | DamagedImage:
    kind = sniff(data)
    if kind in READ or (kind == "HEIC" and HEIF in formats()):
        return DamagedImage(f"a damaged {kind}: its header cannot be read")
    remedy = {
        "HEIC": ": save or share it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible), or have pi-heif "
        "installed (pip install pi-heif), which reads it"
    }
    known = "a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF picture"
    return NotAnImage(f"not {known}{f' but {kind}' if kind else ''}{remedy.get(kind or '', '')}")


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """What turns it as its EXIF orientation says; EXIF that cannot be read turns nothing, the pixels are sound."""
    try:
        return UPRIGHT.get(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a parser of foreign tags: any error there only means that there is no orientation
        return None


def _parts(
    image: Image.Image, depth: int, low: np.ndarray | None, scale: int
) -> tuple[Image.Image, Image.Image | None]:
    """(colour in mode L, RGB or CMYK, alpha in mode L or None), shrunk by `scale`."""
    key = image.info.get("transparency")
    alpha = None
    if image.format == "PNG" and key is not None and image.mode != "P":
        alpha = Image.fromarray(np.where(_is_key(image, key, depth, low), 0, 255).astype(np.uint8))
        colour = _eight_bits(image)
    elif image.has_transparency_data:
        both = _reduced(image.convert("LA" if image.mode in {"LA", "La"} else "RGBA"), scale)
        return both.convert(both.mode[:-1]), both.getchannel("A")
    else:
        colour = _eight_bits(image)
    return _reduced(colour, scale), alpha and _reduced(alpha, scale)


def _reduced(image: Image.Image, scale: int) -> Image.Image:
    return image if scale == 1 else image.reduce(scale)


def _eight_bits(image: Image.Image) -> Image.Image:
    """In mode L, RGB or CMYK."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("L" if image.mode == "1" else "RGB")
    samples = np.asarray(image)
    if image.mode == "F" and np.isnan(samples).any():
        raise NotRGB("a picture of mode F with samples that are no numbers: replace them, as np.nan_to_num does")
    rounded = np.empty(samples.shape, np.uint8)
    rows = max(1, BAND // samples.shape[1])
    for top in range(0, len(samples), rows):
        part = samples[top : top + rows].clip(0, 65_535)
        rounded[top : top + rows] = np.rint(part / 257) if image.mode == "F" else (part.astype(np.uint32) + 128) // 257
    return Image.fromarray(rounded)


# ---- a PNG's colour that means transparency ----------------------------------------------------------------------------
def _depth(image: Image.Image) -> int:
    """Bits a sample of a PNG that is not decoded yet, by how Pillow means to unpack it."""
    tiles = getattr(image, "tile", None)
    raw = str(tiles[0][3]) if image.format == "PNG" and tiles else ""
    _, _, bits = raw.partition(";")
    return 1 if raw == "1" else int(bits.rstrip("B")) if bits.rstrip("B").isdigit() else 8


def _keyed_deep(image: Image.Image) -> bool:
    """Whether a colour of 16 bits a sample is transparent; of large pictures the upper eight bits say it."""
    keyed = image.format == "PNG" and image.mode == "RGB" and "transparency" in image.info and _depth(image) == 16
    return keyed and image.width * image.height <= MAX_PIXELS


def _low_bytes(data: bytes) -> np.ndarray:
    """uint8[H, W, 3]: what Pillow drops of a picture of 16 bits a sample: it reads the samples from their other end."""
    opened = Image.open(io.BytesIO(data), formats=("PNG",))
    assert isinstance(opened, ImageFile.ImageFile)
    opened.tile = [tile._replace(args="RGB;16L") for tile in opened.tile]
    return np.array(opened)


def _is_key(image: Image.Image, key: int | tuple[int, ...], depth: int, low: np.ndarray | None) -> np.ndarray:
    """bool[H, W]: where samples are the one value, or colour, that is transparent."""
    if isinstance(key, int):
        if image.mode == "1":  # Pillow says 255 where the file says 1
            return np.asarray(image.convert("L")) == key
        return np.asarray(image) == (key * (255 // (2**depth - 1)) if depth < 8 else key)
    samples = np.asarray(image).astype(np.uint16)
    if depth == 16:
        samples = samples << 8 | (low if low is not None else samples)
    return (samples == np.array(key)).all(-1)
