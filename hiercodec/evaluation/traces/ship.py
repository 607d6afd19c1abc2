"""Traces of the samples with the shipped weights, for assets/traces (`python -m tools.assets traces` makes them).

The app's first paint shows these files and runs no codec. Each names the weights it was made with; make them anew
whenever the weights, the classifier or the default hierarchy change (a test fails until that is done).
"""

from __future__ import annotations

from pathlib import Path

from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.photos.samples import Sample
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.fsio import locate
from hiercodec.protocols import Codec

TRACES = locate("traces")
STEPS = 22
"""Steps of a shipped trace: a fifth more bytes from one to the next, in 12 MB for all of them."""


def ship(row: Sample, codec: Codec, judging: Judging, *, steps: int = STEPS, folder: Path = TRACES) -> Path:
    """Encode, cut, decode and classify one sample and write its bundle; returns the file."""
    rgb = row.pixels()
    data = codec.encode(rgb)
    found, decoded = trace(codec, rgb, judging.knowing(row.truth), steps=steps, data=data)
    path = folder / f"{row.id}.zip"
    bundle.write(path, bundle.make(found, data, rgb, decoded, effort=4))
    return path
