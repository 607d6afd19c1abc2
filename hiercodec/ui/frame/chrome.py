"""The frame around every page: heading, banners, charts with their text alternative, footer.

A page begins with `chrome.page(...)` and ends with `chrome.footer(...)`. Pages run alone in tests and under
`st.navigation` in the app, so nothing here assumes that `app.py` ran first.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.components.v2 import component
from streamlit.errors import StreamlitPageNotFoundError

from hiercodec import device
from hiercodec.errors import HiercodecError
from hiercodec.figures.palette import palette
from hiercodec.fsio import APP
from hiercodec.images import encode_png
from hiercodec.report import web
from hiercodec.ui.frame import navigation
from hiercodec.ui.frame.navigation import VIEW

if TYPE_CHECKING:
    import plotly.graph_objects as go


STYLE = """
:root { --hiercodec: 1; --focus: FOCUS; --ground: GROUND; }
[data-stale=true] { opacity: 1 !important; }
[data-testid=stMainBlockContainer] { max-width: none; }
[data-testid=stHeading] h1 { padding-top: 0; }
@media (min-width: 768px) { [data-testid=stMainBlockContainer] { padding-inline: 5rem; } }
[data-testid=stCaptionContainer] code { background: none; }
[class*=st-key-listen_] { display: none; }
[class*=st-key-controls], [class*=st-key-controls] [data-testid=stSkeleton] { min-height: 68px; }
[class*=st-key-controls] [data-testid=stButtonGroup] button { min-height: 38px; }
.st-key-view [data-testid=stSkeleton] { height: 38px; }
@media (max-width: 699px) { .st-key-view { flex: 1 1 100%; } }
@media (hover: none) { .modebar-container { display: none; } }
:is(a, button, summary, main, [role=tab]):focus-visible, label[data-focus-visible] {
  outline: 3px solid var(--focus) !important; outline-offset: 2px !important; }
:is([data-testid=stHeader], [data-testid=stButtonGroup]) :is(a, button):focus-visible, main:focus-visible {
  outline-offset: -3px !important; }
:is([data-testid=stTooltipIcon] button, .modebar-btn) { min-width: 24px; min-height: 24px; }
"""
"""What no theme option sets, and a sign that it is there (see `styled`). The column is wide from its first frame on.
Streamlit fades to a third what a long run has not drawn again yet, but a page that is working should stay readable; grey
code on a grey ground falls below the contrast of 4.5 : 1; the listeners would leave gaps; what is on its way is lower and
narrower than a menu and would push the page down; buttons are lower than menus beside them; where there is no mouse,
Plotly's bar would lie on the legend; where the keyboard is can hardly be seen in menus; and question marks and Plotly's
buttons are small to hit."""
DARK = "[data-testid^=stBaseButton-primary] p { color: #101418; }"
"""In the dark theme the buttons that ask to be pressed are light blue, and Streamlit writes on them in white."""
KINDS = {b"\x89PNG": "png", b"\xff\xd8": "jpeg", b"RIFF": "webp"}
"""How the image files begin that a page shows."""

Option = TypeVar("Option")

_STYLED = "styled"
_STYLE_SEEN = component(
    "hiercodec_styled",
    html="<i></i>",
    js="""export default ({ setTriggerValue }) => {
      const there = () => getComputedStyle(document.documentElement).getPropertyValue("--hiercodec");
      const app = document.querySelector("[data-testid=stApp]");
      const rests = () => (app?.dataset.testScriptState ?? "notRunning") === "notRunning";
      let [timer, said] = [0, false];
      const say = () => {
        if (!said || rests()) setTriggerValue("seen", true);
        [timer, said] = [setTimeout(say, 1000), true];
      };
      const look = () => (there() ? say() : (timer = setTimeout(look, 10)));
      look();
      return () => clearTimeout(timer);
    };""",
)
"""Says that the browser has the app's style, and again where nothing came of it. Not into a run: that would begin anew, and
a first page that takes long would never be there. Shows nothing."""

_THEME = component(
    "hiercodec_theme",
    html="<i></i>",
    css="i { position: absolute; color: var(--st-text-color); transition: color 1ms; }",
    js="""export default ({ parentElement, setTriggerValue }) => {
      parentElement.querySelector("i").ontransitionend = () => setTriggerValue("changed", true);
    };""",
)
"""Runs the page again when the visitor changes the theme, because charts are drawn in its colours here. Shows nothing."""

_LISTEN = component("hiercodec_listen", html="<span\n hidden></span>", js=web.read("listen.mjs"))
"""Tells the server of clicks on Plotly's tiles and dots. Shows nothing."""


