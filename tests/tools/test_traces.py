"""The shipped traces are those of the shipped weights: fingerprints, hierarchy, classifier, and pixels bit for bit.

If one of these fails after new weights came in: python -m tools.assets traces
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec import stream
from hiercodec.classify import DEFAULT, PACKAGED, card_of
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.samples import sample, samples
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.bundle import TRACES
from hiercodec.evaluation.traces.tracing import budgets_of, trace, turning_points
from hiercodec.fsio import locate
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tools.assets import ROUNDS, STEPS, TURNS, ship

NAMES = [row.id for row in samples()]
MODELS = locate("models")


@pytest.fixture(scope="module")
def shipped():
    return {name: bundle.read(TRACES / f"{name}.zip") for name in NAMES}


@pytest.fixture(scope="module")
def cards():
    return {name: json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8")) for name in (DEFAULT_MODEL,)}


def test_every_sample_has_a_trace_and_all_are_small():
    assert {path.stem for path in TRACES.glob("*.zip")} == set(NAMES)
    assert sum(path.stat().st_size for path in TRACES.glob("*.zip")) <= 16_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_trace_is_of_the_shipped_weights(name, shipped, cards):
    packed = shipped[name]
    found = packed.trace
    assert found.provenance["fingerprint"] == cards[DEFAULT_MODEL]["fingerprint"]
    assert found.provenance["classifier"] == DEFAULT
    assert found.provenance["classifier_weights"] == PACKAGED[DEFAULT].sha256[:12]
    assert found.provenance["temperature"] == card_of(DEFAULT)["temperature"]
    assert found.provenance["in_loss"] is False
    hierarchy = load_hierarchy()
    assert (found.provenance["hierarchy"], found.provenance["hierarchy_digest"]) == (hierarchy.name, hierarchy.digest)
    assert stream.parse(packed.stream).header.fingerprint.hex() == cards[DEFAULT_MODEL]["fingerprint"]
    assert len(packed.stream) == found.file_bytes == sum(found.parts.values())
    assert {step.bytes for step in found.steps} >= set(budgets_of(stream.parse(packed.stream), STEPS))
    z = stream.parse(packed.stream).z.end
    for step, bits in zip(found.steps, packed.bit_maps(), strict=True):
        # What the map shows, z and the container are the prefix; a few bytes after a cut belong to no symbol yet,
        # and a plane ends with its check.
        assert z + bits.sum() / 8 == pytest.approx(step.bytes, rel=0.01, abs=16)
    rgb = sample(name).pixels()
    assert packed.original_pixels().shape == rgb.shape
    # Another Pillow may resize a shade differently; the picture must still be the same one.
    assert np.abs(packed.original_pixels().astype(int) - rgb).mean() < 1


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_the_shipped_codec_decodes_the_shipped_frames(name, shipped):
    from hiercodec.models import load

    packed, codec = shipped[name], load(DEFAULT_MODEL)
    frames = packed.frames()
    for index in (0, STEPS // 3, STEPS - 1):
        step = packed.trace.steps[index]
        seen = codec.decode(packed.stream[: step.bytes])
        assert (step.level, step.fraction) == (seen.level, pytest.approx(seen.fraction))
        # The entropy-coded symbols are exact everywhere; the float transforms may round one level differently elsewhere.
        assert np.abs(seen.image.astype(int) - frames[index]).max() <= 1


def test_ship_writes_what_the_codec_decodes(tmp_path):
    codec = FakeCodec()
    path = ship(sample("camera"), codec, Evaluator(FakeClassifier(), load_hierarchy()), steps=8, folder=tmp_path)
    packed = bundle.read(path)
    assert packed.trace.answers["fine"] == (872,)
    even = budgets_of(stream.parse(packed.stream), 8)
    more = sorted({step.bytes for step in packed.trace.steps} - set(even))
    assert len(more) <= ROUNDS * TURNS
    plain = Evaluator(FakeClassifier(), load_hierarchy())
    first, _ = trace(codec, sample("camera").pixels(), plain, steps=8, data=packed.stream)
    assert set(turning_points(first, TURNS)) <= set(more), "there are more steps where answers change"
    for step, frame in zip(packed.trace.steps, packed.frames(), strict=True):
        assert np.array_equal(codec.decode(packed.stream[: step.bytes]).image, frame)


def test_shipped_traces_count_bits_of_meaning(shipped):
    for name, packed in shipped.items():
        assert packed.trace.original, name
        assert all(set(step.meaning) == set(packed.trace.levels) for step in packed.trace.steps), name
