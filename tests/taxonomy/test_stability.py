from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec.taxonomy import classes, load_hierarchy, measures, shipped
from hiercodec.taxonomy.embeddings import from_array
from hiercodec.taxonomy.naming import name_groups
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.taxonomy.wordnet import wordnet_graph
from tools import stability as making
from tools import taxonomy as makers


@pytest.fixture(scope="module")
def embeddings():
    """Three noisy views of the same 60 points in 4 × 3 blobs."""
    rng = np.random.default_rng(0)
    truth = (6 * rng.normal(size=(4, 8))).repeat(15, 0) + (2 * rng.normal(size=(12, 8))).repeat(5, 0)
    return {name: from_array(name, truth + rng.normal(size=truth.shape), n=60) for name in ("a", "b", "c")}


@pytest.fixture(scope="module")
def runs(embeddings):
    voters = making.single_runs(embeddings, [4, 12], range(6), n_init=1)
    judges = making.single_runs(embeddings, [4, 12], range(100, 103), n_init=1)
    return voters, judges


def test_report_holds_together(runs, monkeypatch):
    monkeypatch.setattr(making, "RESAMPLES", 50)
    voters, judges = runs
    tree = making.consensus_of(voters)
    result = making.report(voters, judges, tree, references={"same": tree})
    level = result["levels"]["12"]
    ari = np.array(level["ari"])
    assert ari.shape == (9, 9)
    assert np.array_equal(ari, ari.T)
    assert (ari.diagonal() == 1).all()
    assert level["runs"][0] == ["a", 100]
    assert ari[0, 4] == pytest.approx(measures.ari(judges[12][0].groups, judges[12][4].groups), abs=1e-4)
    assert level["references"]["same"]["consensus"] == 1.0
    assert level["consensus"] == level["references"]["same"]["judges"]
    summary = level["summary"]
    assert summary["all single runs"]["mean"] == pytest.approx(ari[np.triu_indices(9, 1)].mean(), abs=1e-4)
    assert summary["gain"]["mean"] == pytest.approx(
        summary["consensus"]["mean"] - summary["all single runs"]["mean"], abs=2e-4
    )
    for entry in summary.values():
        assert entry["interval"][0] <= entry["mean"] + 0.02
        assert entry["mean"] - 0.02 <= entry["interval"][1]
    assert set(level["left_out"]) == {"a", "b", "c"}
    assert len(level["repeat"]["values"]) == 3
    assert len(level["stability"]["all"]) == 60
    again = making.report(voters, judges, tree, references={"same": tree})
    assert making.dump(result) == making.dump(again)
    assert json.loads(making.dump(result)) == result


def test_single_runs_do_not_depend_on_the_number_of_cores(embeddings):
    one = {"a": embeddings["a"]}
    first = making.single_runs(one, [4], range(3), n_init=1)
    assert [r.seed for r in first[4]] == [0, 1, 2]
    again = making.single_runs(one, [4], range(3), n_init=1)
    assert all(np.array_equal(x.groups, y.groups) for x, y in zip(first[4], again[4], strict=True))


def test_fragile_sorts_and_leaves_out_unknowns():
    level = {"stability": {"all": [0.5, None, 0.2, 0.2]}}
    assert shipped.fragile(level, 2) == [(2, 0.2), (3, 0.2)]


def test_the_shipped_report_meets_the_targets():
    """The consensus agrees with independent runs better than these do with each other, at both levels."""
    report = shipped.load_stability()
    assert not set(report["voters"]["seeds"]) & set(report["judges"]["seeds"])
    for k, level in zip((10, 100), report["levels"].values(), strict=True):
        summary = level["summary"]
        assert summary["consensus"]["interval"][0] > summary["all single runs"]["interval"][1]
        assert summary["gain"]["interval"][0] > 0
        assert all(v["consensus"] > v["singles"] for v in level["left_out"].values())
        assert len(level["stability"]["all"]) == 1000
        tree = load_hierarchy("consensus").levels[0 if k == 10 else 1]
        assert tree.k == k


