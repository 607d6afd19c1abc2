"""Fifty visitors at once: `python -m tools.load [--visitors 50] [--soak MINUTES] [--record]`.

Starts a server on at most two cores and tries it once, as whoever teaches does before the class comes. Every visitor opens
Explore, lets go of the bar three times, uploads a photograph of their own and then a cut `.hc` file of their own. Both carry
the visitor's number as a row of black and white fields, which is read off every picture that comes back: nobody may see
another's. Meanwhile somebody opens a page that needs no codec, again and again, and memory of the server with all its
processes is sampled. Told too is how busy other programs kept the machine: where it is not idle, seconds say more of them.

`--soak` goes on for so many minutes with a few visitors at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from hiercodec import models, stream
from hiercodec.levels import DEFAULT_MODEL
from tools.load.visitor import Gone, Visitor, get
from tools.report import ROOT, record

CORES = 2
BITS = 6
FIELD = 64
DRAGS = (3, 9, 14)
FREE_PAGES = ("clusters", "learn")
SETTLED = 1 / 3


def marked(number: int, side: int) -> np.ndarray:
    """A picture, uint8 (¾·side, side, 3), whose upper edge says `number` in black and white fields."""
    y, x = np.mgrid[0 : side * 3 // 4, 0:side] / side
    colours = np.random.default_rng(number).uniform(40, 215, (3, 3))
    rgb = colours[0] + (colours[1] - colours[0]) * x[..., None] + (colours[2] - colours[0]) * y[..., None]
    width = side // BITS
    for bit in range(BITS):
        rgb[: side // 4, bit * width : (bit + 1) * width] = 255 * (number >> bit & 1)
    return rgb.clip(0, 255).astype(np.uint8)


def mark_of(rgb: np.ndarray) -> list[bool | None]:
    """The fields of a picture, None where one is neither black nor white enough to say."""
    height, width = rgb.shape[0] // 3, rgb.shape[1] // BITS
    inner = slice(height // 4, height * 3 // 4)
    means = [rgb[inner, b * width + width // 4 : b * width + width * 3 // 4].mean() for b in range(BITS)]
    return [None if 80 < mean < 175 else bool(mean > 128) for mean in means]


def anothers(number: int, pictures: list[np.ndarray]) -> int:
    """How many of the pictures say another number."""
    own = [bool(number >> bit & 1) for bit in range(BITS)]
    return sum(any(a is not None and a != b for a, b in zip(mark_of(p), own, strict=True)) for p in pictures)


def read_in_full(pictures: list[np.ndarray]) -> bool:
    """Whether at least one of the pictures could be read: otherwise nothing was checked."""
    return any(None not in mark_of(picture) for picture in pictures)


def jpeg(rgb: np.ndarray) -> bytes:
    """A photograph as phones send them."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=90)
    return file.getvalue()


@dataclass
class Story:
    """What one visitor met: seconds of each step, what went wrong, how many pictures were another's."""

    number: int
    seconds: dict[str, float] = field(default_factory=dict)
    wrong: str = ""
    anothers: int = 0
    pictures: int = 0


async def visit(number: int, address: str, photo: bytes, cut: bytes) -> Story:
    """The whole way of one visitor."""
    story = Story(number)
    try:
        async with Visitor(address) as visitor:
            story.seconds["open"] = await visitor.enter()
            story.seconds["drag"] = max([await visitor.drag(k) for k in DRAGS])
            for name, file, data in (("photo", "photo.jpg", photo), ("cut", "cut.hc", cut)):
                shown = await visitor.show(file, data)
                story.seconds |= {f"{name} first": shown.first, f"{name} whole": shown.whole}
                story.pictures += len(shown.pictures)
                story.anothers += anothers(number, shown.pictures)
                if not read_in_full(shown.pictures):
                    raise Gone(f"no picture of {file} could be read")
    except (Gone, OSError) as error:
        story.wrong = f"{type(error).__name__}: {error}"
    return story


