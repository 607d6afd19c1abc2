"""Class vote: what Present is told of a room, and a phone's page; nobody's answer is told while a question is open."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.photos.samples import samples
from hiercodec.report.answers import format_bytes
from hiercodec.ui.explore.subject import Subject
from hiercodec.ui.frame.cached import shipped_bundle
from hiercodec.ui.vote import hall
from hiercodec.ui.vote.hall import SIZES, ballot, hall_says
from hiercodec.ui.vote.phone import house

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pages" / "vote.py"


@pytest.fixture(autouse=True)
def fresh():
    house.clear()
    yield
    house.clear()


def open_(**query: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    at.query_params.update(query)
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    kinds = (at.title, at.markdown, at.caption, at.info, at.text)
    return " ".join([*(item.value for kind in kinds for item in kind), *(item.label for item in at.button)])


def subject(name: str) -> Subject:
    return Subject(name, shipped_bundle(name), name, ("lite0", "consensus-mended"))


@pytest.fixture
def voted(monkeypatch):
    """A photograph, its ballot and its room, with the page's memory and address as plain dictionaries."""
    memory: dict = {}
    monkeypatch.setattr(hall.st, "session_state", memory)
    monkeypatch.setattr(hall.st, "query_params", {})
    shown = subject("cat")
    asked = ballot(shown.bundle.trace)
    return shown, asked, hall._room(shown.identity, asked), memory


def opened():
    """A photograph's ballot and a room that votes on it."""
    shown, room = subject("cat"), house().open()
    asked = ballot(shown.bundle.trace)
    room.begin(shown.identity, asked.choices, asked.questions)
    return shown, asked, room


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if label in button.label).click().run()
    assert not at.exception
    return at


@pytest.mark.parametrize("row", samples(), ids=lambda row: row.id)
def test_every_sample_has_three_questions_near_the_sizes(row):
    trace = shipped_bundle(row.id).trace
    asked = ballot(trace)
    assert len(asked.steps) == len(SIZES) == len(set(asked.steps))
    for step, size in zip(asked.steps, SIZES, strict=True):
        found = trace.steps[step].bytes
        assert all(abs(found - size) <= abs(other.bytes - size) for other in trace.steps)
    assert asked.right == trace.measure_of(trace.levels[0])


def test_a_question_gives_nothing_away_and_the_end_gives_both_curves(voted):
    shown, asked, room, _ = voted
    trace = shown.bundle.trace
    right = next(iter(asked.right))
    for question in range(3):
        for index in (right, right, 0):
            room.hand(index)
        said = hall._said(shown.identity, trace, asked, room)
        assert (said["current"], said["votes"], said["id"]) == (question, 3, shown.identity)
        assert "end" not in said
        assert not any(secret in str(said) for secret in ("Truth", "✓", "the machine", "%", "Egyptian cat"))
        hall._act(room, "on")
    end = hall._said(shown.identity, trace, asked, room)["end"]
    assert end["title"] == f"How many were right: {asked.choices[right]}"
    assert [share for _, share in end["hall"]] == [pytest.approx(2 / 3, abs=1e-3)] * 3
    level = trace.levels[0]
    masses = [step.mass[level][right] for step in trace.steps if not step.blank]
    assert [share for _, share in end["machine"]] == pytest.approx(masses, abs=1e-3)
    places = [place for place, _ in end["machine"]]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 1)
    for line, size, step in zip(end["lines"], asked.sizes, asked.steps, strict=True):
        answer = trace.steps[step].top[level][0][1]
        assert line.startswith(
            f"{size}: the hall: {asked.choices[right]}, 2 of 3 votes ✓ right; the machine: {answer} "
        )


def test_a_question_without_votes_is_no_point_of_the_hall(voted):
    shown, asked, room, _ = voted
    room.current = 1
    room.hand(0)
    room.current = None
    end = hall.end(shown.bundle.trace, asked, room)
    assert [place for place, _ in end["hall"]] == [end["ticks"][1][0]]
    assert "nobody voted" in end["lines"][0]


