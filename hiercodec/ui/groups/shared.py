"""What the views of the page share: cached assets, choosing a hierarchy, classes as rows, sentences with figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from hiercodec import taxonomy
from hiercodec.errors import HierarchyError
from hiercodec.levels import SPOKEN, spoken
from hiercodec.report.links import title
from hiercodec.taxonomy import Hierarchy, HierarchyLevel, measures
from hiercodec.taxonomy.embeddings import known_embedding
from hiercodec.taxonomy.hierarchy import IMAGENET
from hiercodec.taxonomy.hierarchy_file import DEFAULT
from hiercodec.taxonomy.measures import ODD_MARGIN, Odd
from hiercodec.taxonomy.shipped import Layout, load_stability
from hiercodec.taxonomy.shipped import load_layout as _load_layout
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.frame import cached, chrome

OWN = "taxonomy_own"
PLAIN, MENDED = "consensus", "consensus-mended"
COUNTS = (
    "An answer that names this group counts as right for them too: right means the group that the hierarchy puts a class "
    "in, not the one that WordNet would."
)
ASSETS_COMMAND = "python -m tools.assets taxonomy all --embeddings DIR --nltk-data DIR"


@st.cache_resource(max_entries=8, show_spinner=False)
def layout(name: str) -> Layout:
    """A shipped map."""
    return _load_layout(name)


@st.cache_resource(max_entries=1, show_spinner=False)
def stability() -> dict[str, Any]:
    """The shipped stability report."""
    return load_stability()


def own() -> dict[str, Hierarchy]:
    """Hierarchies the visitor made or opened in this session."""
    return st.session_state.setdefault(OWN, {})


def names(*, imagenet_only: bool = False) -> list[str]:
    """Every hierarchy on offer: the visitor's first, then the consensus, then the others that are installed."""
    mine = [n for n, h in own().items() if not imagenet_only or h.class_set == IMAGENET]
    return [*mine, *taxonomy.available_hierarchies(imagenet_only=imagenet_only)]


def get(name: str) -> Hierarchy:
    """A hierarchy by the name that `names` gives."""
    return own()[name] if name in own() else cached.load_hierarchy(name)


def plural(level: str) -> str:
    """What the groups of a level are called: kinds, families, classes; "level 1 groups" where it has a name of its own.

    >>> plural("intermediate"), plural("level 1")
    ('families', 'level 1 groups')
    """
    word = SPOKEN.get(level)
    return {"kind": "kinds", "family": "families", "class": "classes"}[word] if word else f"{level} groups"


def model_title(name: str) -> str:
    """An embedding's title."""
    known = known_embedding(name)
    return known.title if known else name


def rows_of(indexes: Sequence[int] | np.ndarray, hierarchy: Hierarchy) -> list[dict[str, Any]]:
    """Table rows of classes: index, wnid, name, and the label of every level above."""
    classes = taxonomy.classes()
    return [
        {
            "index": int(i),
            "wnid": classes[i].wnid,
            "class": classes[i].name,
            **{spoken(level.name): level.labels[level.assignment[i]] for level in hierarchy.levels[:-1]},
        }
        for i in indexes
    ]


def hover_texts(hierarchy: Hierarchy, places: Layout) -> list[str]:
    """For every class: its name, its path, its nearest classes."""
    classes = taxonomy.classes()
    texts = []
    for c in classes:
        path = " › ".join(hierarchy.path(c.index)[:-1])
        near = ", ".join(classes[j].name for j in places.nearest[c.index])
        texts.append(f"<b>{c.name}</b> ({c.wnid})<br>{path}<br>nearest: {near}")
    return texts


def mean_wup(indexes: Sequence[int] | np.ndarray) -> float:
    """Mean WUP of all pairs among these classes; NaN for fewer than two."""
    chosen = np.asarray(indexes, int)
    return measures.separation(np.zeros(len(chosen), int), wup_matrix()[np.ix_(chosen, chosen)]).intra


def wup_help() -> str:
    """What a mean WUP says, and what it is among all classes."""
    overall = measures.separation(np.zeros(1000, int), wup_matrix()).intra
    return f"WordNet similarity (WUP) of all pairs among them, 0 to 1; all 1000 classes have {overall:.2f}."


