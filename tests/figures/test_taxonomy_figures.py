"""The figures of the hierarchy pages: what is drawn, and that it can be read in both themes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from hiercodec.figures import agreement
from hiercodec.figures import taxonomy as figures
from hiercodec.figures.palette import contrast, palette
from hiercodec.taxonomy import HierarchyLevel, load_hierarchy, make_hierarchy

MODES = ("light", "dark")


@pytest.fixture(scope="module")
def small():
    """Six classes; the lower level does not nest."""
    top = HierarchyLevel("coarse", 2, np.array([0, 0, 0, 1, 1, 1]), ("pets, dogs", "tools"))
    low = HierarchyLevel("finer", 3, np.array([0, 0, 1, 1, 2, 2]), ("p", "q", "r"))
    return make_hierarchy("small", [top, low], class_names=tuple("abcdef"))


def drawn(fig: go.Figure) -> go.Figure:
    fig.to_json()  # must serialise
    return fig


@pytest.mark.parametrize("mode", MODES)
def test_map_has_a_trace_a_group_and_knows_its_classes(mode):
    points = np.random.default_rng(0).normal(size=(40, 2))
    groups = np.arange(40) % 4
    colours = figures.group_colours(4, None, mode)
    hover = [f"class {i}" for i in range(40)]
    fig = drawn(
        figures.class_map(points, groups, ["one, more", "two", "three", "four"], hover, colours=colours, mode=mode)
    )
    assert [t.name for t in fig.data] == ["one, more", "two", "three", "four"]
    assert sorted(np.concatenate([t.customdata for t in fig.data])) == list(range(40))
    assert len({t.marker.symbol for t in fig.data}) == 4
    assert {a.text for a in fig.layout.annotations} == {"<b>one</b>", "<b>two</b>", "<b>three</b>", "<b>four</b>"}
    assert all(contrast(c, palette(mode).background) >= 3 for c in colours)


def test_map_greys_what_is_not_lit_and_rings_what_is_found():
    points = np.random.default_rng(0).normal(size=(40, 2))
    groups = np.arange(40) % 2
    names = [f"class {i}" for i in range(40)]
    fig = figures.class_map(
        points, groups, ["x", "y"], names, colours=["#000000"] * 2, lit=groups == 1, found=[5], names=names
    )
    assert [(t.name, len(t.x)) for t in fig.data] == [("not selected", 20), ("y", 20), ("found", 1)]
    assert "<b>class 5</b>" in [a.text for a in fig.layout.annotations]


def test_equal_first_words_keep_their_brackets():
    points = np.random.default_rng(0).normal(size=(40, 2))
    labels = ["dog (pug, boxer)", "dog (collie)"]
    fig = figures.class_map(points, np.arange(40) % 2, labels, [""] * 40, colours=["#000000"] * 2)
    assert {a.text for a in fig.layout.annotations} == {"<b>dog (pug, boxer)</b>", "<b>dog (collie)</b>"}


def test_siblings_share_a_hue_and_differ_in_lightness():
    colours = figures.group_colours(5, [0, 0, 0, 1, 1])
    assert len(set(colours)) == 5
    assert figures.group_colours(1, [3]) == [palette("light").group(3)]


@pytest.mark.parametrize("mode", MODES)
def test_tree_adds_up(mode):
    tree = load_hierarchy("wordnet")
    rows = figures.tree_nodes(tree)
    value = dict(zip(rows["ids"], rows["values"], strict=True))
    for node, total in value.items():
        children = [v for i, v, p in zip(rows["ids"], rows["values"], rows["parents"], strict=True) if p == node]
        assert not children or sum(children) == total, (node, children)
    assert value["all"] == 1000
    assert len(set(rows["ids"])) == len(rows["ids"])
    fig = drawn(figures.tree(tree, root="all/0", mode=mode))
    assert fig.data[0].level == "all/0"
    for ground, ink in zip(fig.data[0].marker.colors, fig.data[0].textfont.color, strict=True):
        assert contrast(ground, ink) >= 3.8


def test_a_group_under_two_parents_is_drawn_twice(small):
    rows = figures.tree_nodes(small)
    assert [i for i in rows["ids"] if i.count("/") == 2] == ["all/0/0", "all/0/1", "all/1/1", "all/1/2"]
    assert rows["labels"][1] == "pets, dogs"


@pytest.mark.parametrize("mode", MODES)
def test_comparisons_draw(mode):
    few = drawn(agreement.sizes({"a": np.array([3, 9]), "b": np.array([1, 2, 9])}, mode=mode))
    assert [list(t.y) for t in few.data] == [[9, 3], [9, 2, 1]]
    many = drawn(agreement.sizes({"a": np.arange(1, 40)}, mode=mode))
    assert many.data[0].line.shape == "hv"
    curves = {"a": [(2, 0.5), (10, 0.2)], "b": [(3, 0.9)]}
    assert drawn(agreement.against_k(curves, y="share", at=10, percent=True, mode=mode)).layout.xaxis.type == "log"
    rows = [("x", 0.5, 0.4, 0.6), ("y", 0.7, 0.6, 0.9)]
    fig = drawn(agreement.intervals(rows, x="ARI", mode=mode))
    assert fig.data[1].error_x.array[0] == pytest.approx(0.2)
    assert fig.data[1].error_x.arrayminus[0] == pytest.approx(0.1)


def test_agreement_writes_every_number_that_there_is():
    values = np.eye(3)
    values[0, 1] = np.nan
    fig = agreement.agreement_map(values, ["x", "y", "z"], title="ARI")
    assert len(fig.layout.annotations) == 8
    assert list(fig.layout.xaxis.ticktext) == ["x", "y", "z"]


def test_short_keeps_short_texts():
    assert figures.short("dog", 10) == "dog"
    assert figures.short("invertebrate, reptile", 14) == "invertebrate…"


def test_the_font_list_is_quoted():
    assert '"Source Sans 3"' in figures.canvas("light", height=100).layout.font.family
