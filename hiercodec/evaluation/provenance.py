"""What stands behind a result: weights, classifiers, hierarchy and versions. The only builder of such facts."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from typing import TYPE_CHECKING, Any

from hiercodec.evaluation.codecs.peers import HierPeer
from hiercodec.evaluation.judge import describe
from hiercodec.evaluation.measure import Judging
from hiercodec.fsio import APP
from hiercodec.protocols import Peer

if TYPE_CHECKING:
    from hiercodec.models.common import EmbeddedCodec

PACKAGES = ("torch", "numpy", "pillow", "constriction")


def environment(*more: str) -> dict[str, Any]:
    """Versions of Python and of the packages that every figure depends on, and of `more`."""
    versions = {name: metadata.version(name) for name in (*PACKAGES, *more)}
    return {"python": platform.python_version(), "machine": platform.machine(), "packages": versions}


def provenance(peers: Sequence[Peer], judges: Sequence[Judging]) -> dict[str, Any]:
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


def of_trace(codec: EmbeddedCodec, judging: Judging | None) -> dict[str, Any]:
    """The same of a trace, which has one codec and at most one classifier; also the device of the transforms."""
    whole = provenance([HierPeer(codec)], [judging] if judging else [])
    return {
        "model": codec.name,
        "fingerprint": codec.fingerprint.hex(),
        "classifier": judging.classifier.name if judging else None,
        "classifier_weights": judging.classifier.weights_id if judging else None,
        "temperature": judging.classifier.temperature if judging else None,
        "in_loss": whole["judges"][judging.classifier.name]["in_loss"][codec.name] if judging else None,
        "hierarchy": whole["hierarchy"],
        "hierarchy_digest": whole["hierarchy_digest"],
        "device": str(getattr(codec, "device", "cpu")),
        "versions": {"python": whole["python"], **whole["packages"]},
    }


def commit() -> str | None:
    """The commit that this code was run from, with "+" where files were changed since; None outside a repository."""
    found = _git("describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*")
    return found.strip() or None


def today() -> str:
    """The date in UTC, YYYY-MM-DD."""
    return datetime.now(timezone.utc).date().isoformat()


def _git(*command: str) -> str:
    if not (APP / ".git").exists():
        return ""
    try:
        return subprocess.run(["git", *command], cwd=APP, capture_output=True, text=True, check=False).stdout
    except OSError:  # no git on this machine
        return ""
