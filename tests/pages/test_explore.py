"""The Explore page: first paint without torch, the shipped traces, uploads, hostile addresses."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from hiercodec import stream
from hiercodec.classify import ALLOWED, DEFAULT, label_of_path
from hiercodec.errors import ModelMismatch
from hiercodec.evaluation.codecs import purposes
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.samples import samples
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.trace import opening_step
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy import load_hierarchy
from hiercodec.ui.explore.panels import caption
from hiercodec.ui.frame import cached, state
from hiercodec.workers import tasks
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pages" / "explore.py"
FIRST = samples()[0]
"""What the page opens with where no trace has a story, as no fake one has."""

FAKE_CARD = {"preset": {}, "fingerprint": b"FAKE".hex()}


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """A folder of small traces made by the fake codec, one a sample."""
    folder = tmp_path_factory.mktemp("traces")
    codec, evaluator = FakeCodec(), Evaluator(FakeClassifier(), load_hierarchy())
    for row in samples():
        rgb = row.pixels()[:64, :96]
        data = codec.encode(rgb)
        found, decoded = trace(codec, rgb, evaluator.knowing(row.truth), data=data)
        bundle.write(folder / f"{row.id}.zip", bundle.make(found, data, rgb, decoded))
    return folder


@pytest.fixture
def page(traces, monkeypatch):
    """The page over fake traces, with a fake codec behind uploads."""
    monkeypatch.setattr(cached, "TRACES", traces)
    monkeypatch.setattr(cached, "models", lambda: {DEFAULT_MODEL: FAKE_CARD})
    monkeypatch.setattr(tasks, "load_codec", lambda name, fingerprint: FakeCodec())
    monkeypatch.setattr(tasks, "load_classifier", lambda spec: FakeClassifier())
    return AppTest.from_file(str(PAGE), default_timeout=30)


def component(at: AppTest, name: str) -> dict:
    """What the component called `name` was sent."""
    found = [item.proto for item in at.get("bidi_component") if item.proto.component_name.endswith(name)]
    assert len(found) == 1
    return json.loads(found[0].json)


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.error, at.warning) for item in kind)


def test_first_paint_shows_a_shipped_trace_and_imports_no_torch():
    code = f"""
import sys
import threading
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({str(PAGE)!r}, default_timeout=60).run()
assert not at.exception, at.exception
sent = [item.proto.component_name for item in at.get("bidi_component")]
assert len(sent) == 4, sent
slow = {{"torch", "sklearn", "skimage", "scipy", "compressai", "timm", "nltk"}} & set(sys.modules)
assert not slow, slow
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_page_sends_numbers_and_pictures_apart(page):
    at = page.run()
    assert not at.exception
    numbers, pictures = component(at, "hiercodec_scrubber"), component(at, "hiercodec_frames")
    assert numbers["id"] == pictures["id"] == f"shipped-{FIRST.id}"
    assert len(pictures["pictures"]["frames"]) == len(numbers["trace"]["steps"])
    assert len(pictures["pictures"]["bits"]) == 1
    assert len(json.dumps(numbers)) < 80_000
    assert numbers["k"] == opening_step(
        bundle.read(cached.TRACES / f"{FIRST.id}.zip").trace
    )  # no fake trace has a story
    _, left, width = numbers["trace"]["parts"][-1]
    assert left + width == pytest.approx(1)
    assert numbers["trace"]["truth"].endswith(f"(any of these {len(FIRST.truth)} counts)")


def test_every_sample_opens_with_its_credit(page):
    at = page.run()
    for row in samples():
        at.pills[0].set_value(row.title).run()
        assert not at.exception
        assert component(at, "hiercodec_scrubber")["id"] == f"shipped-{row.id}"
        assert row.author in words(at)
        assert caption(row, cached.shipped_bundle(row.id).trace, 0) in words(at)


def test_the_camera_is_asked_for_only_when_it_is_chosen(page):
    at = page.run()
    at.pills[0].set_value(state.UPLOAD).run()
    assert len(at.get("file_uploader")) == 1
    assert not at.get("camera_input")
    at.toggle(key="explore_camera_on").set_value(True).run()
    assert not at.exception
    assert len(at.get("camera_input")) == 1
    at.pills[0].set_value("Cat").run()
    at.pills[0].set_value(state.UPLOAD).run()
    assert not at.get("camera_input"), "back from another photograph it has to be chosen again"


