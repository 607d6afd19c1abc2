"""Class vote: the lecturer's view and a phone's, over one room; the answers stay hidden until the reveal."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.photos.samples import samples
from hiercodec.report.answers import format_bytes
from hiercodec.ui.frame.cached import shipped_bundle
from hiercodec.ui.vote import host
from hiercodec.ui.vote.ballot import SIZES, ballot, hall_says, machine_says
from hiercodec.ui.vote.common import house

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


def code_of(at: AppTest) -> str:
    return "".join(at.query_params["held"]).split("-")[0]


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
    assert [len(row) for row in asked.machine] == [len(asked.choices)] * 3
    assert all(abs(sum(row) - 1) < 1e-3 for row in asked.machine)


def test_hands_are_counted_and_answers_hidden_until_the_reveal():
    at = open_(photo="Cat")
    trace = shipped_bundle("cat").trace
    asked = ballot(trace)
    right = next(iter(asked.right))
    for question, size in enumerate(asked.sizes):
        assert f"What is it, at {size}?" in words(at)
        for index in (right, right, 0):
            press(at, asked.choices[index])
        assert f"**{3}** votes so far" in words(at)
        for secret in ("Truth", "✓", "classifier says", machine_says(trace, asked.steps[question])):
            assert secret not in words(at)
        press(at, "Reveal" if question == 2 else "Next size")
    said = words(at)
    assert "Truth: mammal › cat" in said
    for step, size in zip(asked.steps, asked.sizes, strict=True):
        assert f"**{size}** · hall: {asked.choices[right]}, 2 of 3 votes ✓ right" in said
        assert machine_says(trace, step) in said
    press(at, "Back")
    assert "Question **3** of 3" in words(at)
    assert "Truth" not in words(at)


def test_keys_move_and_count_each_once_however_they_arrive(monkeypatch):
    at = open_(photo="Cat")
    room = house().find(code_of(at))
    sent: dict = {}
    monkeypatch.setattr(host.st, "session_state", sent)

    def keys(since, count, *last):
        sent[host.KEYS] = {"presses": {"since": since, "count": count, "last": list(last)}}
        host._pressed(room)

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
        sent[host.KEYS] = hostile
        host._pressed(room)
    assert (room.current, sum(room.tally(2))) == (2, 1), "3 is a kind"


def test_a_phone_votes_once_may_change_and_adds_a_word():
    lecturer = open_(photo="Cat")
    code = code_of(lecturer)
    one, other = open_(room=code.lower()), open_(room=code)
    room = house().find(code)
    press(one, room.choices[1])
    press(one, room.choices[2])
    press(other, room.choices[2])
    other.text_input[0].set_value("A *Lynx* <b>").run()
    assert room.tally(0)[:4] == [0, 0, 2, 0]
    assert room.words(0) == [("a *lynx* <b>", 1)]
    again = open_(room=code, me="".join(one.query_params["me"]))
    assert again.button[2].icon, "a reload knows what this phone said"
    lecturer.run()
    assert "**2** votes so far" in words(lecturer)
    press(lecturer, "Next size")
    assert room.questions[1] in words(one.run())
    press(lecturer, "Next size")
    press(lecturer, "Reveal")
    assert "Voting is over" in words(one.run())
    assert not one.button
    lecturer.toggle[-1].set_value(True).run()
    assert "a *lynx* <b>" in words(lecturer)


def test_a_late_vote_of_a_phone_does_not_count_for_the_next_question():
    lecturer = open_(photo="Cat")
    code = code_of(lecturer)
    phone = open_(room=code)
    room = house().find(code)
    room.current = 1
    press(phone, room.choices[1])
    assert (sum(room.tally(0)), sum(room.tally(1))) == (0, 0)


def test_a_reload_and_another_picture_keep_the_room():
    at = open_(photo="Cat")
    held, room = "".join(at.query_params["held"]), house().find(code_of(at))
    press(at, room.choices[0])
    again = open_(photo="Cat", held=held)
    assert "**1** vote so far" in words(again)
    other = open_(photo="Rocket", held=held)
    assert code_of(other) == room.code
    assert "**0** votes so far" in words(other)
    stranger = open_(photo="Cat", held=f"{room.code}-{'0' * 16}")
    assert code_of(stranger) != room.code, "the code alone makes nobody the lecturer"


@pytest.mark.parametrize("query", [
    {"room": "ZZZZZ"}, {"room": ""}, {"room": "../../etc"}, {"room": "A" * 5000}, {"room": "ZZZZZ", "me": "<script>"},
])  # fmt: skip
def test_a_code_that_opens_nothing_asks_for_one(query):
    at = open_(**query)
    assert at.text_input[0].label == "The code on the screen"
    assert not at.button


@pytest.mark.parametrize("photo", ["evil", "", "../x"])
def test_an_unknown_photograph_opens_the_first_story(photo):
    assert "What is it, at" in words(open_(photo=photo))


def test_a_photograph_without_known_truth_calls_nothing_right():
    at = open_(photo="Galaxies")
    for label in ("Next size", "Next size", "Reveal"):
        press(at, label)
    assert "nobody voted" in words(at)
    assert "✓" not in words(at)
    trace = shipped_bundle("galaxies").trace
    asked = ballot(trace)
    assert hall_says(asked, [1, 1] + [0] * (len(asked.choices) - 2)).endswith("1 of 2 votes")
    assert asked.sizes[0] == format_bytes(trace.steps[asked.steps[0]].bytes)
