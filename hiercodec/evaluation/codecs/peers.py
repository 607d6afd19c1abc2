"""Every codec that can be measured, ours and its rivals, as `protocols.Peer`: a picture in, operating points out.

    HierPeer   rgb ── encode ──► one stream ── cut at n lengths ──► decode ──► n points
    Rival      rgb ── encode at n settings ──► n files ────────────► decode ──► n points

A rival's files are as small as its format allows at each setting, for the purpose they are made for: the options stand in
one table, `RIVALS`, so that what the app shows and what `evaluate` publishes cannot differ. Sizes are those of whole files.
Nothing here imports torch.
"""

from __future__ import annotations

import io
import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image, features

from hiercodec import stream
from hiercodec.classify.label import label_of
from hiercodec.errors import InputError
from hiercodec.images import encode_as
from hiercodec.levels import is_blank
from hiercodec.protocols import Classifier, OperatingPoint
from hiercodec.taxonomy import Hierarchy

if TYPE_CHECKING:
    from hiercodec.models.common import Decoded, EmbeddedCodec

P = TypeVar("P", bound=OperatingPoint)
Cuts = Callable[[stream.Stream], Mapping[str, int]]
"""From a stream to the lengths in bytes it is cut at, each under the name of its setting."""

FIRST_SHARE = 0.06
"""Share of a file at which the shortest of `cut_shares` ends: little more than its hyper-latent."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefix(OperatingPoint):
    """A cut of one of our streams: also all that decoding told, and the whole stream it was cut from."""

    decoded: Decoded
    whole: stream.Stream

    @property
    def blank(self) -> bool:
        """Whether no byte of a block has arrived."""
        return is_blank(self.decoded.level, self.decoded.fraction)


def prefixes(
    codec: EmbeddedCodec, data: bytes | stream.Stream, cuts: Mapping[str, int], *, bit_map: bool = False
) -> Iterator[Prefix]:
    """Decode a stream's prefixes of the lengths in `cuts`, in the order given."""
    decoder = codec.prefixes(data, bit_map=bit_map)
    for (setting, length), decoded in zip(cuts.items(), decoder.each(cuts.values()), strict=True):
        yield Prefix(setting, length, decoded.image, decoded, decoder.stream)


def shares_and_ends(n: int) -> Cuts:
    """Cut at `n` shares of the file, wherever in a block that is, and where every level is complete."""

    def cuts(parsed: stream.Stream) -> dict[str, int]:
        total, header = parsed.total_bytes, parsed.parts()["header"]
        return {f"{share:.1%}": max(round(share * total), header) for share in cut_shares(n)} | parsed.cuts()

    return cuts


def at_rates(rates: Sequence[float]) -> Cuts:
    """Cut where a label ends, if there is one, and at these rates in bits a pixel ("0.1 bpp"); a shorter file at its end."""

    def cuts(parsed: stream.Stream) -> dict[str, int]:
        start = parsed.label_section.end if parsed.label_section else parsed.header_bytes
        lengths = {f"{rate:g} bpp": round(rate * parsed.header.pixels / 8) for rate in rates}
        within = {name: min(max(n, start), parsed.total_bytes) for name, n in lengths.items()}
        return ({"label": start} if parsed.label_section else {}) | within

    return cuts


def cut_shares(n: int) -> list[float]:
    """`n` shares of a file in equal ratios, from 6 % up to, but not including, all of it.

    >>> [round(share, 3) for share in cut_shares(3)]
    [0.06, 0.153, 0.391]
    """
    return [FIRST_SHARE ** (1 - i / n) for i in range(n)]


@dataclass(frozen=True, slots=True, eq=False)
class Labeller:
    """Writes labels: what `classifier` takes a picture (uint8, (H, W, 3)) for, in the groups of `hierarchy`."""

    classifier: Classifier
    hierarchy: Hierarchy

    def __call__(self, rgb: np.ndarray) -> stream.Label:
        return label_of(self.classifier.probabilities([rgb])[0], self.hierarchy, self.classifier.sha256)