def mode() -> str:
    """Either "light" or "dark": the theme the visitor sees (the first run of a session may not know and says light)."""
    return "dark" if st.context.theme.type == "dark" else "light"


def styled() -> bool:
    """Draw the app's style; whether the browser has it, and with it the room that is kept for what loads slowly.

    A browser fetches the code of every kind of element when it first meets one, and draws headings and tabs meanwhile. What
    is drawn before the style is there jumps. Until the browser says that it is, nothing else should be drawn; who has no
    browser (a test, a program) does not wait.
    """
    colours = palette(mode())
    style = STYLE.replace("FOCUS", colours.primary).replace("GROUND", colours.background)
    st.html(f"<style>{style}{DARK if mode() == 'dark' else ''}</style>")
    waits = (st.context.headers.get("User-Agent") or "").startswith("Mozilla/")
    if waits and _STYLED not in st.session_state:
        _STYLE_SEEN(key="style_seen", on_seen_change=lambda: st.session_state.update({_STYLED: True}), height="content")
        return False
    return True


def page(title: str, intro: str = "", *, width: Literal["stretch", "content"] = "stretch") -> None:
    """Draw the page's heading and one plain sentence on what it is for. A page's first call."""
    navigation.ensure()
    st.title(title, anchor=False, width=width)
    if intro:
        st.markdown(intro)


def controls(name: str = "") -> Any:
    """A row of controls, which keeps its height while they are on their way; a page's second row has a `name`."""
    return st.container(horizontal=True, vertical_alignment="bottom", key=f"controls{name and '_'}{name}")


def menu(label: str, key: str, options: Sequence[Option], *, default: Option | None = None, **more: Any) -> Option:
    """A select box whose choice the address carries; what it does not offer, or did for another file, counts as nothing.

    It opens at `default`, or at the first option; `more` is what `st.selectbox` takes.
    """
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    start = options.index(default) if default in options else 0  # the one that an address may leave out
    return st.selectbox(label, options, index=start, key=key, bind="query-params", **more) or options[start]


def notice(kind: str, text: str) -> None:
    """A line not to miss; `kind` is "info", "warning" or "error", and the icon repeats what the colour says."""
    draw = {"info": st.info, "warning": st.warning, "error": st.error}[kind]
    icons = {"info": ":material/info:", "warning": ":material/warning:", "error": ":material/error:"}
    draw(text, icon=icons[kind])


def empty(text: str, *, how: str = "") -> None:
    """An empty state: what is missing, and the command that makes it."""
    with st.container(border=True):
        st.markdown(f"**{text}**")
        if how:
            st.code(how, language=None)  # the colours of highlighted code are too faint on its ground


def link(page: str, label: str, *, query: Mapping[str, str] | None = None, icon: str | None = None) -> None:
    """A link to another page of the app ("explore", "clusters", …) that opens in this tab and keeps the session."""
    try:
        st.page_link(APP / "pages" / f"{page}.py", label=label, icon=icon, query_params=query)
    except StreamlitPageNotFoundError:  # a page that runs alone, in a test, knows no other
        st.markdown(f"[{label}]({page}?{urlencode(query or {})})")


