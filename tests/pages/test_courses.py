"""A course on Explore: it drives photograph, step, view and the marked part; Learn lists courses and names mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hiercodec.evaluation.photos.samples import sample
from hiercodec.fsio import locate
from hiercodec.ui.frame import cached
from hiercodec.ui.learn import courses, places
from hiercodec.ui.learn.courses import read_course

ROOT = Path(__file__).resolve().parents[2]
IDEA = read_course(locate("courses", "idea"))


@pytest.fixture
def page():
    return AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=90)


def scrubber(at: AppTest) -> dict:
    (found,) = (item.proto for item in at.get("bidi_component") if item.proto.component_name.endswith("scrubber"))
    return json.loads(found.json)


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.header, at.markdown, at.caption, at.error) for item in kind)


def button(at: AppTest, label: str):
    return next(item for item in at.button if item.label == label)


def shows(at: AppTest, number: int) -> None:
    """The page stands at this lesson of the idea, as its front matter has it."""
    assert not at.exception
    lesson = IDEA.lessons[number]
    traces = {sample(name): cached.shipped_bundle(name).trace for name in ("tower", "cat", "coffee")}
    sent = scrubber(at)
    assert at.header[0].value == lesson.head.title
    assert f"lesson {number + 1} of {len(IDEA.lessons)}" in words(at)
    assert sent["look_at"] == lesson.head.look_at
    assert sent["look"] == f"{lesson.head.view},prefix,{lesson.head.beside},0"
    if lesson.head.photo in ("Tower", "Coffee"):
        place = places.place_of(lesson, traces)
        assert (sent["id"], sent["k"]) == (f"shipped-{place.photo.id}", place.index)


def test_a_course_leads_through_its_lessons_and_out_again(page):
    page.query_params["course"] = "idea"
    at = page.run()
    shows(at, 0)
    assert button(at, "Back").disabled
    for number in range(1, len(IDEA.lessons)):
        at = button(at, "Next").click().run()
        shows(at, number)
    at = button(at, "Back").click().run()
    shows(at, len(IDEA.lessons) - 2)
    at = button(at, "Leave").click().run()
    assert not at.exception
    assert scrubber(at)["look_at"] == ""
    assert not at.header
    assert "course" not in at.query_params


def test_the_visitor_moves_freely_and_comes_back(page):
    page.query_params["course"] = "idea"
    at = page.run()
    at.pills[0].set_value("Cat").run()
    assert scrubber(at)["id"] == "shipped-cat"
    assert f"lesson 1 of {len(IDEA.lessons)}" in words(at), "the lesson stays"
    at = button(at, "Show again").click().run()
    shows(at, 0)


def test_an_address_with_a_place_keeps_it_and_another_view_ends_the_course(page):
    page.query_params.update({"course": "idea", "lesson": "2", "photo": "Cat", "step": "4"})
    at = page.run()
    assert (scrubber(at)["id"], scrubber(at)["k"]) == ("shipped-cat", 3)
    assert f"lesson 2 of {len(IDEA.lessons)}" in words(at)
    at.query_params.clear()
    at.query_params.update({"photo": "Rocket", "step": "2"})
    at = at.run()
    assert (scrubber(at)["id"], scrubber(at)["k"]) == ("shipped-rocket", 1)
    assert not at.header


@pytest.mark.parametrize(
    ("course", "lesson"), [("nothing", "1"), ("../idea", "1"), ("idea", "-3"), ("idea", "9" * 5000)]
)
def test_addresses_of_nothing_are_harmless(page, course, lesson):
    page.query_params.update({"course": course, "lesson": lesson})
    at = page.run()
    assert not at.exception
    if course == "idea":
        assert at.header[0].value == IDEA.lessons[0].head.title
    else:
        assert "There is no such course; there are idea, research." in words(at)


def test_learn_lists_courses_and_names_what_is_wrong_with_others(tmp_path, monkeypatch):
    for name, text in (("good", "Text {{ photo }}."), ("bad", "Text {{ fhoto }}.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "course.md").write_text(f'+++\ntitle = "{name}"\nminutes = 5\n+++\nAbout.', encoding="utf-8")
        (tmp_path / name / "01.md").write_text(f'+++\ntitle = "One"\n+++\n{text}', encoding="utf-8")
    monkeypatch.setenv(courses.ENVIRONMENT, str(tmp_path))
    at = AppTest.from_file(str(ROOT / "pages" / "learn.py"), default_timeout=90).run()
    assert not at.exception
    assert [item.value for item in at.header][:4] == ["The idea", "The research", "bad", "good"]
    assert [item.value.partition(";")[0] for item in at.error] == ["bad/01.md:4: no fact 'fhoto'"]
    links = [item.proto.query_string for item in at.get("page_link")]
    assert "course=idea&lesson=1" in links
    assert all("photo" not in link for link in links), "a lesson finds its own view"
