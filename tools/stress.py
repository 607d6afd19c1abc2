"""Rows of photographs under stress.

    rgb ── each stress ──► rgb ── records ──► rows, named "PHOTO@STRESS"

Right stays what is right of the photograph as it was: its classes, or else the judge's answer on the clean original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.results.records import records
from hiercodec.evaluation.stress import AT, STRESSES, stressed
from hiercodec.protocols import Peer


def stress_records(
    photo: str,
    rgb: np.ndarray,
    classes: Sequence[int],
    peers: Sequence[Peer],
    judges: Sequence[Evaluator],
    *,
    stresses: Sequence[str] = STRESSES,
    look: Callable[[str, np.ndarray], object] = lambda stress, rgb: None,
) -> Iterator[dict[str, Any]]:
    """Rows of one photograph under every stress; `classes` are those that are right, where any is known.

    `look` is shown every stressed picture.
    """
    told = {
        judge.classifier.name: (judge.knowing(classes) if classes else judge.trusting(rgb)).right for judge in judges
    }
    for stress in stresses:
        picture = stressed(rgb, stress)
        look(stress, picture)
        for row in records(f"{photo}{AT}{stress}", picture, classes[0] if classes else -1, peers, judges):
            right = told.get(row["judge"], {}).values()
            yield row | {"right": [group in groups for group, groups in zip(row["path"], right, strict=True)]}
