"""The lecturer's side of a vote, inside Present: what is asked, what the browser shows of a room, and its keys.

Keys go on (→ Page Down Space) and back, figures count a raised hand, Backspace takes it back: see report/web/hall.mjs.
"""

from __future__ import annotations

import base64
import io
import math
import secrets
from dataclasses import dataclass
from typing import Any

import segno
import streamlit as st
from streamlit.components.v2 import component

from hiercodec.evaluation.traces.trace import Trace
from hiercodec.report import web
from hiercodec.report.answers import format_bytes, percent
from hiercodec.report.glossary import verdict
from hiercodec.ui.vote.phone import HELD, house, invitation
from hiercodec.ui.vote.rooms import Room

_HALL = component("hiercodec_hall", html="<span\n hidden></span>", js=web.joined("app_hall.mjs"))
ON, BACK, UNDO, AGAIN = "on", "back", "undo", "again"
HOLD, KEYS, DONE = "vote_held", "vote_keys", "vote_done"
NO_PHONES = (
    "Phones cannot join: this page was opened by an address of this computer only. Start the app with "
    "--address 0.0.0.0. The keys 1 to 9 count raised hands."
)


SIZES = (200, 400, 800)
"""Bytes that are asked about; a trace has cuts near them."""

UNSURE = "I cannot tell"
MAX_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Ballot:
    """Questions about one trace.

    `steps` are the steps asked about, rising; `choices` the groups of the first level and, last, that one cannot tell;
    `right` those that answers are held to (`Trace.measure_of`).
    """

    steps: tuple[int, ...]
    sizes: tuple[str, ...]
    choices: tuple[str, ...]
    right: frozenset[int]

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked at each step."""
        return tuple(f"What is it, at {size}?" for size in self.sizes)


def ballot(trace: Trace) -> Ballot | None:
    """The questions; None where there is nothing to vote against: no classifier, or too many groups at the first level."""
    level = trace.levels[0]
    labels = trace.labels.get(level, ())
    if not 2 <= len(labels) < MAX_CHOICES:
        return None
    steps = _near(trace)
    return Ballot(
        steps,
        tuple(format_bytes(trace.steps[index].bytes) for index in steps),
        (*labels, UNSURE),
        trace.measure_of(level),
    )


def _near(trace: Trace) -> tuple[int, ...]:
    """The steps nearest to SIZES, each after the one before; fewer where the trace has fewer."""
    found: list[int] = []
    for size in SIZES:
        later = range(found[-1] + 1 if found else 0, len(trace.steps))
        if later:
            found.append(min(later, key=lambda index: abs(trace.steps[index].bytes - size)))
    return tuple(found)


def hall_says(trace: Trace, asked: Ballot, tally: list[int]) -> str:
    """The hall's most frequent answer to one question, in words, and what becomes of it where it is one answer."""
    votes = sum(tally)
    if not votes:
        return "nobody voted"
    most = max(tally)
    first = [index for index, count in enumerate(tally) if count == most]
    named = " and ".join(asked.choices[index] for index in first)
    said = (
        str(verdict(trace, trace.levels[0], first[0])) if len(first) == 1 and asked.choices[first[0]] != UNSURE else ""
    )
    return f"{named}, {most} of {votes} {'vote' if votes == 1 else 'votes'} {said}".rstrip()


def hall(identity: str, trace: Trace) -> None:
    """Have the browser vote on the trace that it knows as `identity`; where that can be no question, nothing."""
    asked = ballot(trace)
    if asked is not None:
        _watched(identity, trace, asked, _room(identity, asked))


@st.fragment(run_every=2.0)
def _watched(identity: str, trace: Trace, asked: Ballot, room: Room) -> None:
    """The room as it is now, every two seconds, because phones vote at any time."""
    data = _said(identity, trace, asked, room)
    with st.container(key="listen_hall"):
        _HALL(key=KEYS, data=data, on_presses_change=lambda: _pressed(room), height="content")


def _room(identity: str, asked: Ballot) -> Room:
    """The lecturer's room, which a reload and another picture keep; a new one where there is none (any more)."""
    held = st.query_params.get(HELD, "") or st.session_state.get(HOLD, "")
    code, _, secret = held.partition("-")
    room = house().find(code)
    if room is None or not secrets.compare_digest(room.secret.encode(), secret.encode()):
        room = house().open()
    if room.of != identity:
        room.begin(identity, asked.choices, asked.questions)
    st.query_params[HELD] = st.session_state[HOLD] = f"{room.code}-{room.secret}"
    return room


def _said(identity: str, trace: Trace, asked: Ballot, room: Room) -> dict[str, Any]:
    """What the browser is told of the room: the open question without anybody's answer, or how it ended."""
    address, reachable = invitation(st.context.url or "", st.get_option("server.baseUrlPath"), room.code)
    said: dict[str, Any] = {"id": identity, "round": room.round, "current": room.current, "steps": asked.steps}
    said["done"] = st.session_state.get(DONE)
    if room.current is None:
        return said | {"end": end(trace, asked, room)}
    said |= {"choices": room.choices, "questions": room.questions, "votes": sum(room.tally(room.current))}
    return said | {
        "code": room.code,
        "address": address if reachable else NO_PHONES,
        "qr": _qr(address) if reachable else "",
    }


def _qr(address: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="png", scale=8, border=3)
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"


def end(trace: Trace, asked: Ballot, room: Room) -> dict[str, Any]:
    """How a vote ended: both curves as (place, share) in 0…1, over the logarithm of bytes, and all of it in words."""
    level = trace.levels[0]
    seen = [step for step in trace.steps if not step.blank and step.mass]
    low, high = math.log(seen[0].bytes), math.log(max(seen[-1].bytes, seen[0].bytes + 1))

    def place(n_bytes: int) -> float:
        return round(min(1.0, max(0.0, (math.log(n_bytes) - low) / (high - low))), 4)

    tallies = [room.tally(question) for question in range(len(asked.steps))]
    right = sorted(asked.right)
    sizes = [trace.steps[index].bytes for index in asked.steps]
    shares = [sum(tally[group] for group in right) / max(1, sum(tally)) for tally in tallies]
    machine = [
        f"{top[level][0][1]} {percent(top[level][0][2])}" for top in (trace.steps[index].top for index in asked.steps)
    ]
    called = " or ".join(asked.choices[group] for group in right)
    same = "right" if trace.known else "as the machine takes the whole picture for"
    words = [word for question in range(len(asked.steps)) for word, _ in room.words(question)]
    return {
        "title": f"How many were {same}: {called}",
        "machine": [[place(step.bytes), round(sum(step.mass[level][group] for group in right), 4)] for step in seen],
        "hall": [
            [place(n), round(share, 4)] for n, share, tally in zip(sizes, shares, tallies, strict=True) if any(tally)
        ],
        "ticks": [[place(n), size] for n, size in zip(sizes, asked.sizes, strict=True)],
        "lines": [
            f"{size}: the hall: {hall_says(trace, asked, tally)}; the machine: {answer}"
            for size, tally, answer in zip(asked.sizes, tallies, machine, strict=True)
        ],
        "words": ", ".join(dict.fromkeys(words)),
    }


def _pressed(room: Room) -> None:
    """Do what was pressed since the last run."""
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
    elif action == AGAIN:
        room.begin(room.of, room.choices, room.questions)
    elif action.isdigit():
        room.hand(int(action))
