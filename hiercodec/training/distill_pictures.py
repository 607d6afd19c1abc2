"""Pictures for distillation: in memory as uint8, cropped, blended and damaged at random."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from hiercodec.classify import Preprocess
from hiercodec.errors import ConfigError
from hiercodec.images import load_rgb
from hiercodec.models import Codec

MIN_PREFIX = 64
"""Bytes of a stream that hold at least its header."""

SUFFIXES = {".webp", ".jpeg", ".jpg", ".png"}


def read_photos(folders: list[Path]) -> list[np.ndarray]:
    """All pictures below `folders`, sorted by path, as uint8 [h, w, 3]; they stay in memory."""
    paths = sorted(p for d in folders for p in d.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise ConfigError(f"no pictures below {', '.join(map(str, folders))}")
    return [load_rgb(path) for path in paths]


def random_crop(photo: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random rectangle of 25 to 100 % of the photo, resized to a square, mirrored half of the time."""
    h, w = photo.shape[:2]
    area, ratio = h * w * rng.uniform(0.25, 1.0), math.exp(rng.uniform(-0.29, 0.29))
    cw, ch = min(w, math.sqrt(area * ratio)), min(h, math.sqrt(area / ratio))
    x, y = rng.uniform(0, w - cw), rng.uniform(0, h - ch)
    crop = Image.fromarray(photo).resize((size, size), Image.Resampling.BILINEAR, (x, y, x + cw, y + ch))
    out = np.asarray(crop)
    return out[:, ::-1] if rng.random() < 0.5 else out


def degrade(crop: np.ndarray, rng: np.random.Generator, codec: Codec | None = None) -> np.ndarray:
    """What a low rate does to a picture: blocks, ringing or blur, or (in 7 of 10 with a `codec`) a stream cut short."""
    crop = np.ascontiguousarray(crop)
    if codec is not None and rng.random() < 0.7:
        data = codec.encode(crop)
        share = math.exp(rng.uniform(math.log(0.06), 0.0))  # as many short prefixes as long ones
        return codec.decode(data[: max(int(share * len(data)), MIN_PREFIX)]).image
    image, kind, buffer = Image.fromarray(crop), rng.random(), io.BytesIO()
    if kind < 0.35:
        image.save(buffer, "JPEG", quality=int(rng.integers(5, 40)))
    elif kind < 0.7:
        image.save(buffer, "WEBP", quality=int(rng.integers(0, 30)), method=0)
    if kind >= 0.7:
        return np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.0))))
    return np.asarray(Image.open(buffer).convert("RGB"))


def to_input(crops: list[np.ndarray], preprocess: Preprocess) -> Tensor:
    """uint8 crops of one size → float [n, 3, h, w], normalised as the teacher wants it."""
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div_(255.0)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (preprocess.mean, preprocess.std))
    return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


def blend(x: Tensor, other: Tensor, rng: np.random.Generator, share: float) -> None:
    """Mix pictures of `x` (and alike of `other`) with their neighbours in place: half by weight, half by rectangle."""
    n, _, h, w = x.shape
    partner = torch.roll(torch.arange(n), 1)
    source, source_other = x[partner].clone(), other[partner].clone()
    for i in np.flatnonzero(rng.random(n) < share):
        weight = rng.uniform(0.1, 0.9)
        if rng.random() < 0.5:
            x[i].lerp_(source[i], weight)
            other[i].lerp_(source_other[i], weight)
        else:
            ch, cw = int(h * math.sqrt(weight)), int(w * math.sqrt(weight))
            top, left = int(rng.integers(0, h - ch + 1)), int(rng.integers(0, w - cw + 1))
            box = (slice(None), slice(top, top + ch), slice(left, left + cw))
            x[i][box] = source[i][box]
            other[i][box] = source_other[i][box]