def test_a_picture_from_the_camera_goes_the_way_of_an_upload(page, monkeypatch):
    """AppTest has no camera, so the widget's file comes from here."""
    photo = io.BytesIO()
    Image.fromarray(samples()[0].pixels()).save(photo, "JPEG")
    given = []
    monkeypatch.setattr(st, "camera_input", lambda *_, on_change, args, **__: given.append((on_change, args)))
    at = page.run()
    at.pills[0].set_value(state.UPLOAD).run()
    at.toggle(key="explore_camera_on").set_value(True).run()
    ((on_change, args),) = given[-1:]
    assert (on_change, args) == (state.own_changed, (state.CAMERA,))
    at.session_state["explore_file"] = (state.TAKEN, photo.getvalue())
    given.clear()
    uploader = at.get("file_uploader")[0].proto.id
    at.run()
    assert not at.exception
    assert component(at, "hiercodec_scrubber")["alt"] == "Your picture"
    assert state.TAKEN in words(at)
    assert not given, "the camera is off"
    next(button for button in at.button if button.label == "Another").click().run()
    assert at.toggle(key="explore_camera_on")
    assert at.get("file_uploader")[0].proto.id != uploader, "an empty one"


def go(at: AppTest, step: int) -> AppTest:
    """Open the page's own address at a step."""
    at.query_params["step"] = str(step + 1)
    return at.run()


def test_a_new_address_tells_the_scrubber_where_to_go(page):
    at = page.run()
    before = component(at, "hiercodec_scrubber")
    after = component(go(at, 15), "hiercodec_scrubber")
    assert after["k"] == 15
    assert after["seek"] > before["seek"]
    assert not at.exception


def test_finer_steps_keep_the_place_and_are_computed_once(page, monkeypatch):
    at = page.run()
    go(at, 11)
    sizes = [step["bytes"] for step in component(at, "hiercodec_scrubber")["trace"]["steps"]]
    at.selectbox(key=state.FINER).set_value("intermediate").run()
    assert not at.exception
    sent = component(at, "hiercodec_scrubber")
    finer = [step["bytes"] for step in sent["trace"]["steps"]]
    assert set(sizes) < set(finer)
    assert (sent["finer"], finer[sent["k"]]) == ("intermediate", sizes[11])
    assert len(component(at, "hiercodec_frames")["pictures"]["frames"]) == len(finer)
    monkeypatch.setattr(cached, "compute_finer", lambda *_, **__: pytest.fail("computed again"))
    at.selectbox(key=state.FINER).set_value("none").run()
    at.selectbox(key=state.FINER).set_value("intermediate").run()
    assert [step["bytes"] for step in component(at, "hiercodec_scrubber")["trace"]["steps"]] == finer


def test_finer_steps_that_cannot_be_made_leave_the_rest_standing(page, monkeypatch):
    def fail(*_, **__):
        raise ModelMismatch("made by another model", offset=0)

    monkeypatch.setattr(cached, "compute_finer", fail)
    at = page.run()
    at.selectbox(key=state.FINER).set_value("coarse").run()
    assert "another model" in at.error[0].value
    assert component(at, "hiercodec_scrubber")["finer"] is None


def test_the_address_brings_back_look_and_finer_steps(page):
    page.query_params.update({"look": "split,prefix,webp,2", "finer": "kind", "step": "20"})
    at = page.run()
    sent = component(at, "hiercodec_scrubber")
    assert (sent["look"], sent["finer"], sent["k"]) == ("split,prefix,webp,2", "coarse", 19)


@pytest.mark.parametrize(
    "query",
    [
        {"step": "99"},
        {"step": "-1"},
        {"step": "evil"},
        {"photo": "../../etc/passwd"},
        {"photo": ""},
        {"step": "1e9", "photo": "Cat"},
        {"explore_tab": "<script>"},
        {"look": "picture'],<script>", "finer": "everything"},
        {"look": "nonsense,a,b,7"},
    ],
)
def test_hostile_addresses_fall_back(page, query):
    page.query_params.update(query)
    at = page.run()
    assert not at.exception
    assert 0 <= component(at, "hiercodec_scrubber")["k"] < 24


@pytest.mark.parametrize("spec", ["timm:vit_giant_patch14_224", "timm:resnet50", "/etc/passwd.safetensors", "evil"])
def test_an_address_never_brings_a_classifier(page, monkeypatch, spec):
    monkeypatch.setattr(tasks, "load_classifier", lambda _: pytest.fail("loaded"))
    page.query_params["classifier"] = spec
    at = page.run()
    assert not at.exception
    assert "not installed here" in at.toast[0].value
    assert at.selectbox(key="classifier").value == DEFAULT
    assert component(at, "hiercodec_scrubber")["id"] == f"shipped-{FIRST.id}"


