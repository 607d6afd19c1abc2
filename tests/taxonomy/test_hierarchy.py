from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from hiercodec.errors import HierarchyError, OutputError
from hiercodec.taxonomy import (
    HierarchyLevel,
    available_hierarchies,
    dump_hierarchy,
    load_hierarchy,
    make_hierarchy,
    parse_hierarchy,
    save_hierarchy,
)

PETS = {
    "format": "hiercodec/hierarchy",
    "version": 1,
    "name": "pets",
    "classes": ["poodle", "beagle", "tabby", "goldfish"],
    "levels": [
        {"name": "a", "groups": {"furry": ["poodle", "beagle", 2], "wet": ["goldfish"]}},
        {"name": "b", "assignment": [0, 0, 1, 2], "labels": ["dog", "cat", "fish"]},
    ],
    "provenance": {"made by": "hand"},
}


def pets(**changes):
    return json.dumps({**PETS, **changes})


def test_own_classes_with_any_number_of_levels():
    h = parse_hierarchy(pets())
    assert h.names == ("a", "b", "fine")
    assert h.ks == (2, 3, 4)
    assert h.nested
    assert h.path(2) == ("furry", "cat", "tabby")
    assert h.level("b").sizes.tolist() == [2, 1, 1]
    assert h.level("b").members(0).tolist() == [0, 1]
    assert h.parents("b")[0].tolist() == [0, 0, 1]
    assert h.provenance == {"made by": "hand"}


def test_one_level_is_a_hierarchy_too():
    assert parse_hierarchy(pets(levels=[])).names == ("fine",)


def test_not_nested_is_seen_and_measured():
    h = parse_hierarchy(pets(levels=[PETS["levels"][0], {"name": "b", "assignment": [0, 1, 2, 2], "labels": [*"xyz"]}]))
    assert not h.nested
    assert h.parents("b")[1].tolist() == [1.0, 1.0, 0.5]


def test_file_round_trip_is_byte_identical(tmp_path):
    h = parse_hierarchy(pets())
    save_hierarchy(h, tmp_path / "pets.json")
    again = load_hierarchy(tmp_path / "pets.json")
    assert dump_hierarchy(again) == dump_hierarchy(h) == (tmp_path / "pets.json").read_text(encoding="utf-8")
    assert again.digest == h.digest


def test_digest_follows_content():
    h = parse_hierarchy(pets())
    other = parse_hierarchy(pets(name="other"))
    moved = parse_hierarchy(pets(levels=[{"name": "a", "assignment": [0, 0, 0, 1], "labels": ["furry", "wet!"]}]))
    assert other.digest == h.digest != moved.digest


