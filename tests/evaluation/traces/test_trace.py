"""Traces: budgets, real cuts, one batch of classification, finer steps, JSON there and back."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from hiercodec import stream
from hiercodec.classify import label_of_path, level_probabilities
from hiercodec.classify.fusion import fuse, label_classes
from hiercodec.evaluation.codecs.peers import prefixes
from hiercodec.evaluation.measure import Evaluator, measure
from hiercodec.evaluation.metrics import psnr
from hiercodec.evaluation.traces.trace import Step, Trace, byte_budgets
from hiercodec.evaluation.traces.tracing import extend, inside, judged_again, trace
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.similarity import wup_matrix
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(1)
    ramp = np.linspace(0, 200, 96 * 64).reshape(64, 96, 1)
    return (ramp + rng.integers(0, 40, (64, 96, 3))).astype(np.uint8)


@pytest.fixture(scope="module")
def traced(picture):
    classifier = FakeClassifier()
    told, shown = [], []
    found, decoded = trace(
        FakeCodec(),
        picture,
        Evaluator(classifier, load_hierarchy()).knowing([281]),
        progress=lambda done, total, what: told.append((done, total, what)),
        show=shown.append,
    )
    frames = [result.image for result in decoded]
    assert all(a is b for a, b in zip(shown, frames, strict=True))
    return found, frames, classifier, told


def test_budgets_hold_every_end_and_rise():
    budgets = byte_budgets(50, [400, 1000, 5000], 24)
    assert budgets[0] == 50
    assert {400, 1000, 5000} <= set(budgets)
    assert budgets == sorted(set(budgets))
    assert len(budgets) == 24
    ratios = np.array(budgets[1:]) / budgets[:-1]
    assert ratios.max() < 1.3, "steps are as fine where bytes are few as where they are many"
    inside = ratios[budgets.index(1000) :]
    assert inside.max() / inside.min() == pytest.approx(1, abs=0.01)  # equal ratios inside a block


def test_budgets_of_tiny_blocks_are_fewer_but_right():
    assert byte_budgets(10, [11, 12, 40], 24)[:3] == [10, 11, 12]
    with pytest.raises(ValueError, match="at least 4"):
        byte_budgets(10, [20, 30, 40], 3)


def test_steps_are_real_cuts_of_the_real_file(picture, traced):
    found, frames, _, _ = traced
    codec = FakeCodec()
    data = codec.encode(picture)
    assert found.file_bytes == len(data) == sum(found.parts.values())
    assert list(found.parts) == ["header", "z", "coarse", "intermediate", "fine"]
    assert found.cuts == stream.parse(data).cuts()
    assert set(found.cuts.values()) <= {step.bytes for step in found.steps}
    assert found.steps[-1].bytes == len(data)
    for step, frame in zip(found.steps, frames, strict=True):
        again = codec.decode(stream.truncate(data, step.bytes))
        assert np.array_equal(again.image, frame)
        assert (step.level, step.fraction) == (again.level, again.fraction)
        assert step.bpp == pytest.approx(8 * step.bytes / (96 * 64))
        assert step.psnr == pytest.approx(peak_signal_noise_ratio(picture, frame), abs=1e-9)


def test_predictions_come_from_one_batch_and_add_up(traced):
    found, frames, classifier, _ = traced
    hierarchy = load_hierarchy()
    assert classifier.calls == 2  # all steps at once, and the original
    p = FakeClassifier().probabilities(frames)
    for row, step in zip(p, found.steps, strict=True):
        assert set(step.top) == {"coarse", "intermediate", "fine"}
        assert set(step.mass) == {"coarse", "intermediate"}
        for masses in step.mass.values():
            assert sum(masses) == pytest.approx(1, abs=1e-3)
        index, label, probability = step.top["fine"][0]
        assert index == row.argmax()
        assert label == hierarchy.level("fine").labels[index]
        assert probability == pytest.approx(row.max(), abs=1e-6)
        group = hierarchy.level("coarse").assignment == step.top["coarse"][0][0]
        assert step.top["coarse"][0][2] == pytest.approx(row[group].sum(), abs=1e-4)
        assert step.probability("coarse", step.top["coarse"][0][0]) == pytest.approx(row[group].sum(), abs=1e-4)
        right = hierarchy.level("coarse").assignment[281]
        assert step.wup == (1.0 if index == 281 else pytest.approx(wup_matrix()[index, 281], abs=1e-4))
        first, second = (p for _, _, p in step.top["coarse"][:2])
        assert step.margin("coarse") == pytest.approx(first - second)
    assert found.answers["coarse"] == (int(right),)
    assert found.answers["fine"] == (281,)
    upper, lower = (hierarchy.level(name).assignment for name in ("coarse", "intermediate"))
    assert all(found.parents["intermediate"][lower[c]] == upper[c] for c in range(1000))
    assert found.answers["coarse"] == (int(hierarchy.level("coarse").assignment[281]),)


def test_every_step_and_the_original_say_what_they_mean(traced, picture):
    found, frames, _, _ = traced
    hierarchy = load_hierarchy()
    assert found.groups == {"coarse": 10, "intermediate": 100, "fine": 1000}
    original = FakeClassifier().probabilities([picture])[0]
    assert found.original["fine"][0][0] == original.argmax()
    for row, step in zip(FakeClassifier().probabilities(frames), found.steps, strict=True):
        kinds = hierarchy.level("coarse").assignment == found.answers["coarse"][0]
        for level, p in {"fine": row[281], "coarse": row[kinds].sum()}.items():
            expected = max(0, math.log2(found.groups[level]) + math.log2(p))
            assert step.meaning[level] == pytest.approx(expected, abs=2e-3)


def test_another_judge_changes_the_answers_and_nothing_else(traced, picture):
    found, frames, _, _ = traced
    codec, evaluator = FakeCodec(), Evaluator(FakeClassifier(), load_hierarchy()).knowing([281])
    data = codec.encode(picture)
    bare = judged_again(codec, found, data, frames, picture, None)
    assert bare.steps[3].top == bare.answers == bare.original == {}
    assert [step.psnr for step in bare.steps] == [step.psnr for step in found.steps]
    assert bare.provenance["classifier"] is None
    assert judged_again(codec, bare, data, frames, picture, evaluator) == found


def test_a_few_cuts_first_and_the_rest_later_give_the_same_trace(traced, picture):
    found = traced[0]
    codec, evaluator = FakeCodec(), Evaluator(FakeClassifier(), load_hierarchy()).knowing([281])
    data = codec.encode(picture)
    budgets = [step.bytes for step in found.steps]
    first, _ = trace(codec, picture, evaluator, data=data, budgets=budgets[::5])
    assert [step.bytes for step in first.steps] == budgets[::5]
    rest = [n for n in budgets if n not in budgets[::5]]
    whole, decoded = extend(codec, first, data, picture, rest, evaluator)
    assert list(decoded) == rest
    assert whole == found


def test_what_has_a_default_may_be_missing_and_nothing_else_may(traced):
    plain = json.loads(json.dumps(traced[0].to_json()))
    del plain["groups"], plain["original"]
    for step in plain["steps"]:
        del step["meaning"]
    sparse = Trace.from_json(plain)
    assert sparse.groups == sparse.original == sparse.steps[0].meaning == {}
    for wrong, said in (
        ({"width": "wide"}, "width: .*integer"),
        ({"depth": 3}, "depth"),
        ({"steps": [{}]}, "steps.0.bytes"),
    ):
        with pytest.raises(ValueError, match=said):
            Trace.from_json({**plain, **wrong})


def test_a_file_with_a_label_says_what_it_tells_from_its_first_step_on(traced, picture):
    hierarchy = load_hierarchy()
    codec, evaluator = FakeCodec(), Evaluator(FakeClassifier(), hierarchy).knowing([281])
    label = label_of_path(
        [(int(level.assignment[281]), 2) for level in hierarchy.levels], hierarchy, FakeClassifier.sha256
    )
    data = codec.encode(picture, label=label)
    found, decoded = trace(codec, picture, evaluator, data=data)
    parsed = stream.parse(data)
    assert found.steps[0].bytes == parsed.label_section.end
    assert found.steps[1].bytes == parsed.z.end == found.start
    assert list(found.parts) == ["header", "label", "z", "coarse", "intermediate", "fine"]
    assert found.label["fine"][:2] == (281, "tabby")
    where = parsed.label_section
    assert where.start < found.label["coarse"].bytes <= found.label["fine"].bytes <= where.end
    assert found.labeller == FakeClassifier.sha256[:3]
    verdicts = evaluator.verdicts([result.image for result in decoded])
    path = [(int(level.assignment[281]), 0.9) for level in hierarchy.levels]
    told = level_probabilities(label_classes(path, [level.assignment for level in hierarchy.levels]), hierarchy)
    for step, verdict in zip(found.steps, verdicts, strict=True):
        for level in hierarchy.levels:
            mass = fuse(told[level.name], verdict.masses[level.name])
            assert step.fused[level.name][0][0] == mass.argmax()
            assert step.fused[level.name][0][2] == pytest.approx(mass.max(), abs=1e-6)
    assert Trace.from_json(json.loads(json.dumps(found.to_json()))) == found
    frames = [result.image for result in decoded]
    assert judged_again(codec, found, data, frames, picture, evaluator) == found
    unseen = judged_again(codec, found, data, frames, picture, None)
    assert (unseen.label, unseen.steps[3].fused) == (found.label, {})
    other = judged_again(codec, found, data, frames, picture, Evaluator(FakeClassifier(), load_hierarchy("wordnet")))
    assert (other.label, other.steps[3].fused) == ({}, {})
    finer, new = extend(codec, found, data, picture, inside(found, "coarse", 4), evaluator)
    assert min(new) > parsed.z.end
    assert all(step.fused for step in finer.steps)


def test_progress_rises_to_the_end(traced):
    told = traced[3]
    counts = [done for done, _, _ in told]
    assert counts == sorted(counts)
    assert told[-1][0] == told[-1][1]


def test_json_there_and_back(traced):
    found = traced[0]
    plain = json.loads(json.dumps(found.to_json()))
    assert Trace.from_json(plain) == found
    with pytest.raises(ValueError, match="schema"):
        Trace.from_json({**plain, "schema": 99})


def test_identical_pictures_survive_json():
    step = Step(10, 0.1, math.inf, "fine", 1.0)
    found = Trace(4, 4, 10, {"header": 10}, {"fine": 10}, (step,))
    assert '"psnr": "Infinity"' in json.dumps(found.to_json(), allow_nan=False)
    assert Trace.from_json(found.to_json()).steps[0].psnr == math.inf
    assert psnr(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)) == math.inf


def test_provenance_names_everything(traced):
    p = traced[0].provenance
    assert p["model"] == "fake"
    assert p["fingerprint"] == b"FAKE".hex()
    assert p["classifier_weights"] == "0123abcd"
    assert p["hierarchy"] == load_hierarchy().name
    assert len(p["image_sha256"]) == 64
    assert {"python", "torch", "numpy", "pillow"} <= set(p["versions"])


def test_without_a_classifier_there_are_no_predictions(picture):
    found, _ = trace(FakeCodec(), picture, steps=6)
    assert all(step.top == {} and step.mass == {} and step.wup is None for step in found.steps)
    assert found.steps[0].margin("coarse") is None
    assert found.settled("coarse") is None


def test_a_cut_stream_gives_the_steps_it_holds(picture):
    codec = FakeCodec()
    data = codec.encode(picture)
    cut = data[: stream.parse(data).cuts()["coarse"] + 40]
    found, decoded = trace(codec, None, data=cut)
    assert found.file_bytes == len(cut) == found.steps[-1].bytes == sum(found.parts.values())
    assert found.parts["fine"] == 0
    assert found.cuts == stream.parse(data).cuts()
    assert found.provenance["reference"] == "last decoded frame"
    assert found.steps[-1].psnr == math.inf
    assert np.array_equal(decoded[-1].image, codec.decode(cut).image)
    inside_z, _ = trace(codec, None, data=data[: stream.parse(data).z.offset + 3])
    assert len(inside_z.steps) == 1


@pytest.mark.parametrize("level", ["coarse", "intermediate", "fine"])
def test_finer_steps_join_the_block_under_the_hand(picture, level):
    codec = FakeCodec()
    data = codec.encode(picture)
    evaluator = Evaluator(FakeClassifier(), load_hierarchy())
    found, _ = trace(codec, picture, evaluator.knowing([281]), steps=8, data=data)
    finer, decoded = extend(codec, found, data, picture, inside(found, level, 10), evaluator)
    new = [step for step in finer.steps if step not in found.steps]
    assert all(step in finer.steps for step in found.steps)
    assert [step.bytes for step in new] == list(decoded)
    assert len(new) == 10
    sizes = [step.bytes for step in finer.steps]
    assert sizes == sorted(set(sizes))
    ends = [found.steps[0].bytes, *found.cuts.values()]
    index = list(found.cuts).index(level)
    assert all(ends[index] < step.bytes < ends[index + 1] for step in new)
    for step in new:
        assert np.array_equal(decoded[step.bytes].image, codec.decode(data[: step.bytes]).image)
        assert step.psnr == psnr(picture, decoded[step.bytes].image)
        assert step.wup is not None
    direct, _ = trace(codec, picture, evaluator.knowing([281]), steps=8, data=data[: new[3].bytes])
    assert direct.steps[-1] == new[3]  # the same as if the file had been cut there


def test_a_block_that_has_not_arrived_has_no_finer_steps(picture):
    codec = FakeCodec()
    data = codec.encode(picture)
    cut = data[: stream.parse(data).cuts()["coarse"] + 40]
    found, decoded = trace(codec, None, data=cut)
    assert inside(found, "fine") == []
    partly, new = extend(codec, found, cut, decoded[-1].image, inside(found, "intermediate", 5))
    assert len(new) == 5
    assert partly.file_bytes == partly.steps[-1].bytes == len(cut)


def steps_with_winners(winners):
    return tuple(Step(10 * i, 0.1, 20.0, None, 0.5, {"fine": ((w, f"c{w}", 0.5),)}) for i, w in enumerate(winners))


@pytest.mark.parametrize(
    ("winners", "answers", "expected"),
    [
        ([1, 2, 2, 2], None, 1),
        ([2, 1, 2, 2], None, 2),
        ([2, 2, 2], None, 0),
        ([1, 2, 3], [2], None),
        ([1, 2, 3], [2, 3], 1),
        ([3, 1, 3], [3], 2),
    ],
)
def test_settled(winners, answers, expected):
    known = {"fine": tuple(answers)} if answers else {}
    found = Trace(1, 1, 10, {}, {"fine": 10}, steps_with_winners(winners), answers=known)
    assert found.settled("fine") == expected
    assert found.right_from("fine") == (10 * expected if answers and expected is not None else None)


def test_where_nobody_knows_the_truth_answers_are_held_to_the_original():
    found = Trace(1, 1, 10, {}, {"fine": 10}, steps_with_winners([7, 7, 2]), original={"fine": ((7, "c7", 0.9),)})
    assert [found.holds(i, "fine") for i in range(3)] == [True, True, False]
    assert found.settled("fine") is found.right_from("fine") is None
    known = dataclasses.replace(found, answers={"fine": (2,)})
    assert (known.settled("fine"), known.right_from("fine")) == (2, 20)


def test_the_answer_to_a_blank_picture_is_nobodys_success(traced, picture):
    blank = Step(5, 0.1, 8.0, None, 0.0, {"fine": ((2, "c2", 0.5),)})
    found = Trace(1, 1, 10, {}, {"fine": 10}, (blank, *steps_with_winners([1, 2])[1:]), answers={"fine": (2,)})
    assert found.right_from("fine") == 10
    assert not found.holds(0, "fine")
    first = traced[0].steps[0]
    assert first.blank
    assert not any(first.meaning.values())
    assert not any(step.blank for step in traced[0].steps[1:])
    codec, everything = FakeCodec(), Evaluator(FakeClassifier(), load_hierarchy()).knowing(range(1000))
    data = codec.encode(picture)
    z = stream.parse(data).z.end
    at_z, later = measure(picture, prefixes(codec, data, {"z": z, "more": z + 200}), [everything])
    for row, counts in ((at_z, False), (later, True)):
        assert set(row.verdicts["fake classifier"].hits.values()) == {counts}


def test_importing_the_trace_needs_no_torch():
    code = "import sys; from hiercodec.evaluation.traces.trace import Step, Trace; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
