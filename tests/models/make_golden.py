"""Write the golden model and stream. Run once a format version; what it wrote decodes for ever.

python -m tests.models.make_golden
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from hiercodec import models
from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec, smooth_photo

DATA = Path(__file__).parent / "data"


def symbols_digest(codec: models.Codec, data: bytes) -> str:
    """SHA-256 of ŷ in sixteenths: every decoded symbol and mean, whatever the synthesis does with them."""
    y_hat = codec.prefixes(data).latent()[0].double().numpy()
    return hashlib.sha256(np.rint(y_hat * 16).astype("<i4").tobytes()).hexdigest()


def main() -> None:
    """Make the fixtures; refuses to overwrite them."""
    for preset in (TINY_LITE, TINY_TIC):
        path = DATA / f"{preset.name}-v1.hc"
        if path.exists():
            raise SystemExit(f"{path.name} is golden: a new format version gets a new name")
        DATA.mkdir(exist_ok=True)
        codec = make_codec(preset.scaled(name=f"{preset.name}-v1"), DATA, seed=11)
        data = codec.encode(smooth_photo(np.random.default_rng(42), 75, 90))
        path.write_bytes(data)
        cuts = {str(n): symbols_digest(codec, data[:n]) for n in (len(data), len(data) * 2 // 3, len(data) // 3)}
        path.with_suffix(".golden.json").write_text(json.dumps(cuts, indent=1) + "\n")


if __name__ == "__main__":
    main()
