"""The engine of `hiercodec evaluate`: photographs in, rows out, in this process, in several, or on a cluster.

    Setup (names) ──build──► Bench (codecs, judges) ──rows of a batch──► Parts ──► one file

A `Setup` is plain data, so every process builds its own `Bench` from it; wherever a batch is measured, its rows are the
same, because every bench works with one thread and a photograph's rows depend on nothing but the photograph.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

from hiercodec.errors import ConfigError, HiercodecError, InputError
from hiercodec.evaluation import purposes, rows
from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.parts import Parts
from hiercodec.evaluation.peers import MACHINES, HierPeer, Teller, at_rates, shares_and_ends
from hiercodec.evaluation.photos.dataset import inventory
from hiercodec.evaluation.photos.labels import AUTO
from hiercodec.evaluation.photos.stored import Photo, decode
from hiercodec.evaluation.provenance import commit, provenance, today
from hiercodec.evaluation.records import records
from hiercodec.evaluation.rivals import rival
from hiercodec.fsio import printable
from hiercodec.images import centre_crop
from hiercodec.protocols import Peer
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

Way = Callable[[Sequence[int]], Iterator[tuple[int, bytes]]]
"""From the numbers of parts to (number, part), in any order."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What photographs are measured with: codecs, judges, and the side of the central square taken first (None: all)."""

    peers: Sequence[Peer]
    judges: Sequence[Judging] = ()
    crop: int | None = None

    def part(self, photos: Iterable[tuple[str, bytes, int]]) -> bytes:
        """Rows of photographs given as (name, file, class index), as a part of a run."""
        found: list[dict[str, Any]] = []
        for name, data, label in photos:
            rgb = decode(name, data)
            found += records(name, centre_crop(rgb, self.crop) if self.crop else rgb, label, self.peers, self.judges)
        return rows.encode(rows.table(found, {}))

    def meta(self, command: str, sources: Sequence[str], photos: Sequence[Photo]) -> dict[str, Any]:
        """What the file says of itself: see `rows.Rows`."""
        return {
            "command": command,
            "date": today(),
            "commit": commit(),
            "data": {
                "name": ", ".join(printable(Path(source).name) for source in sources),
                "sources": list(map(printable, sources)),
                "photos": len(photos),
                "labelled": sum(label >= 0 for _, label in photos),
                "digest": digest(photos),
            },
            "crop": self.crop,
            "levels": {level.name: level.k for judge in self.judges[:1] for level in judge.hierarchy.levels},
            "provenance": provenance(self.peers, self.judges),
        }


DEFAULT_MODEL = "lite"


