"""Another question, on Explore and on Results: what is offered, what is answered, and what was not measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hiercodec import tasks
from hiercodec.evaluation.results import rows
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.explore import question
from hiercodec.ui.results import files
from tests.evaluation.some_rows import some_rows

ROOT = Path(__file__).resolve().parents[2]


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.code, at.error, at.info) for item in kind)


class Words:
    """A task that chooses the first word, on the original the last."""

    title, provenance = "questions with the same word", {"weights": "none"}

    def __init__(self, rest, hierarchy, words):
        self.options = list(words)

    def answers(self, pictures):
        return [self.options[-1], *(self.options[0] for _ in pictures[1:])]

    def score(self, answer, reference):
        return float(answer == reference)

    def words(self, answer):
        return [(answer, 0.75)]


@pytest.fixture
def explore(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "clip", Words)
    at = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=60)
    at.session_state["explore_tab"] = "Another question"
    yield at
    question._asked.clear()
    tasks._loaded.cache_clear()


def test_nothing_is_asked_that_nobody_allowed(explore, monkeypatch):
    monkeypatch.delenv(tasks.ALLOWED, raising=False)
    explore.run()
    assert not explore.exception
    assert "No other question can be asked here" in words(explore)
    assert any(tasks.ALLOWED in item.value for item in explore.code)


def test_explore_asks_with_the_visitor_s_words_or_the_hierarchy_s(explore, monkeypatch):
    monkeypatch.setenv(tasks.ALLOWED, "clip:a/b guess:what")
    explore.run()
    assert not explore.exception
    assert "**0.00**" in words(explore)
    kinds = load_hierarchy().levels[0].labels
    assert [kinds[0]] in [frame.value["answer"].tolist() for frame in explore.dataframe]
    explore.text_input(key="explore_words").set_value("a boat, a bridge").run()
    shown = [frame.value["answer"].tolist() for frame in explore.dataframe]
    assert shown.index(["a boat"]) < shown.index(["a bridge"]), "this prefix first, then the original"
    explore.text_input(key="explore_words").set_value("x" * 61).run()
    assert "up to 50 words" in words(explore)
    explore.selectbox(key="explore_question").set_value("guess:what").run()
    assert not explore.exception
    assert "This question cannot be answered: no task" in words(explore)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The page over one file with a task that a codec lacks, and one without."""
    found = some_rows(12, ("lite", "jpeg"))
    scored = found.frame["codec"].ne("jpeg").to_numpy()
    values = [np.array([0.5]) if has else None for has in scored]
    rows.write(tmp_path / "asked.parquet", found.frame.assign(scores=values), {**found.meta, "tasks": ["lpips:alex"]})
    plain = replace(found, meta={**found.meta, "data": {**(found.meta.get("data") or {}), "name": "plain"}})
    rows.write(tmp_path / "plain.parquet", plain.frame, plain.meta)
    monkeypatch.setattr(files, "FOLDER", tmp_path)

    def page(name: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "pages" / "results.py"), default_timeout=60)
        at.query_params.update({"view": "Curves", "rows": name, "y": "lpips:alex"})
        at.run()
        assert not at.exception
        return at

    return page


def test_results_draw_scores_and_say_what_was_not_measured(results):
    asked, plain = results("asked"), results("plain")
    assert len(asked.get("plotly_chart")) == 1
    assert "how alike picture and original look" in words(asked)
    assert "Not measured: JPEG" in words(asked)
    assert "lpips:alex" not in plain.selectbox(key="y").options
    assert "lpips" not in words(plain)
