"""Colours, symbols and contrast arithmetic shared by the charts, the component and the theme file.

Level colours are Okabe–Ito hues, darkened for the light theme and lightened for the dark one until every one of them
stands at least 3 : 1 from its ground (WCAG 1.4.11). Colour is never the only cue: each level also has a marker and a
dash, each group a symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme; every value is a six-digit hex string."""

    mode: str
    background: str
    surface: str
    text: str
    muted: str
    border: str
    primary: str
    on_primary: str
    container: str
    levels: tuple[str, ...]
    categorical: tuple[str, ...]
    right: str
    wrong: str

    def level(self, index: int) -> str:
        """Colour of level `index` (0 is the coarsest); repeats after the sixth."""
        return self.levels[index % len(self.levels)]

    def group(self, index: int) -> str:
        """Colour of group `index` of a hierarchy level; repeats after the tenth, so pair it with `symbol(index)`."""
        return self.categorical[index % len(self.categorical)]


SEQUENTIAL = (
    "#00224e", "#15336d", "#374569", "#50576c", "#666970",
    "#7d7c78", "#989376", "#b4a96d", "#d5c35c", "#fee838",
)  # fmt: skip
"""Cividis in ten steps: monotone in lightness and readable with every kind of colour vision."""

LIGHT = Palette(
    mode="light",
    background="#ffffff",
    surface="#f3f5f8",
    text="#101822",
    muted="#52606f",
    border="#c6ced8",
    primary="#0a5fa8",
    on_primary="#ffffff",
    container="#6b7785",
    levels=("#0072b2", "#00805c", "#b54800", "#a63d7f", "#7a6a00", "#2a7481"),
    categorical=(
        "#0072b2", "#b54800", "#00805c", "#a63d7f", "#7a6a00",
        "#4a4fb5", "#8a3b12", "#2a7481", "#6b7785", "#b3123a",
    ),
    right="#00704f",
    wrong="#b3400a",
)  # fmt: skip

DARK = Palette(
    mode="dark",
    background="#0f1419",
    surface="#1a222b",
    text="#eaeff4",
    muted="#a8b4c0",
    border="#3a4754",
    primary="#56b4e9",
    on_primary="#0f1419",
    container="#9aa7b4",
    levels=("#56b4e9", "#35c79c", "#f5a04a", "#e58bc0", "#e8d44d", "#6fd3e3"),
    categorical=(
        "#56b4e9", "#f5a04a", "#35c79c", "#e58bc0", "#e8d44d",
        "#a3abff", "#d98f66", "#6fd3e3", "#aab6c2", "#ff8a80",
    ),
    right="#5fd3ae",
    wrong="#ffb27a",
)  # fmt: skip

PALETTES = {"light": LIGHT, "dark": DARK}

LEVEL_SYMBOLS = ("circle", "diamond", "triangle-up", "square", "cross", "star")
"""Plotly marker of each level: the second cue beside its colour."""

LEVEL_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Plotly line dash of each level."""

LEVEL_GLYPHS = ("●", "◆", "▲", "■", "✚", "★")
"""The same marks as text."""

GROUP_SYMBOLS = (
    "circle", "square", "diamond", "cross", "triangle-up",
    "x", "triangle-down", "pentagon", "star", "hexagon",
)  # fmt: skip
"""Plotly marker of group 0…9."""


def palette(mode: str | None = "light") -> Palette:
    """The palette of a theme; anything but "dark" (the app's first run knows no theme) is the light one."""
    return PALETTES["dark" if mode == "dark" else "light"]


def symbol(index: int) -> str:
    """Plotly marker symbol of group `index`; another one at every round of the colours."""
    return GROUP_SYMBOLS[(index + index // len(GROUP_SYMBOLS)) % len(GROUP_SYMBOLS)]


def rgb(colour: str) -> tuple[int, int, int]:
    """The three 8-bit channels of "#rrggbb".

    >>> rgb("#0072b2")
    (0, 114, 178)
    """
    digits = colour.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"expected #rrggbb, got {colour!r}")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def with_alpha(colour: str, alpha: float) -> str:
    """`#rrggbb` as a CSS rgba() string with `alpha` in 0…1."""
    red, green, blue = rgb(colour)
    return f"rgba({red},{green},{blue},{alpha:g})"


def mix(a: str, b: str, share: float) -> str:
    """The colour `share` of the way from `a` to `b`, in sRGB.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(rgb(a), rgb(b), strict=True))


def ramp(stops: Sequence[str], size: int = 256) -> list[tuple[int, int, int]]:
    """`size` colours from the first stop to the last, evenly spaced, as 8-bit channels.

    >>> ramp(("#000000", "#ffffff"), 3)
    [(0, 0, 0), (128, 128, 128), (255, 255, 255)]
    """
    places = [i / (size - 1) * (len(stops) - 1) for i in range(size)]
    lows = [min(len(stops) - 2, int(place)) for place in places]
    return [rgb(mix(stops[low], stops[low + 1], place - low)) for place, low in zip(places, lows, strict=True)]


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0…1 (WCAG 2.2)."""
    channels = (c / 255 for c in rgb(colour))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1…21 (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
