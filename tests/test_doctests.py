"""The examples in docstrings are true: all of them run, in one test, which says how many there are."""

from __future__ import annotations

import doctest
import importlib

from tests.test_architecture import FILES


def test_examples_in_docstrings_are_true(capsys):
    wrong, tried = [], 0
    for source in FILES:
        if ">>>" not in source.text:
            continue
        found = doctest.testmod(importlib.import_module(source.module), optionflags=doctest.ELLIPSIS)
        tried += found.attempted
        if found.failed:
            wrong.append(source.name)
    assert not wrong, capsys.readouterr().out
    assert tried > 60
