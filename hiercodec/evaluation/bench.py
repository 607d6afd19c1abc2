"""`python -m hiercodec bench [--json]`: speed beside peers in one run, and what container and coder cost.

Speeds are medians over repeated runs on one photograph, every codec in turn, so that what else the machine does falls on
all of them. CompressAI's peers (and `tic` while it has no weights) run with random weights: their speed is that of trained
ones, their rate and quality mean nothing and are not reported.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib import metadata

import numpy as np

PEERS = ("bmshj2018-hyperprior", "mbt2018", "cheng2020-anchor")
REPEATS = 5


def main(argv: list[str] | None = None) -> int:
    """Time encoding and decoding of hiercodec and its peers on the same photograph, and measure overheads."""
    parser = argparse.ArgumentParser(prog="hiercodec bench", description=main.__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable results on stdout")
    parser.add_argument("--photo", help="a photograph (default: scikit-image's astronaut)")
    parser.add_argument("--side", type=int, default=256, help="side of the central square that is coded (default 256)")
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help=f"runs a codec, the median counts (default {REPEATS})"
    )
    parser.add_argument("--without", nargs="*", default=[], choices=("tic", *PEERS), help="leave these out")
    args = parser.parse_args(argv)
    results = bench(_photo(args.photo, args.side), repeats=args.repeats, without=tuple(args.without))
    if args.json:
        print(json.dumps(results, indent=1))
    else:
        print(table(results))
    return 0


def bench(rgb: np.ndarray, *, repeats: int = REPEATS, without: tuple[str, ...] = ()) -> dict:
    """Everything that `bench` reports, as plain data. `rgb` is uint8 (H, W, 3), sides multiples of 64 for the peers."""
    import torch

    from hiercodec import models

    codecs = {"lite": models.load("lite")}
    if "tic" not in without:
        codecs["tic"] = models.load("tic") if "tic" in models.shipped() else _untrained("tic")
    runs: dict[str, tuple[Callable, Callable]] = {
        name: (lambda c=codec: c.encode(rgb), lambda data, c=codec: c.decode(data)) for name, codec in codecs.items()
    }
    runs |= {name: _peer(name, rgb) for name in PEERS if name not in without}
    speed = _time(runs, repeats)
    reference = speed.get("mbt2018")
    for row in speed.values():
        if reference:
            row["decode_speed_vs_mbt2018"] = round(reference["decode_s"] / row["decode_s"], 2)
            row["encode_speed_vs_mbt2018"] = round(reference["encode_s"] / row["encode_s"], 2)
    return {
        "photo": f"{rgb.shape[1]}×{rgb.shape[0]}",
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in ("torch", "compressai", "constriction", "numpy")},
        "speed": speed,
        "overhead": overhead(codecs["lite"], rgb),
    }


def overhead(codec, rgb: np.ndarray) -> dict:
    """Where the bytes of one stream go: payload, what an ideal coder would need for it, and the container."""
    from hiercodec import stream

    data = codec.encode(rgb)
    parsed = stream.parse(data)
    coded = sum(len(section.payload) for section in parsed.sections)
    ideal = codec.ideal_bits(data) / 8
    return {
        "file_bytes": len(data),
        "container_bytes": parsed.overhead_bytes,
        "coded_bytes": coded,
        "ideal_bytes": round(ideal, 1),
        "coder_overhead_percent": round(100 * (coded / ideal - 1), 3),
        "parts": parsed.parts(),
    }


def table(results: dict) -> str:
    """The results as aligned text."""
    lines = [
        f"{results['photo']}, {results['threads']} threads, median of {results['repeats']}",
        f"{'codec':22} {'encode ms':>10} {'decode ms':>10} {'decode speed against mbt2018':>30}",
    ]
    for name, row in results["speed"].items():
        ratio = row.get("decode_speed_vs_mbt2018")
        against = f"{ratio:.1f} ×" if ratio else "not measured"
        lines.append(f"{name:22} {1000 * row['encode_s']:10.1f} {1000 * row['decode_s']:10.1f} {against:>30}")
    o = results["overhead"]
    lines.append(
        f"lite's stream: {o['file_bytes']} bytes = {o['coded_bytes']} coded + {o['container_bytes']} container; "
        f"ideal {o['ideal_bytes']:.0f}, coder overhead {o['coder_overhead_percent']:.2f} %"
    )
    return "\n".join(lines)


def _time(runs: dict[str, tuple[Callable, Callable]], repeats: int) -> dict[str, dict]:
    """Median seconds of encoding and decoding, the codecs taking turns; the first round warms up and does not count."""
    encode: dict[str, list[float]] = {name: [] for name in runs}
    decode: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, (enc, dec) in runs.items():
            start = time.perf_counter()
            data = enc()
            middle = time.perf_counter()
            dec(data)
            end = time.perf_counter()
            if turn:
                encode[name].append(middle - start)
                decode[name].append(end - middle)
    return {
        name: {
            "encode_s": round(statistics.median(encode[name]), 5),
            "decode_s": round(statistics.median(decode[name]), 5),
            "decode_s_min": round(min(decode[name]), 5),
        }
        for name in runs
    }


def _peer(name: str, rgb: np.ndarray) -> tuple[Callable, Callable]:
    """CompressAI's model at its N=192 setting, with random weights."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai.zoo import image_models as zoo

    torch.manual_seed(0)
    net = zoo[name](quality=6, pretrained=False).eval()
    net.update(force=True)
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255

    @torch.inference_mode()
    def encode() -> dict:
        return net.compress(x)

    @torch.inference_mode()
    def decode(out: dict):
        return net.decompress(out["strings"], out["shape"])  # our own strings, of this very process

    return encode, decode


def _untrained(preset: str):
    """A codec with random weights, for speed only."""
    import torch

    from hiercodec import stream
    from hiercodec.models import PRESETS, Codec, HierNetwork

    torch.manual_seed(0)
    network = HierNetwork(PRESETS[preset])
    channels = network.preset.n_hyper
    flat = [(-20, stream.quantize_pmf(np.ones(41)))] * channels
    tables, medians = stream.Tables.from_pmfs(flat), np.zeros(channels, np.float32)
    return Codec(network, tables, medians, name=f"{preset} (untrained)", fingerprint=b"\0" * 4)


def _photo(path: str | None, side: int) -> np.ndarray:
    from hiercodec.images import centre_crop, load_rgb

    if path:
        return centre_crop(load_rgb(path), side)
    from skimage import data

    return centre_crop(np.ascontiguousarray(data.astronaut()), side)


if __name__ == "__main__":
    sys.exit(main())
