"""The page to take away: whole, small, closed to the network, and deaf to what names say."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.report import takeaway
from hiercodec.report.takeaway import moments
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec

HOSTILE = "<script>alert('a')</script><!--\"$title${scrubber}&amp;"


def traced(rgb, evaluator=True, steps=7):
    codec = FakeCodec()
    data = codec.encode(rgb)
    found, decoded = trace(
        codec, rgb, Evaluator(FakeClassifier(), load_hierarchy()) if evaluator else None, steps=steps, data=data
    )
    return bundle.make(found, data, rgb, decoded)


@pytest.fixture(scope="module")
def packed():
    return traced(sample("cat").pixels()[:96, :144])


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "h1": [], "title": []}
        self.open = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        if self.open in self.texts:
            self.texts[self.open][-1] += data


def test_it_holds_every_picture_and_says_what_made_it(packed):
    row = sample("cat")
    page = takeaway.page(packed, "Cat", sample=row, position=2)
    data = json.loads(Elements(page).texts["script"][0])
    assert data["k"] == 2
    assert len(data["trace"]["steps"]) == len(packed.trace.steps)
    sent = {name: [base64.b64decode(file) for file in row] for name, row in data["pictures"][0]["pictures"].items()}
    assert sent == {"original": [packed.original], "frames": list(packed.changes), "bits": [packed.bits]}
    words = re.sub(r"<[^>]+>", " ", page.split("</main>")[1].split("<article")[0])
    for fact in (FakeCodec.name, FakeCodec.fingerprint.hex(), FakeClassifier.name, "0123abcd", row.author, row.licence):
        assert fact in words
    assert "Consensus, mended" in words


def test_it_keeps_the_rival_of_equal_bytes(packed):
    answer = {"coarse": {"label": "dogs", "link": "groups?of=dogs", "chance": "90 %"}}
    beside = [bundle.to_webp(frame, 1) for frame in packed.frames()[:2]]
    told = [{"size": f"{n} bytes", "quality": "30.0 dB", "frame": n, "answers": answer} for n in range(2)]
    facts = {"codec": "avif", "label": "AVIF", "points": [None, *told], "first": {}, "smallest": "300 bytes", "id": "x"}
    page = takeaway.page(packed, "Cat", rival=(facts, beside), look="split,prefix,avif,0")
    data = json.loads(Elements(page).texts["script"][0])
    assert (data["sources"], data["look"]) == ([["avif", "AVIF, same bytes"]], "split,prefix,avif,0")
    first, second, third = data["rival"]["points"]
    assert first is None
    assert second == told[0] | {"answers": {"coarse": answer["coarse"] | {"link": None}}}, "its addresses lead nowhere"
    assert third["frame"] == 1
    pictures = next(row for row in data["pictures"] if row["id"] == data["rival"]["id"])
    assert [base64.b64decode(file) for file in pictures["pictures"]["frames"]] == beside
    assert not pictures["changes"]


def test_nothing_in_it_can_reach_the_network_or_run_unnamed(packed):
    found = Elements(takeaway.page(packed, "Cat"))
    policy = next(row["content"] for tag, row in found.tags if row.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    assert rules.pop("img-src") == "data:"
    style, script = found.texts["style"][0], found.texts["script"][1]
    named = {f"{name}-src": base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
             for name, text in (("style", style), ("script", script))}  # fmt: skip
    assert rules == {name: f"'sha256-{digest}'" for name, digest in named.items()}
    assert len(found.texts["style"]) == 1
    assert len(found.texts["script"]) == 2, "the data and the modules"
    for tag, row in found.tags:
        assert not {name for name in row if name.startswith("on") or name == "style"}, f"{tag} {row}"
        assert all(str(row[name]).startswith("data:") for name in ("src", "href") if name in row), f"{tag} {row}"


def test_names_are_text_and_nothing_else(packed):
    ranked = ((0, HOSTILE, 0.5), (1, "</script>", 0.2))
    answers = tuple(dataclasses.replace(step, top=dict.fromkeys(step.top, ranked)) for step in packed.trace.steps)
    hostile = dataclasses.replace(packed, trace=dataclasses.replace(packed.trace, steps=answers))
    plain, found = Elements(takeaway.page(packed, "Cat")), Elements(takeaway.page(hostile, HOSTILE))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in plain.tags]
    assert found.texts["h1"] == [HOSTILE, HOSTILE]
    data = json.loads(found.texts["script"][0])
    assert data["alt"] == HOSTILE
    assert not any(row["link"] for row in data["trace"]["steps"][0]["answers"].values()), "they lead nowhere from here"


def test_a_large_photograph_loses_a_little_and_says_so():
    noise = np.random.default_rng(0).integers(0, 256, (512, 640, 3), np.uint8)
    page = takeaway.page(traced(noise, evaluator=False), "Noise")
    assert len(page.encode()) <= takeaway.LIMIT
    assert "stored as WebP of quality" in page
    assert json.loads(Elements(page).texts["script"][0])["pictures"][0]["changes"] == []


def test_what_does_not_fit_is_refused(packed, monkeypatch):
    monkeypatch.setattr(takeaway, "LIMIT", 1000)
    with pytest.raises(takeaway.ImageTooLarge, match="fewer steps"):
        takeaway.page(packed, "Cat")


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_the_summary_shows_up_to_three_steps(packed, steps):
    cut = dataclasses.replace(packed.trace, steps=packed.trace.steps[-steps:])
    shown = moments(cut)
    assert shown == sorted(set(shown))
    assert len(shown) == min(3, steps)
    assert shown[-1] == steps - 1


def test_making_it_needs_no_streamlit_and_no_torch():
    code = (
        "import sys, hiercodec.report.takeaway\n"
        "assert not {'streamlit', 'torch', 'plotly'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
