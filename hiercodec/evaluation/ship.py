"""`python -m hiercodec.evaluation.ship`: trace every sample with the shipped weights into assets/traces.

The app's first paint shows these files and runs no codec. Each names the weights it was made with; make them anew
whenever the weights, the classifier or the default hierarchy change (a test fails until that is done).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hiercodec.evaluation import bundle
from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.samples import Sample, sample, samples
from hiercodec.evaluation.tracing import trace
from hiercodec.fsio import locate
from hiercodec.protocols import Codec

TRACES = locate("traces")
STEPS = 24


def ship(row: Sample, codec: Codec, judging: Judging, *, steps: int = STEPS, folder: Path = TRACES) -> Path:
    """Encode, cut, decode and classify one sample and write its bundle; returns the file."""
    rgb = row.pixels()
    data = codec.encode(rgb)
    found, decoded = trace(codec, rgb, judging.knowing(row.truth), steps=steps, data=data)
    path = folder / f"{row.id}.zip"
    bundle.write(path, bundle.make(found, data, rgb, decoded, effort=4))
    return path


def main(arguments: list[str] | None = None) -> int:
    """Trace the samples with the shipped weights into assets/traces."""
    parser = argparse.ArgumentParser(prog="python -m hiercodec.evaluation.ship", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="SAMPLE", help="all samples by default")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--classifier", default="lite0")
    parser.add_argument("--hierarchy", default="consensus")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=TRACES)
    args = parser.parse_args(arguments)
    rows = [sample(name) for name in args.names] or samples()

    from hiercodec.classify import load_classifier
    from hiercodec.models import load
    from hiercodec.taxonomy import load_hierarchy

    codec, judging = load(args.model), Judging(load_classifier(args.classifier), load_hierarchy(args.hierarchy))
    total = 0
    for row in rows:
        path = ship(row, codec, judging, steps=args.steps, folder=args.out)
        total += path.stat().st_size
        found = bundle.read(path).trace
        last = found.steps[-1]
        answers = " › ".join(f"{top[0][1]} {top[0][2]:.0%}" for top in last.top.values())
        print(
            f"{path.name}: {found.file_bytes} bytes, {last.bpp:.3f} bpp, {last.psnr:.2f} dB, {answers}", file=sys.stderr
        )
    print(f"{len(rows)} traces, {total / 1e6:.2f} MB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
