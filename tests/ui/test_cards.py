"""Cards in words: absent figures are "not measured", weak ones are called weak."""

from __future__ import annotations

import pytest

from hiercodec.report import cards, measured


def codec_card(coarse=0.2, bpp=0.6, psnr=32.0):
    rows = {"coarse": {"bpp": coarse, "psnr": 25.0}, "fine": {"bpp": bpp, "psnr": psnr}}
    return {"preset": {}, "validation": {"levels": rows, "photos": 24}}


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "not measured"), (0.25, "0.25"), (1234567, "1,234,567.00"), (True, "not measured"), ("x", "not measured")],
)
def test_numbers(value, words):
    assert cards.number(value) == words


def test_strong_weights_have_no_banner():
    assert cards.weaknesses(codec_card()) == []


@pytest.mark.parametrize("card", [codec_card(coarse=0.4), codec_card(bpp=0.9), codec_card(psnr=28.0)])
def test_weak_codecs_are_called_so_with_their_figures(card):
    (words,) = cards.weaknesses(card)
    assert "24 held-out photographs" in words
    assert f"{card['validation']['levels']['fine']['psnr']:.1f} dB" in words


def test_unmeasured_codecs_are_called_so():
    assert "not been measured" in cards.weaknesses({"preset": {}})[0]


def test_rows_of_a_calibration():
    row = {"top1": 0.705, "ece_before": 0.2, "ece_after": 0.05, "nll_before": 2.0, "nll_after": 1.5}
    rows = cards.calibration({"held_out": row, "held_out_by_prefix": {"coarse": row | {"top1": 0.5}}})
    assert [(r["prefix"], r["top-1 (%)"], r["ECE after"]) for r in rows] == [
        ("all prefixes", 70.5, 0.05),
        ("kind", 50.0, 0.05),
    ]
    assert cards.calibration({}) == []


def test_judges_that_sat_in_no_loss_come_first_and_the_others_are_named():
    names, meta = ["timm:mobilenetv2_100", "lite0", "timm:unheard"], {"provenance": {"models": {"lite": "00"}}}
    card = {"training": {"classifiers": ["timm:mobilenetv2_100@weights.safetensors"]}}
    sat = measured.judges_of(meta, names, {"lite": card})
    assert sat == {"lite0": False, "timm:unheard": False, "timm:mobilenetv2_100": True}
    assert next(iter(sat)) == "lite0"
    assert set(measured.judges_of(meta, names, {}).values()) == {None}
    meta["provenance"]["judges"] = {"lite0": {"in_loss": {"lite": True}}}
    assert measured.judges_of(meta, names, {"lite": card})["lite0"] is True, "the file's own word counts first"
    assert "sat in the codec's loss" in measured.judge("timm:x", True)
    assert "never sat" in measured.judge("lite0", False)


def tic_card():
    return {**codec_card(), "preset": {"name": "tic", "transform": "tic"}}


def test_tic_is_missed_only_where_it_is_missing():
    words = cards.missing_tic({"lite": codec_card()})
    assert "not shipped" in words
    assert cards.TRAIN_TIC in words
    assert cards.missing_tic({"lite": codec_card(), "tic": tic_card()}) is None


def test_the_command_that_trains_tic_names_configs_that_exist():
    for word in cards.TRAIN_TIC.split():
        if word.endswith(".toml"):
            assert (cards.RESULTS.parents[1] / word).is_file()


def test_a_large_network_asks_for_patience():
    assert "CPU" in cards.slow(tic_card())
    assert cards.slow(codec_card()) is None
    assert any("CPU" in words for words in cards.weaknesses(tic_card()))


def test_the_switch_says_what_is_missing_or_slow():
    (missing,) = cards.about_switch({"lite": codec_card()}, "lite")
    assert "not shipped" in missing
    both = {"lite": codec_card(), "tic": tic_card()}
    assert cards.about_switch(both, "lite") == []
    (patience,) = cards.about_switch(both, "tic")
    assert "CPU" in patience
