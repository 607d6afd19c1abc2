"""The Models page shows what the cards say and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from streamlit.testing.v1 import AppTest

from hiercodec.classify import PACKAGED, card_of
from hiercodec.ui.frame import cached
from hiercodec.ui.results import cards
from tests.ui.test_cards import ablation_results

PAGE = Path(__file__).resolve().parents[2] / "pages" / "models.py"


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.title, at.header, at.markdown, at.caption) for item in kind)


def test_shipped_cards_are_drawn():
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    said = words(at)
    for name, card in cached.cards().items():
        assert name in said
        assert card["fingerprint"] in said
    for name, known in PACKAGED.items():
        assert f"Classifier “{name}”" in said
        assert known.sha256[:12] in said
        assert card_of(name)["command"] in said
    assert said.count("in the loss of lite: **no**") == len(PACKAGED)


def test_learning_curves_are_drawn_from_the_shipped_log():
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert [item.value for item in at.subheader].count("Learning curves") == 1
    assert "`lite_log.jsonl`" in words(at)


def test_bare_cards_say_not_measured(monkeypatch):
    monkeypatch.setattr(cached, "cards", lambda: {"lite": {"preset": {}, "fingerprint": "abcd"}})
    monkeypatch.setitem(PACKAGED, "lite0", dataclasses.replace(PACKAGED["lite0"], sha256="0" * 64))
    monkeypatch.setitem(PACKAGED, "lite2", dataclasses.replace(PACKAGED["lite2"], sha256="0" * 64))
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    assert words(at).count("not measured") >= 3
    results = [cards.ablation_arms(cards.results("ablation"))] * 2 + [cards.results("tic-proof")]
    assert len(at.dataframe) == sum(map(bool, results)), "nothing was measured of these weights"


def test_without_cards_it_says_how_to_train(monkeypatch):
    monkeypatch.setattr(cached, "cards", dict)
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    assert any("train" in item.value for item in at.code)


def test_the_proof_of_tic_shows_what_it_reached_beside_lite():
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert "Proof at reduced size" in [item.value for item in at.subheader]
    found = cards.results("tic-proof")
    rows = cards.compared(found["against_lite"])
    assert len(rows) == 3 * len(found["against_lite"]["models"])
    assert rows[0]["model"].startswith("lite, ")
    assert rows[2]["prefix"] == "fine"
    assert any(frame.value.to_dict("records") == rows for frame in at.dataframe)
    assert found["against_lite"]["command"] in words(at)


def test_tic_is_a_card_or_a_word_on_how_to_train_it(monkeypatch):
    card = {"preset": {"transform": "tic"}, "fingerprint": "abcd"}
    monkeypatch.setattr(cached, "cards", lambda: {"tic": card})
    with_weights = words(AppTest.from_file(str(PAGE), default_timeout=30).run())
    assert "A large network on a CPU" in with_weights
    assert "not shipped" not in with_weights
    monkeypatch.setattr(cached, "cards", lambda: {"lite": {"preset": {"transform": "lite"}}})
    without = words(AppTest.from_file(str(PAGE), default_timeout=30).run())
    assert cards.TRAIN_TIC in without
    assert "A large network" not in without


def test_ablations_are_shown_with_what_they_were_measured_by(monkeypatch):
    found = {
        **ablation_results(),
        "command": "the command",
        "setting": {"training": {"steps": 7, "preset": "lite", "changes": {"n": 8}}},
        "held_out": {"photos": 5, "labelled": 2},
        "environment": {"classifier": "some classifier"},
        "remarks": ["a remark"],
    }
    found["summary"]["interval"] = "95 %"
    monkeypatch.setattr(cards, "results", lambda name: found if name == "ablation" else {})
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    said = words(at)
    for word in ("the command", "7 steps", "5 held-out", "some classifier", "−1.401 %", "a remark"):
        assert word in said
    assert any("BD-rate (%)" in frame.value for frame in at.dataframe)


def test_without_ablations_it_says_not_measured_and_how(monkeypatch):
    monkeypatch.setattr(cards, "results", lambda name: {})
    at = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not at.exception
    assert "Here: not measured" in words(at)
    assert any("hiercodec ablation" in item.value for item in at.code)