def test_levels_are_frozen_and_do_not_freeze_the_callers_array():
    mine = np.array([0, 0, 1])
    level = HierarchyLevel("a", 2, mine, ("x", "y"))
    mine[0] = 1
    assert level.assignment.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="read-only"):
        level.assignment[0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not a hierarchy"),
        ({"version": 2}, "version 2 is not known"),
        ({"name": ""}, '"name" must be text'),
        ({"classes": 4}, "classes."),
        ({"classes": ["poodle", "poodle", "tabby", "goldfish"]}, "'poodle' occurs twice"),
        ({"levels": {}}, "levels: Input should be a valid list"),
        ({"levels": [{"groups": {}}]}, "levels.0.name: Field required"),
        ({"levels": [{"name": "a", "groups": []}]}, "levels.0.groups: Input should be a valid dictionary"),
        ({"levels": [{"name": "a", "groups": {"x": ["poodle"]}}]}, "3 classes are in no group, the first is 'beagle'"),
        ({"levels": [{"name": "a", "groups": {"x": [0, 1, 2, 3], "y": [3]}}]}, "class 3 is in two groups"),
        ({"levels": [{"name": "a", "groups": {"x": [0, 1, 2, "cod"]}}]}, "no class 'cod'"),
        ({"levels": [{"name": "a", "groups": {"x": [0, 1, 2, 4]}}]}, "no class 4"),
        ({"levels": [{"name": "a", "groups": {"x": [0, 1, 2, 3], "y": []}}]}, "group 1 has no class"),
        ({"levels": [{"name": "a", "assignment": [0, 1, 0]}]}, "assigns 3 classes; there are 4"),
        (
            {"levels": [{"name": "a", "assignment": [0, 1, True, 0]}]},
            "assignment.2: Input should be a valid int",
        ),
        ({"levels": [{"name": "a", "assignment": [0, 2, 0, 0], "labels": ["x", "y"]}]}, "class 1 is in group 2"),
        ({"levels": [{"name": "a", "assignment": [0, -1, 0, 0], "labels": ["x"]}]}, "class 1 is in group -1"),
        ({"levels": [{"name": "a", "assignment": [0, 2, 0, 0]}]}, "group 1 has no class"),
        ({"levels": [{"name": "a", "assignment": [0, 10**30, 0, 0]}]}, "levels.0.assignment.1: Input should be less"),
        ({"levels": [{"name": "a", "assignment": [0, 1, 0, 0], "labels": ["x", "x"]}]}, "'x' occurs twice"),
        (
            {"levels": [{"name": "a", "assignment": [0, 1, 0, 0], "labels": ["x", 3]}]},
            "labels.1: Input should be a valid str",
        ),
        ({"levels": list(reversed(PETS["levels"]))}, "coarse to fine"),
        ({"levels": [PETS["levels"][0], {**PETS["levels"][1], "name": "a"}]}, "'a' occurs twice"),
        ({"provenance": 3}, "provenance: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_file_gives_one_clear_line(changes, message):
    with pytest.raises(HierarchyError) as caught:
        parse_hierarchy(pets(**changes), source="my.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("my.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, b"\xff\xfe\x00", '{"a": 1, "a": 2}', "null", "3"])
def test_text_that_is_no_hierarchy(text):
    with pytest.raises(HierarchyError, match="the hierarchy file"):
        parse_hierarchy(text)


def test_a_repeated_key_is_found_in_linear_time():
    """The key that repeats stands behind 60 000 others, which counting every key would take minutes to get past."""
    text = "{" + "".join(f'"{i}":0,' for i in range(60_000)) + '"last":0,"last":0}'
    began = time.process_time()
    with pytest.raises(HierarchyError, match="'last' occurs twice in one object"):
        parse_hierarchy(text)
    assert time.process_time() - began < 2


def test_unknown_names_and_unreadable_paths(tmp_path):
    with pytest.raises(HierarchyError, match=r"no hierarchy 'nonsense'; there are: consensus-mended, .*clip-b16-flat"):
        load_hierarchy("nonsense")
    with pytest.raises(HierarchyError, match="cannot read"):
        load_hierarchy(tmp_path / "missing.json")
    with pytest.raises(HierarchyError, match="cannot read"):
        load_hierarchy(tmp_path)
    with pytest.raises(OutputError, match="cannot write"):
        save_hierarchy(parse_hierarchy(pets()), tmp_path / "missing" / "pets.json")


def test_two_groups_with_the_hierarchys_class_level_taken():
    level = HierarchyLevel("fine", 2, np.array([0, 1, 1]), ("x", "y"))
    assert make_hierarchy("h", [level], class_names=("p", "q", "r")).names == ("fine", "class")


@pytest.mark.parametrize("name", available_hierarchies())
def test_every_shipped_hierarchy_loads_and_says_where_it_comes_from(name):
    h = load_hierarchy(name)
    assert h.name == name
    assert h.n_classes == 1000
    assert h.description
    assert h.provenance


def test_default_is_the_mended_consensus_and_a_tree():
    h = load_hierarchy()
    assert h.name == "consensus-mended"
    assert h.names == ("coarse", "intermediate", "fine")
    assert h.ks == (10, 100, 1000)
    assert h.nested
    assert h.level("coarse").sizes.max() < 200


def test_importing_the_package_needs_only_numpy():
    heavy = "torch sklearn scipy nltk open_clip umap pandas plotly streamlit timm"
    code = "import sys, hiercodec.taxonomy as t; t.load_hierarchy(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(heavy.split()) & set(done.stdout.split())
