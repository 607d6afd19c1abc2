"""Courses: folders of lessons, each one Markdown file, so that a lecturer adds a course without code.

    MYCOURSE/course.md      title and minutes, and what it is about in a sentence
    MYCOURSE/01-….md        the lessons, in the order of their names

A file begins with front matter, TOML between two lines of `+++`. A lesson then has a text, and may have the sections
`## Question`, `## Answer` and `## Code`. Texts may hold facts, `{{ file_bytes }}`, which are worked out when the lesson is
shown (see `facts`). docs/courses.md is the guide. Every error is a `CourseError` that names file and line.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hiercodec.errors import CourseError, InputError
from hiercodec.fsio import locate, read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ENVIRONMENT = "HIERCODEC_COURSES"
"""Environment variable that names folders of further courses, separated like the entries of PATH."""

MAX_BYTES = 100_000
SECTIONS = ("Question", "Answer", "Code")
FENCE = "+++"

Part = Literal[
    "picture", "divider", "size", "answers", "bar", "blocks", "lanes", "meaning", "probabilities", "buttons", "tabs"
]
"""What a lesson can point at; `report/web/scrubber.css` draws a line around it."""


class CourseHead(BaseModel):
    """Front matter of `course.md`: its title, how long it takes, and where it stands in the list."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=80)
    minutes: int = Field(ge=1, le=600)
    order: int = 100


class LessonHead(BaseModel):
    """Front matter of a lesson: its title and the view of Explore it opens.

    `photo` is a sample's title or a description (`places.PHOTOS`), `step` a number or a place (`places.step_of`); `beside`
    is what the right side shows where the view compares.
    """

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=80)
    photo: str = "best story"
    step: int | str = "opening"
    view: Literal["picture", "split", "difference", "bits"] = "picture"
    beside: str = Field("original", pattern=r"[a-z0-9]{1,12}")
    look_at: Part | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of Markdown and where it stands: `line` is the number of its first line in `path`."""

    words: str
    path: Path
    line: int

    def __bool__(self) -> bool:
        return bool(self.words.strip())


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: its head, text, and the sections it has (else empty)."""

    head: LessonHead
    text: Text
    question: Text
    answer: Text
    code: Text
    path: Path

    @property
    def snippet(self) -> str:
        """The Python lines of the section `## Code`."""
        found = re.search(r"```python\n(.*?)```", self.code.words, re.DOTALL)
        return found.group(1) if found else ""

    def spot(self, key: str) -> str:
        """File and line at which the front matter says `key`, for an error."""
        return spot(self.path, _line_of(key, self.path.read_text(encoding="utf-8").splitlines()))

    def texts(self) -> tuple[Text, ...]:
        """Everything in which facts may stand."""
        return self.text, self.question, self.answer


@dataclass(frozen=True, slots=True)
class Course:
    """A course: the name of its folder (which addresses use), its head, what it is about, and its lessons."""

    name: str
    head: CourseHead
    about: str
    lessons: tuple[Lesson, ...]


def folders() -> Iterator[Path]:
    """Every course's folder: the shipped ones, then those in `HIERCODEC_COURSES`, of which one of the same name counts."""
    found: dict[str, Path] = {}
    for place in (locate("courses"), *map(Path, filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)))):
        inside = [place] if (place / "course.md").is_file() else sorted(place.glob("*/"))
        found |= {folder.name: folder for folder in inside if (folder / "course.md").is_file()}
    yield from found.values()


def read_course(folder: Path) -> Course:
    """The course in a folder; `CourseError` says what cannot be read, in which file and line."""
    head, about = _read(folder / "course.md", CourseHead)
    lessons = tuple(read_lesson(path) for path in sorted(folder.glob("*.md")) if path.name != "course.md")
    if not lessons:
        _refuse(folder / "course.md", 1, "the course has no lesson; write 01-first.md beside this file")
    return Course(folder.name, head, about.words.strip(), lessons)


def read_lesson(path: Path) -> Lesson:
    """The lesson in a file; raises as `read_course`."""
    head, body = _read(path, LessonHead)
    sections: dict[str, list[str]] = {"": []}
    starts, name, fenced = {"": body.line}, "", False
    for number, line in enumerate(body.words.splitlines(), start=body.line):
        fenced ^= line.startswith("```")
        if fenced or not line.startswith("## "):
            sections[name].append(line)
            continue
        name = line.removeprefix("## ").strip()
        if name not in SECTIONS or name in sections:
            _refuse(path, number, f"a lesson has the sections {', '.join(SECTIONS)}, each once; not {name!r}")
        sections[name], starts[name] = [], number + 1
    found = {
        name: Text("\n".join(sections.get(name, [])), path, starts.get(name, body.line)) for name in ("", *SECTIONS)
    }
    text, question, answer, code = found.values()
    if bool(question) != bool(answer):
        _refuse(path, (question or answer).line, "a question needs an answer, and an answer a question")
    if not text:
        _refuse(path, body.line, "a lesson needs a text")
    lesson = Lesson(head, text, question, answer, code, path)
    if code and not lesson.snippet:
        _refuse(path, code.line, "the code stands between ```python and ```")
    return lesson


def _read(path: Path, model: type[BaseModel]) -> tuple:
    """(checked front matter, the text after it) of a file."""
    try:
        lines = read_bytes(path, max_bytes=MAX_BYTES).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        _refuse(path, 1, f"not UTF-8 text ({error.reason})")
    except InputError as error:
        _refuse(path, 1, str(error).replace(str(path), path.name))
    if not lines or lines[0].strip() != FENCE or FENCE not in map(str.strip, lines[1:]):
        _refuse(path, 1, f"the file begins with front matter between two lines of {FENCE}")
    end = 1 + [line.strip() for line in lines[1:]].index(FENCE)
    try:
        head = model.model_validate(tomllib.loads("\n".join(lines[1:end])))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        _refuse(path, 1 + int(at.group(1)) if at else end, re.sub(r" \(at .*\)$", "", str(error)))
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        _refuse(path, _line_of(key, lines[:end]), f"{key}: {first['msg']}")
    return head, Text("\n".join(lines[end + 1 :]), path, end + 2)


def _line_of(key: str, lines: list[str]) -> int:
    """Where front matter sets `key`, from 1; its first line where it does not."""
    return next((i for i, text in enumerate(lines, start=1) if re.match(rf"\s*{re.escape(key)}\s*=", text)), 1)


def spot(path: Path, line: int) -> str:
    """File and line for an error: the course's folder and the file's name, as visitors may see it, too."""
    return f"{path.parent.name}/{path.name}:{line}"


def _refuse(path: Path, line: int, why: str) -> NoReturn:
    raise CourseError(f"{spot(path, line)}: {why}") from None
