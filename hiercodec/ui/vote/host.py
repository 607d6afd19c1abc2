"""The lecturer's view of a vote: three questions with the answers hidden, then hall and classifier side by side.

Everything has a key: → Page Down Space go on, ← Page Up go back, figures count a raised hand, Backspace takes it back.
"""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import segno
import streamlit as st
from streamlit.components.v2 import component

from hiercodec.report.answers import truth
from hiercodec.report.links import title as hierarchy_title
from hiercodec.ui.explore.subject import Subject
from hiercodec.ui.frame import chrome
from hiercodec.ui.vote.ballot import Ballot, ballot, hall_says, machine_says
from hiercodec.ui.vote.common import HELD, house, invitation
from hiercodec.ui.vote.rooms import Room

_SCRIPT = Path(__file__).resolve().parents[1] / "web" / "keys.mjs"
_KEYS = component("hiercodec_keys", html="<span\n hidden></span>", js=_SCRIPT.read_text(encoding="utf-8"))
ON, BACK, UNDO = "on", "back", "undo"
HOLD, KEYS, DONE = "vote_held", "vote_keys", "vote_done"
STYLE = """<style>
[class*=st-key-vote_picture] [data-testid=stFullScreenFrame] div:has(img) { width: 100%% !important; }
[class*=st-key-vote_picture] img { height: auto !important; width: min(100%%, %dvh * %d / %d) !important; }
.st-key-vote_qr [data-testid=stFullScreenFrame] div:has(img) { width: 100%% !important; }
.st-key-vote_qr img { width: min(100%%, 22vh) !important; }
.st-key-vote_hands button { min-height: 2rem; padding-block: 0.1rem; }
</style>"""
"""Pictures as wide as their column, but no higher than a share of the window, so that all a hall needs is on one screen."""


def host(shown: Subject) -> None:
    """The whole page for one picture."""
    asked = ballot(shown.bundle.trace)
    if asked is None:
        chrome.page("Class vote")
        chrome.empty("A vote needs a classifier and a hierarchy with few kinds. Choose them on Explore.")
        chrome.link("explore", "Back to Explore", icon=":material/arrow_back:")
        return
    room, trace = _room(shown, asked), shown.bundle.trace
    chrome.page("What was it?" if room.current is None else room.questions[room.current])
    st.html(STYLE % (22 if room.current is None else 50, trace.width, trace.height))
    digits = {str((index + 1) % 10): str(index) for index in range(min(10, len(asked.choices)))}
    keys = dict.fromkeys(("ArrowRight", "PageDown", " "), ON) | dict.fromkeys(("ArrowLeft", "PageUp"), BACK)
    actions = keys | digits | {"Backspace": UNDO}
    with st.container(key="listen_keys"):
        _KEYS(key=KEYS, data={"keys": actions}, on_presses_change=lambda: _pressed(room), height="content")
    if room.current is None:
        _reveal(shown, asked, room)
    else:
        _ask(shown, asked, room, room.current)


def _room(shown: Subject, asked: Ballot) -> Room:
    """The lecturer's room, which a reload and another picture keep; a new one where there is none (any more)."""
    held = st.query_params.get(HELD, "") or st.session_state.get(HOLD, "")
    code, _, secret = held.partition("-")
    room = house().find(code)
    if room is None or not secrets.compare_digest(room.secret.encode(), secret.encode()):
        room = house().open()
    if room.of != shown.identity:
        room.begin(shown.identity, asked.choices, asked.questions)
    st.query_params[HELD] = st.session_state[HOLD] = f"{room.code}-{room.secret}"
    return room


def _pressed(room: Room) -> None:
    """Do what the keys say that were pressed since the last run."""
    seen = (st.session_state.get(KEYS) or {}).get("presses")
    if not isinstance(seen, dict):
        return
    since, count, last = seen.get("since"), seen.get("count"), seen.get("last")
    if not isinstance(count, int) or not isinstance(last, list):
        return
    before, done = st.session_state.get(DONE, (None, 0))
    new = count - (done if before == since else 0)
    st.session_state[DONE] = since, count
    for action in last[-new:] if new > 0 else []:
        _act(room, str(action))


def _act(room: Room, action: str) -> None:
    steps = {ON: 1, BACK: -1}
    if action in steps:
        last = len(room.questions)
        at = min(last, max(0, (last if room.current is None else room.current) + steps[action]))
        room.current = None if at == last else at
    elif action == UNDO:
        room.undo()
    elif action.isdigit():
        room.hand(int(action))