def picture(
    image: np.ndarray | bytes,
    alt: str,
    *,
    width: int | Literal["stretch", "content"] = "stretch",
) -> None:
    """Draw uint8[H, W, 3], or an image file as it is, without loss and inside the message that tells of it.

    `st.image` puts a picture where the browser has to fetch it, and takes it away once a later run shows another one
    there: whoever presses keys quicker than the server answers is left with a broken picture.
    """
    file = image if isinstance(image, bytes) else encode_png(image)
    kind = next(name for start, name in KINDS.items() if file.startswith(start))
    st.image(f"data:image/{kind};base64,{base64.b64encode(file).decode()}", alt=alt, width=width)


def chart(
    fig: go.Figure,
    *,
    key: str,
    alt: str,
    table: Callable[[], Any] | None = None,
    on_select: Any = "ignore",
    **options: Any,
) -> Any:
    """Draw a figure with its takeaway as alternative text; `table()` gives the same numbers as rows, behind a switch.

    Pass `on_select="rerun"` (and `selection_mode=…`) to get the selection back. The key stays the same over reruns,
    so that a zoom survives them.
    """
    camera = {"format": str(st.session_state.get("camera", "svg")).lower(), "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": camera, "displayModeBar": "hover"}
    chosen = st.plotly_chart(
        fig, key=key, alt=alt, theme=None, config=config, on_select=on_select, width="stretch", **options
    )
    if table is not None:
        as_table(table, key=f"{key}_table")
    return chosen


def as_table(rows: Callable[[], Any], *, key: str) -> None:
    """The numbers of a chart as rows, behind a switch."""
    if st.toggle("Show as a table", key=key):
        st.dataframe(rows(), hide_index=True, width="stretch")


def on_click(place: str, clicked: Callable[[str], None]) -> None:
    """Call `clicked` with a tile's id or a dot's `customdata` after a click on the chart in the container `place` (its key).

    The run that follows is one of the page, or of the fragment in which this is called.
    """
    key = f"listen_{place}"

    def told() -> None:
        where = st.session_state[f"{key}_clicks"].get("click")
        if isinstance(where, str):
            clicked(where)

    with st.container(key=key):
        _LISTEN(key=f"{key}_clicks", data={"chart": place}, on_click_change=told)


def views(title: str, intro: str, drawers: Mapping[str, Callable[[], None]], *, how: str = "") -> None:
    """A whole page of several views, of which the address carries the open one; where that cannot be drawn, why.

    `intro` says what the page is for, `how` is the command that makes what may be missing.
    """
    names = list(drawers)
    with st.container(horizontal=True, vertical_alignment="center"):
        page(title, width="content")
        if st.session_state.get(VIEW) not in names:  # of another page, or of an earlier version
            st.session_state.pop(VIEW, None)
        view = st.segmented_control(
            "View", names, default=names[0], required=True, key=VIEW, bind="query-params", label_visibility="collapsed"
        )
    st.markdown(intro)
    try:
        drawers[view or names[0]]()
    except HiercodecError as error:
        empty(f"This cannot be shown: {error}", how=how)
        footer()


def reproduce(*commands: str | None, words: str = "") -> None:
    """How the figures above were made, folded away; nothing where nobody says."""
    if known := list(filter(None, dict.fromkeys(commands))):
        with st.expander("How this was measured", icon=":material/terminal:"):
            if words:
                st.markdown(words)
            for command in known:
                st.code(command.replace(" && ", "\n"), language=None, wrap_lines=True)


def footer(provenance: Mapping[str, Any] | None = None) -> None:
    """Where the figures on this page come from, in one quiet line; entries without a value are left out."""
    _THEME(key="theme", on_changed_change=lambda: None, height="content")
    parts = [f"{name}: {value}" for name, value in (provenance or {}).items() if value not in (None, "")]
    parts = parts or [
        "hiercodec: one bitstream that means more the more of it arrives. Figures on this page are measured, or say that "
        "they are not."
    ]
    st.divider()
    st.caption(" · ".join([*parts, f"networks run on {device.chosen()}"]))
