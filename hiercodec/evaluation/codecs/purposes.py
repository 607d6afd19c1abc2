"""What an encoder's bits are for: its effort goes into pixels, into what a classifier sees, or into both.

The format is the same and every decoder reads the files. Results call a codec that encodes so by a specification,
`lite@people:5`: model, purpose, effort.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hiercodec.arguments import expect_method, shown
from hiercodec.errors import InputError

if TYPE_CHECKING:
    from hiercodec.classify.classifier import Classifier

KEPT = {"people": 0.0, "machines": 0.003, "both": 0.0015}
"""Purpose → what losing all of a classifier's feature maps would cost, in mean squared error of pixels in 0…1.

Gains over the plain file at equal bytes at effort 5, means over six cuts, on 40 photographs held out from training: dB, and
bits told of what is right (`tools.compare`) by lite2, MobileNetV1 and V2 together, none of which steered,
with 95 % intervals:

    0       +0.53   +0.02 [−0.10, +0.13]
    0.0015  +0.45   +0.41 [+0.26, +0.57]
    0.003   +0.28   +0.46 [+0.32, +0.62]
    0.006   −0.02   +0.37 [+0.25, +0.50]
    0.012   −0.28   +0.32 [+0.21, +0.46]

The search starts from the plain symbols. From rate–distortion optimised ones (`rdoq` 0.1) it ends with fewer bytes and is
worse wherever a file is cut inside a block: 0.012 then gives −0.31 dB, +0.20 bits. At effort 3, 0.006 gives +0.21 bits.
"""

PLAIN = "plain"
"""What the app calls having no purpose, and no effort."""

DEFAULT = 5
"""The effort where a purpose is given and no effort."""

STEERING = "lite0"
"""The classifier whose feature maps are kept unless others are named: the one that every installation has."""


def options(
    effort: int | None = None,
    purpose: str | None = None,
    classifiers: str | Classifier | Sequence[str | Classifier] = STEERING,
    *,
    device: str | None = None,
) -> dict[str, Any]:
    """What `Codec.encode` takes for an effort (0…9) and a purpose; nothing at effort 0.

    Who asks for neither gets no effort, who names a purpose only gets `DEFAULT`, and who names an effort only, "people".
    For machines the feature maps of `classifiers` (specifications or loaded ones) shall survive, all of them counting
    alike: none of them, and none of their relatives, is a judge of such a file. Those that are named run on `device` (see
    `device.chosen`). `InputError` for an unknown purpose or effort, and for a classifier without feature maps.
    """
    effort = (0 if purpose is None else DEFAULT) if effort is None else effort
    purpose = "people" if purpose is None else purpose
    if type(effort) is int and effort == 0:
        return {}  # without loading torch
    from hiercodec.models.common import Keep, steps_of

    steps_of(effort)
    if not isinstance(purpose, str) or purpose not in KEPT:
        raise InputError(f"no purpose {shown(purpose)}; bits can be for {', '.join(KEPT)}")
    if not (weight := KEPT[purpose]):
        return {"effort": effort}
    from hiercodec.classify import load_classifier
    from hiercodec.classify.classifier import feature_maps

    several = classifiers if isinstance(classifiers, (list, tuple)) else [classifiers]
    if not several:
        raise InputError("no classifier to steer by: name one, or give the effort to people")
    words = "a classifier to steer by is a name or a loaded one"
    loaded = [
        load_classifier(c, device=device) if isinstance(c, str) else expect_method(c, "probabilities", words)
        for c in several
    ]
    maps = [feature_maps(classifier) for classifier in loaded]
    return {"effort": effort, "keep": Keep(lambda x: [tensor for of in maps for tensor in of(x)], weight)}


def read(spec: str, classifiers: str | Sequence[str] = STEERING) -> tuple[str, dict[str, Any]]:
    """A model's name or path, and what its `encode` takes, from `MODEL` or `MODEL@PURPOSE:EFFORT`; errors as `options`.

    >>> read("lite@people:0")
    ('lite', {})
    """
    name, at, asked = spec.rpartition("@")
    purpose, colon, effort = asked.partition(":")
    return (name, options(int(effort), purpose, classifiers)) if at and colon and effort.isdecimal() else (spec, {})