def _ask(shown: Subject, asked: Ballot, room: Room, question: int) -> None:
    step, last = asked.steps[question], len(asked.questions) - 1
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(key="vote_picture"):
            chrome.picture(
                shown.bundle.pixels(step),
                f"The picture after {asked.sizes[question]}. What it shows is asked, so it is not said here.",
            )
        _phones(room)
    with right:
        st.markdown(f"Question **{question + 1}** of {last + 1}. The answers stay hidden until all are asked.")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Back", icon=":material/arrow_back:", on_click=_act, args=(room, BACK), disabled=question == 0)
            on = "Reveal" if question == last else "Next size"
            st.button(on, icon=":material/arrow_forward:", type="primary", on_click=_act, args=(room, ON))
            _counted(room.code, question)
        with st.container(key="vote_hands", gap="xxsmall"):
            for index, name in enumerate(room.choices):
                figure = f"**{(index + 1) % 10}** · " if index < 10 else ""
                st.button(
                    f"{figure}{name}", key=f"hand_{index}", width="stretch", on_click=_act, args=(room, str(index))
                )
        st.caption("A click, or the figure's key, counts one raised hand; Backspace takes the last one back.")


@st.fragment(run_every=2.0)
def _counted(code: str, question: int) -> None:
    """How many have voted, never what."""
    room = house().find(code)
    votes = sum(room.tally(question)) if room else 0
    st.markdown(f"**{votes}** {'vote' if votes == 1 else 'votes'} so far")


def _phones(room: Room) -> None:
    """How phones join."""
    address, reachable = invitation(st.context.url or "", room.code)
    with st.expander("Vote by phone", icon=":material/qr_code_2:", expanded=reachable):
        if not reachable:
            st.markdown(
                "This page was opened by an address that works on this computer only. Start the app with `hiercodec app "
                "--address 0.0.0.0` and open it by the computer's name or number in the network; then phones in the same "
                "network can join."
            )
            return
        code, words = st.columns([1, 2], vertical_alignment="center")
        with code, st.container(key="vote_qr"):
            drawn = io.BytesIO()
            segno.make(address, error="m").save(drawn, kind="png", scale=8, border=3)
            chrome.picture(drawn.getvalue(), f"QR code of {address}")
        with words:
            st.markdown("Point a phone's camera here, or open")
            st.code(address, language=None, wrap_lines=True)


def _reveal(shown: Subject, asked: Ballot, room: Room) -> None:
    from hiercodec.figures.vote import vote_chart

    trace, questions = shown.bundle.trace, range(len(asked.steps))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{truth(trace)}**")
        st.button("Back", icon=":material/arrow_back:", on_click=_act, args=(room, BACK))
        again = (shown.identity, asked.choices, asked.questions)
        st.button("Vote again", icon=":material/replay:", on_click=room.begin, args=again)
        chrome.link("explore", "See it on Explore", icon=":material/tune:")
    tallies = [room.tally(question) for question in questions]
    for column, question in zip(st.columns(len(asked.steps), gap="medium"), questions, strict=True):
        with column, st.container(key=f"vote_picture_{question}", gap="xsmall"):
            chrome.picture(shown.bundle.pixels(asked.steps[question]), f"The picture after {asked.sizes[question]}")
            st.markdown(f"**{asked.sizes[question]}** · hall: {hall_says(asked, tallies[question])}")
            st.markdown(f"Classifier: {machine_says(trace, asked.steps[question])}")
    hall = [[count / max(1, sum(tally)) for count in tally] for tally in tallies]
    chart = vote_chart(asked.choices, asked.sizes, hall, asked.machine, asked.right, mode=chrome.mode())
    said = [f"{size}: {hall_says(asked, tally)}" for size, tally in zip(asked.sizes, tallies, strict=True)]
    rows = [
        {"size": size, "choice": name, "votes": tally[index], "classifier": f"{machine[index]:.0%}"}
        for size, tally, machine in zip(asked.sizes, tallies, asked.machine, strict=True)
        for index, name in enumerate(asked.choices)
    ]
    chrome.chart(chart, key="vote_chart", alt=f"The hall beside the classifier. {'; '.join(said)}", table=lambda: rows)
    if asked.right:
        tree = hierarchy_title(str(trace.provenance.get("hierarchy")))
        st.caption(
            f"Right is the group into which the hierarchy “{tree}” puts the class. A computer made these groups; some of "
            "their members are nearer to another group by WordNet."
        )
    if st.toggle("Show the words people wrote"):
        for size, question in zip(asked.sizes, questions, strict=True):
            words = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in room.words(question))
            st.text(f"{size}: {words or 'none'}")
