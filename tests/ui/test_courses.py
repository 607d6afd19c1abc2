"""Courses: what a lesson says is worked out here in another way, its code runs, and mistakes are named by file and line."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec.cli import app as command
from hiercodec.errors import CourseError
from hiercodec.evaluation.metrics import wilson
from hiercodec.evaluation.photos.samples import MANIFEST, sample, samples
from hiercodec.evaluation.results import rows
from hiercodec.fsio import locate
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.report import cards
from hiercodec.ui.explore.coach import POINTS_AT
from hiercodec.ui.frame import cached
from hiercodec.ui.learn import courses, facts, places
from hiercodec.ui.learn.courses import Part, Text, read_course, read_lesson
from tests.models.tiny import smooth_photo

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [read_course(folder) for folder in sorted(locate("courses").glob("*/"))]
LESSONS = [
    pytest.param(lesson, id=f"{course.name}-{lesson.path.stem}") for course in SHIPPED for lesson in course.lessons
]
HEAD = '+++\ntitle = "A lesson"\nphoto = "Cat"\nstep = 3\n+++\n'


@pytest.fixture(scope="module")
def traces():
    return {row: cached.shipped_bundle(row.id).trace for row in samples()}


def at(traces, name: str, step: int) -> places.Place:
    return places.Place(sample(name), traces[sample(name)], step)


def said(words: str, place: places.Place) -> str:
    return facts.filled(Text(words, Path("course/lesson.md"), 1), place)


# ---- the shipped courses -----------------------------------------------------------------------------------------------
def test_two_courses_ship_with_their_lessons():
    assert {course.name: (course.head.minutes, len(course.lessons)) for course in SHIPPED} == {
        "idea": (12, 8),
        "research": (30, 7),
    }
    assert all(lesson.question and lesson.snippet and lesson.head.look_at for c in SHIPPED for lesson in c.lessons)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_can_be_shown_and_states_no_number_of_its_own(lesson, traces):
    place = places.place_of(lesson, traces)
    for text in lesson.texts():
        shown = facts.filled(text, place)
        assert shown
        assert "{{" not in shown
        bare = facts._TOKEN.sub("", text.words)
        assert not re.search(r"\d[\d,.]* ?(bytes|kB|dB|bits)\b", bare), "a number of bytes that no fact gives"


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_code_of_every_lesson_runs(lesson, tmp_path):
    assert 3 <= len(lesson.snippet.splitlines()) <= 11
    Image.fromarray(smooth_photo(np.random.default_rng(1), 96, 128)).save(tmp_path / "photo.jpg")
    printed: list[str] = []
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        exec(
            compile(lesson.snippet, lesson.path.name, "exec"), {"print": lambda *words, **_: printed.append(str(words))}
        )
    finally:
        os.chdir(before)
    assert printed


# ---- facts, worked out in another way ----------------------------------------------------------------------------------
def winners(trace, level):
    return [step.top[level][0][0] for step in trace.steps]


def right_from(trace, level):
    """Bytes from which on every winner is right, by walking back from the end; None if the last is wrong.

    A picture of which no block has brought anything is never right.
    """
    found = None
    for step, winner in zip(reversed(trace.steps), reversed(winners(trace, level)), strict=True):
        if winner not in trace.answers.get(level, ()) or step.bytes <= trace.start:
            break
        found = step.bytes
    return found


LEVELS = {"kind": "coarse", "family": "intermediate", "class": "fine"}
CLAIM = re.compile(r"(kind|family|class) (?:is right at every step shown )?from ([\d,]+) bytes on")


def contradictions(shown: str, trace) -> list[str]:
    """What a text says of when an answer is right, where the trace says otherwise."""
    said = CLAIM.findall(" ".join(shown.split()))
    assert len(said) == len(re.findall(r"from [\d,]+ bytes on", " ".join(shown.split())))
    return [
        f"{level} from {size}" for level, size in said if right_from(trace, LEVELS[level]) != int(size.replace(",", ""))
    ]


def texts_with(traces):
    """(place, text) of every lesson, question and answer, and of the caption of every photograph."""
    for course in SHIPPED:
        for lesson in course.lessons:
            place = places.place_of(lesson, traces)
            yield from ((place, text) for text in lesson.texts())
    for photo, trace in traces.items():
        yield places.Place(photo, trace, 0), Text(photo.lesson, MANIFEST, 1)


POINTS = re.compile(r"\b(here|this (photograph|picture|step|file))\b|\{\{ photo \}\}", re.IGNORECASE)


def test_what_is_said_of_a_photograph_is_worked_out_from_its_trace(traces):
    """A paragraph that points at what is on the screen holds a fact or stands behind a claim, and a caption always."""
    for place, text in texts_with(traces):
        for paragraph in filter(str.strip, text.words.split("\n\n")):
            if POINTS.search(paragraph) or text.path == MANIFEST:
                assert "{{" in paragraph, f"{text.path.name}, {place.photo.title}: {paragraph}"
        if text.path == MANIFEST:
            assert facts.filled(text, place), f"the caption of {place.photo.title} says nothing"


def test_no_lesson_or_caption_contradicts_its_trace(traces):
    """Nor would it with other answers: with those of another photograph, backwards, with nothing right or all of it."""
    checked = 0
    for name, changed in changed_traces(traces).items():
        for place, text in texts_with(changed):
            shown = facts.filled(text, place)
            assert not contradictions(shown, place.trace), f"{name}: {text.path.name}: {shown}"
            assert "no number of bytes" not in shown, f"{name}: {text.path.name}: {shown}"
            if "is wrong" in shown:
                assert place.trace.steps[-1].top["fine"][0][0] not in place.trace.answers["fine"]
            checked += len(CLAIM.findall(shown))
    assert checked >= 10, "these texts state from when on answers are right"


def changed_traces(traces):
    """The shipped traces, and others of the same shape whose answers come about in another way."""

    def answered(trace, order):
        told = [trace.steps[i] for i in order(len(trace.steps))]
        kept = ("bytes", "bpp", "psnr", "level", "fraction")
        steps = (
            dataclasses.replace(by, **{name: getattr(step, name) for name in kept})
            for step, by in zip(trace.steps, told, strict=True)
        )
        return dataclasses.replace(trace, steps=tuple(steps))

    def knowing(trace, step):
        return dataclasses.replace(trace, answers={lv: (trace.steps[step].top[lv][0][0],) for lv in trace.levels})

    return {
        "as shipped": traces,
        "backwards": {photo: answered(trace, lambda n: range(n - 1, -1, -1)) for photo, trace in traces.items()},
        "as at the end": {photo: answered(trace, lambda n: [n - 1] * n) for photo, trace in traces.items()},
        "right when blank": {photo: knowing(trace, 0) for photo, trace in traces.items()},
        "right at the end": {photo: knowing(trace, -1) for photo, trace in traces.items()},
        "nothing known": {photo: dataclasses.replace(trace, answers={}) for photo, trace in traces.items()},
    }


@pytest.mark.parametrize("photo", [row.id for row in samples()])
def test_facts_of_a_trace(photo, traces):
    trace, index = traces[sample(photo)], 6
    place, step = at(traces, photo, index), trace.steps[index]
    expected = {
        "photo": sample(photo).title,
        "file_bytes": f"{trace.file_bytes:,} bytes",
        "here_bytes": f"{step.bytes:,} bytes",
        "here_share": f"{round(100 * step.bytes / trace.file_bytes)} %",
        "here_quality": f"{step.psnr:.1f} dB",
        "first_bytes": f"{min(s.bytes for s in trace.steps if s.bytes > trace.start):,} bytes",
        "first_quality": f"{trace.steps[1].psnr:.1f} dB",
        "whole_quality": f"{max(trace.steps, key=lambda s: s.bytes).psnr:.1f} dB",
    }
    for number, level in enumerate(trace.levels):
        ends = sum(size for name, size in trace.parts.items() if name not in trace.levels[number + 1 :])
        n = right_from(trace, level)
        group, label, p = step.top[level][0]
        last = trace.steps[-1].top[level][0]
        expected |= {
            f"block_ends({level})": f"{ends:,} bytes",
            f"block_share({level})": f"{round(100 * ends / trace.file_bytes)} %",
            f"right_from({level})": f"{n:,} bytes" if n else "no number of bytes",
            f"right_share({level})": f"{round(100 * n / trace.file_bytes)} %" if n else "no share",
            f"answer({level})": label,
            f"chance({level})": f"{round(100 * p)} %",
            f"last_answer({level})": last[1],
            f"last_chance({level})": f"{round(100 * last[2])} %",
            f"groups({level})": f"{(10, 100, 1000)[number]:,}",
            f"most_meaning({level})": f"{math.log(trace.groups[level], 2):.1f} bits",
            f"meaning({level})": f"{step.meaning[level]:.1f} bits",
            f"right_groups({level})": str(len({*trace.answers.get(level, ())})),
            f"changes({level})": str(np.count_nonzero(np.diff(winners(trace, level)[1:]))),
        }
        before_the_end = n is not None and n < ends
        assert (said("{{ if right_within(" + level + ") }} yes", place) == "yes") == before_the_end
        assert (group in trace.answers.get(level, ())) == (
            said("{{ if right_here(" + level + ") }} yes", place) == "yes"
        )
    for fact, words in expected.items():
        assert said(f"{{{{ {fact} }}}}", place) == words, fact
    early, late = right_from(trace, "coarse"), right_from(trace, "fine")
    gap = f"{round(100 * early / late)} %" if early and late else "no share"
    assert said("{{ gap(coarse, fine) }}", place) == gap
    comes_first = bool(early and late and early < late)
    assert (said("{{ if right_before(coarse, fine) }} yes", place) == "yes") == comes_first
    assert (said("{{ if not right_before(coarse, fine) }} no", place) == "no") != comes_first


def test_half_of_the_first_block(traces):
    for photo, trace in traces.items():
        block = [step for step in trace.steps if step.bytes <= trace.cuts["coarse"]]
        half = (block[0].bytes + block[-1].bytes) / 2
        step = min(block, key=lambda row: abs(row.bytes - half))
        gain = (step.psnr - block[0].psnr) / (block[-1].psnr - block[0].psnr)
        assert said("{{ half_gain(coarse) }}", places.Place(photo, trace, 0)) == f"{round(100 * gain)} %"
        assert trace.steps[places.middle_of(trace, "coarse")] == step


def jpegs(photo):
    for quality in range(1, 96):
        out = io.BytesIO()
        Image.fromarray(photo.pixels()).save(out, "JPEG", quality=quality, optimize=True)
        yield out.getvalue()


def test_rivals(traces):
    place = at(traces, "tower", 3)
    files = list(jpegs(place.photo))
    assert said("{{ smallest(jpeg) }}", place) == f"{min(map(len, files)):,} bytes"
    fitting = [data for data in files if len(data) <= place.trace.file_bytes]
    original = place.photo.pixels().astype(float)
    quality = max(
        10 * math.log10(255**2 / np.mean((np.asarray(Image.open(io.BytesIO(data))).astype(float) - original) ** 2))
        for data in fitting
    )
    value = float(said("{{ rival_quality(jpeg) }}", place).removesuffix(" dB"))
    assert quality - 1.0 < value <= quality + 0.1, "among the qualities of the table, so a little less at most"
    assert (said("{{ if sharper(jpeg) }} yes", place) == "yes") == (value > place.trace.steps[-1].psnr)
    here = place.trace.steps[3].bytes < min(map(len, files))
    assert (said("{{ if below_smallest(jpeg) }} yes", place) == "yes") == here
    first = places.from_size(place.trace, min(map(len, files)))
    assert place.trace.steps[first - 1].bytes < min(map(len, files)) <= place.trace.steps[first].bytes
    there = at(traces, "tower", first)
    ahead = float(said("{{ rival_here(jpeg) }}", there).removesuffix(" dB")) - round(there.trace.steps[first].psnr, 1)
    assert (said("{{ if blurrier_here(jpeg) }} yes", there) == "yes") == (ahead < 0)
    assert (said("{{ if sharper_here(jpeg) }} yes", there) == "yes") == (ahead > 0)


def test_a_comparison_that_says_nothing_is_left_out(traces, monkeypatch):
    place = at(traces, "tower", 3)
    monkeypatch.setattr(facts, "best_quality", lambda *_: place.trace.steps[-1].psnr + 0.01)
    assert said("{{ if sharper(webp) }} WebP is sharper.", place) == "", "26.9 dB against 26.9 dB"
    monkeypatch.setattr(facts, "best_quality", lambda *_: place.trace.steps[-1].psnr + 0.1)
    assert said("{{ if sharper(webp) }} WebP is sharper.", place) == "WebP is sharper."


def test_similarity_intervals_and_stops(traces):
    import hiercodec as hc
    from hiercodec.classify import card_of, confidence_of

    place = at(traces, "motorcycle", 3)
    assert said("{{ wup(vulture, black grouse) }}", place) == "0.77"  # the paper's Fig. 6: 0.769
    nearer = hc.wup("moped", "tricycle") > hc.wup("moped", "running shoe")
    assert (said("{{ if nearer(moped, tricycle, running shoe) }} yes", place) == "yes") == nearer
    card = card_of("lite0")
    errors = [card["held_out_by_prefix"]["6.0%"][f"ece_{when}"] for when in ("before", "after")]
    words = "{{ temperature }} {{ temperature_ece(6.0%, before) }} {{ temperature_ece(6.0%, after) }}"
    assert said(words, place) == f"{card['temperature']:.2f} {errors[0]:.3f} {errors[1]:.3f}"
    assert (said("{{ if temperature_helps(6.0%) }} yes", place) == "yes") == (errors[1] < errors[0])
    assert said("{{ interval(50, 100) }}", place) == "40 to 60 %"  # Wilson, 1927
    sure = confidence_of(card_of("lite0"), "consensus-mended")
    total = place.trace.file_bytes
    stop = next(
        (s.bytes for s in place.trace.steps if sure("coarse", s.top["coarse"][0][2], s.bytes / total) >= 0.7), None
    )
    assert said("{{ stops(coarse, 70) }}", place) == (f"at {stop:,} bytes" if stop else "never before the end")


def test_what_labels_tell_and_cannot_do(traces, monkeypatch, tmp_path):
    photo = next(row.id for row in traces if not row.truth)
    place = at(traces, photo, 3)
    limits = json.loads((ROOT / "assets" / "results" / "label-limits.json").read_text(encoding="utf-8"))
    (both,) = (row for row in limits["pairs"] if row["name"] == ["0.4 bpp", "coarse", "both"])
    (light,) = (row for row in limits["questions"] if row["name"] == ["Which half is lighter, left or right?", "label"])
    assert said("{{ limit(pairs, coarse both, 0.4 bpp) }}", place) == f"{100 * both['share']:.0f} %"
    assert said("{{ limit(questions, lighter, label) }}", place) == f"{100 * light['share']:.0f} %"
    assert said("{{ stranger }}", place) == next(r["labels"][-1] for r in limits["strangers"] if r["id"] == photo)
    with pytest.raises(CourseError, match="no answers of 'label' on 'smell'"):
        said("{{ limit(questions, smell, label) }}", place)
    table = rows.read(ROOT / "assets" / "results" / "label-val.parquet").of(judge="lite2").frame
    for fact, codec, setting in (
        ("label_right(fine)", "lite + label, label only", "label"),
        ("pixels_right(fine, 0.2)", "lite", "0.2 bpp"),
        ("both_right(fine, 0.2)", "lite + label, fused", "0.2 bpp"),
    ):
        hits = [row[2] for row in table[(table.codec == codec) & (table.setting == setting)].right]
        low, high = (100 * end for end in wilson(sum(hits), len(hits)))
        assert said(f"{{{{ {fact} }}}}", place) == f"{100 * sum(hits) / len(hits):.0f} of 100 ({low:.0f} to {high:.0f})"
    monkeypatch.setattr(cached, "RESULTS", tmp_path)
    monkeypatch.setattr(cards, "RESULTS", tmp_path)
    assert said("{{ label_right(fine) }} {{ limit(pairs, both, label) }}", place) == "(not measured) (not measured)"
    assert said("{{ if limits_known }} yes", place) == said("{{ if label_wins(fine, 0.2) }} yes", place) == ""


def test_what_was_not_measured_is_said_so(traces, monkeypatch):
    place = at(traces, "cat", 3)
    measured = {"points": [{"codec": DEFAULT_MODEL, "setting": "coarse", "accuracy": {"lite0": {"fine": None}}}]}
    measured["points"][0]["accuracy"]["lite0"]["coarse"] = {"top1": 0.782, "low": 0.755, "high": 0.806}
    card = {
        "measured": {facts.VALIDATION: measured},
        "photos": 5143,
        "training": {"classifiers": ["timm:mobilenetv2_100@a"]},
    }
    monkeypatch.setattr(cached, "models", lambda: {DEFAULT_MODEL: card})
    assert said("{{ accuracy(coarse, coarse, lite0) }} of {{ training_photos }}", place) == "78 % (76 to 81 %) of 5,143"
    assert said("{{ accuracy(coarse, coarse, lite2) }}", place) == "(not measured)"
    assert said("{{ if measured(coarse, coarse, lite2) }} yes", place) == ""
    assert said("{{ if in_loss(timm:mobilenetv2_100) }} {{ if not in_loss(lite0) }} yes", place) == "yes"


# ---- other weights -----------------------------------------------------------------------------------------------------
def test_a_photograph_that_is_described_is_looked_for(traces):
    shares = {}
    for photo, trace in traces.items():
        early, late = right_from(trace, "coarse"), right_from(trace, "fine")
        if early and late:
            shares[photo] = early / late
    assert places.widest_gap(traces) == min(shares, key=lambda photo: shares[photo])
    wrong = {p: t.steps[-1].top["fine"][0][2] for p, t in traces.items() if winners(t, "fine")[-1] not in p.truth}
    assert places.surest_mistake(traces) == max(wrong, key=lambda photo: wrong[photo])
    leads = {}
    for photo, trace in traces.items():
        (end,) = (step for step in trace.steps if step.bytes == trace.cuts["coarse"])
        if end.top["coarse"][0][0] in trace.answers.get("coarse", ()):
            leads[photo] = end.top["coarse"][0][2] - end.top["fine"][0][2]
    assert places.open_class(traces) == max(leads, key=lambda photo: leads[photo])


@pytest.mark.parametrize("lesson", LESSONS)
def test_where_nothing_comes_first_and_nothing_is_known_no_lesson_claims_it(lesson, traces):
    dull = {
        photo: dataclasses.replace(
            trace,
            answers={},
            steps=tuple(dataclasses.replace(trace.steps[-1], bytes=step.bytes) for step in trace.steps),
        )
        for photo, trace in traces.items()
    }
    place = places.place_of(lesson, dull)
    shown = " ".join(facts.filled(text, place) for text in lesson.texts() if "half_gain" not in text.words)
    assert "no number of bytes" not in shown
    assert "no share" not in shown


def test_places(traces):
    trace = traces[sample("motorcycle")]
    assert trace.steps[places.block_end(trace, "intermediate")].bytes == trace.cuts["intermediate"]
    for photo, found in traces.items():
        index = places.all_but_last(found)
        early, late = right_from(found, "coarse"), right_from(found, "fine")
        if early and late and early < late:
            assert early <= found.steps[index].bytes < late, photo.title
        else:
            assert index == 1, "the first step that shows anything"
    assert places.below(trace, 10**9) == len(trace.steps) - 1
    assert places.below(trace, 1) == 0


# ---- mistakes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no front matter", r"c/01\.md:1: .*\+\+\+"),
        ('+++\ntitle = "A"\nphoto = \n+++\nText.', r"c/01\.md:3: "),
        ('+++\ntitle = "A"\n\ncolour = "red"\n+++\nText.', r"c/01\.md:4: colour: "),
        ('+++\ntitle = "A"\nview = "sideways"\n+++\nText.', r"c/01\.md:3: view: .*'split'"),
        ('+++\nphoto = "Cat"\n+++\nText.', r"c/01\.md:1: title: "),
        (HEAD, r"c/01\.md:6: .*text"),
        (f"{HEAD}Text.\n## Question\nWhy?\n", r"c/01\.md:8: .*answer"),
        (f"{HEAD}Text.\n\n## Answers\nSo.\n", r"c/01\.md:8: .*Question, Answer, Code.*'Answers'"),
        (f"{HEAD}Text.\n## Code\nprint()\n", r"c/01\.md:8: .*```python"),
        (f"{HEAD}Text.\n\nIt takes {{{{ bytes_frist }}}}.\n", r"c/01\.md:8: no fact 'bytes_frist'; there are photo"),
        (f"{HEAD}{{{{ if sharp }}}} Text.\n", r"c/01\.md:6: no claim 'sharp'"),
        (f"{HEAD}Text {{{{ block_ends }}}}.\n", r"c/01\.md:6: block_ends\(level\) got 0"),
        (f"{HEAD}Text {{{{ photo. }}}}\n", r"c/01\.md:6: a fact is written"),
        (f"{HEAD}Text.\n## Question\nWhy?\n## Answer\n\n{{{{ whi }}}}\n", r"c/01\.md:11: no fact 'whi'"),
        (HEAD.replace("step = 3", "step = 99") + "Text.", r"c/01\.md:4: Cat has the steps 1 to \d+, not 99"),
        (HEAD.replace("step = 3", 'step = "end of poodle"') + "Text.", r"c/01\.md:4: no step 'end of poodle'"),
        (HEAD.replace("Cat", "Dog") + "Text.", rf"c/01\.md:3: no photograph 'Dog'; there are {samples()[0].title}, "),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path, traces, text, words):
    (tmp_path / "c").mkdir()
    path = tmp_path / "c" / "01.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=words) as caught:
        facts.check(read_lesson(path), traces)
    assert str(tmp_path) not in str(caught.value), "visitors see it: no folder of this machine"


def test_a_fact_that_makes_no_sense_is_named_when_it_is_worked_out(traces):
    place = at(traces, "cat", 3)
    for fact in ("block_ends(poodle)", "wup(crane, tabby)", "smallest(bmp)", "stops(coarse, very)", "interval(1, 0)"):
        with pytest.raises(CourseError, match=r"^course/lesson\.md:3: " + fact.partition("(")[0]):
            said(f"One.\n\n{{{{ {fact} }}}}", place)


def test_nothing_in_a_text_is_run(traces):
    place = at(traces, "cat", 3)
    for text in ("{{ __import__('os').getcwd() }}", "{{ photo.__class__ }}", "{{ 1 + 1 }}"):
        with pytest.raises(CourseError):
            said(text, place)


def test_a_folder_of_courses_is_found_and_may_replace_a_shipped_one(tmp_path, monkeypatch):
    for name in ("pigeons", "idea"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "course.md").write_text('+++\ntitle = "Mine"\nminutes = 5\n+++\nAbout.', encoding="utf-8")
        (tmp_path / name / "01.md").write_text(f"{HEAD}Text.", encoding="utf-8")
    monkeypatch.setenv(courses.ENVIRONMENT, f"{tmp_path}{os.pathsep}")
    found = {folder.name: folder for folder in courses.folders()}
    assert sorted(found) == ["idea", "pigeons", "research"]
    assert read_course(found["idea"]).head.title == "Mine"
    monkeypatch.setenv(courses.ENVIRONMENT, str(tmp_path / "pigeons"))
    assert {folder.name for folder in courses.folders()} == {"idea", "pigeons", "research"}
    (tmp_path / "pigeons" / "01.md").unlink()
    with pytest.raises(CourseError, match=r"pigeons/course\.md:1: the course has no lesson"):
        read_course(tmp_path / "pigeons")


def test_the_command_tells_the_app_where_courses_are(tmp_path, monkeypatch):
    assert command.COURSES == courses.ENVIRONMENT
    script = (
        "import os, sys; from hiercodec.cli import main; "
        f"os.execv = lambda *_: print(os.environ['{courses.ENVIRONMENT}']); sys.exit(main.main(sys.argv[1:]))"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv(courses.ENVIRONMENT, raising=False)

    def run(folder: str):
        (tmp_path / "here").mkdir(exist_ok=True)
        argv = [sys.executable, "-c", script, "app", "--courses", folder]
        return subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run("here").stdout.strip() == str(tmp_path / "here")
    assert "no folder" in run("nowhere").stderr


def test_every_part_that_a_lesson_can_point_at_has_a_name_and_a_line_around_it():
    parts = set(Part.__args__)
    assert set(POINTS_AT) == parts
    css = (ROOT / "hiercodec" / "report" / "web" / "scrubber.css").read_text(encoding="utf-8")
    assert set(re.findall(r'data-look-at="(\w+)"', css)) == parts - {"tabs"}


def test_the_guide_names_every_fact_claim_and_key():
    guide = (ROOT / "docs" / "courses.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)(?:\([^)]*\))?`", guide))
    for name in (*facts.FACTS, *facts.CLAIMS, *courses.LessonHead.model_fields, *Part.__args__):
        assert name in named, name
    example = re.search(r"````\n(.*?)````", guide, re.DOTALL)
    assert example
    assert set(courses.SECTIONS) == set(re.findall(r"^## (\w+)", example.group(1), re.MULTILINE))


def test_the_guides_example_is_a_lesson(tmp_path, traces):
    guide = (ROOT / "docs" / "courses.md").read_text(encoding="utf-8")
    example = re.search(r"````\n(.*?)````", guide, re.DOTALL)
    assert example
    (tmp_path / "01.md").write_text(example.group(1), encoding="utf-8")
    facts.check(read_lesson(tmp_path / "01.md"), traces)
