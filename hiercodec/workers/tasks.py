"""What the app has done for its visitors, as functions that a child process imports. No Streamlit here.

Every task takes `tell`, which passes on what it tells while it works: `tell("progress", done, total, what)`,
`tell("show", file)`, a JPEG, and `tell("note", words)`. What they return is plain data, of modules that do without torch
(see `wire`). All raise the project's errors on what they cannot use.
"""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from hiercodec.errors import ImageTooLarge
from hiercodec.evaluation.codecs.purposes import PLAIN
from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.traces import bundle as bundles
from hiercodec.evaluation.traces.bundle import Bundle, Seen
from hiercodec.levels import DEFAULT_MODEL

if TYPE_CHECKING:
    from hiercodec.evaluation.measure import Evaluator, Row
    from hiercodec.evaluation.traces.trace import Ranked, Trace
    from hiercodec.taxonomy import Hierarchy

Tell = Callable[..., object]
Judge = tuple[str | None, str]
"""A classifier's specification (None: none) and a hierarchy's name."""

FIRST_STEPS = 6
"""How many steps are shown before the others are computed."""

STREAM_PIXELS = 1024 * 1024
"""Pixels of a stream that a visitor may upload: some 1 s and 0.1 GB for each of its 24 prefixes, while others wait."""


def warm(*, tell: Tell) -> None:
    """Load what nearly everybody needs: torch, the default codec and classifier; models that are missing are no error."""
    from hiercodec.classify import DEFAULT
    from hiercodec.errors import HiercodecError
    from hiercodec.taxonomy.hierarchy_file import DEFAULT as HIERARCHY

    try:
        codec, evaluator = codec_for(None, DEFAULT_MODEL), evaluator_of((DEFAULT, HIERARCHY))
    except HiercodecError:
        return  # whoever needs them is told
    grey = np.full((64, 64, 3), 128, np.uint8)
    codec.decode(codec.encode(grey))
    assert evaluator is not None
    evaluator.verdicts([grey])


@functools.lru_cache(maxsize=2)
def load_codec(name: str, fingerprint: str) -> Any:
    """A codec; `fingerprint` keeps a new file from hiding behind an old name."""
    from hiercodec.models import load

    return load(name)


@functools.lru_cache(maxsize=2)
def load_classifier(spec: str) -> Any:
    """A classifier by its specification."""
    from hiercodec.classify import load_classifier as load

    return load(spec)


@functools.lru_cache(maxsize=6)
def load_hierarchy(name: str) -> Hierarchy:
    """A shipped hierarchy."""
    from hiercodec.taxonomy import load_hierarchy as load

    return load(name)


def codec_for(mark: str | None, model: str) -> Any:
    """The codec whose weights have the fingerprint `mark` (hex), else `model`."""
    from hiercodec import installed

    cards = installed.models()
    name = next((name for name, card in cards.items() if card.get("fingerprint") == mark), model)
    return load_codec(name, str(cards.get(name, {}).get("fingerprint")))