def test_a_classifier_that_is_not_allowed_is_refused_behind_the_settings_too(page, monkeypatch):
    def ask():
        from hiercodec.evaluation.photos.samples import samples
        from hiercodec.ui.explore.subject import subject
        from hiercodec.ui.frame.cached import TraceSettings

        subject(samples()[0], TraceSettings(classifier="timm:resnet50"))

    monkeypatch.setattr(cached, "compute", lambda *_, **__: pytest.fail("computed"))
    at = AppTest.from_function(ask).run()
    assert not at.exception
    assert "not installed here" in at.error[0].value


def test_who_runs_the_server_says_which_classifiers_there_are(page, monkeypatch):
    loaded = []
    monkeypatch.setattr(tasks, "load_classifier", lambda spec: loaded.append(spec) or FakeClassifier())
    monkeypatch.setenv(ALLOWED, "timm:resnet50@w.safetensors?mean=0.5,0.5,0.5  timm:convnext_tiny")
    page.query_params["classifier"] = "timm:convnext_tiny"
    at = page.run()
    assert not at.exception
    assert not at.toast
    assert at.selectbox(key="classifier").options[2:] == [*os.environ[ALLOWED].split(), "none"]
    assert loaded == ["timm:convnext_tiny"]


def photo(size=(640, 480)) -> bytes:
    out = io.BytesIO()
    ramp = np.linspace(0, 255, size[0] * size[1] * 3).reshape(size[1], size[0], 3).astype(np.uint8)
    Image.fromarray(ramp).save(out, "JPEG")
    return out.getvalue()


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    at = page.run()
    at.pills[0].set_value(state.UPLOAD).run()
    at.file_uploader[0].upload(name, data, "application/octet-stream").run()
    assert not at.exception
    return at


def test_own_photo_is_traced_at_the_stated_size(page):
    at = upload(page, "me.jpg", photo())
    sent = component(at, "hiercodec_scrubber")["trace"]
    assert (sent["width"], sent["height"]) == (384, 288)
    assert len(component(at, "hiercodec_frames")["pictures"]["frames"]) == len(sent["steps"])


def test_own_photo_is_encoded_for_what_its_bits_are_for(page, monkeypatch):
    asked = []
    monkeypatch.setattr(purposes, "options", lambda effort, purpose: asked.append((effort, purpose)) or {})
    at = upload(page, "me.jpg", photo())
    at.selectbox(key="purpose").set_value("people").run()
    assert not at.exception
    assert asked == [(0, purposes.PLAIN), (purposes.DEFAULT, "people")]


def test_an_address_brings_all_settings_and_a_course_takes_its_own(page):
    page.query_params.update({"purpose": "Both", "label": "true", "steps": "12", "side": "512", "finer": "family"})
    at = page.run()
    assert not at.exception
    chosen = {key: at.session_state[key] for key in ("purpose", "label", "steps", "side", "finer")}
    assert chosen == {"purpose": "both", "label": True, "steps": 12, "side": 512, "finer": "intermediate"}
    assert "steps=12" in take_away(at)
    at.query_params.update({"course": "idea", "lesson": "1"})
    del at.query_params["photo"]
    at.run()
    assert not at.exception
    plain = cached.TraceSettings()
    assert {key: at.session_state[key] for key in chosen} == {key: getattr(plain, key) for key in chosen}
    assert set(at.query_params) == {"course", "lesson", "photo", "step", "look"}


def take_away(at: AppTest) -> str:
    """The link that the page offers."""
    at.session_state["explore_tab"] = "Take away"
    at.run()
    return next(item.value for item in at.code if "?" in item.value)


def test_a_switch_has_own_files_begin_with_a_label_and_the_page_compares(page, monkeypatch):
    at = upload(page, "me.jpg", photo())
    assert not component(at, "hiercodec_scrubber")["trace"]["labelled"]
    assert "Label and pixels" not in [tab.label for tab in at.tabs]
    at.toggle(key="label").set_value(True).run()
    at.session_state["explore_tab"] = "Label and pixels"
    at.run()
    assert not at.exception
    sent = component(at, "hiercodec_scrubber")["trace"]
    assert [name for name, _, _ in sent["parts"]][:3] == ["header", "label", "z"]
    assert set(sent["steps"][-1]["label"]) == set(sent["levels"])
    assert "This file begins with a label" in words(at)
    assert len(at.dataframe) == len(at.get("plotly_chart")) == 1
    at.toggle(key="label").set_value(False).run()
    assert not component(at, "hiercodec_scrubber")["trace"]["labelled"]


