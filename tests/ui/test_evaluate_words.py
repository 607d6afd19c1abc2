"""The sentences of Evaluate say what the curves hold, wins and losses alike."""

from __future__ import annotations

import numpy as np

from hiercodec.evaluation.results.bjontegaard import Delta
from hiercodec.evaluation.results.curves import Curve
from hiercodec.report import measured as words


def made(codec, *mean, bpp=(0.1, 0.2, 0.4)):
    mean = np.array(mean)
    return Curve(codec, ("a", "b", "c"), np.array(bpp), 1000 * np.array(bpp), mean, mean, mean, 100)


OURS = {"kind": made("lite", 0.7, 0.83, 0.9), "class": made("lite", 0.2, 0.4, 0.5)}
NAMES = {"lite": "“lite” (ours)", "avif": "AVIF", "jpeg": "JPEG"}


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
    said = words.against(curves, 0.2, NAMES, unit=" dB", digits=1)
    assert said == "At 0.2 bit/pixel: AVIF **3.0** dB, “lite” (ours) **2.0** dB. No file is that small with JPEG."


def test_the_question_worth_asking_is_the_largest_answered_well():
    assert "up to **10 groups**: 85" in words.worth_asking({2: 0.95, 10: 0.85, 100: 0.5, 1000: 0.81}, 0.2)
    assert "of 100 groups only 50" in words.worth_asking({2: 0.95, 10: 0.85, 100: 0.5}, 0.2)
    assert "no question" in words.worth_asking({2: 0.7, 10: 0.4}, 0.2)


def gap(rival, value, low, high, why=""):
    return Delta(rival, "right fine", value, low, high, 1.0, 100, why)


def test_wins_and_losses_alike():
    rows = [gap("avif", -0.1, -0.2, -0.05), gap("jpeg", 0.1, 0.02, 0.2), gap("lite", 0, -0.1, 0.1)]
    said = words.losses_and_wins([*rows, gap("jpeg", None, None, None, "apart")], NAMES, "Ours", "the class")
    assert said == (
        "By the class, Ours is **ahead of** JPEG; **behind** AVIF; level with “lite” (ours); not comparable with JPEG."
    )
    assert "**ahead of** AVIF; **behind** JPEG" in words.losses_and_wins(rows, NAMES, "Ours", "bytes", fewer=True)


def test_the_price_of_ordering_is_said_either_way():
    assert words.at_full([gap("avif", -0.02, -0.03, -0.01)], NAMES, "Ours", "the class").startswith("Yes")
    free = words.at_full([gap("avif", 0.0, -0.012, 0.01)], NAMES, "Ours", "the class")
    assert "No cost can be seen" in free
    assert "more than 1.2 points is ruled out" in free


def test_a_lead_in_the_mean_does_not_hide_who_is_ahead_at_the_top():
    ours, jpeg = made("lite", 0.7, 0.8, 0.85), made("jpeg", 0.2, 0.6, 0.95, bpp=(0.1, 0.2, 0.3))
    said = words.at_the_top(ours, {"JPEG": jpeg, "AVIF": made("avif", 0.1, 0.2, 0.3)}, "the class")
    assert "the class is right more often with JPEG (by 12.5 points at 0.30 bit/pixel)." in said
    assert "AVIF" not in said
    assert words.at_the_top(ours, {"AVIF": made("avif", 0.1, 0.2, 0.3)}, "the class") == ""


def test_text_of_a_file_is_no_markdown():
    assert words.plain("[x](javascript:1)\n# `y`") == r"\[x\](javascript\:1) \# \`y\`"
