"""Who judges: which weights exactly, and whether a codec was trained to please them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hiercodec.classify.catalog import architecture_of
from hiercodec.protocols import Classifier


def in_loss(name: str, card: Mapping[str, Any]) -> bool | None:
    """Whether the classifier `name` sat in the loss of the codec whose model card is given; None where no card says so.

    The same architecture counts as the same classifier: a card of training names files, and files are copied and renamed.
    A run counts with all the runs that it started from, and a classifier that steered the encoder (`steered_by`) like one in
    the loss.
    """
    if architecture_of(name) in {architecture_of(spec) for spec in card.get("steered_by", ())}:
        return True
    if "training" not in card:
        return None
    return architecture_of(name) in {architecture_of(spec) for spec in loss_classifiers(card)}


def describe(classifier: Classifier, cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a results file says of a judge: its weights and temperature, and for every codec model (`cards`) `in_loss`."""
    return {
        "sha256": classifier.sha256,
        "temperature": classifier.temperature,
        "in_loss": {model: in_loss(classifier.name, card) for model, card in cards.items()},
    }


def loss_classifiers(card: Mapping[str, Any]) -> Iterator[str]:
    """Specs of the classifiers in the loss of the run whose card it is, then of the runs that it started from."""
    training = card.get("training") or {}
    found = training.get("classifiers") or training.get("classifier") or ()  # the older cards' name, and theirs is one
    yield from (found,) if isinstance(found, str) else found
    if before := card.get("started_from"):
        yield from loss_classifiers(before)
