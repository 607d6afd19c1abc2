"""The terms of the app in plain words: what every "?" on Explore and the list on Learn say."""

from __future__ import annotations

from typing import NamedTuple

from hiercodec.evaluation.traces.trace import Trace

GLOSSARY = {
    "kind, family, class": "The three questions a file answers: one of 10 kinds, one of 100 families, one of 1000 classes. "
    "The paper calls these levels coarse, intermediate and fine.",
    "prefix": "The first so many bytes of the file. The decoder sees these and nothing else.",
    "block": "The part of the file that belongs to one level: the kind, the family or the class.",
    "z": "Side information, sent first: a rough map of how busy each part of the picture is. It is needed to read the rest; "
    "files of wave have none.",
    "bit/pixel (bpp)": "All bytes of the file so far times 8, divided by the number of pixels.",
    "PSNR": "How close the picture is to the original, in decibels. 25 is rough, 30 decent, 35 good.",
    "margin": "How far the first answer leads the second, in points of a hundred. A small margin is a close call.",
    "WUP": "Wu-Palmer similarity: how near the answer is to the truth in WordNet. 1 is the same thing; two unrelated things "
    "have about 0.3.",
    "bits of meaning": "How much of “what is it?” the file has told so far. To name one of 1000 classes takes 10 bits, one "
    "of 100 families 6.6, one of 10 kinds 3.3. Where the truth is known only belief in the truth counts; where it is not, "
    "the number says how sure the answer is, not whether it is right.",
    "a lane": "One lane a level: the likeliest answer at that point of the file. The higher the shape, the surer. Solid: a "
    "right answer (where the truth is not known, the answer on the original). Hatched: another answer. Beside it: from "
    "where on it is right at every step shown; between two steps it may be wrong. Finer steps look closer.",
    "these rows": "All of the probability at this point of the file. Each row adds up to 100 %; groups stay in their order, "
    "and families stand under their kind.",
    "label": "A file may begin with a label: what a classifier said of the original when it was encoded, in 8 bytes. The "
    "large answer above it is what the pixels show so far; “together” weighs both. A label can be "
    "wrong, and it answers no other question.",
    "top-1": "How often the classifier's likeliest answer is the right one.",
}


class Verdict(NamedTuple):
    """What becomes of an answer: a sign ("✓"), in words ("right"), and of which `kind`: right, wrong, same, other or ""."""

    sign: str
    words: str
    kind: str

    def __str__(self) -> str:
        return f"{self.sign} {self.words}".strip()


def verdict(trace: Trace, level: str, group: int) -> Verdict:
    """Whether an answer is right; where nobody knows the truth, whether it is that on the original, which is never "right".

    Without an original (a stream alone) the last step takes its place: see `Trace.measure_of`.
    """
    same = group in trace.measure_of(level)
    if trace.known:
        return Verdict("✓", "right", "right") if same else Verdict("✗", "wrong", "wrong")
    return Verdict("=", f"as {held_to(trace)}", "same") if same else Verdict("≠", "another", "other")


def held_to(trace: Trace) -> str:
    """What answers are held to where nobody knows the truth."""
    return "the original" if trace.original else "the last picture" if trace.is_cut else "the whole file"
