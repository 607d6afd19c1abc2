"""A small data set of files, and a judge whose answers are known, for tests of evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hiercodec.images import encode_png
from tests.models.tiny import smooth_photo


class Oracle:
    """A 'classifier' that is sure of class 3 for bright pictures and of class 700 for dark ones."""

    name, weights_id, sha256, temperature = "oracle", "0" * 12, "0" * 64, 1.0

    def probabilities(self, pictures):
        p = np.full((len(pictures), 1000), 1e-6, np.float32)
        for row, picture in zip(p, pictures, strict=True):
            row[3 if picture.mean() > 127 else 700] = 1 - 999e-6
        return p


def photographs(folder: Path, n: int = 3, height: int = 48, width: int = 64) -> Path:
    """An ImageFolder of n photographs: the first bright and of class 3, then dark, of classes 3 and 517 in turn."""
    for i in range(n):
        wnid = "n01491361" if i % 3 < 2 else "n03126707"
        (folder / wnid).mkdir(exist_ok=True)
        rgb = smooth_photo(np.random.default_rng(i), height, width).astype(int) // 2 + 64 + (60 if i == 0 else -60)
        (folder / wnid / f"{i}.png").write_bytes(encode_png(rgb.clip(0, 255).astype(np.uint8)))
    return folder