def test_presses_move_and_count_each_once_however_they_arrive(voted):
    _, _, room, memory = voted

    def keys(since, count, *last):
        memory[hall.KEYS] = {"presses": {"since": since, "count": count, "last": list(last)}}
        hall._pressed(room)

    keys(7, 2, "1", "1")
    keys(7, 5, "1", "1", "3", "undo", "4")
    assert room.tally(0)[:5] == [0, 2, 0, 0, 1]
    keys(7, 5, "1", "1", "3", "undo", "4")  # nothing new
    assert sum(room.tally(0)) == 3
    keys(8, 1, "on")  # the page was opened anew
    assert room.current == 1
    keys(8, 4, "on", "on", "on", "on")
    assert room.current is None
    keys(8, 5, "back")
    assert room.current == 2
    for hostile in (None, {}, {"presses": 3}, {"presses": {"since": 8, "count": "x", "last": ["on"]}},
                    {"presses": {"since": 8, "count": 99, "last": ["evil", "99", "-1", 3]}}):  # fmt: skip
        memory[hall.KEYS] = hostile
        hall._pressed(room)
    assert (room.current, sum(room.tally(2))) == (2, 1), "3 is a kind"
    keys(9, 1, "again")
    assert (room.current, sum(room.tally(0)), room.round) == (0, 0, 2)


def test_a_phone_votes_once_may_change_and_adds_a_word():
    shown, asked, room = opened()
    one, other = open_(room=room.code.lower()), open_(room=room.code)
    press(one, room.choices[1])
    press(one, room.choices[2])
    press(other, room.choices[2])
    other.text_input[0].set_value("A *Lynx* <b>").run()
    assert room.tally(0)[:4] == [0, 0, 2, 0]
    assert room.words(0) == [("a *lynx* <b>", 1)]
    again = open_(room=room.code, me="".join(one.query_params["me"]))
    assert again.button[2].icon, "a reload knows what this phone said"
    hall._act(room, "on")
    assert room.questions[1] in words(one.run())
    room.current = None
    assert "Voting is over" in words(one.run())
    assert not one.button
    assert hall.end(shown.bundle.trace, asked, room)["words"] == "a *lynx* <b>"


def test_a_late_vote_of_a_phone_does_not_count_for_the_next_question():
    *_, room = opened()
    phone = open_(room=room.code)
    room.current = 1
    press(phone, room.choices[1])
    assert (sum(room.tally(0)), sum(room.tally(1))) == (0, 0)


def test_a_reload_and_another_picture_keep_the_room(voted, monkeypatch):
    shown, asked, room, memory = voted
    room.hand(0)
    held = memory[hall.HOLD]
    for address in ({}, {"held": held}):
        memory.clear()
        memory.update({} if address else {hall.HOLD: held})
        monkeypatch.setattr(hall.st, "query_params", dict(address))
        assert hall._room(shown.identity, asked) is room
    assert sum(room.tally(0)) == 1
    other = subject("rocket")
    assert hall._room(other.identity, ballot(other.bundle.trace)) is room
    assert sum(room.tally(0)) == 0
    memory.clear()
    monkeypatch.setattr(hall.st, "query_params", {"held": f"{room.code}-{'0' * 16}"})
    assert hall._room(shown.identity, asked) is not room, "the code alone makes nobody the lecturer"


@pytest.mark.parametrize("query", [
    {}, {"room": "ZZZZZ"}, {"room": ""}, {"room": "../../etc"}, {"room": "A" * 5000}, {"room": "ZZZZZ", "me": "<script>"},
])  # fmt: skip
def test_a_code_that_opens_nothing_asks_for_one(query):
    at = open_(**query)
    assert at.text_input[0].label == "The code on the screen"
    assert not at.button


def test_a_photograph_without_known_truth_calls_nothing_right():
    trace = shipped_bundle(next(row.id for row in samples() if not row.truth)).trace
    asked = ballot(trace)
    same = next(iter(asked.right))
    assert hall_says(trace, asked, [3 * (index == same) for index in range(len(asked.choices))]).endswith(
        "= as the original"
    )
    assert hall_says(trace, asked, [1, 1] + [0] * (len(asked.choices) - 2)).endswith("1 of 2 votes")
    room = house().open()
    room.begin("galaxies", asked.choices, asked.questions)
    room.current = None
    end = hall.end(trace, asked, room)
    assert "✓" not in str(end)
    assert end["title"].startswith("How many were as the machine takes the whole picture for: ")
    assert asked.sizes[0] == format_bytes(trace.steps[asked.steps[0]].bytes)
