"""Plugins: modules outside of the package that the command, its workers, Ray actors and training find by name."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from hiercodec import classify, plugins
from hiercodec.classify.catalog import JUDGES
from hiercodec.cli.main import main
from hiercodec.errors import ConfigError, InputError
from hiercodec.evaluation.codecs.functions import CODECS, FunctionPeer, peer_of
from hiercodec.evaluation.codecs.rivals import rival
from hiercodec.evaluation.results import rows
from hiercodec.models.channels.backbones import BACKBONES
from hiercodec.tasks import TASKS, load_task
from tests.evaluation.photographs import photographs

ROOT = Path(__file__).resolve().parents[1]


def write_files(folder: Path) -> None:
    """The files that docs/extending.md gives whole."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    for name, body in re.findall(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        (folder / name).write_text(body, encoding="utf-8")


def forget(patch: pytest.MonkeyPatch) -> None:
    """Let what plugins add go with the test; the modules, too, which the next folder has anew."""
    for registry, added in ((CODECS, "quarter"), (JUDGES, "bright"), (TASKS, "shade"), (BACKBONES, "mend")):
        registry.pop(added, None)
        patch.setitem(registry, added, None)  # so that its undoing takes it out again
        del registry[added]
    patch.setattr(plugins, "_used", [])
    for name in ("my_codec", "my_judge", "my_backbone"):
        patch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder with the plugins of the page, some photographs and one more plugin; the working folder."""
    write_files(tmp_path)
    (tmp_path / "my_judge.py").write_text(
        "import numpy as np\n"
        "from hiercodec.classify.catalog import JUDGES\n"
        "class Bright:\n"
        "    name, sha256, weights_id, temperature = 'bright', '0' * 64, '0' * 12, 1.0\n"
        "    def probabilities(self, pictures):\n"
        "        return np.eye(1000, dtype=np.float32)[[int(p.mean()) for p in pictures]]\n"
        "JUDGES['bright'] = Bright\n"
        "from hiercodec.tasks import TASKS\n"
        "class Shade:\n"
        "    title, provenance = 'how alike in brightness', {'weights': 'none'}\n"
        "    def __init__(self, rest, hierarchy, words):\n"
        "        self.channel = int(rest)\n"
        "    def answers(self, pictures):\n"
        "        return [float(picture[..., self.channel].mean()) for picture in pictures]\n"
        "    def score(self, answer, reference):\n"
        "        return 1 - abs(answer - reference) / 255\n"
        "    def words(self, answer):\n"
        "        return [('bright', answer / 255)]\n"
        "TASKS['shade'] = Shade\n"
    )
    (tmp_path / "photos").mkdir()
    photographs(tmp_path / "photos", 4, 48, 64)
    monkeypatch.chdir(tmp_path)
    forget(monkeypatch)
    return tmp_path


def run(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`hiercodec …` as its console command: the working folder is not on the path."""
    command = [sys.executable, "-c", "from hiercodec.cli.main import entry; entry()", *argv]
    places = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **places, **variables}, check=False
    )


@pytest.mark.slow
def test_the_page_s_codec_a_judge_and_a_task_are_measured_by_workers_and_gone_on_with(outside, capsys):
    options = ["--model", "none", "--plugin", "my_judge", "--classifier", "bright", "--task", "shade:1"]
    ways = {"here": ["--workers", "1"], "two": ["--workers", "2"]}
    if importlib.util.find_spec("ray"):
        ways["ray"] = ["--ray"]
    frames = {}
    for way, how in ways.items():
        argv = ["evaluate", "photos", "--out", f"{way}.parquet", "--codec", "my_codec:quarter", *options, *how]
        if way == "here":
            assert main(argv) == 0, capsys.readouterr().err
        else:
            done = run(*argv)
            assert done.returncode == 0, done.stderr
        frames[way] = rows.read(outside / f"{way}.parquet").frame.drop(columns="seconds")
        pd.testing.assert_frame_equal(frames[way], frames["here"])
    ours = frames["here"][frames["here"].codec == "my_codec:quarter"]
    assert len(ours) == 4 * 1
    assert (ours.judge == "bright").all()
    assert all(0.9 < score < 1 for (score,) in ours.scores)
    again = ["--plugin", "my_codec", "--codec", "quarter", "--resume", "--workers", "1"]
    later = sorted((outside / "photos").rglob("*.*"))[1:]
    hidden = [path.rename(outside / path.name) for path in later]
    assert main(["evaluate", "photos", "--out", "named.parquet", *options, *again]) == 0, capsys.readouterr().err
    for path, now in zip(later, hidden, strict=True):
        now.rename(path)
    more = run("evaluate", "photos", "--out", "named.parquet", *options, *again)
    assert more.returncode == 0, more.stderr
    np.testing.assert_array_equal(rows.read(outside / "named.parquet").frame.psnr, frames["here"].psnr)  # NaN is NaN
    code = (outside / "my_codec.py").read_text()
    (outside / "my_codec.py").write_text(code.replace("quantize(64)", "quantize(32)"))
    other = run("evaluate", "photos", "--out", "named.parquet", *options, *again)
    assert other.returncode == 2
    assert "cannot go on with" in other.stderr


