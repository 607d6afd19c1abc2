"""Names of groups: what people wrote is true of its group, and what is made says what most of a group is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from hiercodec.taxonomy import available_hierarchies, class_of, load_hierarchy
from hiercodec.taxonomy.hierarchy_file import DEFAULT
from hiercodec.taxonomy.naming import OTHERS, left_out, listed, name_groups, plural, written_names
from hiercodec.taxonomy.wordnet import wordnet_graph

TREE = load_hierarchy()


def words_of(name: str) -> set[str]:
    return set(name.lower().replace(",", " ").replace("&", " ").split())


@pytest.mark.parametrize("level", TREE.levels[:-1], ids=lambda level: level.name)
def test_every_group_of_the_recommended_hierarchy_has_the_name_that_was_written_for_it(level):
    assert tuple(name.text for name in written_names() if name.level == level.name) == level.labels


@pytest.mark.parametrize("name", written_names(), ids=lambda name: name.text)
def test_a_written_name_is_short_and_true_of_most_of_its_group_and_of_no_other_so_well(name):
    assert len(name.text) <= 36
    assert name.covers[name.group].mean() > 0.5, "it says what most of the group is"
    for concept, classes in name.concepts.items():
        assert (classes & ~name.group if concept.startswith("-") else classes & name.group).any(), concept
    level = TREE.level(name.level)
    fits = [
        (name.covers & group).sum() / (name.covers | group).sum()
        for group in np.eye(level.k, dtype=bool)[:, level.assignment]
    ]
    assert np.flatnonzero(name.group)[0] in level.members(int(np.argmax(fits))), "no other group fits it better"


def test_no_two_written_names_are_alike():
    for a, b in combinations(written_names(), 2):
        assert words_of(a.text) != words_of(b.text), (a.text, b.text)


@pytest.mark.parametrize("hierarchy", available_hierarchies())
def test_no_word_stands_for_three_groups_of_a_level(hierarchy):
    """ "Container" was in the names of three kinds of ten."""
    if hierarchy == "wordnet":
        return  # its groups are WordNet's own
    written = {name.text for name in written_names()}
    for level in load_hierarchy(hierarchy).levels[:-1]:
        made = [part.removeprefix("other ") for label in level.labels if label not in written
                for part in label.replace(" & ", ", ").split(", ")]  # fmt: skip
        often = {part for part in made if made.count(part) > 2 and part != OTHERS}
        assert not often


def test_what_a_name_leaves_out_is_known():
    coarse = TREE.level("coarse")
    mammals = coarse.labels.index("other mammals")
    stay = left_out(coarse, mammals)
    assert stay is not None
    assert class_of("tiger shark").index in stay
    assert class_of("lion").index not in stay
    other = load_hierarchy("wordnet").levels[0]
    assert left_out(other, 0) is None, "nobody wrote this one"


def test_another_hierarchy_takes_a_written_name_where_it_is_true_of_its_group():
    graph, names = wordnet_graph(), TREE.levels[-1].labels
    dogs = TREE.level("coarse").labels.index("dogs")
    groups = (TREE.level("coarse").assignment == dogs).astype(int)
    assert name_groups(groups, names, np.eye(1000), graph=graph)[1] == "dogs"
    birds = np.zeros(1000, int)
    birds[[i for i in TREE.level("coarse").members(TREE.level("coarse").labels.index("birds & monkeys"))
           if graph.ancestors[i, graph.keys.index("bird.n.01")]]] = 1  # fmt: skip
    assert name_groups(birds, names, np.eye(1000), graph=graph)[1] == "birds", "no monkey is left in it"


def test_groups_that_no_word_fits_are_named_by_their_most_typical_classes():
    chosen = [class_of(name).index for name in ("dome", "lens cap", "espresso", "hay")]
    groups = np.isin(np.arange(1000), chosen).astype(int)
    label = name_groups(groups, TREE.levels[-1].labels, np.eye(1000), graph=wordnet_graph())[1]
    assert label == "hay, dome & others" or label.endswith(f"& {OTHERS}")
    assert label.count(",") == 1


def test_lists_and_plurals():
    assert listed(["a", "b & c"]) == "a, b & c"
    assert (plural("grouse"), plural("box"), plural("monkey"), plural("armor")) == (
        "grouses",
        "boxes",
        "monkeys",
        "armor",
    )


def test_names_are_those_of_the_default():
    assert TREE.name == DEFAULT
