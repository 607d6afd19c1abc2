"""What the Learn page says, every figure and every example taken from the shipped traces when it is read.

Other weights give other figures, and where they no longer show what a lesson is about, the lesson says that.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from hiercodec.evaluation.samples import Sample
from hiercodec.evaluation.trace import Trace
from hiercodec.levels import spoken

SPLIT_WITH_JPEG = "split,prefix,jpeg,0"
Traces = Mapping[Sample, Trace]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A heading, what to read, what the shipped traces measured, and the view of Explore that shows it."""

    heading: str
    text: str
    measured: str
    photo: str
    step: int
    look: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The address of the view on Explore."""
        return {"photo": self.photo, "step": str(self.step)} | ({"look": self.look} if self.look else {})


def lessons(traces: Traces) -> list[Lesson]:
    """All lessons, from the traces of the sample photographs; there must be one at least."""
    return [cut(traces), blocks(traces), meaning(traces), order(traces), rival(traces), failure(traces)]


def cut(traces: Traces) -> Lesson:
    """Any prefix is a picture."""
    photo, trace = _named(traces, "Tower")
    first = trace.steps[0]
    return Lesson(
        "A file that can be cut anywhere",
        "Most picture files are useless when half of them is missing. A `.hc` file is not: whatever has arrived decodes to "
        "a picture. Drag the mark on the file bar from left to right and watch.",
        f"{photo.title}: {first.bytes:,} bytes already give a picture ({first.psnr:.1f} dB), all {trace.file_bytes:,} give "
        f"{trace.steps[-1].psnr:.1f} dB.",
        photo.title,
        1,
    )


def blocks(traces: Traces) -> Lesson:
    """Where the blocks end."""
    photo, trace = _named(traces, "Cat")
    ends = ", ".join(
        f"the {spoken(level)}'s ends at byte {end:,} ({end / trace.file_bytes:.0%})"
        for level, end in trace.cuts.items()
    )
    first = next(iter(trace.cuts.values()))
    return Lesson(
        "One block for each question",
        "The file's first block is meant to answer *what kind of thing is it?*, the second *which family?*, the third "
        "*which class?* Each block ends at a coloured notch. Page Up and Page Down jump between them.",
        f"{photo.title}, a file of {trace.file_bytes:,} bytes: {ends}.",
        photo.title,
        1 + next(i for i, step in enumerate(trace.steps) if step.bytes >= first),
    )


def meaning(traces: Traces) -> Lesson:
    """The photograph on which the kind is settled by the smallest share of the bytes that its class takes.

    The view is the first from there on in which every answer but the class is right, or the last before the class is.
    """
    heading = "Meaning comes before sharpness"
    text = (
        "A classifier looks at each decoded picture. Its 1000 probabilities are summed over the groups of each level. See "
        "in the lanes under the file bar when each answer becomes right and stays right."
    )
    found = []
    for photo, trace in traces.items():
        top, *_, last = trace.levels
        early, late = (trace.settled(level, trace.answers.get(level, ())) for level in (top, last))
        if early is not None and late is not None:
            found.append((trace.steps[early].bytes / trace.steps[late].bytes, photo.title, early, late))
    if not found or min(found)[0] == 1:
        photo, trace = next(iter(traces.items()))
        return Lesson(heading, text, "On none of these photographs is the kind right before the class.", photo.title, 1)
    share, title, early, late = min(found)
    _, trace = _named(traces, title)
    top, *_, last = trace.levels
    telling = (i for i in range(early, late) if _right(trace, i) == [True] * (len(trace.levels) - 1) + [False])
    return Lesson(
        heading,
        text,
        f"{title}: the {spoken(top)} is right from {trace.steps[early].bytes:,} bytes on, the {spoken(last)} from "
        f"{trace.steps[late].bytes:,}. The {spoken(top)} takes {share:.0%} of the bytes that the {spoken(last)} takes.",
        title,
        next(telling, late - 1) + 1,
    )


def order(traces: Traces) -> Lesson:
    """How much of a block's gain its first half brings."""
    photo, trace = _named(traces, "Coffee")
    end = next(i for i, step in enumerate(trace.steps) if step.bytes >= next(iter(trace.cuts.values())))
    start, stop = trace.steps[0], trace.steps[end]
    middle = min(range(end + 1), key=lambda i: abs(trace.steps[i].bytes - (start.bytes + stop.bytes) / 2))
    share = (trace.steps[middle].psnr - start.psnr) / (stop.psnr - start.psnr)
    return Lesson(
        "Important symbols first",
        "Inside a block, the numbers that are hardest to predict are sent first. Those that have not arrived are replaced "
        "by the decoder's best guess. So there is no bad place to cut, only an earlier or a later one.",
        f"{photo.title}: half of the first block's bytes bring {share:.0%} of the decibels that the whole block brings.",
        photo.title,
        middle + 1,
    )


def rival(traces: Traces) -> Lesson:
    """The longest prefix that is shorter than the smallest JPEG of the picture."""
    photo, trace = _named(traces, "Tower")
    smallest = smallest_jpeg(photo)
    below = [i for i, step in enumerate(trace.steps) if step.bytes < smallest]
    text = "In *Split*, B on the right is JPEG at the same bytes; other formats are in its menu. "
    if below:
        words = f"JPEG cannot make this picture smaller than {smallest:,} bytes; at this step the file has had "
        words += f"{trace.steps[below[-1]].bytes:,}."
        text += "Very short files are where this codec is meant to be strong."
    else:
        words = f"JPEG's smallest file of this picture has {smallest:,} bytes."
    step = below[-1] + 1 if below else 1
    return Lesson("The same bytes, another format", text, f"{photo.title}: {words}", photo.title, step, SPLIT_WITH_JPEG)


def failure(traces: Traces) -> Lesson:
    """The photograph whose whole file is answered wrongly with the most confidence."""
    heading = "Where it fails"
    text = (
        "A picture of something outside the 1000 classes still gets an answer, often a confident one. A silhouette has no "
        "texture. A codec cannot give a classifier what the classifier never learned."
    )
    wrong = []
    for photo, trace in traces.items():
        last = trace.levels[-1]
        ranked = trace.steps[-1].top.get(last, ())
        if ranked and ranked[0][0] not in photo.truth:
            wrong.append((ranked[0][2], photo.title, ranked[0][1], len(photo.truth)))
    if not wrong:
        photo, trace = next(iter(traces.items()))
        return Lesson(heading, text, "Every photograph here is answered rightly.", photo.title, len(trace.steps))
    chance, title, label, known = max(wrong)
    truth = "which is wrong" if known else "though what it shows has no class among the 1000"
    words = f"{title}: with the whole file the answer is “{label}”, {chance:.0%} sure, {truth}."
    return Lesson(heading, text, words, title, len(_named(traces, title)[1].steps))


def smallest_jpeg(photo: Sample) -> int:
    """Bytes of the smallest JPEG file of a photograph at the working size: lowest quality, Huffman tables of its own."""
    out = io.BytesIO()
    Image.fromarray(photo.pixels()).save(out, "JPEG", quality=1, optimize=True)
    return out.tell()


def _right(trace: Trace, index: int) -> list[bool]:
    """Whether the answer at each level is right at a step."""
    return [trace.steps[index].top[level][0][0] in trace.answers[level] for level in trace.levels]


def _named(traces: Traces, title: str) -> tuple[Sample, Trace]:
    """The photograph with this title, else the first."""
    return next((row for row in traces.items() if row[0].title == title), next(iter(traces.items())))