@dataclass(frozen=True, slots=True, eq=False)
class HierPeer:
    """A codec of ours: one stream a picture, cut where `cuts` says. `name` is what results call it.

    `options` are what its `encode` takes beside the picture, `steered_by` the classifiers whose feature maps they keep;
    `labeller`, if given, writes what a picture is into the stream.
    """

    codec: EmbeddedCodec
    cuts: Cuts = stream.Stream.cuts
    name: str = ""
    labeller: Labeller | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    steered_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.codec.name)

    def points(self, rgb: np.ndarray) -> Iterator[Prefix]:
        """The cuts of one picture's stream, in the order of `cuts`."""
        label = {"label": self.labeller(rgb)} if self.labeller else {}
        parsed = stream.parse(self.codec.encode(rgb, **label, **self.options), self.codec.plan)
        return prefixes(self.codec, parsed, self.cuts(parsed))

    def provenance(self) -> dict[str, Any]:
        """The weights, and who writes the label."""
        origin = {"fingerprint": self.codec.fingerprint.hex()}
        if self.labeller:
            by = self.labeller.classifier
            origin["label"] = f"{by.name} {by.weights_id}"
        return origin


Settings = Mapping[str, Mapping[str, Any]]
"""Name of a setting → what Pillow's `save` is told for it."""


def _qualities(*values: float, label: str = "q{:g}", **more: Any) -> dict[str, Mapping[str, Any]]:
    return {label.format(value): {"quality": value, **more} for value in values}


def _for_ssim(*values: int) -> dict[str, Mapping[str, Any]]:
    """AVIF's qualities tuned for SSIM: they reach lower than its own tuning, which is the better one where it reaches."""
    return _qualities(*values, label="q{:g} tune=ssim", advanced={"tune": "ssim"})


def _ratios(*values: float) -> dict[str, Mapping[str, Any]]:
    return {f"q{value:g}": {"quality_layers": [value]} for value in values}


def _ramps(*steps: float) -> dict[str, Mapping[str, Any]]:
    """JPEG with tables for squared error: a step at frequency 0 that doubles towards the highest, 0.6 of it for colour."""
    ramp = 1 + np.add.outer(np.arange(8), np.arange(8)).ravel() / 14

    def table(step: float) -> list[int]:
        return np.clip(np.round(step * ramp), 1, 255).astype(int).tolist()

    return {f"step {step:g}": {"qtables": [table(step), table(0.6 * step)]} for step in steps}


def libwebp(rgb: np.ndarray, *, quality: float, method: int, **fields: int) -> bytes:
    """uint8 (H, W, 3) → a WebP file by libwebp's own `fields` (segments, …), which Pillow does not hand on.

    `InputError` where the package webp is not installed.
    """
    try:
        import webp
    except ImportError:
        raise InputError("WebP of least squared error needs the package webp: pip install webp") from None
    config = webp.WebPConfig.new(quality=quality, method=method)
    for name, value in fields.items():
        setattr(config.ptr, name, value)
    return bytes(webp.WebPPicture.from_numpy(np.ascontiguousarray(rgb)).encode(config).buffer())


SMALLEST_JPEG = ({"optimize": True}, {"optimize": True, "progressive": True})
JPEG2000 = {
    "quality_mode": "rates", "irreversible": True, "mct": 1, "num_resolutions": 5, "no_jp2": True, "comment": " ",
}  # fmt: skip
"""The 9/7 wavelet of the luma and chroma that `mct` makes (Pillow's default codes R, G and B by themselves, 3 dB worse), no
file format around the codestream, and one blank in place of OpenJPEG's remark on itself, which takes 37 bytes."""


