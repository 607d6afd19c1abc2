"""The Models page shows what the cards say and nothing else."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from hiercodec.ui import cached

PAGE = Path(__file__).resolve().parents[2] / "pages" / "models.py"


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.title, at.header, at.markdown, at.caption) for item in kind)


def test_shipped_cards_are_drawn():
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    said = words(at)
    for name, card in cached.cards().items():
        assert name in said
        assert str(card.get("fingerprint") or card.get("weights_id")) in said


def test_bare_cards_say_not_measured(monkeypatch):
    bare = {"lite": {"preset": {}, "fingerprint": "abcd"}, "classifier": {"kind": "classifier"}}
    monkeypatch.setattr(cached, "cards", lambda: bare)
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    assert words(at).count("not measured") >= 3
    assert not at.dataframe


def test_without_cards_it_says_how_to_train(monkeypatch):
    monkeypatch.setattr(cached, "cards", dict)
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    assert any("train" in item.value for item in at.code)