def test_the_mended_consensus_meets_its_targets():
    """Fewer odd members, more alike inside, nested, and still nearer to independent runs than these are to each other."""
    wup, report = wup_matrix(), shipped.load_stability()
    plain, mended = load_hierarchy("consensus"), load_hierarchy("consensus-mended")
    assert mended.nested
    assert mended.ks == plain.ks
    assert len(measures.odd_members(mended.levels[0].assignment, wup)) < 0.02 * 1000
    for i, level in enumerate(report["levels"].values()):
        old, new = (h.levels[i].assignment for h in (plain, mended))
        assert len(measures.odd_members(new, wup)) < len(measures.odd_members(old, wup)) / 2
        assert measures.separation(new, wup).intra > measures.separation(old, wup).intra
        judges = level["references"]["consensus-mended"]["judges"]
        assert np.mean(judges) > level["summary"]["all single runs"]["interval"][1]
        assert level["references"]["consensus-mended"]["consensus"] == pytest.approx(measures.ari(old, new), abs=1e-4)


@pytest.mark.lab
@pytest.mark.slow
def test_a_judge_can_be_run_again(lab):
    from hiercodec.taxonomy.embeddings import from_folder

    report = shipped.load_stability()
    embedding = from_folder(lab / "clip")["clip-h14"]
    seed = report["judges"]["seeds"][0]
    run = making.single_runs({"clip-h14": embedding}, [10], [seed], n_init=report["judges"]["n_init"])[10][0]
    level = report["levels"]["10"]
    tree = load_hierarchy("consensus").level("coarse").assignment
    position = level["runs"].index(["clip-h14", seed])
    assert measures.ari(tree, run.groups) == pytest.approx(level["consensus"][position], abs=2e-4)


def test_names_are_words_and_all_different():
    index = {c.name: c.index for c in classes()}
    dogs = [index[n] for n in ("beagle", "boxer", "pug", "Samoyed")]
    birds = [index[n] for n in ("robin", "jay", "magpie")]
    other = [i for i in range(1000) if i not in dogs + birds]
    assignment = np.zeros(1000, int)
    assignment[dogs], assignment[birds], assignment[other] = 0, 1, 2
    names = [c.name for c in classes()]
    labels = name_groups(assignment, names, np.eye(1000), graph=wordnet_graph())
    assert labels[0] == "dogs"
    assert "birds" in labels[1]
    assert len(set(labels)) == 3


def test_equal_names_are_told_apart_by_typical_classes():
    index = {c.name: c.index for c in classes()}
    first = [index[n] for n in ("robin", "jay", "magpie", "ostrich")]
    second = [index[n] for n in ("goldfinch", "junco", "bulbul", "kite")]
    assignment = np.full(1000, 2)
    assignment[first], assignment[second] = 0, 1
    labels = name_groups(assignment, [c.name for c in classes()], np.eye(1000), graph=wordnet_graph())
    assert len(set(labels)) == 3


def test_own_classes_are_named_after_their_most_typical_members():
    similarity = np.array([[1, 0.9, 0.2, 0], [0.9, 1, 0.8, 0], [0.2, 0.8, 1, 0], [0, 0, 0, 1.0]])
    assert name_groups(np.array([0, 0, 0, 1]), [*"abcd"], similarity) == ("b, a, c", "d")


def test_alignment_undoes_turn_mirror_scale_and_shift():
    points = np.random.default_rng(0).normal(size=(30, 2))
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert makers.align(3 * points @ turn @ np.diag([1, -1]) + [5, -2], points) == pytest.approx(points)


def test_shipped_maps_are_aligned_and_list_real_neighbours():
    names = shipped.available_layouts()
    assert names[0] == "clip-b16"
    assert len(names) == 4
    first = shipped.load_layout(names[0])
    for name in names:
        layout = shipped.load_layout(name)
        assert layout.points.shape == (1000, 2)
        assert layout.nearest.shape == (1000, 5)
        assert (layout.nearest != np.arange(1000)[:, None]).all()
        assert makers.align(layout.points, first.points) == pytest.approx(layout.points, abs=0.01)
        assert layout.provenance["umap"]["random_state"] == 7
    dog = next(c.index for c in classes() if c.name == "beagle")
    assert any("hound" in classes()[i].name for i in first.nearest[dog])


def test_maps_are_stored_to_three_decimals(embeddings):
    layout = shipped.Layout("a", "A", np.array([[0.12345, 1.0]]), np.array([[0]]), {"x": 1})
    assert json.loads(makers.dump_layout(layout)) == {
        "title": "A",
        "provenance": {"x": 1},
        "points": [[0.123, 1.0]],
        "nearest": [[0]],
    }
