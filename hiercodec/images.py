"""Pictures in and out: untrusted bytes become RGB uint8[H, W, 3], or one clear error.

Everything past this door is a plain array of pixels: no metadata, no colour profile, no file name. Accepted are PNG,
JPEG and WebP; every other reader of Pillow stays shut. Sizes are checked before a pixel is decoded.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from hiercodec.errors import DamagedImage, ImageError, ImageTooLarge, NotAnImage, NotRGB

FORMATS = ("PNG", "JPEG", "WEBP")
"""The formats that are read; what a file is called does not matter."""

BY_NAME_ONLY = frozenset({".pfm"})
"""Suffixes of these formats' readers that we refuse all the same: samples in floating point, of no agreed scale."""

MAX_PIXELS = 20_000_000
MAX_BYTES = 64 * 2**20
MAX_SIDE = 65_535
MAX_SCANS = 100
"""Scans of a JPEG. Encoders write about ten, every one goes over the whole picture, and an empty one costs 12 bytes."""
MAX_SEGMENTS = 5_000
"""Marker segments of a JPEG: even 64 MB of metadata in full segments are a thousand."""
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
    (b"<svg", "SVG"),
)

DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError, MemoryError)
DAMAGE += (struct.error, zlib.error, AssertionError, Warning)
"""What Pillow's readers raise on damaged files (warnings too, where the process turns them into errors; an assertion where
a PNG with a palette has none)."""


@functools.lru_cache(maxsize=1)
def suffixes() -> tuple[str, ...]:
    """What names of photographs end in, in small letters: every suffix that Pillow knows for one of `FORMATS`."""
    known = Image.registered_extensions()
    return tuple(sorted(suffix for suffix, format in known.items() if format in FORMATS and suffix not in BY_NAME_ONLY))


def read_rgb(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    background: tuple[int, int, int] = WHITE,
) -> np.ndarray:
    """The picture in `data` as uint8[H, W, 3], upright.

    Of an animation the first frame; transparency is laid over `background`; 16-bit samples are rounded to 8; grey,
    palette and CMYK become RGB (embedded colour profiles are not applied). Raises `NotAnImage` for anything but PNG,
    JPEG and WebP, `ImageTooLarge` above `max_bytes`, `max_pixels`, 65 535 pixels a side or MAX_SCANS scans of a JPEG,
    `DamagedImage` otherwise.
    """
    if not data:
        raise NotAnImage("not a picture: the file is empty")
    if len(data) > max_bytes:
        raise ImageTooLarge(f"the picture's file has {len(data)} bytes; at most {max_bytes} are read")
    if sniff(data) == "JPEG":
        _check_scans(data)
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _pixels(image, max_pixels, background)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooLarge(f"the picture has more than {max_pixels / 1e6:g} million pixels") from None
    except UnidentifiedImageError:
        raise _unreadable(data) from None
    except DAMAGE as error:
        raise DamagedImage(f"a damaged {sniff(data) or 'picture'}: {error}") from None


