"""Stop when sure over many photographs, against loops written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.classify import Confidence
from hiercodec.errors import InputError
from hiercodec.evaluation.results.stopping import Outcome, bytes_for, controlled, fixed, gain, stopped_at, sureness
from hiercodec.evaluation.results.table import Table
from tests.evaluation.some_rows import some_table

LEVEL = "coarse"


@pytest.fixture(scope="module")
def cuts() -> Table:
    """300 photographs at 5 cuts; the surer, the likelier right; the two middle cuts change places in some."""
    rng = np.random.default_rng(0)
    n_bytes = rng.integers(500, 2000, (300, 1)) * np.array([[0.1, 0.3, 0.35, 0.6, 1.0]])
    swap = rng.random(300) < 0.3
    n_bytes[swap, 1:3] = n_bytes[swap, 2:0:-1]
    ease = rng.normal(0, 3, (300, 1))
    sure = 1 / (1 + np.exp(-(ease + np.array([[-2.0, 0, 0.3, 1, 2]]))))
    right = np.stack([rng.random((300, 5)) < sure] * 3, 2)
    return some_table(right, n_bytes.astype(int), probability=np.stack([sure] * 3, 2))


@pytest.fixture(scope="module")
def sure(cuts) -> np.ndarray:
    return sureness(cuts, LEVEL, Confidence())


def by_hand(cuts: Table, threshold: float) -> list[int]:
    """The column every photograph stops at."""
    found = []
    for sizes, sure in zip(cuts.bytes, cuts.probability[:, :, 0], strict=True):
        rising = sorted(range(len(sizes)), key=lambda i: sizes[i])
        found.append(next((i for i in rising if sure[i] >= threshold), rising[-1]))
    return found


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.9, 0.999])
def test_it_stops_at_the_shortest_cut_that_is_sure_enough(cuts, sure, threshold):
    assert stopped_at(cuts, sure, threshold).tolist() == by_hand(cuts, threshold)


def test_the_curve_counts_what_was_read_and_what_was_right(cuts, sure):
    for outcome in controlled(cuts, LEVEL, sure, (0.5, 0.9)):
        at = by_hand(cuts, outcome.rule)
        assert outcome.bytes == pytest.approx(np.mean([cuts.bytes[i, j] for i, j in enumerate(at)]))
        assert outcome.accuracy == pytest.approx(np.mean([cuts.right[i, j, 0] for i, j in enumerate(at)]))
        assert outcome.low < outcome.accuracy < outcome.high
        assert outcome.early == pytest.approx(np.mean([j != 4 for j in at]))
    assert [row.rule for row in fixed(cuts, LEVEL)] == list("abcde")
    assert fixed(cuts, LEVEL)[-1].early == 0
    assert fixed(cuts, LEVEL)[2].accuracy == pytest.approx(cuts.right[:, 2, 0].mean())


def test_stopping_when_sure_is_worth_it_where_sureness_tells_right_from_wrong(cuts, sure):
    more, low, high = gain(cuts, LEVEL, sure, 0.8, resamples=200)
    assert low <= more <= high
    assert low > 0
    shuffled = np.random.default_rng(1).permuted(sure, axis=0)
    assert gain(cuts, LEVEL, shuffled, 0.8, resamples=50)[0] < more


def test_bytes_for_an_accuracy_lie_between_the_cuts_around_it():
    rows = [Outcome(str(n), n, a, 0, 1, 0) for n, a in ((100, 0.2), (200, 0.6), (300, 0.5), (400, 0.8))]
    assert bytes_for(rows, 0.4) == 150
    assert bytes_for(rows, 0.7) == 350
    assert bytes_for(rows, 0.1) == 100
    assert bytes_for(rows, 0.9) is None


def test_how_sure_an_answer_is_depends_on_its_level_and_share_of_the_file(cuts):
    assert sureness(cuts, "fine", Confidence())[:, 1] == pytest.approx(cuts.probability[:, 1, 2])
    less = sureness(cuts, "coarse", Confidence({"coarse": (1, 0, 1)}))
    assert less[:, -1] == pytest.approx(cuts.probability[:, -1, 0], abs=1e-4), "the whole file"
    some = cuts.probability[:, 0, 0] > 0.01
    assert (less[some, 0] < cuts.probability[some, 0, 0]).all(), "a part of it: less sure than its probability"
    with pytest.raises(InputError, match="levels coarse, intermediate, fine, not 'kind'"):
        sureness(cuts, "kind", Confidence())
