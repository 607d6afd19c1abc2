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
"""Purpose → what losing all of a classifier's feature maps would cost, in mean squared error of pixels in 0…1.

Log-probability (natural) of the right answer that the coarse prefix gains at equal bytes, kind / family / class, by judges
that did not steer, on 24 photographs held out from training, 12 steps: 0.013 lite2 +0.17 / +0.42 / +0.67, MobileNetV1
+0.23 / +0.41 / +0.48; 0.053 +0.14 / +0.36 / +0.63 and +0.11 / +0.27 / +0.39. In later blocks (12 photographs, 8 steps)
features cost 0.4 and 0.8 dB and gained nothing clear, so that they count in the first. Half the weight was not tried.
"""

PLAIN = "plain"
"""What the app calls having no purpose, and no effort."""

THRIFT = 0.1
"""The `rdoq` of `Codec.encode` that the search starts from.

On the central 160×160 of 12 photographs held out from training (bytes at equal PSNR against the plain file cut to them;
coarse, intermediate, whole), at effort 3: 0.06 −7.8, −7.1, −3.8 %; 0.1 −18.1, −11.0, −7.7 %; 0.14 −23.6, −9.3, −8.1 %. At
effort 5: 0.1 −21.9, −12.7, −10.1 %; 0.14 −26.8, −11.0, −9.9 %, but PSNR at its own bytes 0.3 dB lower.
"""

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