def pick(label: str, *, key: str, width: int) -> Hierarchy:
    """A menu of hierarchies; the address carries the choice. A tree just made by the visitor is chosen at once."""
    options = names()
    if not options:
        raise HierarchyError("no hierarchy is shipped")
    if (fresh := st.session_state.pop(f"{key}_fresh", None)) in options:
        st.session_state[key] = fresh
    return get(chrome.menu(label, key, options, default=DEFAULT, format_func=title, width=width))


def nesting_sentence(tree: Hierarchy) -> str:
    """How far the levels are from nesting, in words."""
    return " ".join(
        f"{n.inside} of {n.groups} {plural(n.level)} lie inside one group above ({n.purity:.0%} of the classes do)."
        for n in measures.nesting(tree)[:-1]
    )


def conclusion(tree: Hierarchy) -> str:
    """What may be concluded from the map, in one sentence with this hierarchy's figures."""
    top = tree.levels[0]
    even = measures.balance(top.assignment)
    words = (
        f"**What this shows.** {title(tree.name)} splits {tree.n_classes} classes into {even.k} {plural(top.name)}; "
    )
    words += f"the largest holds {even.largest_share:.0%}"
    if tree.class_set == IMAGENET:
        apart = measures.separation(top.assignment, wup_matrix())
        if not np.isnan(apart.gap):
            words += f", and two classes of one group are {apart.intra:.2f} alike in WordNet"
            words += f" where two of different groups are {apart.inter:.2f}"
    words += ". " + ("Every group lies inside one group above: a tree." if tree.nested else nesting_sentence(tree))
    return words + " Distances on the map are a sketch: UMAP keeps neighbours, not scale, and its axes mean nothing."


def footer(tree: Hierarchy, place: str | None = None) -> dict[str, Any]:
    """Where a hierarchy and a map come from."""
    p = tree.provenance
    return {
        "hierarchy": f"{tree.name} ({p.get('method', 'own file')}{', seed ' + str(p['seed']) if 'seed' in p else ''})",
        "digest": tree.digest,
        "map": f"UMAP of {place}" if place else None,
        "similarity": "WUP as NLTK computes it, WordNet 3.0",
        "scikit-learn": p.get("tools", {}).get("scikit-learn") if isinstance(p.get("tools"), dict) else None,
    }


# ---- what the groups of a hierarchy hold that does not belong there ----------------------------------------------------
def odd(tree: Hierarchy, level: HierarchyLevel) -> list[Odd]:
    """Odd members of all groups of a level of the 1000 classes, oddest first."""
    return [row for row in _nearer(tree.digest, level.name, level.assignment) if row.margin > ODD_MARGIN]


@st.cache_data(max_entries=64, show_spinner=False)
def _nearer(digest: str, level: str, _assignment: np.ndarray) -> list[Odd]:
    return measures.odd_members(_assignment, wup_matrix(), margin=0.0)


def nearer_elsewhere(tree: Hierarchy, level: HierarchyLevel, group: int) -> list[Odd]:
    """Members of one group that are nearer to another by any margin, the odd ones first."""
    return [row for row in _nearer(tree.digest, level.name, level.assignment) if row.group == group]


def odd_rows(rows: Sequence[Odd], level: HierarchyLevel) -> list[dict[str, Any]]:
    """The same as rows of a table."""
    return [
        {
            "class": taxonomy.classes()[row.index].name,
            "nearer to": level.labels[row.nearer],
            "by (WUP)": round(row.margin, 2),
        }
        for row in rows
    ]


def group_sentence(rows: Sequence[Odd], size: int, level: HierarchyLevel) -> str:
    """How many members of a group belong elsewhere by WordNet (`nearer_elsewhere`), and what that means for an answer."""
    if not rows:
        return f"By WordNet (WUP) no class in here is nearer to another {spoken(level.name)}."
    count = sum(row.margin > ODD_MARGIN for row in rows)
    return (
        f"**Odd members: {count}** of {size} are nearer to another {spoken(level.name)} by WUP, by more than {ODD_MARGIN}; "
        f"{len(rows) - count} more by less. {COUNTS}"
    )


def level_sentence(tree: Hierarchy) -> str:
    """How many classes are odd at each level above the classes."""
    shares = [f"{len(odd(tree, level)) / tree.n_classes:.1%} at {level.k} {plural(level.name)}"
              for level in tree.levels[:-1]]  # fmt: skip
    return (
        f"**Odd members.** By WordNet some classes are nearer to another group than to their own (WUP, by more than "
        f"{ODD_MARGIN}): {', '.join(shares)}. An answer that names their group counts as right all the same. Choose a "
        "group to see which they are."
    )