def test_a_stream_with_a_label_shows_it_whatever_the_switch_says(page):
    tree = load_hierarchy()
    label = label_of_path([(int(level.assignment[281]), 2) for level in tree.levels], tree, FakeClassifier.sha256)
    data = FakeCodec().encode(np.full((64, 96, 3), 90, np.uint8), label=label)
    at = upload(page, "told.hc", data)
    sent = component(at, "hiercodec_scrubber")["trace"]
    assert sent["steps"][0]["label"]["fine"]["label"] == "tabby"


def test_a_cut_stream_opens_and_says_what_quality_means(page):
    data = FakeCodec().encode(np.full((64, 96, 3), 90, np.uint8))
    at = upload(page, "part.hc", data[:900])
    sent = component(at, "hiercodec_scrubber")
    assert sent["trace"]["file_bytes"] == 900
    assert sent["sources"] == []
    assert "last decoded frame" in words(at)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.png", b"these are words"),
        ("empty.jpg", b""),
        ("cut.jpg", photo()[:500]),
        ("foreign.hc", b"\x89HC\r\nnonsense that is no stream at all"),
        ("short.hc", b"\x89HC"),
    ],
)
def test_unusable_files_are_told_in_words(page, name, data):
    at = upload(page, name, data)
    assert len(at.error) == 1
    assert at.error[0].value.startswith("This cannot be used: ")
    assert "Traceback" not in words(at)


def header_of(width: int, height: int) -> bytes:
    """What is left of a stream that is cut behind its header: a grey picture of any size for two dozen bytes."""
    data = stream.write(stream.Header(width, height, FakeCodec.fingerprint), b"z", [b"c", b"i", b"f"], [0, 0, 0])
    return data[: stream.parse(data).header_bytes]


def test_a_stream_of_too_many_pixels_is_refused_before_a_codec_is_loaded(page, monkeypatch):
    at = upload(page, "fits.hc", header_of(1024, 1024))
    assert not at.error
    assert component(at, "hiercodec_scrubber")["trace"]["width"] == 1024
    for thread in [thread for thread in threading.enumerate() if thread.name == "refinement"]:
        thread.join()  # of this test and of those before: they load a codec, too
    monkeypatch.setattr(tasks, "load_codec", lambda *_: pytest.fail("loaded"))
    for size in ((1025, 1024), (8192, 4096)):
        at = upload(page, "bomb.hc", header_of(*size))
        assert f"{size[0]}×{size[1]}; this page decodes up to 1,048,576 pixels" in at.error[0].value
        assert "python -m hiercodec decode" in at.error[0].value


def test_without_traces_and_models_the_page_says_how_to_make_them(page, monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "TRACES", tmp_path)
    monkeypatch.setattr(cached, "models", dict)
    at = page.run()
    assert not at.exception
    assert "python -m tools.assets traces" in " ".join(item.value for item in at.code)


@pytest.mark.parametrize("tab", ["Meaning", "Stop when sure", "Bytes", "Take away"])
def test_every_panel_draws(page, tab):
    at = page.run()
    at.session_state["explore_tab"] = tab
    at.run()
    assert not at.exception
    if tab == "Take away":
        assert len(at.get("download_button")) == 9
        assert any("--bytes" in item.value for item in at.code)
        assert any(f"?photo={FIRST.title}&step=" in item.value for item in at.code)
    elif tab == "Meaning":
        assert len(at.dataframe) == 1
        assert "WUP" in words(at)
    else:
        assert len(at.get("plotly_chart")) == 1


def test_bytes_are_compared_at_equal_quality_and_at_equal_size(page):
    at = page.run()
    at.session_state["explore_tab"] = "Bytes"
    at.run()
    at.pills(key="explore_beside").set_value(["jpeg"]).run()
    assert not at.exception
    step = component(at, "hiercodec_scrubber")["trace"]["steps"][component(at, "hiercodec_scrubber")["k"]]
    said = next(item.value for item in at.markdown if item.value.startswith("For "))
    assert f"here **{step['bytes']:,} bytes**" in said
    assert f"In {step['bytes']:,} bytes: here" in said
    assert said.count("JPEG") == 2


def test_finer_steps_are_offered_in_the_blocks_of_the_model_s_own_plan(monkeypatch):
    cards = cached.models()
    own = {"names": ["realm", "order", "species"], "cuts": [10, 20, 30], "ks": [2, 50, 1000]}
    card = {**cards[DEFAULT_MODEL], "preset": {**cards[DEFAULT_MODEL]["preset"], "plan": own}}
    monkeypatch.setattr(cached, "models", lambda: {**cards, DEFAULT_MODEL: card})
    at = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not at.exception
    assert at.selectbox(key="finer").options == ["none", "realm", "order", "species"]