@pytest.mark.slow
def test_the_page_s_network_trains_and_opens_in_the_app_too_and_who_lacks_it_is_told(outside, monkeypatch):
    trained = run("train", "my_run.toml", "--steps", "1")
    assert trained.returncode == 0, trained.stderr
    weights = "runs/mine/mine.safetensors"
    card = json.loads((outside / "runs/mine/mine.json").read_text())
    assert card["training"]["plugins"] == ["my_backbone"]
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save("photo.png")
    told = run("encode", "photo.png", "photo.hc", "--model", weights)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "model 'mine' needs a plugin: --plugin my_backbone, or HIERCODEC_PLUGINS=my_backbone" in told.stderr
    assert run("encode", "photo.png", "photo.hc", "--model", weights, "--plugin", "my_backbone").returncode == 0
    environment = {plugins.PLUGINS: "my_backbone"}
    assert run("decode", "photo.hc", "seen.png", "--model", weights, **environment).returncode == 0

    monkeypatch.setenv("HIERCODEC_MODELS", "runs/mine")
    assert "--plugin my_backbone" in " ".join(item.value for item in explored("mine").error)
    monkeypatch.setenv(plugins.PLUGINS, "my_backbone")
    at = explored("mine")
    assert not at.error
    (sent,) = [i.proto for i in at.get("bidi_component") if i.proto.component_name.endswith("hiercodec_scrubber")]
    assert len(json.loads(sent.json)["trace"]["steps"]) > 3
    assert "mine" in " ".join(item.value for item in at.caption)


def explored(model: str) -> AppTest:
    """The page Explore where a model was chosen."""
    at = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=300)
    at.query_params.update({"model": model, "steps": "12", "photo": "Coffee"})
    at.run()
    assert not at.exception
    return at


def test_what_cannot_be_used_is_one_line(outside, monkeypatch):
    (outside / "broken.py").write_text("import nothing_of_that_name")
    monkeypatch.setenv(plugins.PLUGINS, "broken")
    with pytest.raises(
        InputError, match=r"^the plugin 'broken' cannot be loaded: ModuleNotFoundError: No module named"
    ):
        rival("mine")
    monkeypatch.delenv(plugins.PLUGINS)
    with pytest.raises(InputError, match=r"^no codec 'mine'; there are jpeg, .*, and MODULE:OBJECT$"):
        rival("mine")
    with pytest.raises(InputError, match=r"^there is no 'my_codec:eighth': AttributeError"):
        rival("my_codec:eighth")
    with pytest.raises(InputError, match=r"^os:sep is no codec"):
        peer_of("os:sep")
    for wrong in (lambda rgb: rgb, lambda rgb: (b"", rgb[:2]), lambda rgb: (b"", None), lambda rgb: (rgb, rgb)):
        with pytest.raises(InputError, match=r"^codec mine "):
            list(FunctionPeer("mine", {"": wrong}).points(np.zeros((4, 4, 3), np.uint8)))


def test_a_codec_has_settings_or_is_a_peer(monkeypatch):
    rgb = np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setitem(CODECS, "two", {"a": lambda x: (b"1", x), "b": lambda x: (b"12", x)})
    assert [(point.setting, point.bytes) for point in rival("two").points(rgb)] == [("a", 1), ("b", 2)]
    peer = FunctionPeer("own", {"": lambda x: (b"", x)})
    monkeypatch.setitem(CODECS, "own", peer)
    assert rival("own") is peer


def test_installed_plugins_are_found(outside, monkeypatch):
    monkeypatch.syspath_prepend(str(outside))
    monkeypatch.setattr(plugins, "_installed", lambda: ("my_judge",))
    assert classify.missing("bright") == ""
    assert classify.load_classifier("bright").name == "bright"
    assert load_task("shade:2").title == "how alike in brightness"
    assert "my_judge" in plugins.load()


def test_a_run_names_its_plugins(outside):
    from hiercodec.training.config import read_config

    assert read_config("my_run.toml").architecture().transform == "mend"
    Path("other.toml").write_text(Path("my_run.toml").read_text().replace("my_backbone", "no_such_module"))
    with pytest.raises((ConfigError, InputError), match="the plugin 'no_such_module' cannot be loaded"):
        read_config("other.toml")
