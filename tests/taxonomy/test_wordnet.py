from __future__ import annotations

import numpy as np
import pytest

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import class_of, classes
from hiercodec.taxonomy.cuts import cut_hierarchy, depth_cut, depth_near, depth_sizes
from hiercodec.taxonomy.measures import balance, separation
from hiercodec.taxonomy.similarity import wup_eq1, wup_matrix, wup_nltk
from hiercodec.taxonomy.wordnet import build_graph, shortest_path, wordnet_graph

# a ── b ── d ── f(class 0);  a ── c ── e(class 1);  e also under d: class 1 has two paths to the root
SMALL = [
    ("n5", "f.n.01", "f", (4,)),
    ("n4", "e.n.01", "e", (3, 4)),
    ("n1", "a.n.01", "a", ()),
    ("n2", "c.n.01", "c", (2,)),
    ("n3", "d.n.01", "d", (5,)),
    ("n0", "b.n.01", "b", (2,)),
]


def index(name):
    return class_of(name).index


def test_small_graph_depths_and_distances():
    g = build_graph(SMALL, 2)
    assert g.min_depth.tolist() == [3, 2, 0, 1, 2, 1]
    assert g.max_depth.tolist() == [3, 3, 0, 1, 2, 1]
    assert g.distance[1, :].tolist() == [32000, 0, 2, 1, 1, 2]
    assert g.ancestors.shape == (2, 6)
    assert [g.labels[i] for i in shortest_path(g, 1)] == ["a", "c", "e"]
    assert [g.labels[i] for i in shortest_path(g, 0)] == ["a", "b", "d", "f"]


def test_small_graph_similarity_by_hand():
    g = build_graph(SMALL, 2)
    # LCS of f and e is d: shortest depth 2, longest 2, so 3 nodes; one edge from each
    assert wup_nltk(g)[0, 1] == wup_nltk(g)[1, 0] == 2 * 3 / (2 * 3 + 2)
    # NLTK's self-similarity of e: e and d are equally deep by shortest paths, and the synset itself is preferred
    assert wup_nltk(g).diagonal().tolist() == [1.0, 1.0]
    assert wup_eq1(g)[0, 1] == 2 * 3 / (4 + 4)
    assert wup_eq1(g).diagonal().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("n0", "a.n.01", "a", (1,)), ("n1", "b.n.01", "b", (0,))], "exactly one root"),
        ([("n0", "a", "a", ()), ("n1", "b", "b", (2, 0)), ("n2", "c", "c", (1,))], "cycle"),
        ([("n0", "a", "a", ()), ("n1", "b", "b", (7,))], "does not hold"),
    ],
)
def test_broken_graphs_are_refused(rows, message):
    with pytest.raises(HierarchyError, match=message):
        build_graph(rows, 1)


def test_golden_similarities_of_the_paper():
    m = wup_matrix()
    vulture = index("vulture")
    assert m[vulture, index("airliner")] == pytest.approx(0.320, abs=5e-4)
    assert m[vulture, index("black grouse")] == pytest.approx(0.769, abs=5e-4)
    assert m[vulture, index("kite")] == pytest.approx(0.880, abs=5e-4)


def test_nltk_semantics_have_their_known_quirks():
    m = wup_matrix()
    assert ((m.diagonal() < 1).sum(), round(m.diagonal().mean(), 3)) == (107, 0.979)
    assert np.array_equal(m, m.T)
    eq1 = wup_matrix("eq1")
    assert (eq1.diagonal() == 1).all()
    assert eq1.max() == 1.0
    assert eq1.min() > 0
    with pytest.raises(ValueError, match="no measure"):
        wup_matrix("other")


def test_the_cut_collapses_as_in_the_paper():
    assert depth_near(10) == 3
    groups, labels = depth_cut(3)
    found = separation(groups, wup_matrix())
    assert found.intra == pytest.approx(0.472, abs=0.002)
    assert found.inter == pytest.approx(0.270, abs=0.006)
    assert balance(groups).largest_share > 0.9
    assert len(set(labels)) == len(labels)


def test_cuts_nest_from_one_group_to_every_class_alone():
    sizes = depth_sizes()
    assert sizes[0] == (0, 1)
    assert sizes[-1][1] == 1000
    assert [k for _, k in sizes] == sorted(k for _, k in sizes)
    h = cut_hierarchy([3, 6], level_names=["coarse", "intermediate"])
    assert h.nested
    assert h.names == ("coarse", "intermediate", "fine")
    for depth in (5, 9, 12):
        assert len(set(depth_cut(depth)[1])) == len(depth_cut(depth)[1])
    with pytest.raises(HierarchyError, match="depth is 0 or more"):
        depth_cut(-1)
    with pytest.raises(HierarchyError, match="K is 1 or more"):
        depth_near(0)


@pytest.mark.lab
def test_equal_to_nltk_on_5000_random_pairs_and_all_self_pairs(lab):
    from tools.wordnet import nltk_wordnet

    wordnet = nltk_wordnet(str(lab / "nltk_data"))
    synsets = [wordnet.synset_from_pos_and_offset("n", int(c.wnid[1:])) for c in classes()]
    m = wup_matrix()
    pairs = np.random.default_rng(2026).integers(0, 1000, (5000, 2))
    wrong = [(i, j) for i, j in pairs if synsets[i].wup_similarity(synsets[j]) != m[i, j]]
    assert wrong == []
    assert [i for i in range(1000) if synsets[i].wup_similarity(synsets[i]) != m[i, i]] == []


@pytest.mark.lab
def test_assets_are_what_the_corpus_gives(lab):
    pytest.importorskip("timm")
    from hiercodec.taxonomy.classes import CLASSES_FILE
    from hiercodec.taxonomy.wordnet import WORDNET_FILE
    from tools import wordnet as wordnet_build

    wordnet = wordnet_build.nltk_wordnet(str(lab / "nltk_data"))
    wnids = wordnet_build.imagenet_wnids()
    assert wordnet_build.classes_json(wordnet, wnids) == CLASSES_FILE.read_text(encoding="utf-8")
    assert wordnet_build.graph_json(wordnet, wnids) == WORDNET_FILE.read_text(encoding="utf-8")
    g = wordnet_graph()
    for i in range(0, len(g.keys), 37):
        synset = wordnet.synset(g.keys[i])
        assert (g.min_depth[i], g.max_depth[i]) == (synset.min_depth(), synset.max_depth())
