"""Cards in words: absent figures are "not measured", weak ones are called weak."""

from __future__ import annotations

import pytest

from hiercodec.ui import cards


def codec_card(coarse=0.2, bpp=0.6, psnr=32.0):
    rows = {"coarse": {"bpp": coarse, "psnr": 25.0}, "fine": {"bpp": bpp, "psnr": psnr}}
    return {"preset": {}, "validation": {"levels": rows, "photos": 24}}


def classifier_card(fine):
    rows = {
        "consensus": {"coarse": {"k": 10, "top1": 90.0}, "fine": {"k": 1000, "top1": fine, "low": 1.0, "high": 99.0}}
    }
    return {"kind": "classifier", "measured": {"top1_percent_with_95_interval": rows}}


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "not measured"), (0.25, "0.25"), (1234567, "1,234,567.00"), (True, "not measured"), ("x", "not measured")],
)
def test_numbers(value, words):
    assert cards.number(value) == words


def test_strong_weights_have_no_banner():
    assert cards.weaknesses(codec_card(), classifier_card(70.0)) == []
    assert cards.weaknesses(codec_card(), None) == []


@pytest.mark.parametrize("card", [codec_card(coarse=0.4), codec_card(bpp=0.9), codec_card(psnr=28.0)])
def test_weak_codecs_are_called_so_with_their_figures(card):
    (words,) = cards.weaknesses(card, None)
    assert "24 held-out photographs" in words
    assert f"{card['validation']['levels']['fine']['psnr']:.1f} dB" in words


def test_weak_and_unmeasured_classifiers_are_called_so():
    assert "9 %" in cards.weaknesses(codec_card(), classifier_card(9.4))[0]
    assert "not been measured" in cards.weaknesses(codec_card(), {"kind": "classifier"})[0]
    assert "not been measured" in cards.weaknesses({"preset": {}}, None)[0]


def test_rows_of_a_measured_data_set():
    shares = {"mobilenet": {"coarse": {"top1": 0.705, "low": 0.6}, "fine": {"agreement": 0.5}}}
    measured = {
        "uncompressed": {"accuracy": shares},
        "points": [{"codec": "lite", "setting": "coarse", "bpp": 0.2, "psnr": 25.0, "accuracy": shares}],
    }
    first, second = cards.points(measured)
    assert first["codec"] == "uncompressed"
    assert second["mobilenet coarse top1 (%)"] == 70.5
    assert second["mobilenet fine agreement (%)"] == 50.0
    assert cards.points({"points": []}) == []
