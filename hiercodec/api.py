"""What `import hiercodec` offers, in plain functions over the rooms behind it; each loads what it needs when called."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

from hiercodec import installed, stream, taxonomy
from hiercodec.arguments import Source, as_stream, expect, expect_method, shown
from hiercodec.classify import LabelReading, Path, card_of, confidence_of, label_of, load_classifier, path_of
from hiercodec.classify import read_label as label_in_words
from hiercodec.errors import InputError
from hiercodec.images import as_rgb
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.stream import Label
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY
from hiercodec.taxonomy.similarity import MEASURES, wup_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from hiercodec.classify.classifier import Classifier as Network
    from hiercodec.models import Codec, Decoded, WaveCodec
    from hiercodec.protocols import Classifier


@functools.lru_cache(maxsize=2)
def _classifier(spec: str, device: str) -> Network:
    """A classifier where it works, once."""
    return load_classifier(spec, device=device)


@functools.lru_cache(maxsize=1)
def _codec(device: str) -> Codec | WaveCodec:
    """The codec of whoever names none: `load()`, once."""
    return load(device=device)


@functools.lru_cache(maxsize=1)
def _finder(fingerprint: bytes, device: str) -> Codec | WaveCodec:
    """The codec with this fingerprint."""
    from hiercodec import models

    return models.find(fingerprint, device=device)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a classifier takes a picture for.

    `probabilities` float32[1000], in class order, sum to 1; `path` gives the likeliest groups of every level, coarse
    first: `path["coarse"][0]` is (group index, label, probability), `path.winners` one such guess a level, and
    `path.consistent` says whether the winners lie on one branch. `hierarchy` is what the groups are of.
    """

    probabilities: np.ndarray
    path: Path
    hierarchy: Hierarchy

    def __repr__(self) -> str:
        return f"Prediction({self.path!r} by {self.hierarchy.name!r})"


@dataclass(frozen=True, slots=True, eq=False)
class Stopped:
    """Where `decode_until` stopped: the decoded prefix, what it is taken for, and how sure the level's answer is (0…1).

    `answer` is the label of that answer; `bytes` is how many bytes it took, `decoded.complete` whether that is all of the
    stream. `reached` is False where no prefix was sure enough.
    """

    decoded: Decoded
    prediction: Prediction
    level: str
    confidence: float
    reached: bool

    @property
    def bytes(self) -> int:
        """How many bytes of the stream were read."""
        return self.decoded.bytes

    @property
    def answer(self) -> str:
        """What the picture is taken for at the level asked about."""
        return self.prediction.path[self.level][0][1]

    def __repr__(self) -> str:
        return f"Stopped({self.bytes} bytes: {self.level} {self.answer!r}, {self.confidence:.2f} sure)"


def load(model: str | FilePath = DEFAULT_MODEL, *, device: str | None = None) -> Codec | WaveCodec:
    """A codec: a model by name, or a `.safetensors` file with its card beside it; `ModelNotFound` otherwise.

    `device` is where its transforms run: "auto", "cpu", "cuda", "cuda:N" or "mps"; without it HIERCODEC_DEVICE says so,
    else it is the CPU. Entropy coding stays on the CPU. `InputError` where there is no such device.
    """
    from hiercodec import models

    return models.load(expect(model, (str, FilePath), "a model is a name or the path of its weights"), device=device)


def encode(
    image: Image.Image | np.ndarray,
    *,
    effort: int | None = None,
    purpose: str | None = None,
    classifier: str | Network | Sequence[str | Network] = "lite0",
    codec: Codec | WaveCodec | None = None,
    label: Label | None = None,
    device: str | None = None,
) -> bytes:
    """A picture (PIL image or uint8 RGB (H, W, 3)) → a stream that took the `effort` 0…9 to make, for a purpose.

    0, the default without a purpose, is `codec.encode(image)`; each level above searches 1.7 times as long as the one
    before for a file with less error in fewer bytes: less squared error for "people", less change of what `classifier` (one
    or several) sees for "machines", or "both"; with a purpose alone the effort is 5. Every decoder reads the file. `codec`
    is `load()` unless given, which stays loaded; `label`, if given, stands first in the file; `device` is where what is
    named and not loaded yet runs, as in `load`. Raises `ImageError`, and `InputError` or `ClassifierNotFound`.
    """
    from hiercodec.evaluation.codecs.purposes import options

    chosen = options(effort, purpose, classifier, device=device)
    return (_codec_of(codec) or _codec(_place(device))).encode(image, label=label, **chosen)