async def probe(address: str, rest: float) -> list[dict[str, float]]:
    """Open pages that need no codec, one after another, until cancelled; seconds of each."""
    found: list[dict[str, float]] = []
    try:
        while True:
            for page in FREE_PAGES:
                row = {"health": await asyncio.to_thread(get, f"{address}/_stcore/health")}
                try:
                    async with Visitor(address) as visitor:
                        row["page"] = await visitor.enter(page)
                except (Gone, OSError):
                    row["page"] = float("inf")
                found.append(row)
                await asyncio.sleep(rest)
    except asyncio.CancelledError:
        return found


class Watch:
    """Samples memory (MB, the server and all its children) and how much of the cores other programs took."""

    def __init__(self, server: psutil.Process, cores: int) -> None:
        self.samples: list[tuple[float, float]] = []
        self.others: list[float] = []
        self._server, self._cores, self._end = server, cores, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _family(self) -> list[psutil.Process]:
        return [self._server, *self._server.children(recursive=True), psutil.Process()]

    def _run(self) -> None:
        used, then = None, time.monotonic()
        psutil.cpu_percent()
        while not self._end.wait(1.0):
            try:
                family = self._family()
                memory = sum(process.memory_info().rss for process in family[:-1])
                times = sum(sum(process.cpu_times()[:2]) for process in family)
            except psutil.Error:
                continue
            now, busy = time.monotonic(), psutil.cpu_percent() / 100 * (psutil.cpu_count() or 1)
            self.samples.append((now, memory / 1e6))
            if used is not None:
                self.others.append(max(0.0, busy - max(0.0, times - used) / (now - then)) / self._cores)
            used, then = times, now

    def stop(self) -> None:
        """End sampling."""
        self._end.set()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """Peak memory, its means in the second and in the last third, and the share of the machine that others took."""
        memory = [mb for _, mb in self.samples]
        third = max(1, int(len(memory) * SETTLED))
        return {
            "peak_mb": round(max(memory)),
            "settled_mb": round(statistics.mean(memory[third : 2 * third] or memory)),
            "last_mb": round(statistics.mean(memory[-third:])),
            "others": round(statistics.mean(self.others or [0.0]), 2),
        }


@contextlib.contextmanager
def server(root: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app of a checkout on a free port of this machine, on at most two cores."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}",
               "--server.address=127.0.0.1"]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, cwd=root, stdout=log, stderr=log)
        try:
            process, address = psutil.Process(child.pid), f"http://127.0.0.1:{port}"
            if hasattr(process, "cpu_affinity") and (psutil.cpu_count() or 1) > CORES:
                process.cpu_affinity(list(range(CORES)))
            deadline = time.monotonic() + 120
            while True:
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health").close()
                    break
                except OSError:
                    if time.monotonic() > deadline or child.poll() is not None:
                        log.seek(0)
                        raise SystemExit(f"the server did not start: {log.read()[-2000:]!r}") from None
                    time.sleep(0.2)
            yield address, process
        finally:
            family = [child, *psutil.Process(child.pid).children(recursive=True)] if child.poll() is None else []
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
            child.wait()


def files(count: int) -> list[tuple[bytes, bytes]]:
    """A photograph and a stream cut at a length of its own for every visitor."""
    codec, lengths = models.load(DEFAULT_MODEL), random.Random(0)
    found = []
    for number in range(count):
        data = codec.encode(marked(number, 3 * FIELD))
        coarse = next(iter(stream.parse(data).cuts().values()))
        found.append((jpeg(marked(number, BITS * FIELD)), data[: lengths.randint(coarse, len(data) - 1)]))
    return found


async def tried(address: str, pair: tuple[bytes, bytes]) -> None:
    """What whoever teaches has done before: looked at the pages and shown a file, so that all modules are loaded."""
    for page in FREE_PAGES:
        async with Visitor(address) as visitor:
            await visitor.enter(page)
    await visit(0, address, *pair)