MACHINES, PEOPLE = "machines", "people"
"""What files are made for: a classifier that looks at 224×224 pixels; least squared error of a whole photograph."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a format is written for one purpose.

    `settings` are those that a results file measures, from fewest bytes up. `options` hold at every setting; of the files
    that its alternatives give, the smallest counts. `write` makes a file in place of Pillow, by the encoder of `package`.
    """

    settings: Settings
    options: tuple[Mapping[str, Any], ...]
    write: Callable[..., bytes] | None = None
    package: str = ""


@dataclass(frozen=True, slots=True)
class Rival:
    """A format that Pillow writes, by itself or with a package that adds it, at its strongest for a purpose.

    `fine` are the many settings among which a byte budget finds its file, from fewest bytes up; they are the app's, which
    asks a classifier. `feature` is what Pillow calls its support for the format; `plugin` the module and `package` the
    package that add it.
    """

    name: str
    title: str
    format: str
    feature: str
    machines: Tuning
    people: Tuning
    fine: Settings
    plugin: str = ""
    package: str = ""
    purpose: str = MACHINES

    @property
    def tuning(self) -> Tuning:
        """That of the purpose."""
        return self.people if self.purpose == PEOPLE else self.machines

    def tuned_for(self, purpose: str) -> Rival:
        """The same format at its best for machines or for people."""
        if purpose not in (MACHINES, PEOPLE):
            raise InputError(f"formats can be at their best for {MACHINES} or for {PEOPLE}, not for {purpose!r}")
        return replace(self, purpose=purpose)

    @property
    def installed(self) -> bool:
        """Whether this installation can write the format."""
        return find_spec(self.plugin) is not None if self.plugin else bool(features.check(self.feature))

    def finely(self) -> Rival:
        """The same format at all its `fine` settings."""
        return replace(self, machines=replace(self.machines, settings=self.fine), purpose=MACHINES)

    def encode(self, rgb: np.ndarray, setting: Mapping[str, Any]) -> bytes:
        """uint8 (H, W, 3) → the smallest file at this setting."""
        self._register()
        write = self.tuning.write or partial(encode_as, format=self.format)
        return min((write(rgb, **setting, **options) for options in self.tuning.options), key=len)

    def decode(self, data: bytes) -> np.ndarray:
        """One of our own files → uint8 (H, W, 3)."""
        self._register()
        with Image.open(io.BytesIO(data), formats=[self.format]) as image:
            return np.array(image.convert("RGB"))

    def _register(self) -> None:
        """Make Pillow know a format that a plugin adds; `InputError` says how to get it."""
        if self.plugin and not self.installed:
            raise InputError(f"{self.title} needs the package {self.package}: pip install {self.package}")
        if self.plugin:
            import_module(self.plugin)

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """A file a setting, encoded when it is asked for."""
        for name, setting in self.tuning.settings.items():
            began = time.perf_counter()
            data = self.encode(rgb, setting)
            picture = self.decode(data)
            yield OperatingPoint(name, len(data), picture, seconds=time.perf_counter() - began)

    def provenance(self) -> dict[str, Any]:
        """The encoder's version and options, and what they are best for."""
        package = self.tuning.package or self.package
        version = metadata.version(package) if package else features.version(self.feature)
        return {"encoder": version, "options": [dict(way) for way in self.tuning.options], "for": self.purpose}


