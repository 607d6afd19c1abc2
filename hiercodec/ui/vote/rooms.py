"""Rooms in memory in which a hall votes: by hands that the lecturer counts, and by phones that know the room's code.

    Rooms ── open() ─────► Room ── begin(picture, choices, questions) ─► hand(), vote() ─► tally(), words()
          └─ find(code) ──┘

Everything is bounded: rooms, voters, hands, the length of a word, the time a room is kept. No Streamlit.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MAX_ROOMS = 40
MAX_VOTERS = 400
MAX_HANDS = 400
MAX_WORD = 24
LIFE = 3 * 3600.0
"""Seconds that a room is kept after its last use."""

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Of a code; no letter that is read as another one or as a figure."""
CODE = 5


@dataclass(eq=False)
class Room:
    """A hall that votes on one picture after the other; `begin` sets what it votes on.

    `secret` proves the lecturer, `code` lets phones in. `choices` are to choose from, `questions` are asked one after the
    other, `current` takes votes now; None: voting is over. A voter (any token) has one vote a question and may change it.
    `of` names the picture and `round` counts them.
    """

    code: str
    secret: str = field(default_factory=lambda: secrets.token_hex(8))
    of: str = ""
    round: int = 0
    choices: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    current: int | None = None
    _hands: list[list[int]] = field(default_factory=list)
    _votes: list[dict[str, tuple[int, str]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, of: str, choices: Sequence[str], questions: Sequence[str]) -> None:
        """Ask about a picture, from the first question on; what was voted before is forgotten."""
        with self._lock:
            self.of, self.round = of, self.round + 1
            self.choices, self.questions, self.current = tuple(choices), tuple(questions), 0
            self._hands, self._votes = [[] for _ in questions], [{} for _ in questions]

    def vote(self, voter: str, choice: int, word: str = "") -> bool:
        """Take or change a voter's vote on the current question; False where it cannot be taken."""
        with self._lock:
            if self.current is None or not 0 <= choice < len(self.choices):
                return False
            votes = self._votes[self.current]
            if voter not in votes and len(votes) >= MAX_VOTERS:
                return False
            votes[voter] = choice, plain(word)
            return True

    def said(self, voter: str) -> tuple[int, str] | None:
        """A voter's choice and word on the current question."""
        with self._lock:
            return None if self.current is None else self._votes[self.current].get(voter)

    def hand(self, choice: int) -> bool:
        """Count a raised hand for the current question; False where it cannot be counted."""
        with self._lock:
            if self.current is None or not 0 <= choice < len(self.choices):
                return False
            hands = self._hands[self.current]
            if len(hands) < MAX_HANDS:
                hands.append(choice)
                return True
            return False

    def undo(self) -> bool:
        """Take back the hand counted last for the current question."""
        with self._lock:
            if self.current is None or not self._hands[self.current]:
                return False
            self._hands[self.current].pop()
            return True

    def tally(self, question: int) -> list[int]:
        """Hands and votes of phones, by choice."""
        with self._lock:
            found = Counter(self._hands[question])
            found.update(choice for choice, _ in self._votes[question].values())
            return [found[choice] for choice in range(len(self.choices))]

    def words(self, question: int, most: int = 8) -> list[tuple[str, int]]:
        """The words people gave, those that most gave first."""
        with self._lock:
            found = Counter(word for _, word in self._votes[question].values() if word)
            return found.most_common(most)


def plain(word: str) -> str:
    """A word as it is counted: lower case, single spaces, at most MAX_WORD characters.

    >>> plain("  Tabby   CAT! " + 30 * "x")[:10], len(plain(30 * "x"))
    ('tabby cat!', 24)
    """
    return " ".join("".join(c for c in word[: 4 * MAX_WORD] if c.isprintable()).lower().split())[:MAX_WORD].rstrip()


class Rooms:
    """The rooms of one server; where they are too many, the one that nobody used for longest ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: OrderedDict[str, tuple[float, Room]] = OrderedDict()  # longest unused first
        self._lock = threading.Lock()

    def open(self) -> Room:
        """A new room, in which nothing is asked yet."""
        with self._lock:
            self._expire()
            while len(self._rooms) >= MAX_ROOMS:
                self._rooms.popitem(last=False)
            code = ""
            while not code or code in self._rooms:
                code = "".join(secrets.choice(LETTERS) for _ in range(CODE))
            room = Room(code)
            self._rooms[code] = self._clock(), room
            return room

    def find(self, code: str) -> Room | None:
        """The room of a code, as people type codes; None where there is none (any more)."""
        with self._lock:
            self._expire()
            known = code.strip().upper()[:CODE]
            if known not in self._rooms:
                return None
            room = self._rooms[known][1]
            self._rooms[known] = self._clock(), room
            self._rooms.move_to_end(known)
            return room

    def _expire(self) -> None:
        while self._rooms:
            used, _ = next(iter(self._rooms.values()))
            if self._clock() - used < LIFE:
                return
            self._rooms.popitem(last=False)
