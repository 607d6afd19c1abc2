"""Write the golden models and streams. Run once a format version; what it wrote decodes for ever.

python -m tests.models.make_golden
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from hiercodec import models
from hiercodec.classify import PACKAGED, label_of
from hiercodec.taxonomy import load_hierarchy
from tests.models.tiny import make_wave, smooth_photo

DATA = Path(__file__).parent / "data"


def symbols_digest(codec: models.Codec | models.WaveCodec, data: bytes) -> str:
    """SHA-256 of every decoded symbol, whatever a synthesis makes of it: ŷ in sixteenths, or indexes and their plane."""
    if isinstance(codec, models.WaveCodec):
        state, *_ = codec.prefixes(data).latent()
        return hashlib.sha256(np.array([state.plane, *state.indexes]).astype("<i4").tobytes()).hexdigest()
    y_hat = codec.prefixes(data).latent()[0].double().numpy()
    return hashlib.sha256(np.rint(y_hat * 16).astype("<i4").tobytes()).hexdigest()


def write(path: Path, codec: models.Codec | models.WaveCodec, data: bytes) -> None:
    """A golden stream and what it and two cuts of it decode to; refuses to overwrite one."""
    if path.exists():
        raise SystemExit(f"{path.name} is golden: a new format version gets a new name")
    path.write_bytes(data)
    cuts = {str(n): symbols_digest(codec, data[:n]) for n in (len(data), len(data) * 2 // 3, len(data) // 3)}
    path.with_suffix(".golden.json").write_text(json.dumps(cuts, indent=1) + "\n")


def main() -> None:
    """Make the fixtures of models of planes: weights, and a stream of each version."""
    photo, hierarchy = smooth_photo(np.random.default_rng(42), 75, 90), load_hierarchy()
    label = label_of(np.random.default_rng(3).dirichlet(np.full(1000, 0.01)), hierarchy, PACKAGED["lite0"].sha256)
    codec = make_wave(DATA)
    for suffix in (".safetensors", ".json"):
        (DATA / f"tiny-wave{suffix}").rename(DATA / f"tiny-wave-v1{suffix}")
    write(DATA / "tiny-wave-v1.hc", codec, codec.encode(photo))
    write(DATA / "tiny-wave-v2.hc", codec, codec.encode(photo, label=label))


if __name__ == "__main__":
    main()
