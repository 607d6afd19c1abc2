"""What is installed: the dependencies' two lists agree, and a wheel works without the repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec import __version__
from hiercodec.images import load_rgb
from tests.evaluation.photographs import photographs
from tests.models.tiny import smooth_photo
from tests.test_front_door import readme_lines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(lines: list[str]) -> dict[str, set[str]]:
    """Name → the version bounds and markers that any of the lines gives it."""
    found: dict[str, set[str]] = {}
    for line in lines:
        if text := line.partition("#")[0].strip():
            name, rest = re.fullmatch(r"([\w.-]+)\s*(.*)", text).groups()
            found.setdefault(name.lower().replace("_", "-"), set()).add(rest.strip().replace('"', "'"))
    return found


def test_requirements_txt_is_the_library_with_its_extras():
    listed = requirements((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    extras = PROJECT["optional-dependencies"]
    declared = requirements(
        [*PROJECT["dependencies"], *extras["evaluate"], *extras["app"], *extras["train"], *extras["clip"]]
    )
    declared["numpy"] = {">=1.26,<2"}  # the strictest of two: compressai's
    declared["compressai"] = {"==1.2.8"}
    assert listed.pop("torchvision") == {""}, "named so that pip matches it with torch; timm brings it"
    assert listed == declared


def test_the_core_is_small():
    core = set(requirements(PROJECT["dependencies"]))
    assert not core & {"streamlit", "umap-learn", "compressai", "open-clip-torch", "nltk", "plotly", "scikit-learn"}
    assert set(PROJECT["optional-dependencies"]) == {"evaluate", "app", "train", "clip", "ray"}


def test_the_version_is_said_once():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert PROJECT["dynamic"] == ["version"]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch's default build is the small one")
def test_the_line_for_machines_without_a_gpu_takes_the_small_builds():
    """What uv would install by that line; 4 GB of the default build are packages of NVIDIA's."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("uv is not installed beside this Python")
    (line,) = re.findall(r"bin/uv pip install -q (.*)", (ROOT / "docs" / "usage.md").read_text(encoding="utf-8"))
    command = [str(uv), "pip", "compile", "--no-header", "--no-annotate", *line.replace("-r ", "").split()]
    quick = {**os.environ, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "20"}
    done = subprocess.run(command, cwd=ROOT, env=quick, capture_output=True, text=True, check=False)
    if "error sending request" in done.stderr.lower() or "failed to fetch" in done.stderr.lower():
        pytest.skip("PyTorch's index cannot be reached from here")
    assert done.returncode == 0, done.stderr
    assert {"torch", "torchvision"} == set(re.findall(r"^(\w+)==\S+\+cpu$", done.stdout, flags=re.MULTILINE))
    assert not re.search(r"^(nvidia|triton|cuda)", done.stdout, flags=re.MULTILINE)


@pytest.mark.slow
def test_measuring_needs_nothing_of_the_other_extras(tmp_path):
    """`pip install '.[evaluate]'` has no Streamlit: what only other extras bring cannot be imported here."""
    extras = PROJECT["optional-dependencies"]
    there = {*requirements([*PROJECT["dependencies"], *extras["evaluate"]])}
    names = {"scikit-learn": "sklearn", "scikit-image": "skimage", "open-clip-torch": "open_clip", "umap-learn": "umap"}
    others = {name for extra in extras.values() for name in requirements(extra)} - there
    absent = {names.get(name, name.replace("-", "_").partition("[")[0]) for name in others}
    assert {"streamlit", "plotly", "loky", "compressai", "ray"} <= absent
    (tmp_path / "photos").mkdir()
    photographs(tmp_path / "photos", 2, 96, 96)
    kodak = ROOT / "assets" / "results" / "kodak.parquet"
    script = f"""
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # cannot be imported, and are not found
from hiercodec.cli.main import main
argv = ["evaluate", "photos", "--workers", "1", "--codec"]
for codec in ("jpeg", "webp"):
    assert main([*argv, codec, "--out", codec + ".parquet"]) == 0
assert main(["results", "join", "jpeg.parquet", "webp.parquet", "--out", "both.parquet"]) == 0
assert main(["results", "show", "both.parquet", "--json"]) == 0
assert main(["results", "bd", "{kodak}:jpeg", "{kodak}:avif"]) == 0
assert main(["results", "export", "both.parquet", "--codec", "jpeg", "--out", "jpeg.json"]) == 0
"""
    command, places = [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=places, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of this working tree, built without an environment of its own."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_carries_assets_pages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {name.removeprefix("hiercodec/") for name in names if ".dist-info/" not in name}
    tracked = {
        str(p.relative_to(ROOT)) for folder in ("assets", "pages") for p in (ROOT / folder).rglob("*") if p.is_file()
    }
    assert {name for name in tracked if "__pycache__" not in name} == {
        name.removeprefix("app/") for name in inside if name.startswith(("assets/", "app/pages/"))
    }
    for name in ("py.typed", "stream/FORMAT.md", "report/web/scrubber.css", "app/app.py", "app/.streamlit/config.toml"):
        assert name in inside
    assert not [
        name
        for name in names
        if name.startswith(("tests/", "tools/")) or "__pycache__" in name or name.endswith(".partial")
    ]
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_a_wheel_works_from_any_folder_without_the_repository(wheel, tmp_path):
    """The README's lines and the command line on the unpacked wheel."""
    site, here = tmp_path / "site", tmp_path / "here"
    here.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    Image.fromarray(smooth_photo(np.random.default_rng(1), 96, 128)).save(here / "photo.jpg")
    code = f"""
import hiercodec.fsio as f
print(f.locate("models"), f.APP)
{readme_lines()}
from hiercodec.cli.main import main
from hiercodec.training.config import read_config
assert read_config("smoke").name  # configs are there by name
assert main(["encode", "photo.jpg", "photo.hc"]) == 0
assert main(["decode", "photo.hc", "seen.png", "--level", "coarse"]) == 0
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, path, *rest = done.stdout.splitlines()
    assert found.split() == [str(site / "hiercodec" / "assets" / "models"), str(site / "hiercodec" / "app")]
    assert path.count("›") == 2
    assert "Stopped" in "".join(rest)
    assert load_rgb(here / "seen.png").shape == (96, 128, 3)
