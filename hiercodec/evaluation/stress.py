"""Photographs under stress: cropped, turned, blurred, noisy, dark, occluded, by torchvision's transforms."""

from __future__ import annotations

import numpy as np

from hiercodec.images import sha256_of

CLEAN = "clean"
AT = "@"
"""Between the photograph's name and the stress in the name of a row's photograph."""

GREY = 128.0

STRENGTHS: dict[str, tuple[float, float]] = {
    "crop": (0.7, 0.5),
    "turn": (15.0, 45.0),
    "blur": (1.5, 3.0),
    "noise": (0.08, 0.2),
    "dark": (0.4, 0.15),
    "occlusion": (0.1, 0.25),
}
"""Stress → its mild and its strong form: share of each side that is kept, degrees, σ in pixels (at a short side of 224), σ
of 0…1 samples, factor of brightness, share of the area that a grey square in the middle covers."""

STRESSES = (CLEAN, *(f"{kind}, {strength}" for kind in STRENGTHS for strength in ("mild", "strong")))


def stressed(rgb: np.ndarray, stress: str) -> np.ndarray:
    """uint8 (H, W, 3) under one of STRESSES; the same pixels every time. Imports torchvision."""
    if stress == CLEAN:
        return rgb
    import torch
    from torchvision.transforms.v2 import functional as transforms

    kind, _, strength = stress.partition(", ")
    amount = STRENGTHS[kind][strength == "strong"]
    x = torch.from_numpy(np.moveaxis(rgb, 2, 0).copy())
    height, width = x.shape[1:]
    if kind == "crop":
        x = transforms.center_crop(x, [max(1, round(amount * height)), max(1, round(amount * width))])
        x = transforms.resize(x, [height, width], antialias=True)
    elif kind == "turn":
        x = transforms.rotate(x, amount, transforms.InterpolationMode.BILINEAR, fill=[GREY] * 3)
    elif kind == "blur":
        sigma = amount * min(height, width) / 224
        x = transforms.gaussian_blur(x, [2 * round(3 * sigma) + 1] * 2, [sigma] * 2)
    elif kind == "noise":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(sha256_of(rgb)[:8], 16))
            x = (255 * transforms.gaussian_noise(x / 255, sigma=amount)).round().to(torch.uint8)
    elif kind == "dark":
        x = transforms.adjust_brightness(x, amount)
    else:
        h, w = (round(side * amount**0.5) for side in (height, width))
        square = torch.full((3, h, w), GREY, dtype=torch.uint8)
        x = transforms.erase(x, (height - h) // 2, (width - w) // 2, h, w, square)
    return np.ascontiguousarray(np.moveaxis(x.numpy(), 0, 2))


def split(name: str) -> tuple[str, str]:
    """The photograph and the stress that the name of a row's photograph holds.

    >>> split("cat@blur, mild"), split("dog.png")
    (('cat', 'blur, mild'), ('dog.png', 'clean'))
    """
    photo, at, stress = name.rpartition(AT)
    return (photo, stress) if at and stress in STRESSES else (name, CLEAN)
