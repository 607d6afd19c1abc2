"""Questions to a picture besides its class, each answer scored against that on the original.

    picture ── Task.answers ──► answer ─┐
    original ─ Task.answers ──► answer ─┴─ Task.score ──► 0…1, 1: as on the original

No labels are needed. A specification is `KIND:NAME`, with weights of one's own `KIND:NAME@FILE.safetensors`, and KIND one of
`TASKS`, to which plugins add kinds of their own. Networks run where `device` says; torch loads with a task, not before.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeAlias

import numpy as np

from hiercodec.errors import InputError
from hiercodec.fsio import printable, without_folders
from hiercodec.plugins import Registry
from hiercodec.taxonomy import Hierarchy, load_hierarchy

ALLOWED = "HIERCODEC_TASKS"
"""Environment variable with the specifications, blanks between them, that visitors of the app may ask."""

MAX_WORDS, MAX_WORD = 50, 60
"""Words of a visitor's own, and characters of each."""


class Task(Protocol):
    """One question: what it finds in pictures, and how like two answers are.

    `title` says in words what a score is; `provenance` which weights exactly.
    """

    title: str
    provenance: dict[str, Any]

    def answers(self, pictures: Sequence[np.ndarray]) -> list[Any]:
        """An answer for each picture, uint8 (H, W, 3) of any size."""
        ...

    def score(self, answer: Any, reference: Any) -> float:
        """How like an answer is to that on the original, 0…1; NaN where the original gives nothing to compare with."""
        ...

    def words(self, answer: Any) -> list[tuple[str, float]]:
        """An answer for people: what was found, and how sure it is or how much of the picture it covers, 0…1."""
        ...


Maker: TypeAlias = Callable[[str, Hierarchy, Sequence[str]], Task]
"""From what follows KIND, the hierarchy whose words may be asked for, and words of one's own to the task."""


def _in(module: str, name: str) -> Maker:
    """A maker of this room, whose module loads torch and is imported when a task is made."""
    return lambda *asked: getattr(import_module(f"{__name__}.{module}"), name)(*asked)


TASKS: Registry[Maker] = Registry(
    "task",
    {
        "classify": _in("choices", "classification"),
        "clip": _in("choices", "zero_shot"),
        "detect": _in("vision", "Detection"),
        "segment": _in("vision", "Segmentation"),
        "lpips": _in("vision", "Perceptual"),
    },
    InputError,
)
"""Kind → how to make such a task; plugins add theirs."""

TITLES = {
    "classify": "Class", "clip": "CLIP, words of your own", "detect": "Detection", "segment": "Segmentation",
    "lpips": "How it looks (LPIPS)",
}  # fmt: skip
"""Kind → what people read."""

EXAMPLES = (
    "classify:lite0, clip:ViT-B-32/openai, detect:ssdlite320_mobilenet_v3_large, "
    "segment:lraspp_mobilenet_v3_large, lpips:alex"
)


def load_task(spec: str, hierarchy: Hierarchy | None = None, words: Sequence[str] = ()) -> Task:
    """The task of a specification; `InputError` says in one line why there is none.

    - `classify:SPEC`: a classifier, as in `classify.load_classifier`, asked at every level of the hierarchy
    - `clip:MODEL/TAG`: CLIP zero-shot by open_clip; the prompts are the hierarchy's own words, or `words`, or, with
      `?words=FILE` behind it, those of a file
    - `detect:NAME`, `segment:NAME`: a detector or segmenter of torchvision
    - `lpips:alex|vgg|squeeze`: perceptual distance, where torchmetrics is installed

    Weights come from the packages' caches, or are fetched once. This may read any file and fetch: pass what a visitor names
    through `allowed` first.
    """
    kind, _, rest = spec.partition(":")
    if kind not in TASKS or not rest:
        raise InputError(f"no task {spec[:80]!r}; there are {', '.join(TASKS)}, such as {EXAMPLES}")
    return TASKS[kind](rest, hierarchy or load_hierarchy(), tuple(words))


def allowed() -> list[str]:
    """What visitors of the app may ask."""
    return os.environ.get(ALLOWED, "").split()


def title_of(spec: str) -> str:
    """What menus call a task.

    >>> title_of("detect:ssdlite320_mobilenet_v3_large")
    'Detection: ssdlite320_mobilenet_v3_large'
    """
    kind, _, rest = name_of(spec).partition(":")
    return f"{TITLES.get(kind, kind)}: {rest}"


def name_of(spec: str) -> str:
    """What results call a task: its specification without folders.

    >>> name_of("detect:ssd300_vgg16@/data/ssd.safetensors")
    'detect:ssd300_vgg16@ssd.safetensors'
    """
    return printable(without_folders(spec))


def own_words(text: str) -> list[str]:
    """The words that somebody typed, one a line or commas between them; `InputError` where they are too many or too long.

    >>> own_words("cat, dog\\n a red car")
    ['cat', 'dog', 'a red car']
    """
    words = list(dict.fromkeys(word.strip() for line in text.splitlines() for word in line.split(",") if word.strip()))
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD for word in words):
        raise InputError(f"up to {MAX_WORDS} words of up to {MAX_WORD} characters can be asked for")
    return words


def scores(tasks: Sequence[Task], references: Sequence[Any], picture: np.ndarray) -> list[float]:
    """Every task's score of a picture, uint8 (H, W, 3), against its answers on the original."""
    return [
        float(task.score(task.answers([picture])[0], reference))
        for task, reference in zip(tasks, references, strict=True)
    ]


@functools.lru_cache(maxsize=2)
def _loaded(spec: str, hierarchy: str, words: tuple[str, ...]) -> Task:
    return load_task(spec, load_hierarchy(hierarchy), words)


def ask(
    spec: str, hierarchy: str, words: tuple[str, ...], original: np.ndarray, picture: np.ndarray
) -> tuple[str, list[tuple[str, float]], list[tuple[str, float]], float]:
    """What a page shows: the score in words, the answers on the original and on the picture, and the score."""
    task = _loaded(spec, hierarchy, words)
    reference, answer = task.answers([original, picture])
    return task.title, task.words(reference), task.words(answer), float(task.score(answer, reference))
