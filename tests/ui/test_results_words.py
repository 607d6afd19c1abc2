"""The sentences of Results say what the curves hold, wins and losses alike."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.results.bjontegaard import Delta, Lead
from hiercodec.evaluation.results.curves import Curve
from hiercodec.report import measured as words


def made(codec, *mean, bpp=(0.1, 0.2, 0.4)):
    mean = np.array(mean)
    return Curve(codec, ("a", "b", "c"), np.array(bpp), 1000 * np.array(bpp), mean, mean, mean, 100)


OURS = {"kind": made("lite", 0.7, 0.83, 0.9), "class": made("lite", 0.2, 0.4, 0.5)}


def test_what_is_right_at_a_rate_and_what_others_have_there():
    avif = {"kind": made("avif", 0.6, 0.8, 0.9), "class": made("avif", 0.1, 0.3, 0.5)}
    said = words.at_rate("Ours", OURS, {"AVIF": avif}, 0.2, 224 * 224)
    assert said == (
        "At 0.2 bit/pixel (1,254 bytes a photograph) Ours gets the kind right for **83** of 100 photographs and the class "
        "for **40**. AVIF: 80 and 30."
    )
    assert words.at_rate("Ours", OURS, {}, 0.05, None) == "Ours: Measured from 0.10 to 0.40 bit/pixel, not at 0.05."


def test_whether_coarse_comes_first_is_read_off_the_curves():
    first = words.order_of_levels(OURS, {"kind": 0.9, "class": 0.55})
    assert first.startswith("Coarse answers come first")
    assert "for the kind at **0.18** bit/pixel and for the class at **0.39** bit/pixel" in first
    never = words.order_of_levels(OURS, {"kind": 0.9, "class": 0.9})
    assert "for the class not at all" in never
    swapped = {"kind": OURS["class"], "class": OURS["kind"]}
    assert "do not come first" in words.order_of_levels(swapped, {"kind": 0.5, "class": 0.7})


def test_codecs_are_listed_best_first_and_those_that_cannot_be_so_small_by_name():
    curves = [made("lite", 1, 2, 3), made("avif", 2, 3, 4), made("jpeg", 1, 1, 1, bpp=(0.3, 0.5, 0.6))]
    said = words.against(curves, 0.2, unit=" dB", digits=1)
    assert said == "At 0.2 bit/pixel: AVIF **3.0** dB, lite **2.0** dB. No file is that small with JPEG."


def gap(rival, value, low, high, why=""):
    return Delta(rival, "right fine", value, low, high, 1.0, 100, why)


def test_wins_and_losses_alike():
    rows = [gap("avif", -0.1, -0.2, -0.05), gap("jpeg", 0.1, 0.02, 0.2), gap("lite", 0, -0.1, 0.1)]
    said = words.losses_and_wins([*rows, gap("jpeg", None, None, None, "apart")], "Ours", "the class")
    assert said == (
        "By the class, Ours is **ahead of** JPEG; **behind** AVIF; level with lite; not comparable with JPEG."
    )
    assert "**ahead of** AVIF; **behind** JPEG" in words.losses_and_wins(rows, "Ours", "bytes", fewer=True)


def test_the_price_of_ordering_is_said_either_way():
    assert words.at_full([gap("avif", -0.02, -0.03, -0.01)], "Ours", "the class").startswith("Yes")
    free = words.at_full([gap("avif", 0.0, -0.012, 0.01)], "Ours", "the class")
    assert "No cost can be seen" in free
    assert "more than 1.2 points is ruled out" in free


def test_a_lead_is_told_with_where_it_ends():
    rates, mean = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.05, -0.05, -0.1])
    row = Lead(rates, mean, mean - 0.06, mean + 0.06, 9)
    assert row.spans(1) == [(0.1, 0.1)]
    assert row.spans(0) == [(0.2, 0.3)]
    assert row.crossings == [pytest.approx(0.06**0.5)], "half-way on a log scale"
    said = words.lead({"kind": row}, "lite", "AVIF")
    assert said == (
        "**lite against AVIF**, bit/pixel. Kind: **ahead** from 0.10 to 0.10, no clear difference from 0.20 to 0.30, "
        "**behind** from 0.40 to 0.40; the curves cross at **0.24**."
    )


def test_a_lead_ends_once_and_where_nothing_is_clear_it_does_not():
    rates = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    noisy = np.array([0.2, 0.01, -0.01, 0.01, -0.01])
    assert len(Lead(rates, noisy, noisy - 0.05, noisy + 0.05, 9).crossings) == 1
    assert Lead(rates, noisy, noisy - 0.5, noisy + 0.5, 9).crossings == []
    again = np.array([0.2, 0.01, -0.01, 0.2, 0.2])
    assert Lead(rates, again, again - 0.05, again + 0.05, 9).crossings == [], "ahead again: the lead did not end"


def test_text_of_a_file_is_no_markdown():
    assert words.plain("[x](javascript:1)\n# `y`") == r"\[x\](javascript\:1) \# \`y\`"