RIVALS = {
    rival.name: rival
    for rival in (
        Rival(
            "jpeg", "JPEG", "JPEG", "jpg",
            machines=Tuning(_qualities(1, 5, 10, 20, 40), SMALLEST_JPEG),
            people=Tuning(_ramps(160, 100, 66, 44, 29, 19), SMALLEST_JPEG),
            fine=_qualities(1, *range(3, 13), 14, 16, 18, 20, 23, 26, 30, 34, 39, 44, 50, 56, 62, 70, 78, 86),
        ),
        Rival(
            "webp", "WebP", "WEBP", "webp",
            machines=Tuning(_qualities(0, 5, 20, 50), ({"method": 6},)),
            people=Tuning(_qualities(0, 4, 14, 30, 50, 70), ({"method": 6, "segments": 1},), libwebp, "webp"),
            fine=_qualities(0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5.5, 7, 9, 11, 13.5, 16, 19, 23, 27, 32, 38, 44, 51,
                            58, 66, 76, 86),
        ),
        Rival(
            "avif", "AVIF", "AVIF", "avif",
            machines=Tuning(_for_ssim(0) | _qualities(1, 10, 25, 40), ({"speed": 3},)),
            people=Tuning(_qualities(1, 10, 20, 30, 42, 55),
                          ({"speed": 3, "subsampling": "4:4:4", "advanced": {"tune": "psnr"}},)),
            fine=_for_ssim(0, 1, 3, 4) | _qualities(5, 8, 12, 16, 21, 26, 31, 37, 44, 52, 62, 74),
        ),
        Rival(
            "jpeg2000", "JPEG 2000", "JPEG2000", "jpg_2000",
            machines=Tuning(_ratios(280, 180, 115, 74, 47, 30), (JPEG2000,)),
            people=Tuning(_ratios(480, 240, 120, 80, 60, 40, 30), (JPEG2000,)),
            fine=_ratios(*(400 / 1.2**i for i in range(24))),
        ),
        Rival(
            "jxl", "JPEG XL", "JXL", "",
            machines=Tuning(_qualities(0, 10, 20, 35, 50), ({"effort": 8, "num_threads": 1},)),
            people=Tuning(_qualities(0, 10, 20, 35, 50), ({"effort": 8, "num_threads": 1},)),
            fine=_qualities(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 26, 30, 34, 39, 44, 50, 56, 62, 70, 78, 86),
            plugin="pillow_jxl", package="pillow-jxl-plugin",
        ),
    )
}  # fmt: skip
"""The formats we are compared with. WebP's smallest files lie between qualities 0 and 1. docs/rivals.md has the figures by
which options were chosen, on training photographs."""


def title(codec: str) -> str:
    """What everybody calls a codec of a results file: formats by their names, our efforts and other orders as such.

    >>> title("jpeg2000-cut"), title("order:trit"), title("lite"), title("lite@both:5 by resnet50")
    ('JPEG 2000, cut', 'order: trit', 'lite', 'lite, effort 5 for both, steered by resnet50')
    """
    if codec == "original":
        return "uncompressed"
    if (form := codec.removesuffix("-cut")) in RIVALS:
        return RIVALS[form].title + (", cut" if codec != form else "")
    if steered := re.fullmatch(r"(.+)@(\w+):(\d+)(?: by (.+))?", codec):
        model, purpose, effort, judges = steered.groups()
        return f"{model}, effort {effort} for {purpose}" + (f", steered by {judges}" if judges else "")
    return codec.replace("order:", "order: ")


def places(codecs: Iterable[str]) -> dict[str, int]:
    """Codec → the number of its colour and mark, the same in every chart: those that everybody knows have their own, and
    the others take the numbers that are left, in the order given.

    >>> places(["avif", "mine", "wave"])
    {'avif': 4, 'mine': 9, 'wave': 0}
    """
    known = ("wave", "lite", *RIVALS, "tic", "wave-pixels")
    free = itertools.count(len(known))
    return {codec: known.index(codec) if codec in known else next(free) for codec in dict.fromkeys(codecs)}


def rival(name: str) -> Rival:
    """The rival called `name`; `InputError` names those there are."""
    try:
        return RIVALS[name]
    except KeyError:
        raise InputError(f"no codec {name!r}; there are {', '.join(RIVALS)}") from None


def available() -> list[Rival]:
    """The rivals that this installation can write."""
    return [form for form in RIVALS.values() if form.installed]


def up_to(points: Iterable[P], budget: int) -> Iterator[P]:
    """Points until one is larger than `budget` bytes, which is the last."""
    for point in points:
        yield point
        if point.bytes > budget:
            return
