"""The faults that `tools.mutants` puts in can still be put in: what they change stands in the code, once."""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter

from tests.test_architecture import FILES
from tools import mutants


def test_every_fault_has_its_place():
    text = {source.name: source.text for source in FILES}
    for mutant in mutants.mutants():
        assert text[mutant.path].count(mutant.old) == 1, mutant
        changed = text[mutant.path].replace(mutant.old, mutant.new)
        assert changed != text[mutant.path], mutant
        ast.parse(changed)


def test_every_room_has_three():
    counts = Counter(mutant.room for mutant in mutants.mutants())
    assert set(counts) == set(mutants.FAULTS)
    assert min(counts.values()) >= 3
    assert all((mutants.ROOT / mutant.tests).is_file() for mutant in mutants.mutants())


def test_a_fault_is_put_in_where_only_the_copy_sees_it(tmp_path):
    mutants.house(tmp_path)
    assert not (tmp_path / "hiercodec").is_symlink()
    assert (tmp_path / "assets").is_symlink()
    mutant = next(m for m in mutants.mutants() if m.what == "PSNR has the wrong sign")
    sound = (tmp_path / mutant.path).read_text()
    (tmp_path / "tests" / "only").mkdir()
    test = "from hiercodec.evaluation.metrics import decibels\n\n\ndef test_it():\n    assert decibels(1.0) > 0\n"
    (tmp_path / "tests" / "only" / "test_one.py").write_text(test)
    mutant = dataclasses.replace(mutant, tests="tests/only/test_one.py")
    assert mutants.found(mutant, tmp_path, 100) == "tests/only/test_one.py::test_it"
    assert (tmp_path / mutant.path).read_text() == sound
