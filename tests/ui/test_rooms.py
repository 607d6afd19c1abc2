"""Rooms of a vote: one vote a voter, hands counted and taken back, and bounds on everything."""

from __future__ import annotations

import re
import threading

import pytest

from hiercodec.ui.vote import rooms
from hiercodec.ui.vote.rooms import Room, Rooms, plain


@pytest.fixture
def room():
    found = Room("ABCDE")
    found.begin("a picture", ("cat", "dog", "cannot tell"), ("200 bytes", "400 bytes"))
    return found


def test_a_voter_has_one_vote_a_question_and_may_change_it(room):
    assert room.vote("a", 0, "Tabby ")
    assert room.vote("b", 0, "tabby")
    assert room.vote("a", 1, "tabby")
    assert room.tally(0) == [1, 1, 0]
    assert room.said("a") == (1, "tabby")
    assert room.words(0) == [("tabby", 2)]
    room.current = 1
    assert room.said("a") is None
    assert room.vote("a", 2)
    assert (room.tally(0), room.tally(1)) == ([1, 1, 0], [0, 0, 1])


def test_hands_are_counted_with_the_phones_and_can_be_taken_back(room):
    assert room.vote("a", 1)
    assert [room.hand(choice) for choice in (1, 1, 0)] == [True] * 3
    assert room.tally(0) == [1, 3, 0]
    assert [room.undo() for _ in range(4)] == [True, True, True, False]
    assert room.tally(0) == [0, 1, 0]


def test_nothing_counts_when_voting_is_over_or_no_choice_is_meant(room):
    assert not room.vote("a", 3)
    assert not room.vote("a", -1)
    assert not room.hand(7)
    room.current = None
    assert not room.vote("a", 0)
    assert not room.hand(0)
    assert not room.undo()
    assert room.tally(0) == [0, 0, 0]


def test_another_picture_starts_anew_in_the_same_room(room):
    code, secret = room.code, room.secret
    room.vote("a", 0, "tabby")
    room.hand(0)
    room.current = None
    room.begin("another", ("ship", "cannot tell"), ("100 bytes",))
    assert (room.code, room.secret, room.round, room.current) == (code, secret, 2, 0)
    assert (room.tally(0), room.words(0), room.said("a")) == ([0, 0], [], None)
    assert len({Room("A").secret for _ in range(9)}) == 9


def test_voters_hands_and_words_are_bounded(room, monkeypatch):
    monkeypatch.setattr(rooms, "MAX_VOTERS", 3)
    monkeypatch.setattr(rooms, "MAX_HANDS", 2)
    assert [room.vote(str(n), 0, "x" * 10_000) for n in range(5)] == [True, True, True, False, False]
    assert room.vote("0", 1), "who is in may still change"
    assert [room.hand(0) for _ in range(3)] == [True, True, False]
    assert all(len(word) <= rooms.MAX_WORD for word, _ in room.words(0))
    assert len(plain("a\u202e\x00b<script>" * 99)) <= rooms.MAX_WORD


def test_codes_find_rooms_as_people_type_them_until_they_expire():
    now = [0.0]
    house = Rooms(clock=lambda: now[0])
    room = house.open()
    assert re.fullmatch(rf"[{rooms.LETTERS}]{{{rooms.CODE}}}", room.code)
    assert house.find(f" {room.code.lower()} ") is room
    for hostile in ("", "evil", "../..", "A" * 100_000, "\x00"):
        assert house.find(hostile) is None
    now[0] = rooms.LIFE - 1
    assert house.find(room.code) is room, "use keeps it"
    now[0] += rooms.LIFE - 1
    assert house.find(room.code) is room
    now[0] += rooms.LIFE
    assert house.find(room.code) is None


def test_where_rooms_are_too_many_the_longest_unused_ends(monkeypatch):
    monkeypatch.setattr(rooms, "MAX_ROOMS", 3)
    house = Rooms()
    first, second, *_ = [house.open() for _ in range(3)]
    house.find(first.code)
    house.open()
    assert house.find(first.code) is first
    assert house.find(second.code) is None


def test_votes_at_once_are_all_counted(room):
    threads = [threading.Thread(target=lambda n=n: (room.vote(str(n), n % 2), room.hand(2))) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.tally(0) == [20, 20, 40]
