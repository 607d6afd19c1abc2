"""Runs of `hiercodec evaluate` on a Ray cluster: where photographs lie streams to actors, and rows stream back.

    photographs of parts ──► actors, each with a bench of its own ──rows of a part──► this process ──► Parts

Ray starts an actor that died again, on another machine where its own is gone, and repeats what it worked on. A part is kept
when it arrives, so nothing is lost and nothing counts twice; `Parts` lets a driver that died go on as well.
Every machine needs hiercodec, the codecs' weights, and the data set under the same path.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hiercodec import device
from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.photos.stored import Photo
from hiercodec.evaluation.results.run import Batches, Setup, Way

IN_FLIGHT = 2
"""Parts given to an actor at a time: the next is there when one is done."""


class Measure:
    """A Ray actor: a bench that works with one thread, and the photographs of all parts."""

    def __init__(self, setup: Setup, batches: Sequence[Sequence[Photo]], environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self.bench, self.batches = setup.bench(), batches

    def __call__(self, row: dict[str, int]) -> dict[str, Any]:
        """A part's number → its rows."""
        return {"part": self.bench.part(self.batches[row["number"]])}


def on_ray(setup: Setup, address: str | None = None) -> Way:
    """Measure with an actor a core of the cluster at `address` ("auto", "host:port"; None: this machine's own cores).

    Where networks run on GPUs, an actor each.
    """
    import ray  # pyright: ignore[reportMissingImports] (an extra)
    from ray.data import ActorPoolStrategy, DataContext, from_items  # pyright: ignore[reportMissingImports]
    from ray.exceptions import RayError  # pyright: ignore[reportMissingImports]

    def way(missing: Batches) -> Iterator[bytes]:
        if not missing:
            return
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # Ray raises all kinds, plain ones too
            raise InputError(f"no Ray at {address or 'this machine'}: {_last_line(error)}") from None
        try:
            DataContext.get_current().enable_progress_bars = False
            logging.getLogger("ray.data").setLevel(logging.ERROR)
            place, gpus, most = share(ray.cluster_resources())
            actors = ActorPoolStrategy(
                min_size=1, max_size=min(most, len(missing)), max_tasks_in_flight_per_actor=IN_FLIGHT
            )
            measure: Any = Measure  # Ray takes a class as well as a function, and does not say so
            numbers = from_items([{"number": n} for n in range(len(missing))], override_num_blocks=len(missing))
            everywhere = [[(replace(at, path=at.path.resolve()), label) for at, label in batch] for batch in missing]
            made = (setup, everywhere, environment(place))  # paths as every machine knows them
            measured = numbers.map(measure, fn_constructor_args=made, compute=actors, num_cpus=1, num_gpus=gpus)
            for row in measured.iter_rows():
                yield row["part"]
        except RayError as error:
            raise _ours(error) from error
        finally:
            ray.shutdown()

    return way


def share(resources: Mapping[str, float]) -> tuple[str, int, int]:
    """Where an actor works, how many GPUs it takes, and how many actors the `resources` of a cluster are enough for.

    Ray shows an actor its own GPU only, so that each works on "cuda". `InputError` where there is none to be asked for.
    """
    kind, gpus = device.chosen().partition(":")[0], int(resources.get("GPU", 0))
    if kind == "cuda" and not gpus:
        raise InputError("there is no GPU on the Ray cluster")
    if kind == "cuda" or (kind == "auto" and gpus):
        return "cuda", 1, gpus
    return "cpu" if kind == "auto" else kind, 0, int(resources.get("CPU", 1))


def environment(place: str) -> dict[str, str]:
    """Our variables as they are here, for actors, which another program may have started; networks run at `place`."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("HIERCODEC_")}
    return {**ours, device.DEVICE: place}


def _ours(error: BaseException) -> HiercodecError:
    """The error of ours behind one of Ray's, or its last line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HiercodecError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    return InputError(f"Ray could not measure: {_last_line(error)}")


def _last_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
