"""The scrubber: a Streamlit component (version 2, no build step) that moves through a trace in the browser.

Two components share the work. `frames` takes the pictures to the browser once and shows nothing; `scrubber` takes the
numbers (some tens of kilobytes), draws, and reports the position once, when the hand lets go.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamlit.components.v2 import component

from hiercodec.evaluation.traces.bundle import Bundle
from hiercodec.report import web
from hiercodec.report.modules import joined

_FRAMES = component("hiercodec_frames", html="<span\n hidden></span>", js=joined(web.WEB / "app_frames.mjs"))
_SCRUBBER = component(
    "hiercodec_scrubber",
    html=web.read("scrubber.html"),
    css=web.style(),
    js=joined(web.WEB / "app_scrubber.mjs"),
)


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
    look: str = "",
    look_at: str = "",
    finer: str | None = None,
    sources: Sequence[tuple[str, str]] = (),
    rival: Mapping[str, Any] | None = None,
    on_move: Callable[[], None] = lambda: None,
    on_codec: Callable[[], None] = lambda: None,
    on_look: Callable[[], None] = lambda: None,
    on_finer: Callable[[], None] = lambda: None,
    on_vote: Callable[[], None] = lambda: None,
    on_next: Callable[[], None] = lambda: None,
    strip: str = "",
    votable: bool = False,
) -> None:
    """Draw the scrubber for one trace.

    The browser obeys `position` when `identity` or `seek` changes, and otherwise goes its own way. `on_move` runs once
    a release, with the step in `st.session_state[key].k`; `on_codec` when someone asks for a rival codec at the same
    bytes, named in `st.session_state[key].codec`; `on_look` when the view changes, which `look` restores when the page
    opens or a lesson asks for it; `on_finer` when someone asks for finer steps in the block named in
    `st.session_state[key].finer` ("": for none; `finer` is the block that has them); `on_vote` when a vote of the hall
    begins or ends (`.vote` is "on" or "off"; `votable` says whether there can be one); `on_next` when the next photograph
    or lesson is wanted. `strip` is a line that Present shows over the picture: the lesson's.
    `look_at` names the part that a lesson is about (see `learn.courses.Part`). `sources` are rivals as (name, label);
    `rival` is the one computed last.
    """
    data = web.data(bundle, identity, position=position, alt=alt)
    data |= {"seek": seek, "look": look, "look_at": look_at, "finer": finer, "rival": rival}
    data |= {"strip": strip, "votable": votable}
    data["sources"] = [list(row) for row in sources]
    _SCRUBBER(
        key=key,
        data=data,
        on_k_change=on_move,
        on_codec_change=on_codec,
        on_look_change=on_look,
        on_finer_change=on_finer,
        on_vote_change=on_vote,
        on_next_change=on_next,
    )