def evaluator_of(judge: Judge, truth: Sequence[int] = ()) -> Evaluator | None:
    """The classifier and the hierarchy, knowing the right classes; None without a classifier."""
    from hiercodec.evaluation.measure import Evaluator

    classifier, hierarchy = judge
    if classifier is None:
        return None
    return Evaluator(load_classifier(classifier), load_hierarchy(hierarchy)).knowing(truth)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a visitor brought, checked: its stream, how many bytes of that were shown, its pixels (uint8 (H, W, 3); None
    where it came as a stream), and the classes that are right, where they are known."""

    data: bytes
    shown: int
    rgb: np.ndarray | None
    truth: tuple[int, ...] = ()


def first_picture(
    source: str | bytes, model: str, side: int, purpose: str = PLAIN, label_in: str | None = None, *, tell: Tell
) -> Opened:
    """Open a sample (by name), a photograph or a .hc stream (by its bytes), and show it at the end of its first block.

    Photographs are shrunk to at most `side` pixels a side and encoded for a purpose (see `purposes`); with `label_in`, a
    hierarchy, their files begin with the default classifier's answer. `tell("note", words)` says what was mended in a file.
    """
    from hiercodec.classify import DEFAULT as LABELLER
    from hiercodec.evaluation.codecs.peers import Labeller
    from hiercodec.evaluation.codecs.purposes import DEFAULT, options
    from hiercodec.images import read_within
    from hiercodec.stream import parse
    from hiercodec.stream.header import MAGIC

    if isinstance(source, bytes) and source[:3] == MAGIC[:3]:
        header = parse(source).header  # damage and size show here, before torch is loaded
        if header.pixels > STREAM_PIXELS:
            raise ImageTooLarge(
                f"the stream holds a picture of {header.width}×{header.height}; this page decodes up to {STREAM_PIXELS:,} "
                "pixels, such as 1024×1024. Encode the photograph smaller, or decode the stream on your own computer: "
                "python -m hiercodec decode IN.hc OUT.png"
            )
        codec, data, rgb, truth = codec_for(header.fingerprint.hex(), model), source, None, ()
    else:
        tell("progress", 0, FIRST_STEPS, "encoding")
        codec = codec_for(None, model)
        if isinstance(source, bytes):
            rgb, truth = read_within(source, side, note=functools.partial(tell, "note")), ()
        else:
            rgb, truth = sample(source).pixels(), sample(source).truth
        chosen = options(0 if purpose == PLAIN else DEFAULT, purpose)
        if label_in is not None:
            chosen["label"] = Labeller(load_classifier(LABELLER), load_hierarchy(label_in))(rgb)
        data = codec.encode(rgb, **chosen)
    parsed = parse(data)
    shown = min(parsed.size, *parsed.cuts().values())
    tell("show", _jpeg(codec.decode(parsed.cut(shown)).image))
    return Opened(data, shown, rgb, truth)


def first_view(opened: Opened, model: str, judge: Judge, steps: int, *, tell: Tell) -> tuple[Bundle, list[int]]:
    """Trace what `first_picture` opened at FIRST_STEPS steps; shows the frames after the first picture as they are decoded.

    Also returns at which bytes the others are that it takes to make `steps`.
    """
    from hiercodec.evaluation.traces.tracing import budgets_of, trace
    from hiercodec.stream import parse

    data, rgb = opened.data, opened.rgb
    parsed = parse(data)
    codec, evaluator = codec_for(parsed.header.fingerprint.hex(), model), evaluator_of(judge, opened.truth)
    budgets = budgets_of(parsed, steps)
    first = few(budgets, list(parsed.cuts().values()))
    sizes = iter(first)

    def show(frame: np.ndarray) -> None:
        if next(sizes) > opened.shown:
            tell("show", _jpeg(frame))

    progress = functools.partial(tell, "progress")
    traced, decoded = trace(codec, rgb, evaluator, data=data, budgets=first, progress=progress, show=show)
    original = decoded[-1].image if rgb is None else rgb
    return bundles.make(traced, data, original, decoded), [n for n in budgets if n not in first]


def _jpeg(frame: np.ndarray) -> bytes:
    """A picture to look at until the exact ones are there: a sixtieth of the work of a PNG, and not the server's."""
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def few(budgets: Sequence[int], ends: Sequence[int], count: int = FIRST_STEPS) -> list[int]:
    """The `count` of rising `budgets` to look at first: both ends, where blocks end, then evenly in between.

    >>> few([10, 20, 30, 40, 50, 60, 70, 80], [30, 60, 80], 6)
    [10, 20, 30, 60, 70, 80]
    """
    chosen = {budgets[0], budgets[-1], *(n for n in ends if n in budgets)}
    others = [n for n in budgets if n not in chosen]
    spare = max(0, count - len(chosen))
    chosen.update(others[i * (len(others) - 1) // max(1, spare - 1)] for i in range(min(spare, len(others))))
    return sorted(chosen)


def more_steps(
    trace: Trace, data: bytes, original: bytes, model: str, judge: Judge, budgets: Sequence[int], *, tell: Tell
) -> tuple[Trace, dict[int, Seen]]:
    """A trace of `data` with steps at `budgets` too, and what was decoded there; `original` is the bundle's picture."""
    from hiercodec.evaluation.traces.tracing import extend

    codec, pixels = codec_for(trace.provenance.get("fingerprint"), model), bundles.from_webp(original)
    progress = functools.partial(tell, "progress")
    longer, decoded = extend(codec, trace, data, pixels, budgets, evaluator_of(judge), progress=progress)
    return longer, {n: bundles.Seen(prefix.image, prefix.bits) for n, prefix in decoded.items()}


def with_steps(bundle: Bundle, trace: Trace, decoded: dict[int, Seen], *, tell: Tell) -> Bundle:
    """The bundle of a longer trace: see `bundle.refined`."""
    return bundles.refined(bundle, trace, decoded)


def finer(bundle: Bundle, level: str, model: str, judge: Judge, *, tell: Tell) -> Bundle:
    """The same with finer steps inside the block of `level`."""
    from hiercodec.evaluation.traces.tracing import inside

    budgets = inside(bundle.trace, level)
    longer = more_steps(bundle.trace, bundle.stream, bundle.original, model, judge, budgets, tell=tell)
    return bundles.refined(bundle, *longer)


def judged_again(bundle: Bundle, judge: Judge, truth: tuple[int, ...], *, tell: Tell) -> Bundle:
    """The same pictures, judged by another classifier or hierarchy."""
    from hiercodec.evaluation.traces import tracing

    provenance = bundle.trace.provenance
    original = None if provenance.get("reference") else bundle.original_pixels()
    codec = codec_for(provenance["fingerprint"], provenance["model"])
    again = tracing.judged_again(
        codec, bundle.trace, bundle.stream, bundle.frames(), original, evaluator_of(judge, truth)
    )
    return dataclasses.replace(bundle, trace=again)


def rival_rows(name: str, rgb: np.ndarray, budget: int, *, tell: Tell) -> list[Row]:
    """A picture under another format at every quality, smallest file first, up to the first over `budget` bytes."""
    from hiercodec.evaluation.codecs.peers import rival, up_to
    from hiercodec.evaluation.measure import measure

    rows = measure(rgb, up_to(rival(name).finely().points(rgb), budget), peer=name)
    return sorted(rows, key=lambda row: row.point.bytes)


def ranked(
    judge: tuple[str, str], truth: tuple[int, ...], pictures: Sequence[np.ndarray], *, tell: Tell
) -> list[tuple[dict[str, Ranked], float | None]]:
    """What a classifier takes pictures for, and the WUP of that."""
    from hiercodec.classify import path_of

    evaluator = evaluator_of(judge, truth)
    assert evaluator is not None
    verdicts = evaluator.verdicts(pictures) if pictures else []
    return [(dict(path_of(row.probabilities, evaluator.hierarchy)), row.wup) for row in verdicts]


def call(function: Callable[..., Any], args: tuple[Any, ...], *, tell: Tell) -> Any:
    """The value of any other function of a module: pictures to take away, for example."""
    return function(*args)
