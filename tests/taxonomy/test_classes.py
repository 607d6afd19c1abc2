from __future__ import annotations

import pytest

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import class_of, classes, search


def test_thousand_classes_with_unique_wnids_and_names():
    assert [c.index for c in classes()] == list(range(1000))
    assert len({c.wnid for c in classes()}) == 1000
    assert len({c.name for c in classes()}) == 1000
    assert [c.wnid for c in classes()] == sorted(c.wnid for c in classes())  # the standard order is by wnid


def test_shared_names_give_both_classes_and_carry_their_hypernym():
    assert [c.index for c in search("crane")][:2] == [134, 517]
    assert [c.index for c in search("maillot")] == [638, 639]
    assert class_of("n03126707").name == "crane (lifting device)"
    with pytest.raises(HierarchyError, match=r"'crane' names 2 classes: .*n02012849.*n03126707"):
        class_of("crane")


@pytest.mark.parametrize(
    ("query", "index"),
    [("n01440764", 0), ("0", 0), ("Tinca tinca", 0), ("TENCH", 0), ("great_white_shark", 2), ("white shark", 2)],
)
def test_search_by_any_key(query, index):
    assert search(query)[0].index == index


def test_search_order_and_limits():
    assert search("") == [] == search("   ")
    assert search("no such thing") == []
    assert len(search("terrier")) > 20
    assert all(any("terrier" in name for name in c.names) for c in search("terrier"))
    assert len(search("a", limit=7)) == 7


@pytest.mark.parametrize("key", [-1, 1000, "nothing", "n99999999"])
def test_unknown_classes_are_named_in_the_error(key):
    with pytest.raises(HierarchyError, match=str(key)):
        class_of(key)
