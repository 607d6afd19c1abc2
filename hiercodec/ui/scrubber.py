"""The scrubber: a Streamlit component (version 2, inline, no build step) that moves through a trace in the browser.

Two components share the work. `frames` takes the pictures to the browser once and shows nothing; `scrubber` takes the
numbers (some tens of kilobytes), draws, and reports the position once, when the hand lets go.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamlit.components.v2 import component

from hiercodec.evaluation.bundle import Bundle
from hiercodec.evaluation.trace import Trace
from hiercodec.palette import PALETTES, SEQUENTIAL
from hiercodec.ui.chrome import ASSETS


def _read(*names: str) -> str:
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def _colours() -> str:
    """The palette as CSS variables that follow the page's colour scheme."""
    light, dark = PALETTES["light"], PALETTES["dark"]
    pairs = {name: (getattr(light, name), getattr(dark, name)) for name in ("container", "right", "wrong", "muted")}
    pairs["on_primary"] = (light.on_primary, dark.on_primary)
    pairs |= {f"level-{i}": pair for i, pair in enumerate(zip(light.levels, dark.levels, strict=True))}
    lines = [f"  --{name}: light-dark({a}, {b});" for name, (a, b) in pairs.items()]
    return "\n".join([".hx {", *lines, "}"])


_FRAMES = component("hiercodec_frames", html="<span\n hidden></span>", js=_read("frames.js"))
_SCRUBBER = component(
    "hiercodec_scrubber",
    html=_read("scrubber.html"),
    css=_colours() + "\n" + _read("scrubber.css"),
    js=_read("scrubber_logic.mjs", "scrubber.js"),
)


def _numbers(trace: Trace) -> dict[str, Any]:
    """What the browser needs of a trace; probabilities in full stay on the server."""
    plain = trace.to_json()
    for step in plain["steps"]:
        del step["mass"]
    return {name: plain[name] for name in ("width", "height", "file_bytes", "parts", "cuts", "steps")}


def send_frames(
    identity: str, pictures: Mapping[str, Sequence[bytes]], *, key: str, changes: Sequence[str] = ()
) -> None:
    """Take pictures (lossless WebP files) to the browser under `identity`, once.

    Of the rows named in `changes` only the first is a picture, the others what changed since (see `Bundle`).
    """
    encoded = {name: [base64.b64encode(data).decode("ascii") for data in row] for name, row in pictures.items()}
    _FRAMES(key=key, data={"id": identity, "pictures": encoded, "changes": list(changes)}, height="content")


def scrubber(
    bundle: Bundle,
    identity: str,
    *,
    key: str,
    position: int,
    seek: int,
    alt: str,
    sources: Sequence[tuple[str, str]] = (),
    classical: Mapping[str, Any] | None = None,
    on_move: Callable[[], None] = lambda: None,
    on_codec: Callable[[], None] = lambda: None,
) -> None:
    """Draw the scrubber for one trace.

    The browser obeys `position` when `identity` or `seek` changes, and otherwise goes its own way. `on_move` runs once
    a release, with the step in `st.session_state[key].k`; `on_codec` when someone asks for a classical codec at the same
    bytes, named in `st.session_state[key].codec`. `sources` are those codecs as (name, label); `classical` holds the
    points of the one that was computed last.
    """
    data = {
        "id": identity,
        "trace": _numbers(bundle.trace),
        "levels": list(bundle.trace.levels),
        "answers": {name: list(groups) for name, groups in bundle.trace.answers.items()},
        "k": position,
        "seek": seek,
        "alt": alt,
        "ramp": SEQUENTIAL,
        "sources": [list(row) for row in sources],
        "classical": classical,
    }
    _SCRUBBER(key=key, data=data, on_k_change=on_move, on_codec_change=on_codec)