def load_rgb(path: str | Path, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """`read_rgb` of a file; a missing file, a folder or a device is `NotAnImage`, named in the message."""
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise NotAnImage(f"{path} is a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise NotAnImage(f"{path} is not an ordinary file")
        if status.st_size > max_bytes:
            raise ImageTooLarge(f"{path} has {status.st_size} bytes; at most {max_bytes} are read")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise NotAnImage(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return read_rgb(data, max_pixels=max_pixels, max_bytes=max_bytes)
    except (NotAnImage, ImageTooLarge, DamagedImage) as error:
        raise type(error)(f"{path}: {error}") from None


def as_rgb(picture: Image.Image | np.ndarray, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """uint8[H, W, 3] of a picture in memory: such an array as it is, a Pillow image turned upright and laid on white.

    Raises `NotRGB`, which says what to do, for arrays of any other shape or type and for other objects, `ImageTooLarge`
    above `max_pixels` or 65 535 pixels a side, `DamagedImage` where Pillow reads the pixels only now and cannot.

    >>> as_rgb(Image.new("L", (4, 2), 7)).shape
    (2, 4, 3)
    """
    if not isinstance(picture, Image.Image):
        height, width = check_rgb(picture).shape[:2]
        _check_size(width, height, max_pixels)
        return picture
    try:
        return check_rgb(_pixels(picture, max_pixels, WHITE))
    except DAMAGE as error:
        raise DamagedImage(f"a damaged picture: {error}") from None


def sniff(data: bytes) -> str | None:
    """What the first bytes say the format is, or None. A guess for messages, never a permission."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return "AVIF" if data[8:12] in {b"avif", b"avis"} else "HEIC or video"
    return next((name for signature, name in SIGNATURES if data.startswith(signature)), None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what Pillow prints of tags that nobody asked for; that a picture is too large stays an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        yield


_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
"""A JPEG's next marker, past entropy-coded bytes (in which 00 follows FF) and restart markers."""
_EOI, _SOS = b"\xd9", b"\xda"


def _check_scans(data: bytes) -> None:
    """Walk from marker to marker, as libjpeg does (ITU-T T.81 B.1.1), to the end of the picture: linear in the bytes.

    Counting FF DA alone would not do: thumbnails in metadata and the film behind a "motion photo" hold it too.
    """
    scans, position = 0, 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None or found[1] == _EOI:
            return
        position = found.end()
        scans += found[1] == _SOS
        if scans > MAX_SCANS:
            raise ImageTooLarge(f"the JPEG has more than {MAX_SCANS} scans; save it again as an ordinary JPEG or PNG")
        if found[1] >= b"\xc0" and found[1] != b"\xd8":  # every other marker has no length
            position += int.from_bytes(data[position : position + 2], "big")
    raise ImageTooLarge(f"the JPEG has more than {MAX_SEGMENTS} segments; save it again as an ordinary JPEG or PNG")


def _pixels(image: Image.Image, max_pixels: int, background: tuple[int, int, int]) -> np.ndarray:
    """The pixels of an image that Pillow has opened: sizes are checked first, then it is decoded."""
    _check_size(*image.size, max_pixels)
    image.load()
    return np.array(_to_rgb(_upright(image), background), dtype=np.uint8)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        limits = f"{max_pixels / 1e6:g} million pixels and {MAX_SIDE} a side"
        raise ImageTooLarge(f"the picture is {width}×{height}; at most {limits} are read")


def _unreadable(data: bytes) -> NotAnImage | DamagedImage:
    found = sniff(data)
    if found in {"PNG", "JPEG", "WebP"}:
        return DamagedImage(f"a damaged {found}: its header cannot be read")
    return NotAnImage(f"not a PNG, JPEG or WebP picture{f' but {found}' if found else ''}")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; EXIF that cannot be read turns nothing, the pixels are sound."""
    try:
        method = UPRIGHT.get(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a parser of foreign tags: any error there only means that there is no orientation
        method = None
    return image if method is None else image.transpose(method)


def _to_rgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        samples = np.asarray(image).clip(0, 65_535)  # no wider type than the picture's own: it may be large
        rounded = (
            np.rint(samples / samples.dtype.type(257))
            if image.mode == "F"
            else (samples.astype(np.uint32) + 128) // 257
        )
        return Image.fromarray(rounded.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (*background, 255)), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def check_rgb(rgb: np.ndarray) -> np.ndarray:
    """`rgb` itself if it is uint8[H, W, 3] with at least one pixel; `NotRGB`, with the remedy, otherwise."""
    if not isinstance(rgb, np.ndarray):
        remedy = "open a file with PIL.Image.open" if isinstance(rgb, (str, bytes, Path)) else "convert it first"
        raise NotRGB(f"a picture is a PIL image or a numpy array uint8[H, W, 3], got {type(rgb).__name__}: {remedy}")
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise NotRGB(f"a picture is uint8[H, W, 3], got {rgb.dtype}{list(rgb.shape)}: {_remedy(rgb)}")
    return rgb


def _remedy(array: np.ndarray) -> str:
    """What makes a picture of an array that is none, for the first thing that is wrong with it."""
    if not array.size:
        return "it has no pixel"
    if array.ndim == 2:
        return "repeat grey as np.stack([x] * 3, -1)"
    if array.ndim == 4:
        return "pass one picture at a time"
    if array.ndim != 3:
        return "give it height, width and three channels"
    if array.shape[2] != 3 and array.shape[0] == 3:
        return "put channels last with np.moveaxis(x, 0, -1)"
    if array.shape[2] == 4:
        return "lay transparency on white with PIL.Image.fromarray(x), or drop it with x[..., :3]"
    if array.shape[2] != 3:
        return "give it three channels"
    if array.dtype.kind == "f":
        return "round it to whole steps, for values 0…1 as (255 * x).round().astype(np.uint8)"
    return "convert it to 0…255 and uint8"


def encode_png(rgb: np.ndarray) -> bytes:
    """A PNG file of uint8[H, W, 3], without metadata; `read_rgb` gives the same pixels back."""
    buffer = io.BytesIO()
    Image.fromarray(check_rgb(rgb)).save(buffer, "PNG")
    return buffer.getvalue()


def encode_as(rgb: np.ndarray, format: str, **options: Any) -> bytes:
    """A file of uint8[H, W, 3] in a format that Pillow writes, with its options; `ImageError` where it cannot hold them."""
    buffer = io.BytesIO()
    try:
        Image.fromarray(check_rgb(rgb)).save(buffer, format, **options)
    except (OSError, ValueError) as error:
        height, width = rgb.shape[:2]
        raise ImageError(f"{format} cannot hold this picture of {width}×{height}: {error}") from None
    return buffer.getvalue()


def resize_to(rgb: np.ndarray, max_side: int) -> np.ndarray:
    """Shrunk (Lanczos) so that neither side exceeds `max_side`; a picture that already fits is returned as it is.

    >>> resize_to(np.zeros((30, 60, 3), np.uint8), 20).shape
    (10, 20, 3)
    """
    if max_side < 1:
        raise ValueError(f"max_side must be at least 1, got {max_side}")
    height, width = check_rgb(rgb).shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def centre_crop(rgb: np.ndarray, height: int, width: int | None = None) -> np.ndarray:
    """The central `height` × `width` pixels (a square if only one is given), or as many as there are."""
    width = height if width is None else width
    top, left = max(0, (rgb.shape[0] - height) // 2), max(0, (rgb.shape[1] - width) // 2)
    return rgb[top : top + height, left : left + width]


def sha256_of(rgb: np.ndarray) -> str:
    """64 hex digits that name the pixels and their shape: a cache key.

    >>> sha256_of(np.zeros((1, 2, 3), np.uint8)) == sha256_of(np.zeros((2, 1, 3), np.uint8))
    False
    """
    digest = hashlib.sha256(f"{rgb.dtype.str}{rgb.shape}".encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


def pad_to_multiple(array: np.ndarray, multiple: int = 16) -> tuple[np.ndarray, tuple[int, int]]:
    """[H, W, …] grown to the right and the bottom by repeating its edge, and the (H, W) that `crop` needs to undo it.

    >>> padded, size = pad_to_multiple(np.ones((5, 16, 3)), 16)
    >>> padded.shape, size
    ((16, 16, 3), (5, 16))
    """
    height, width = array.shape[:2]
    extra = ((0, -height % multiple), (0, -width % multiple), *[(0, 0)] * (array.ndim - 2))
    return (np.pad(array, extra, mode="edge") if any(map(any, extra)) else array), (height, width)


def crop(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The top left `size` = (H, W) of [H′, W′, …]: undoes `pad_to_multiple`."""
    return array[: size[0], : size[1]]