@dataclass(frozen=True, slots=True)
class Setup:
    """A bench in names: hiercodec models and where they are cut, rivals, judges, hierarchy, crop.

    Files are cut at `cuts` shares and where levels end, or at `rates` in bits a pixel where some are given. `core` names a
    classifier: every model is then measured with that one's answer in its files, too. Rivals that work on a model's own
    transforms (`order:…`) take the first model's, or the default one's. `purpose` is what formats are at their best for.
    `steering` are the classifiers whose feature maps survive in files for machines or for both.
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    cuts: int = 0
    codecs: tuple[str, ...] = ()
    judges: tuple[str, ...] = ("lite0",)
    hierarchy: str = DEFAULT_HIERARCHY
    crop: int | None = None
    rates: tuple[float, ...] = ()
    core: str = ""
    purpose: str = MACHINES
    steering: tuple[str, ...] = (purposes.STEERING,)

    def bench(self) -> Bench:
        """Load everything; this process works with one thread from here on."""
        from hiercodec.classify import load_classifier
        from hiercodec.taxonomy import load_hierarchy

        one_thread()
        backbone = self.models[0] if self.models else DEFAULT_MODEL
        hierarchy = load_hierarchy(self.hierarchy)
        teller = Teller(load_classifier(self.core), hierarchy) if self.core else None
        own = [peer for name in self.models for peer in self._ours(name, teller)]
        peers = [*own, *(rival(name, backbone, self.purpose) for name in self.codecs)]
        if len({peer.name for peer in peers}) < len(peers):
            raise ConfigError(f"a codec is named twice: {', '.join(peer.name for peer in peers)}")
        return Bench(peers, [Judging(load_classifier(judge), hierarchy) for judge in self.judges], self.crop)

    def _ours(self, name: str, teller: Teller | None) -> list[Peer]:
        """A hiercodec model, by name or path, without a core and, where somebody writes one, with it."""
        from hiercodec import models

        model, options = purposes.read(name, self.steering)
        steered_by = self.steering if "keep" in options else ()
        codec, cuts = models.load(model), at_rates(self.rates) if self.rates else shares_and_ends(self.cuts)
        if steered_by and steered_by != (purposes.STEERING,):
            name = f"{name} by {' + '.join(spec.partition('@')[0].removeprefix('timm:') for spec in steered_by)}"
        with_core = [HierPeer(codec, cuts, f"{name} + core", teller, options, steered_by)] if teller else []
        return [HierPeer(codec, cuts, name, options=options, steered_by=steered_by), *with_core]


def one_thread() -> None:
    """Let this process, and those that it starts, calculate with one thread: sums then have one order everywhere."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch loads, here or in a new process
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def photos_of(
    sources: Sequence[str],
    *,
    limit: int | None = None,
    sample: int | None = None,
    how: str = AUTO,
    tell: Callable[[str], object] = lambda line: None,
) -> list[Photo]:
    """The photographs of a data set, or its first `limit`, or `sample` of them evenly spread over those.

    `how` they are labelled is said in `labels.AUTO`; `tell` hears what was found, passed over and why, a line at a time.
    `ConfigError` where there are none, or where two have one name: rows could not be told apart.
    """
    there = inventory(sources, how)
    for line in there.report():
        tell(line)
    found = there.photos[: limit or None]
    if not found:
        raise ConfigError(f"no photographs in {', '.join(map(printable, sources))}")
    names: set[str] = set()
    for stored, _ in found:
        if stored.name in names:
            raise ConfigError(f"two photographs are called {stored.name}: evaluate the sources one by one")
        names.add(stored.name)
    if sample and sample < len(found):
        last = len(found) - 1
        found = [found[i * last // max(sample - 1, 1)] for i in range(sample)]
    return found


def digest(photos: Sequence[Photo]) -> str:
    """16 hex digits that name a data set: its names, labels and file sizes, in order, wherever it lies."""
    sha = hashlib.sha256()
    for stored, label in photos:
        size = min(stored.size, stored.path.stat().st_size if stored.path.is_file() else -1)
        sha.update(f"{stored.name}\0{label}\0{size}\n".encode())
    return sha.hexdigest()[:16]


def run(parts: Parts, way: Way, missing: Sequence[int], seen: Callable[[int], object] = lambda photos: None) -> None:
    """Measure the parts that are `missing` (see `Parts.begin`) by `way` and write the file.

    `seen` is told how many photographs each part had.
    """
    for number, part in way(missing):
        parts.add(number, part)
        seen(len(parts.batches[number]))
    parts.finish()


def stored_part(photos: Sequence[Photo], bench: Bench) -> bytes:
    """The part of photographs that this machine can read."""
    return bench.part((stored.name, stored.content(), label) for stored, label in photos)


def here(bench: Bench, batches: Sequence[Sequence[Photo]]) -> Way:
    """Measure in this process, one part after another."""
    return lambda missing: ((number, stored_part(batches[number], bench)) for number in missing)


def in_processes(setup: Setup, batches: Sequence[Sequence[Photo]], workers: int) -> Way:
    """Measure in `workers` processes with a bench and one thread each."""

    def way(missing: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        one_thread()
        pool = ProcessPoolExecutor(min(workers, len(missing)) or 1, get_context("spawn"), _start, (setup,))
        try:
            numbers = {pool.submit(_work, batches[number]): number for number in missing}
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BrokenProcessPool:
            raise InputError(
                "a worker process died, perhaps for want of memory: go on with --resume, fewer --workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return way


_bench: Bench | HiercodecError | None = None
"""A worker process' own bench, or why it has none."""


def _start(setup: Setup) -> None:
    """A worker process begins: interrupts are its parent's to handle, and it ends when its parent is gone."""
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := parent_process():
        threading.Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    try:
        _bench = setup.bench()
    except HiercodecError as error:
        _bench = error


def _work(photos: Sequence[Photo]) -> bytes:
    if not isinstance(_bench, Bench):
        raise _bench or RuntimeError("the worker process was not started")
    return stored_part(photos, _bench)