def decode(data: Source, *, codec: Codec | WaveCodec | None = None, device: str | None = None) -> Decoded:
    """The picture of a `.hc` stream, whole or cut, given as bytes or as the path of its file: see `Codec.decode`.

    `codec` is the shipped one that made the stream, unless given, on `device` as in `load`; the last one used stays loaded.
    `ModelNotFound` where none that is shipped made it.
    """
    parsed = stream.parse(data)  # damage shows here, before a model is loaded
    return (_codec_of(codec) or _finder(parsed.header.fingerprint, _place(device))).decode(parsed)


def truncate(data: Source, *, level: str | None = None, bytes: int | None = None) -> bytes:
    """The first part of a `.hc` stream: up to the end of a level ("coarse", "intermediate", "fine"), or so many bytes.

    A model with levels of its own names them; where it is not at hand they are "level 1" and so on.

    Any prefix decodes. Asking for more bytes than there are gives all; a level that the stream does not hold whole is an
    `InputError`, as are a cut below 1 byte and both cuts, or none, at once. Damage raises a `StreamError`.
    """
    data = as_stream(data)
    if level is not None and bytes is None:
        return data[: stream.level_end(data, expect(level, str, "a level is named by its name"), installed.plan_of)]
    if bytes is not None and level is None:
        if expect(bytes, (int, np.integer), "a cut is a whole number of bytes") < 1:
            raise InputError(f"a cut leaves at least 1 byte, got {bytes}")
        return stream.truncate(data, int(bytes))
    raise InputError("truncate takes one cut: level=… or bytes=…")


def hierarchy(name: str | FilePath = DEFAULT_HIERARCHY) -> Hierarchy:
    """A semantic hierarchy: by name, or a JSON file; `HierarchyError` names those there are."""
    return _hierarchy_of(name)


def predict(
    image: Image.Image | np.ndarray,
    classifier: str | Classifier = "lite0",
    hierarchy: str | FilePath | Hierarchy = DEFAULT_HIERARCHY,
    *,
    device: str | None = None,
) -> Prediction:
    """What a classifier takes a picture (PIL image or uint8 RGB (H, W, 3), any size) for, at every level.

    `classifier` is a specification (`lite0`, `lite2`, `timm:NAME`, …; the last two stay loaded, on `device` as in `load`)
    or a loaded classifier, `hierarchy` a name, a file or a loaded hierarchy of the 1000 ImageNet classes. Raises
    `ImageError`, `ClassifierNotFound`, `HierarchyError`, and `InputError` where there is no such device.
    """
    probabilities, groups, _ = _judge(image, classifier, hierarchy, device)
    return Prediction(probabilities, path_of(probabilities, groups), groups)


def label(
    image: Image.Image | np.ndarray,
    classifier: str | Classifier = "lite0",
    hierarchy: str | FilePath | Hierarchy = DEFAULT_HIERARCHY,
    *,
    device: str | None = None,
) -> Label:
    """What `Codec.encode(picture, label=…)` puts first in a stream: a classifier's answer on the original, in a few bytes.

    Arguments and errors are those of `predict`.
    """
    return label_of(*_judge(image, classifier, hierarchy, device))


def read_label(source: Source | Label, hierarchy: str | FilePath | Hierarchy | None = None) -> LabelReading | None:
    """What the first bytes of a stream (whole or cut, or the path of one) say that its picture is; None: nothing.

    `hierarchy` is that of the label, where it is not a shipped one: `HierarchyError` without it. Damage is a `StreamError`.
    """
    written = source if isinstance(source, Label) else stream.parse(source).label
    return written and label_in_words(written, None if hierarchy is None else _hierarchy_of(hierarchy))


def _hierarchy_of(hierarchy: str | FilePath | Hierarchy) -> Hierarchy:
    words = "a hierarchy is a name, a file or a loaded one"
    given = expect(hierarchy, (str, FilePath, Hierarchy), words)
    return given if isinstance(given, Hierarchy) else taxonomy.load_hierarchy(given)


def _place(device: str | None) -> str:
    """The device by its name, as caches know it."""
    from hiercodec.device import resolve

    return str(resolve(device))


