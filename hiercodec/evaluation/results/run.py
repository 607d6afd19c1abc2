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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiercodec import device
from hiercodec.errors import ConfigError, HiercodecError, ImageError, InputError, Unreadable, is_out_of_memory
from hiercodec.evaluation.codecs import purposes
from hiercodec.evaluation.codecs.peers import MACHINES, HierPeer, Labeller, at_rates, shares_and_ends
from hiercodec.evaluation.codecs.rivals import rival
from hiercodec.evaluation.measure import ORIGINAL, Evaluator
from hiercodec.evaluation.photos.dataset import inventory
from hiercodec.evaluation.photos.labels import AUTO
from hiercodec.evaluation.photos.stored import Photo, Stored
from hiercodec.evaluation.provenance import commit, provenance, today
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.parts import Parts, content_id
from hiercodec.evaluation.results.records import UNJUDGED, records
from hiercodec.evaluation.results.untrusted import MAX_WORDS
from hiercodec.fsio import printable
from hiercodec.images import centre_crop, read_rgb
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.protocols import Archive, Peer
from hiercodec.tasks import Task, load_task, name_of
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

Batches = Sequence[Sequence[Photo]]

Way = Callable[[Batches], Iterator[bytes]]
"""From the photographs of parts to these parts, in any order."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What photographs are measured with: codecs, judges, and the side of the central square taken first (None: all)."""

    peers: Sequence[Peer]
    judges: Sequence[Evaluator] = ()
    crop: int | None = None
    strict: bool = False
    tasks: Mapping[str, Task] = field(default_factory=dict)

    def part(self, photos: Iterable[Photo]) -> bytes:
        """Rows of photographs that this machine can read, as a part of a run.

        One that cannot be used gets a row that says why; where the bench is `strict`, its error, which names it, is raised.
        """
        measured: list[dict[str, Any]] = []
        for stored, label in photos:
            try:
                measured += self._measured(stored, label)
            except Exception as error:
                why = reason(error)
                if why is None:
                    raise
                if self.strict:
                    raise InputError(f"{stored.name}: {why}") from error
                measured.append(skipped(stored.name, label, why))
        return rows.encode(rows.table(measured, {}))

    def _measured(self, stored: Stored, label: int) -> list[dict[str, Any]]:
        data = stored.content()
        words: list[str] = []
        rgb = read_rgb(data, note=words.append)
        rgb = centre_crop(rgb, self.crop) if self.crop else rgb
        points = list(records(stored.name, rgb, label, self.peers, self.judges, tuple(self.tasks.values())))
        about = {"content": content_id(data), "note": "; ".join(words)[:MAX_WORDS] or None}
        return [{**row, **about} if row["codec"] == ORIGINAL else row for row in points]

    def check(self, photos: Sequence[Photo]) -> None:
        """Raise `InputError` where a codec's pictures were made before, and not those of one of these photographs."""
        for peer in self.peers:
            if isinstance(peer, Archive):
                for stored, _ in photos:
                    peer.of(stored.name)

    def meta(self, command: str, sources: Sequence[str], photos: Sequence[Photo], **chosen: Any) -> dict[str, Any]:
        """What the file says of itself: see `rows.Rows`; `chosen`: how the photographs were, among those of the sources."""
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
                **chosen,
            },
            "crop": self.crop,
            **({} if device.chosen() == "cpu" else {"device": device.chosen()}),
            "levels": {level.name: level.k for judge in self.judges[:1] for level in judge.hierarchy.levels},
            "provenance": provenance(self.peers, self.judges)
            | ({"tasks": {name: dict(task.provenance) for name, task in self.tasks.items()}} if self.tasks else {}),
            **({"tasks": list(self.tasks)} if self.tasks else {}),
        }


