"""What an encoder's bits are for: its effort goes into pixels, into what a classifier sees, or into both.

The format is the same and every decoder reads the files. Results call a codec that encodes so by a specification,
`lite@people:5`: model, purpose, effort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiercodec.errors import InputError

if TYPE_CHECKING:
    from hiercodec.classify.classifier import Classifier

KEPT = {"people": 0.0, "machines": 0.012, "both": 0.006}
"""Purpose → what losing all of a classifier's feature maps would cost, in mean squared error of pixels in 0…1."""

PLAIN = "plain"
"""What the app calls having no purpose, and no effort."""

THRIFT = 0.1
"""The `rdoq` of `Codec.encode` that the search starts from."""

DEFAULT = 5
"""The effort where a purpose is given and no effort."""


def options(effort: int, purpose: str, classifier: str | Classifier = "lite0") -> dict[str, Any]:
    """What `Codec.encode` takes for an effort (0…9) and a purpose; nothing at effort 0.

    For machines the feature maps of `classifier` (a specification or a loaded one) shall survive: it is no judge of such a
    file. `InputError` for an unknown purpose or effort, and for a classifier without feature maps.
    """
    if effort == 0:
        return {}
    if purpose not in KEPT:
        raise InputError(f"no purpose {purpose!r}; bits can be for {', '.join(KEPT)}")
    from hiercodec.models.effort import Keep, steps_of

    try:
        steps_of(effort)
        if not (weight := KEPT[purpose]):
            return {"effort": effort, "rdoq": THRIFT}
        from hiercodec.classify import load_classifier
        from hiercodec.classify.features import feature_maps

        loaded = load_classifier(classifier) if isinstance(classifier, str) else classifier
        return {"effort": effort, "rdoq": THRIFT, "keep": Keep(feature_maps(loaded), weight)}
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from None


def read(spec: str) -> tuple[str, dict[str, Any]]:
    """A model's name or path, and what its `encode` takes, from `MODEL` or `MODEL@PURPOSE:EFFORT`; errors as `options`.

    >>> read("lite@people:0")
    ('lite', {})
    """
    name, at, asked = spec.rpartition("@")
    purpose, colon, effort = asked.partition(":")
    return (name, options(int(effort), purpose)) if at and colon and effort.isdecimal() else (spec, {})