def _judge_of(classifier: str | Classifier, device: str | None) -> Classifier:
    if isinstance(classifier, str):
        return _classifier(classifier, _place(device))
    return expect_method(classifier, "probabilities", "a classifier is a name or a loaded one")


def _codec_of(codec: Codec | WaveCodec | None) -> Codec | WaveCodec | None:
    return None if codec is None else expect_method(codec, "prefixes", "a codec is what hiercodec.load() gives")


def _judge(
    image: Image.Image | np.ndarray,
    classifier: str | Classifier,
    hierarchy: str | FilePath | Hierarchy,
    device: str | None,
) -> tuple[np.ndarray, Hierarchy, str]:
    """Class probabilities of a picture, the hierarchy, and the SHA-256 of who says so."""
    rgb = as_rgb(image)
    groups, judge = _hierarchy_of(hierarchy), _judge_of(classifier, device)
    probabilities = judge.probabilities([rgb])[0]
    if groups.n_classes != probabilities.size:
        raise InputError(
            f"{judge.name} tells {probabilities.size} classes apart, the hierarchy {groups.name!r} has {groups.n_classes}"
        )
    return probabilities, groups, judge.sha256


def decode_until(
    data: Source,
    until: str,
    *,
    classifier: str | Classifier = "lite0",
    hierarchy: str | FilePath | Hierarchy = DEFAULT_HIERARCHY,
    codec: Codec | WaveCodec | None = None,
    steps: int = 24,
    device: str | None = None,
) -> Stopped:
    """Read a `.hc` stream until an answer is sure enough: `until` "coarse:0.9" stops at the first kind that is 90 % sure.

    About `steps` prefixes are looked at, shortest first; where none is sure enough all of the stream is read and `reached`
    is False. Sureness is calibrated where the classifier's card has curves for the hierarchy (the shipped ones have, for
    the default hierarchy), else it is the answer's probability. `codec` is the shipped one that made the stream, unless
    given; `device` as in `load`. Raises `InputError`, `HierarchyError` for an unknown level, `ClassifierNotFound` and the
    stream errors.
    """
    from hiercodec.evaluation.codecs.peers import prefixes
    from hiercodec.evaluation.traces.trace import parse_until
    from hiercodec.evaluation.traces.tracing import budgets_of

    level, threshold = parse_until(expect(until, str, "where to stop is said as 'coarse:0.9'"))
    if expect(steps, (int, np.integer), "steps are a whole number") < 1:
        raise InputError(f"steps are 1 or more, got {steps}")
    parsed = stream.parse(data)  # damage shows here, before a model is loaded
    groups, judge = _hierarchy_of(hierarchy), _judge_of(classifier, device)
    level = groups.level(level).name
    used = _codec_of(codec) or _finder(parsed.header.fingerprint, _place(device))
    confidence = confidence_of(card_of(judge.name), groups.name)
    budgets = budgets_of(parsed, max(len(parsed.blocks) + 1, min(int(steps), parsed.size)))
    stopped = None
    for point in prefixes(used, parsed, {str(n): n for n in budgets}):
        probabilities, *_ = _judge(point.picture, judge, groups, device)
        seen = Prediction(probabilities, path_of(probabilities, groups), groups)
        sure = float(confidence(level, seen.path[level][0][2], point.bytes / parsed.total_bytes))
        stopped = Stopped(point.decoded, seen, level, sure, sure >= threshold and not point.blank)
        if stopped.reached:
            break
    assert stopped is not None  # a stream has one cut at least
    return stopped


def wup(a: int | str, b: int | str, *, measure: str = "nltk") -> float:
    """Wu-Palmer similarity of two ImageNet classes, 0…1; each by name or synonym, wnid, or index 0…999.

    `measure` is "nltk" (NLTK's `wup_similarity`, behind the paper's figures; 107 classes score below 1 with themselves)
    or "eq1" (the paper's Eq. 1 to the letter). A name that two classes share ("crane", "maillot") is a `HierarchyError`
    that lists both, and so is one that nothing has.
    """
    if not isinstance(measure, str) or measure not in MEASURES:
        raise InputError(f"no measure {shown(measure)}; there are {', '.join(MEASURES)}")
    first, second = (taxonomy.class_of(expect(key, (int, str), "a class is an index or a name")) for key in (a, b))
    return float(wup_matrix(measure)[first.index, second.index])