@dataclass(frozen=True, slots=True)
class Setup:
    """A bench in names: hiercodec models and where they are cut, rivals, judges, hierarchy, crop.

    Files are cut at `cuts` shares and where levels end, or at `rates` in bits a pixel where some are given. `label_by` names
    a classifier: every model is then measured with that one's answer in its files, too. `purpose` is what formats are at
    their best for. `steering` are the classifiers whose feature maps survive in files for machines or for both. A `strict`
    bench ends at the first photograph that cannot be used. `tasks` are further questions (`tasks.load_task`).
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    cuts: int = 0
    codecs: tuple[str, ...] = ()
    judges: tuple[str, ...] = ("lite0",)
    hierarchy: str = DEFAULT_HIERARCHY
    crop: int | None = None
    rates: tuple[float, ...] = ()
    label_by: str = ""
    purpose: str = MACHINES
    steering: tuple[str, ...] = (purposes.STEERING,)
    strict: bool = False
    tasks: tuple[str, ...] = ()

    def bench(self) -> Bench:
        """Load everything; this process works with one thread from here on."""
        from hiercodec.classify import load_classifier
        from hiercodec.taxonomy import load_hierarchy

        one_thread()
        hierarchy = load_hierarchy(self.hierarchy)
        labeller = Labeller(load_classifier(self.label_by), hierarchy) if self.label_by else None
        own = [peer for name in self.models for peer in self._ours(name, labeller)]
        peers = [*own, *(rival(name, self.purpose) for name in self.codecs)]
        if len({peer.name for peer in peers}) < len(peers):
            names = ", ".join(peer.name for peer in peers)
            raise ConfigError(f"a codec is named twice (NAME=PATH gives a model another name): {names}")
        judges = [Evaluator(load_classifier(judge), hierarchy) for judge in self.judges]
        tasks = {name_of(spec): load_task(spec, hierarchy) for spec in self.tasks}
        return Bench(peers, judges, self.crop, self.strict, tasks)

    def _ours(self, name: str, labeller: Labeller | None) -> list[Peer]:
        """A hiercodec model, by name, path or NAME=PATH, without a label and, where somebody writes one, with it."""
        from hiercodec import models

        model, options = purposes.read(name, self.steering)
        steered_by = self.steering if "keep" in options else ()
        codec, cuts = models.load(model), at_rates(self.rates) if self.rates else shares_and_ends(self.cuts)
        name = printable(codec.name) + name[len(model) :]  # a path says where a model is, not what it is called
        if steered_by and steered_by != (purposes.STEERING,):
            name = f"{name} by {' + '.join(spec.partition('@')[0].removeprefix('timm:') for spec in steered_by)}"
        with_label = [HierPeer(codec, cuts, f"{name} + label", labeller, options, steered_by)] if labeller else []
        return [HierPeer(codec, cuts, name, options=options, steered_by=steered_by), *with_label]


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
    photos = there.photos[: limit or None]
    if not photos:
        raise ConfigError(f"no photographs in {', '.join(map(printable, sources))}")
    names: set[str] = set()
    for stored, _ in photos:
        if stored.name in names:
            raise ConfigError(f"two photographs are called {stored.name}: evaluate the sources one by one")
        names.add(stored.name)
    if sample and sample < len(photos):
        last = len(photos) - 1
        photos = [photos[i * last // max(sample - 1, 1)] for i in range(sample)]
    return photos


def digest(photos: Sequence[Photo]) -> str:
    """16 hex digits that name a data set: its names, labels and file sizes, in order, wherever it lies."""
    sha = hashlib.sha256()
    for stored, label in photos:
        size = min(stored.size, os.path.getsize(stored.path) if os.path.isfile(stored.path) else -1)
        sha.update(f"{stored.name}\0{label}\0{size}\n".encode())
    return sha.hexdigest()[:16]


def run(parts: Parts, way: Way, missing: Batches, seen: Callable[[int], object] = lambda photos: None) -> None:
    """Measure the photographs that are `missing` (see `Parts.begin`) by `way` and write the file.

    `seen` is told how many photographs each part had.
    """
    for part in way(missing):
        seen(parts.add(part))
    parts.finish()


def reason(error: Exception) -> str | None:
    """Why a photograph cannot be used, in one line; None for an error that is not the photograph's."""
    if is_out_of_memory(error):
        return "it needs more memory than there is"
    return printable(str(error)) if isinstance(error, (ImageError, Unreadable)) else None


def skipped(photo: str, label: int, why: str) -> dict[str, Any]:
    """The row of a photograph that cannot be used."""
    point = {"photo": photo, "label": label, "codec": rows.SKIPPED, "setting": "", "bytes": 0, "judge": "", **UNJUDGED}
    return {**point, "note": why[:MAX_WORDS]}


def here(bench: Bench) -> Way:
    """Measure in this process, one part after another."""
    return lambda missing: map(bench.part, missing)


def in_processes(setup: Setup, workers: int) -> Way:
    """Measure in `workers` processes with a bench and one thread each, on GPUs in turn where networks run on such."""

    def way(missing: Batches) -> Iterator[bytes]:
        one_thread()
        context, count = get_context("spawn"), min(workers, len(missing)) or 1
        places = context.SimpleQueue()
        for place in device.shared(count):
            places.put(place)
        pool = ProcessPoolExecutor(count, context, _start, (setup, places))
        try:
            for future in as_completed([pool.submit(_work, photos) for photos in missing]):
                yield future.result()
        except BrokenProcessPool:
            raise InputError(
                "a worker process died, perhaps for want of memory: go on with --resume, fewer --workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return way


_bench: Bench | HiercodecError | None = None
"""A worker process' own bench, or why it has none."""


def _start(setup: Setup, places: SimpleQueue[str]) -> None:
    """A worker process begins: interrupts are its parent's to handle, and it ends when its parent is gone."""
    global _bench
    os.environ[device.DEVICE] = places.get()
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
    return _bench.part(photos)