async def storm(address: str, carried: list[tuple[bytes, bytes]], spread: float, rest: float
                ) -> tuple[list[Story], list[dict[str, float]]]:  # fmt: skip
    """All visitors, evenly within `spread` seconds."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))

    async def later(number: int, pair: tuple[bytes, bytes]) -> Story:
        await asyncio.sleep(spread * number / len(carried))
        return await visit(number, address, *pair)

    probing = asyncio.create_task(probe(address, rest))
    stories = await asyncio.gather(*(later(number, pair) for number, pair in enumerate(carried)))
    probing.cancel()
    return list(stories), await probing


async def soak(address: str, carried: list[tuple[bytes, bytes]], minutes: float, rest: float
               ) -> tuple[list[Story], list[dict[str, float]]]:  # fmt: skip
    """Each of `carried` comes again and again until the time is up."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
    deadline, stories = time.monotonic() + 60 * minutes, []

    async def again(number: int, pair: tuple[bytes, bytes]) -> None:
        while time.monotonic() < deadline:
            stories.append(await visit(number, address, *pair))

    probing = asyncio.create_task(probe(address, rest))
    await asyncio.gather(*(again(number, pair) for number, pair in enumerate(carried)))
    probing.cancel()
    return stories, await probing


def summary(stories: list[Story], probes: list[dict[str, float]]) -> dict:
    """Median and worst of every step, and what went wrong."""
    steps = {name for story in stories for name in story.seconds}
    rows = {name: [story.seconds[name] for story in stories if name in story.seconds] for name in sorted(steps)}
    rows |= {f"free {name}": [row[name] for row in probes] for name in ("health", "page") if probes}
    return {
        "visits": len(stories),
        "failed": sum(bool(story.wrong) for story in stories),
        "reasons": sorted({story.wrong for story in stories if story.wrong})[:5],
        "anothers": sum(story.anothers for story in stories),
        "pictures": sum(story.pictures for story in stories),
        "seconds": {
            name: {"n": len(row), "median": round(statistics.median(row), 2), "worst": round(max(row), 2)}
            for name, row in rows.items()
        },
    }


def main() -> int:
    """Start a server, let the visitors in, tell."""
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=50, metavar="N", help="at most 64 (default 50)")
    parser.add_argument(
        "--spread", type=float, default=10.0, metavar="S", help="they arrive within S seconds (default 10)"
    )
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="come again and again for so long")
    parser.add_argument("--rest", type=float, default=2.0, metavar="S", help="pause between pages without codec")
    parser.add_argument("--record", choices=("load", "soak"), help="part of the report to enter it into")
    args = parser.parse_args()
    carried = files(args.visitors)
    with server(ROOT) as (address, process):
        asyncio.run(tried(address, carried[0]))
        load, watch, began = [os.getloadavg()[0]], Watch(process, min(CORES, os.cpu_count() or CORES)), time.monotonic()
        going = soak(address, carried, args.soak, args.rest) if args.soak else storm(
            address, carried, args.spread, args.rest
        )  # fmt: skip
        stories, probes = asyncio.run(going)
        alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        watch.stop()
        load.append(os.getloadavg()[0])
    found = {
        "visitors": args.visitors,
        "duration": round(time.monotonic() - began),
        "alive": alive,
        **summary(stories, probes),
        **watch.figures(),
        "load": [round(value, 1) for value in load],
    }
    for name, row in found.pop("seconds").items():
        print(f"{name:12s} median {row['median']:7.2f} s, worst {row['worst']:7.2f} s, of {row['n']}")
        found.setdefault("seconds", {})[name] = row
    print({name: value for name, value in found.items() if name != "seconds"})
    if args.record:
        record(args.record, found)
    return 0 if alive and not found["failed"] and not found["anothers"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
