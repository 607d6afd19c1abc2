"""`python -m tools.bench [--json]`: speed beside peers in one run, and what container and coder cost.

Speeds are medians over repeated runs on one photograph, every codec in turn, so that what else the machine does falls on
all of them; `…_cpu_s` is processor time, which a busy machine stretches less. `synthesis` is the part of decoding that turns
latents into pixels: what decoding takes beyond it is the price of the entropy model. CompressAI's peers (and `tic` while it
has no weights) run with random weights: their speed is that of trained ones, their rate and quality mean nothing and are
not reported.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import click
import numpy as np

from hiercodec.cli.base import DEVICE, JSON, POSITIVE, Arguments, command, option, print_json
from hiercodec.cli.main import main

PEERS = ("bmshj2018-hyperprior", "mbt2018", "cheng2020-anchor")
REPEATS = 5


@command(
    "bench", "speed and rate beside CompressAI's models, in one run",
    option("--photo", help="a photograph (default: scikit-image's astronaut)"),
    option("--side", type=POSITIVE, default=256, help="side of the central square that is coded"),
    option("--repeats", type=POSITIVE, default=REPEATS, help="runs a codec, the median counts"),
    option("--without", several=True, type=click.Choice(["tic", *PEERS]), help="leave these out"),
    DEVICE, JSON,
)  # fmt: skip
def bench(args: Arguments) -> int:
    results = measured(photo(args.photo, args.side), repeats=args.repeats, without=tuple(args.without))
    if args.json:
        print_json(results)
    else:
        print(table(results))
    return 0


def measured(rgb: np.ndarray, *, repeats: int = REPEATS, without: tuple[str, ...] = ()) -> dict:
    """Everything that `bench` reports, as plain data. `rgb` is uint8 (H, W, 3), sides multiples of 64 for the peers."""
    import torch

    from hiercodec import installed, models
    from hiercodec.device import resolve
    from hiercodec.evaluation.provenance import environment

    codecs = {name: models.load(name) for name in installed.models() if name not in without}
    if "tic" not in {*codecs, *without}:
        codecs["tic"] = _untrained("tic")
    runs = {name: _own(codec, rgb) for name, codec in codecs.items()}
    runs |= {name: _peer(name, rgb) for name in PEERS if name not in without}
    speed = _time(runs, repeats)
    reference = speed.get("mbt2018")
    for row in speed.values():
        if reference:
            row["decode_speed_vs_mbt2018"] = round(reference["decode_s"] / row["decode_s"], 2)
            row["encode_speed_vs_mbt2018"] = round(reference["encode_s"] / row["encode_s"], 2)
        if "synthesis_cpu_s" in row:
            row["decode_over_synthesis"] = round(row["decode_cpu_s"] / row["synthesis_cpu_s"], 3)
    return {
        "photo": f"{rgb.shape[1]}×{rgb.shape[0]}",
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        "device": str(resolve()),
        "untrained": [name for name, codec in codecs.items() if "untrained" in codec.name]
        + [n for n in PEERS if n in runs],
        **environment("compressai"),
        "speed": speed,
        "overhead": overhead(codecs["lite"], rgb),
    }


def ideal_bits(codec, data: bytes) -> float:
    """Σ -log2 p of all symbols of a complete stream under the tables that code them: what an ideal coder needs."""
    from hiercodec.models import WaveCodec
    from hiercodec.models.wave.wavelet import SCALES

    decoder = codec.prefixes(data, bit_map=True)
    if isinstance(codec, WaveCodec):
        spent = decoder.latent()[0].spent
        return SCALES * float(np.log2(codec.network.preset.planes + 1)) + float(spent.sum())
    shape, tables = codec.grids(decoder.stream.header)[1], codec.coding.z_tables
    indexes = np.repeat(np.arange(len(tables)), shape[0] * shape[1])
    z = codec.coding.read_z(decoder.stream.z.payload, shape)
    return float(tables.bits(z, indexes).sum()) + float(np.sum(decoder.latent()[3]))


def overhead(codec, rgb: np.ndarray) -> dict:
    """Where the bytes of one stream go: payload, what an ideal coder would need for it, and the container."""

    data = codec.encode(rgb)
    parsed = codec.parse(data)
    coded = sum(len(section.payload) for section in parsed.sections)
    ideal = ideal_bits(codec, data) / 8
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
        f"{results['photo']}, {results['threads']} threads, networks on {results['device']}, median of {results['repeats']}",
        f"{'codec':22} {'encode ms':>10} {'decode ms':>10} {'decode/synthesis':>17} {'decode speed against mbt2018':>30}",
    ]
    for name, row in results["speed"].items():
        ratio = row.get("decode_speed_vs_mbt2018")
        against = f"{ratio:.1f} ×" if ratio else "not measured"
        over = f"{row['decode_over_synthesis']:.2f}" if "decode_over_synthesis" in row else ""
        lines.append(
            f"{name:22} {1000 * row['encode_s']:10.1f} {1000 * row['decode_s']:10.1f} {over:>17} {against:>30}"
        )
    o = results["overhead"]
    lines.append(
        f"lite's stream: {o['file_bytes']} bytes = {o['coded_bytes']} coded + {o['container_bytes']} container; "
        f"ideal {o['ideal_bytes']:.0f}, coder overhead {o['coder_overhead_percent']:.2f} %"
    )
    return "\n".join(lines)


Steps = dict[str, Callable]
"""What is timed of a codec, by name: "encode" takes nothing and gives data, everything else takes that data."""


def _time(runs: dict[str, Steps], repeats: int) -> dict[str, dict]:
    """Median seconds of every step, the codecs taking turns; the first round warms up and does not count."""
    wall: dict[tuple[str, str], list[float]] = {}
    cpu: dict[tuple[str, str], list[float]] = {}
    for turn in range(repeats + 1):
        for name, steps in runs.items():
            data = None
            for step, call in steps.items():
                start, busy = time.perf_counter(), time.process_time()
                result = call() if step == "encode" else call(data)
                if turn:
                    wall.setdefault((name, step), []).append(time.perf_counter() - start)
                    cpu.setdefault((name, step), []).append(time.process_time() - busy)
                data = result if step == "encode" else data
    rows: dict[str, dict] = {name: {} for name in runs}
    for (name, step), seconds in wall.items():
        rows[name][f"{step}_s"] = round(statistics.median(seconds), 5)
        rows[name][f"{step}_cpu_s"] = round(statistics.median(cpu[name, step]), 5)
        if step == "decode":
            rows[name]["decode_s_min"] = round(min(seconds), 5)
    return rows


def _own(codec, rgb: np.ndarray) -> Steps:
    """A codec of ours; the data are the stream."""
    decoder = codec.prefixes(codec.encode(rgb))
    latent = decoder.latent()[0]
    return {
        "encode": lambda: codec.encode(rgb),
        "decode": codec.decode,
        "synthesis": lambda data: codec.synthesise([latent], decoder.stream.header),
    }


def _peer(name: str, rgb: np.ndarray) -> Steps:
    """CompressAI's model at its N=192 setting, with random weights."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai.zoo import image_models as zoo
    from hiercodec.device import resolve

    torch.manual_seed(0)
    net = zoo[name](quality=6, pretrained=False).eval()
    net.update(force=True)
    net.to(device := resolve())
    x = torch.from_numpy(rgb).to(device).permute(2, 0, 1)[None].float() / 255

    @torch.inference_mode()
    def encode() -> dict:
        return net.compress(x)

    @torch.inference_mode()
    def decode(out: dict):
        return net.decompress(out["strings"], out["shape"])["x_hat"].cpu()  # our own strings, of this very process

    return {"encode": encode, "decode": decode}


def _untrained(preset: str):
    """A codec with random weights, for speed only."""
    import torch

    from hiercodec import stream
    from hiercodec.device import resolve
    from hiercodec.models import PRESETS, Codec, HierNetwork

    torch.manual_seed(0)
    network = HierNetwork(PRESETS[preset])
    channels = network.preset.n_hyper
    flat = [(-20, stream.quantize_pmf(np.ones(41)))] * channels
    tables, medians = stream.Tables.from_pmfs(flat), np.zeros(channels, np.float32)
    codec = Codec(network, tables, medians, name=f"{preset} (untrained)", fingerprint=b"\0" * 4)
    return codec.to(resolve())


def photo(path: str | None, side: int) -> np.ndarray:
    """The central square of a photograph, `side` pixels wide; without a path of scikit-image's astronaut."""
    from hiercodec.images import centre_crop, load_rgb

    if path:
        return centre_crop(load_rgb(path), side)
    from skimage import data

    return centre_crop(np.ascontiguousarray(data.astronaut()), side)


if __name__ == "__main__":
    sys.exit(main(commands=bench, program="python -m tools.bench"))
