"""The same symbols everywhere: decode and encode the same photographs in every way a machine may differ.

`python -m tools.symbols [--photos DATASET …] [--limit 20] [--record]` works in one process a way: threads, oneDNN on and
off, other vector instructions, float64 transforms, four pictures in one batch, a GPU where there is one. Told are the
shares of photographs whose symbols and entropy parameters are those of the plain way (all must be), how far the parameters
are apart before they are rounded and how near they come to a rounding boundary, and how many files encode to equal bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hiercodec import stream
from hiercodec.evaluation.photos.dataset import load_photos
from hiercodec.models import Codec
from hiercodec.models.channels.blocks import MEAN_STEPS, BlockLoop
from hiercodec.models.channels.coding import Exact
from tools.orders.backbone import load_channels
from tools.report import record


@dataclass(frozen=True)
class Way:
    """One way to compute: environment of its process, threads, oneDNN, precision of the transforms, batch, device."""

    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    mkldnn: bool = True
    double: bool = False
    batch: int = 1
    device: str = "cpu"


PLAIN = "1 thread"
PATIENT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
"""Threads that wait give their core away: on a busy machine two spinning ones take twenty times as long as one."""

WAYS = {
    PLAIN: Way(),
    "without oneDNN": Way(mkldnn=False),
    "AVX2 at most": Way({"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}),
    "float64 transforms": Way(double=True),
    "4 in a batch": Way(batch=4),
    "GPU": Way(device="cuda"),
    "2 threads": Way(threads=2),
    "2 threads without oneDNN": Way(threads=2, mkldnn=False),
    "no vector instructions": Way({"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41",
                                   "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}),
}  # fmt: skip


class Raw(Exact):
    """The coding path's arithmetic, and what its scales and means were before they were rounded."""

    def __init__(self) -> None:
        self.sigma: list[np.ndarray] = []
        self.mu: list[np.ndarray] = []

    def snap(self, smooth: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
        """As `Exact`."""
        self.mu.append(smooth.numpy())
        return super().snap(smooth, rounded)

    def scale(self, sigma: torch.Tensor) -> torch.Tensor:
        """As `Exact`."""
        self.sigma.append(sigma.numpy())
        return super().scale(sigma)


@torch.inference_mode()
def parameters(
    codec: Codec, data: bytes, batch: int = 1
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """Of the first picture of a batch, all blocks in a row: σ and μ before rounding, rounded indexes and means, and ŷ.

    The others of the batch are the same z and latents mirrored, so that they are other pictures of the same size.
    """
    parsed = codec.parse(data)
    grid, shape = codec.grids(parsed.header)
    z = torch.from_numpy(codec.coding.read_z(parsed.z.payload, shape).reshape(1, -1, *shape)) + codec.coding.medians
    y_hat = codec.prefixes(data).latent()[0].double()
    mirrors = ((), (-1,), (-2,), (-1, -2))[:batch]
    z, y_hat = (torch.cat([pixels.flip(axes) for axes in mirrors]) for pixels in (z, y_hat))
    arithmetic, entropy = Raw(), codec.coding.entropy
    loop = BlockLoop(entropy, entropy.hyper_features(z, grid), arithmetic)
    rounded = []
    for level in codec.plan:
        scale, mu = loop.parameters()
        rounded += [scale[0].numpy(), (mu[0] * MEAN_STEPS).to(torch.int16).numpy()]
        loop.blocks.append(y_hat[:, level.channels])
    sigma, mu = (np.concatenate([part[0].ravel() for part in parts]) for parts in (arithmetic.sigma, arithmetic.mu))
    return sigma, mu, rounded, y_hat[:1].numpy()


def margins(sigma: np.ndarray, mu: np.ndarray) -> tuple[float, float]:
    """How near any σ comes to a table's edge (relative) and any μ to the middle between two steps of its grid."""
    edges = stream.scale_edges()
    nearest = np.abs(sigma[:, None] / edges[None, :] - 1).min()
    steps = mu * MEAN_STEPS
    return float(nearest), float(np.abs(np.abs(steps - np.floor(steps)) - 0.5).min() / MEAN_STEPS)


def work(way: Way, model: str, pictures: Path, streams: Path, out: Path) -> None:
    """Decode every stream and encode every picture in this process; leaves `out`/NAME.npz for each."""
    torch.set_num_threads(way.threads)
    codec = load_channels(model, device=way.device)
    if way.double:
        codec.network.double()
        g_a, g_s = codec.network.g_a, codec.network.g_s
        vars(codec.network).update(g_a=lambda x: g_a(x.double()), g_s=lambda y_hat: g_s(y_hat.double()))
    out.mkdir(exist_ok=True)
    torch.backends.mkldnn.enabled = way.mkldnn
    for path in sorted(pictures.glob("*.npy")):
        if (out / f"{path.stem}.npz").exists():
            continue
        encoded = codec.encode(np.load(path))
        if not streams.exists() or not (streams / f"{path.stem}.hc").exists():
            streams.mkdir(exist_ok=True)
            (streams / f"{path.stem}.hc").write_bytes(encoded)
        data = (streams / f"{path.stem}.hc").read_bytes()
        sigma, mu, rounded, y_hat = parameters(codec, data, way.batch)
        np.savez(
            out / "part.npz",
            sigma=sigma,
            mu=mu,
            rounded=np.concatenate([part.ravel().astype(np.int16) for part in rounded]),
            y_hat=y_hat,
            encoded=np.frombuffer(encoded, np.uint8),
        )
        (out / "part.npz").replace(out / f"{path.stem}.npz")


def photographs(sources: list[str], limit: int) -> Iterator[np.ndarray]:
    """The ten samples, then `limit` of every further source, evenly spaced."""
    yield from load_photos(["samples:"]).pixels
    for source in sources:
        yield from load_photos([source]).spread(limit).pixels


def compare(mine: Path, plain: Path) -> dict[str, float]:
    """What one way gave, against the plain way."""
    found: dict[str, float] = {"photos": 0, "symbols": 0, "parameters": 0, "encoded": 0, "sigma": 0.0, "mu": 0.0,
                               "longest": 0.0}  # fmt: skip
    for path in sorted(plain.glob("*.npz")):
        a, b = np.load(mine / path.name), np.load(path)
        found["photos"] += 1
        found["symbols"] += np.array_equal(a["y_hat"], b["y_hat"])
        found["parameters"] += np.array_equal(a["rounded"], b["rounded"])
        found["encoded"] += np.array_equal(a["encoded"], b["encoded"])
        found["sigma"] = max(found["sigma"], float(np.abs(a["sigma"] / b["sigma"] - 1).max()))
        found["mu"] = max(found["mu"], float(np.abs(a["mu"] - b["mu"]).max()))
        found["longest"] = max(found["longest"], abs(len(a["encoded"]) / len(b["encoded"]) - 1))
    return {
        key: int(value) if isinstance(value, (bool, np.bool_, np.integer)) else value for key, value in found.items()
    }


def main() -> int:
    """Measure, tell, and record."""
    parser = argparse.ArgumentParser(prog="python -m tools.symbols", description=__doc__)
    parser.add_argument("--photos", nargs="+", default=[], metavar="DATASET", help="folders or tar shards, see --limit")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many of each data set (default 20)")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--record", action="store_true", help="enter the figures into the report")
    parser.add_argument("--folder", type=Path, help="keep what is computed there, and go on with what it has")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(WAYS[args.work[0]], args.model, *map(Path, args.work[1:]))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        return measure(args.folder or Path(temporary), args)


def measure(folder: Path, args: argparse.Namespace) -> int:
    """Every way that this machine has, each recorded as it ends; what `folder` has of an earlier run is not done again."""
    pictures, streams = folder / "pictures", folder / "streams"
    pictures.mkdir(parents=True, exist_ok=True)
    for i, rgb in enumerate(photographs(args.photos, args.limit)):
        np.save(pictures / f"{i:03d}.npy", rgb)
    ways = {name: way for name, way in WAYS.items() if way.device == "cpu" or torch.cuda.is_available()}
    rows: dict[str, dict[str, float]] = {}
    facts: dict[str, object] = {"torch": torch.__version__, "model": args.model}
    for name, way in tqdm(ways.items(), disable=None, unit="way"):
        command = [sys.executable, "-m", "tools.symbols", "--model", args.model, "--work", name]
        subprocess.run([*command, *map(str, (pictures, streams, folder / name))], check=True,
                       env=os.environ | PATIENT | way.environment)  # fmt: skip
        if name == PLAIN:
            parts = [np.load(path) for path in sorted((folder / name).glob("*.npz"))]
            near = [margins(part["sigma"], part["mu"]) for part in parts]
            facts["margin"] = {"sigma": min(a for a, _ in near), "mu": min(b for _, b in near)}
            facts["count"] = sum(part["y_hat"].size for part in parts)
        rows[name] = compare(folder / name, folder / PLAIN)
        print(f"{name:26s} {json.dumps(rows[name])}", flush=True)
        if args.record:
            record("symbols", {"ways": rows, "skipped": sorted(set(WAYS) - set(rows)), **facts})
    print(f"{facts}; skipped: {sorted(set(WAYS) - set(rows))}")
    equal = all(row["symbols"] == row["parameters"] == row["photos"] for row in rows.values())
    return 0 if equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
