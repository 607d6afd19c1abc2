"""Models and hierarchies of one's own, by name: Python, commands, workers and app find the same ones."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import hiercodec as hc
from hiercodec import installed, models, stream
from hiercodec.cli.main import main
from hiercodec.evaluation.results import rows
from hiercodec.installed import MODELS, absolute
from hiercodec.taxonomy import HierarchyLevel, available_hierarchies, load_hierarchy, make_hierarchy, save_hierarchy
from hiercodec.taxonomy.hierarchy_file import SHELF
from hiercodec.workers import tasks
from tests.models.tiny import TINY_LITE, make_codec, smooth_photo

ROOT = Path(__file__).resolve().parents[1]
PLAN = {"names": ["realm", "order", "species"], "cuts": [40, 68, 100], "ks": [2, 50, 1000]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a model whose levels have names of their own, and two hierarchies."""
    folder = tmp_path_factory.mktemp("mine")
    make_codec(TINY_LITE.scaled(name="mine", plan=PLAN), folder)
    halves = HierarchyLevel("realm", 2, np.arange(1000) // 500, ("first", "second"))
    save_hierarchy(make_hierarchy("as its file says", [halves]), folder / "halves.json")
    pair = HierarchyLevel("side", 2, np.array([0, 0, 1]), ("left", "right"))
    save_hierarchy(make_hierarchy("three", [pair], class_names=("a", "b", "c")), folder / "three.json")
    (folder / "model.json").write_text('{"of": "something else"}')
    return folder


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    """The same, where the environment names it."""
    for shelf in (MODELS, SHELF):
        monkeypatch.setenv(shelf.variable, os.pathsep.join([str(folder), f"again={folder / 'mine.safetensors'}"]))
    monkeypatch.setenv(SHELF.variable, str(folder))
    return folder


def test_models_are_found_by_name_wherever_a_name_is_taken(here, capsys):
    assert set(installed.models()) >= {"lite", "mine", "again"}
    assert "model" not in installed.models()
    assert (hc.load("mine").name, hc.load("again").name) == ("mine", "again")
    assert hc.load(f"third={here / 'mine.safetensors'}").name == "third"
    mark = installed.models()["mine"]["fingerprint"]
    assert models.find(bytes.fromhex(mark)).name == "mine"
    assert tasks.codec_for(mark, "lite").name == "mine"
    assert main(["models"]) == 0
    assert "mine " in capsys.readouterr().out
    with pytest.raises(hc.ModelNotFound, match=r"there are: lite, .*mine"):
        hc.load("yours")


def test_what_cannot_be_used_is_said_and_takes_no_name_away(here, monkeypatch, tmp_path, capsys):
    shutil.copy(here / "mine.safetensors", tmp_path / "lite.safetensors")
    shutil.copy(here / "mine.json", tmp_path / "lite.json")
    (tmp_path / "bad.json").write_text("{")
    shutil.copy(here / "mine.json", tmp_path / "bare.json")
    entries = [str(tmp_path), "nowhere", f"lost={tmp_path / 'lost.safetensors'}"]
    monkeypatch.setenv(MODELS.variable, os.pathsep.join(entries))
    assert not MODELS.own().things
    said = "\n".join(MODELS.own().wrong)
    for words in ("the card bad.json is damaged", "bare.json: there is no .safetensors file", "the name 'lite' is taken",
                  "no folder or file nowhere", "no file lost.safetensors"):  # fmt: skip
        assert words in said
    assert str(tmp_path) not in said, "the app shows it to strangers"
    assert main(["models"]) == 0
    assert "nowhere" in capsys.readouterr().err
    with pytest.raises(hc.ModelNotFound, match="no folder or file nowhere"):
        hc.load("mine")
    monkeypatch.setenv(SHELF.variable, str(tmp_path))
    with pytest.raises(
        hc.HierarchyError, match=r"there are: consensus-mended.*bare\.json: bare\.json: not a hierarchy"
    ):
        load_hierarchy("mine")


def test_hierarchies_are_called_by_the_name_they_are_found_by(here):
    assert {"halves", "three"} <= set(available_hierarchies())
    assert "three" not in available_hierarchies(imagenet_only=True)
    assert load_hierarchy("halves").name == "halves"
    assert load_hierarchy(here / "halves.json").name == "as its file says"
    assert load_hierarchy(f"mine={here / 'halves.json'}").name == "mine"
    assert tasks.load_hierarchy("halves").names == ("realm", "fine")


def test_entries_hold_in_every_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = absolute(os.pathsep.join(["here", "", "a=b/c.json", "~"]))
    assert said.split(os.pathsep) == [str(tmp_path / "here"), f"a={tmp_path / 'b/c.json'}", str(Path.home())]


def test_levels_of_a_model_s_own_plan_are_cut_by_their_names(here, tmp_path, capsys, monkeypatch):
    data = hc.load("mine").encode(smooth_photo(np.random.default_rng(3), 70, 90))
    end = stream.parse(data).cuts()["level 1"]
    (tmp_path / "whole.hc").write_bytes(data)
    argv = ["truncate", str(tmp_path / "whole.hc"), str(tmp_path / "cut.hc"), "--level", "realm"]
    assert hc.truncate(data, level="realm") == data[:end]
    assert main(argv) == 0
    assert (tmp_path / "cut.hc").read_bytes() == data[:end]
    assert "bytes, realm complete" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "cut.hc"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"] == ["realm", "order", "species"]
    with pytest.raises(hc.InputError, match="no level 'coarse'; this stream has realm, order, species"):
        hc.truncate(data, level="coarse")
    monkeypatch.delenv(MODELS.variable)
    assert hc.truncate(data, level="level 1") == data[:end]
    assert main(argv) == 2
    assert "this stream has level 1, level 2, level 3" in capsys.readouterr().err


def test_a_damaged_card_does_not_keep_streams_from_being_cut(here, monkeypatch, tmp_path):
    from dataclasses import replace

    data = hc.load("mine").encode(smooth_photo(np.random.default_rng(3), 70, 90))
    (tmp_path / "broken.json").write_text("{")
    monkeypatch.setattr(installed, "MODELS", replace(MODELS, folder=tmp_path))
    assert list(stream.parse(data, installed.plan_of).cuts()) == ["level 1", "level 2", "level 3"]


def test_results_call_a_model_by_its_name_and_not_by_its_path(here, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.fromarray(smooth_photo(np.random.default_rng(1), 64, 80)).save(tmp_path / "photos" / "a.png")
    argv = ["evaluate", str(tmp_path / "photos"), "--classifier", "none", "--workers", "1", "--out"]
    asked = [f"--model={here / 'mine.safetensors'}", "--model=again", f"--model=b={here / 'mine.safetensors'}@people:0"]
    assert main([*argv, str(tmp_path / "r.parquet"), *asked]) == 0
    found = rows.read(tmp_path / "r.parquet")
    assert found.codecs == ["mine", "again", "b@people:0"]
    assert set(found.meta["provenance"]["models"]) == {"mine", "again", "b@people:0"}


def test_explore_offers_them_and_traces_with_them(here):
    at = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=120)
    at.query_params.update({"model": "mine", "hierarchy": "halves", "steps": "12", "photo": "Coffee"})
    at.run()
    assert not at.exception
    assert {"mine", "again"} <= set(at.selectbox(key="model").options)
    assert "halves" in at.selectbox(key="hierarchy").options
    assert "three" not in at.selectbox(key="hierarchy").options, "it is of other classes than the classifiers"
    (sent,) = [i.proto for i in at.get("bidi_component") if i.proto.component_name.endswith("hiercodec_scrubber")]
    trace = json.loads(sent.json)["trace"]
    assert list(trace["steps"][-1]["answers"]) == ["realm", "fine"], "the answers' levels are the hierarchy's"
    assert trace["levels"] == PLAN["names"], "the file's are the model's"
    assert "mine" in " ".join(item.value for item in at.caption)
