"""The Models page shows what the cards say and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.classify import PACKAGED, card_of
from hiercodec.report import cards
from hiercodec.ui.frame import cached

PAGE = Path(__file__).resolve().parents[2] / "pages" / "results.py"


def words(at: AppTest) -> str:
    kinds = (at.title, at.header, at.markdown, at.caption, at.code)
    return " ".join(item.value for kind in kinds for item in kind)


def open_page() -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=30)
    at.query_params["view"] = "Models"
    at.run()
    assert not at.exception, at.exception
    return at


def test_commands_are_folded_away():
    at = open_page()
    assert at.code
    assert len(at.code) == sum(len(box.code) for box in at.expander)


def test_shipped_cards_are_drawn():
    said = words(open_page())
    for name, card in cached.models().items():
        assert f"Codec {name}" in said
        assert card["fingerprint"] in said


def test_classifiers_say_whether_they_sat_in_a_loss_and_how_honest_they_are():
    at = open_page()
    rows = next(f.value for f in at.dataframe if "classifier" in f.value).set_index("classifier")
    assert list(rows.index) == list(PACKAGED)
    for name, known in PACKAGED.items():
        card = card_of(name)
        assert rows.loc[name, "weights (SHA-256)"] == known.sha256[:12]
        assert rows.loc[name, "in the loss of lite"] == "no"
        assert float(rows.loc[name, "ECE before"]) == pytest.approx(card["held_out"]["ece_before"], abs=6e-4)
        assert float(rows.loc[name, "ECE after"]) == pytest.approx(card["held_out"]["ece_after"], abs=6e-4)
        assert card["command"] in words(at)


def test_learning_curves_are_drawn_from_the_shipped_log():
    at = open_page()
    assert any("Learning curves of lite" in chart.proto.alt for chart in at.get("plotly_chart"))
    assert "`lite_log.jsonl`" in words(at)


def test_bare_cards_say_not_measured(monkeypatch):
    monkeypatch.setattr(cached, "models", lambda: {"bare": {"preset": {}, "fingerprint": "abcd"}})
    monkeypatch.setitem(PACKAGED, "lite0", dataclasses.replace(PACKAGED["lite0"], sha256="0" * 64))
    assert words(open_page()).count("not measured") >= 2, "figures of the codec, calibration of the judge"


def test_without_cards_it_says_how_to_train(monkeypatch):
    monkeypatch.setattr(cached, "models", dict)
    assert any("train" in item.value for item in open_page().code)


def test_tic_is_a_card_or_a_word_on_how_to_train_it(monkeypatch):
    card = {"preset": {"transform": "tic"}, "fingerprint": "abcd"}
    monkeypatch.setattr(cached, "models", lambda: {"tic": card})
    assert "A large network on a CPU" in words(open_page())
    assert "not shipped" not in words(open_page())
    monkeypatch.setattr(cached, "models", lambda: {"lite": {"preset": {"transform": "lite"}}})
    assert cards.TRAIN_TIC in words(open_page())
    assert "A large network" not in words(open_page())
