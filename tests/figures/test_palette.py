"""The palette keeps its promises: contrast, colour-blind separation, and agreement with the theme file."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

from hiercodec.figures.palette import (
    GROUP_SYMBOLS,
    LEVEL_DASHES,
    LEVEL_GLYPHS,
    LEVEL_SYMBOLS,
    PALETTES,
    SEQUENTIAL,
    contrast,
    luminance,
    mix,
    palette,
    ramp,
    rgb,
    with_alpha,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
MODES = sorted(PALETTES)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ground", ["background", "surface"])
def test_text_and_marks_stand_out(mode, ground):
    p = PALETTES[mode]
    on = getattr(p, ground)
    for name in ("text", "muted", "right", "wrong"):
        assert contrast(getattr(p, name), on) >= 4.5, name
    for colour in p.levels:  # level names are written in them
        assert contrast(colour, on) >= 4.5, colour
    for colour in (*p.categorical, p.container):
        assert contrast(colour, on) >= 3, colour
    assert contrast(p.on_primary, p.primary) >= 4.5
    assert contrast(p.primary, on) >= 4.5


# Viénot, Brettel and Mollon (1999) for protan and deutan vision, on linear RGB.
VISION = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def lab(colour: str, matrix=None) -> np.ndarray:
    c = np.array(rgb(colour)) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    if matrix is not None:
        linear = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    t = xyz / [0.9505, 1, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("vision", ["full", *VISION])
def test_the_three_levels_differ_for_every_kind_of_sight(mode, vision):
    colours = PALETTES[mode].levels[:3]
    for a, b in itertools.combinations(colours, 2):
        distance = np.linalg.norm(lab(a, VISION.get(vision)) - lab(b, VISION.get(vision)))
        assert distance >= 20, (a, b, distance)


def test_colour_is_never_the_only_cue():
    assert len(set(LEVEL_SYMBOLS)) == len(set(LEVEL_DASHES)) == len(set(LEVEL_GLYPHS)) == 6
    assert len(set(GROUP_SYMBOLS)) == 10


def test_scales_are_ten_steps_and_sequential_rises_in_lightness():
    assert all(len(SEQUENTIAL) == len(p.categorical) == len(set(p.categorical)) == 10 for p in PALETTES.values())
    steps = [luminance(c) for c in SEQUENTIAL]
    assert steps == sorted(steps)


@pytest.mark.parametrize("mode", MODES)
def test_theme_file_agrees(mode):
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][mode]
    p = PALETTES[mode]
    assert theme["primaryColor"] == p.primary
    assert theme["backgroundColor"] == p.background
    assert theme["secondaryBackgroundColor"] == p.surface
    assert theme["textColor"] == p.text
    assert theme["borderColor"] == p.border
    assert tuple(theme["chartCategoricalColors"]) == p.categorical
    assert tuple(theme["chartSequentialColors"]) == SEQUENTIAL


def test_arithmetic():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's well-known near miss
    assert mix("#000000", "#ff8000", 0.5) == "#804000"
    assert with_alpha("#0072b2", 0.5) == "rgba(0,114,178,0.5)"
    assert palette(None).mode == palette("light").mode == "light"
    with pytest.raises(ValueError, match="rrggbb"):
        rgb("#fff")


def test_a_ramp_goes_through_its_stops():
    stops = SEQUENTIAL
    colours = ramp(stops, 10)
    assert colours == [rgb(stop) for stop in stops]
    assert len(ramp(stops)) == 256
    brightness = [luminance(mix(*stops[i : i + 2], j / 8)) for i in range(9) for j in range(8)]
    assert np.diff(brightness).min() > 0  # lightness alone tells more from less
