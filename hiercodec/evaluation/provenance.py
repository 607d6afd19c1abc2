"""What stands behind a result: weights, classifiers, hierarchy and versions. The only builder of such facts."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Any

from hiercodec.classify.catalog import architecture_of
from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.measure import Evaluator
from hiercodec.fsio import APP
from hiercodec.protocols import Classifier, Peer

if TYPE_CHECKING:
    from hiercodec.models.common import EmbeddedCodec

PACKAGES = ("torch", "numpy", "pillow", "constriction")


def environment(*more: str) -> dict[str, Any]:
    """Versions of Python and of the packages that every figure depends on, and of `more`."""
    versions = {name: metadata.version(name) for name in (*PACKAGES, *more)}
    return {"python": platform.python_version(), "machine": platform.machine(), "packages": versions}


def provenance(peers: Sequence[Peer], judges: Sequence[Evaluator]) -> dict[str, Any]:
    """What a results file says of its origin.

    `models` are the fingerprints of our codecs, `steered_by` the classifiers that their encoder kept the feature maps of,
    `rivals` encoders and options.
    """
    ours = {peer.name: peer for peer in peers if isinstance(peer, HierPeer)}
    cards = {name: {**peer.codec.card, "steered_by": peer.steered_by} for name, peer in ours.items()}
    return {
        "models": {name: peer.codec.fingerprint.hex() for name, peer in ours.items()},
        "steered_by": {name: list(peer.steered_by) for name, peer in ours.items() if peer.steered_by},
        "rivals": {peer.name: peer.provenance() for peer in peers if peer.name not in ours},
        "classifiers": {judge.classifier.name: judge.classifier.weights_id for judge in judges},
        "judges": {judge.classifier.name: describe(judge.classifier, cards) for judge in judges},
        "hierarchy": judges[0].hierarchy.name if judges else None,
        "hierarchy_digest": judges[0].hierarchy.digest if judges else None,
        **environment(),
    }


def of_trace(codec: EmbeddedCodec, evaluator: Evaluator | None) -> dict[str, Any]:
    """The same of a trace, which has one codec and at most one classifier; also the device of the transforms."""
    whole = provenance([HierPeer(codec)], [evaluator] if evaluator else [])
    return {
        "model": codec.name,
        "fingerprint": codec.fingerprint.hex(),
        "classifier": evaluator.classifier.name if evaluator else None,
        "classifier_weights": evaluator.classifier.weights_id if evaluator else None,
        "temperature": evaluator.classifier.temperature if evaluator else None,
        "in_loss": whole["judges"][evaluator.classifier.name]["in_loss"][codec.name] if evaluator else None,
        "hierarchy": whole["hierarchy"],
        "hierarchy_digest": whole["hierarchy_digest"],
        "device": str(getattr(codec, "device", "cpu")),
        "versions": {"python": whole["python"], **whole["packages"]},
    }


def commit() -> str | None:
    """The commit that this code was run from, with "+" where files were changed since; None outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=APP, capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return None
    return done.stdout.strip() or None if (APP / ".git").exists() else None


def today() -> str:
    """The date in UTC, YYYY-MM-DD."""
    return datetime.now(timezone.utc).date().isoformat()


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
    yield from (card.get("training") or {}).get("classifiers") or ()
    if before := card.get("started_from"):
        yield from loss_classifiers(before)
