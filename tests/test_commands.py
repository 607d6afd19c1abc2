"""Every command in README and docs runs on a fresh clone, with small inputs; what cannot is named with its reason.

Commands stand in fenced blocks. Those of one page run in their order in one folder, where a small `configs/` and the files
of `PLACES` stand for what the page calls photo.jpg, FOLDER or ~/Pictures; the README's come before those of docs/usage.md,
which goes on from there, and none runs twice. A new command runs without being listed anywhere.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import shlex
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import pyarrow.parquet as pq
import pytest
import timm
from PIL import Image
from safetensors.torch import save_file

from hiercodec.cli import main as cli
from hiercodec.evaluation.photos.samples import sample
from hiercodec.fsio import without_folders
from hiercodec.taxonomy import classes
from tests.evaluation.codecs.test_folder import made
from tests.models.tiny import smooth_photo
from tests.test_plugins import forget, write_files
from tools import assets, bench, calibrate, compare, cost, fit_rivals

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {
    "hiercodec": cli.COMMANDS, "tools.assets": assets.COMMANDS, "tools.fit_rivals": fit_rivals.fit_rivals,
    "tools.bench": bench.bench, "tools.calibrate": calibrate.calibrate, "tools.compare": compare.comparison,
    "tools.cost": cost.costs,
}  # fmt: skip
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
SIDE = 64

PLACES = {
    "photo.jpg": "photo.jpg", "PHOTO": "photo.jpg", "FOLDER": "photos", "DATASET": "photos", "VAL": "photos",
    "TRAIN…": "photos", "~/Pictures": "photos", "val-0.tar": "photos",
    "../shared/lab/images/val-0.tar": "photos", "../shared/lab/images/kodak": "photos", "pigeons": "pigeons",
    "timm:mobilenetv3_large_100": "timm:mobilenetv3_large_100@weights.safetensors",
    "runs/NAME/NAME.safetensors": str(ROOT / "assets" / "models" / "lite.safetensors"),
}  # fmt: skip
"""What pages call it → what stands for it here."""

SMALLER = {
    "bench": ["--repeats", "1", "--side", "64"],
    "evaluate": ["--workers", "1", "--limit", "1"],
    "train": ["--steps", "1"],
    "ablation": ["--steps", "1", "--seeds", "0", "--held-out", "2", "--arms", "128/96/96", "--out", "ablation.json"],
}
"""What is added to a command so that it takes seconds and writes into its folder alone."""

NOT_RUN = {
    r"python3 -m venv|\.venv/bin/": "installs everything, lints, runs all tests: .ci/run does it",
    r"ray (start|stop)|--ray \S+:6379": "a cluster of several machines",
    r"timm:resnet50": "weights of 300 MB from the hub",
    r"--codec compressai:": "weights from CompressAI's authors; tests/evaluation/codecs/test_zoo.py has small ones",
    r"(hiercodec app|streamlit run) ": "serves until it is stopped; tests/browser starts it",
    r"assets (limits|fusion)": "learns from photographs of many classes; tests/tools runs its parts",
    r"assets effort": "times encoders for minutes; tests/tools runs its parts",
    r"compare .*shared/lab|compare .*\$L": "judges whose weights are in the lab",
}
"""Commands that are only read: a pattern and the reason."""

GONE = {"measure-core": "docs/label.md names it in the history"}


# ---- what the pages say ------------------------------------------------------------------------------------------------
def fenced(page: str) -> list[str]:
    """The lines of a page's fenced blocks, joined where a backslash ends them; Python and drawings are none of them."""
    text = re.sub(r"^````.*?^````$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def commands(page: str) -> list[str]:
    """The commands among them, each by itself, with the variables that were set before it, without its comment."""
    found, variables = [], {}
    for line in fenced(page):
        words = re.sub(r"\s+# .*$|^# .*$", "", line)
        if re.match(r"(\w+=('[^']*'|\S*);?\s*)+$", words):
            variables |= {name: value.strip("';") for name, value in re.findall(r"(\w+)=('[^']*'|[^\s;]*)", words)}
        elif re.match(r"(\w+=\S+ )*(python|python3|hiercodec|streamlit|ray|pip|\.venv/bin/\w+) ", words):
            for name, value in variables.items():
                words = words.replace(f"${name}", value)
            found += words.split(" && ")
    return [command.strip() for command in found]


def asked(command: str) -> tuple[click.Command, list[str]] | None:
    """Whose command it is and the words behind the program's name; None if it is not one of ours."""
    words = shlex.split(re.sub(r"^(\w+=\S+ )+", "", command))
    if words[0] == "hiercodec":
        return PROGRAMS["hiercodec"], words[1:]
    if words[0] == "python" and words[1] == "-m" and words[2] in PROGRAMS:
        return PROGRAMS[words[2]], words[3:]
    return None


def called(program: click.Command, words: list[str]) -> str:
    """The name of the command."""
    return words[0] if isinstance(program, click.Group) else str(program.name)


def reason(command: str) -> str | None:
    """Why a command is only read, if so."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)


def exists(program: click.Command, words: list[str]) -> bool:
    """Whether a program knows these first words of a command."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return cli.main([*words, "--help"], program) == 0


def first_words(text: str) -> list[str]:
    """The words of a command before its arguments, as far as one can tell."""
    return list(itertools.takewhile(re.compile(r"[a-z][a-z-]*$").match, text.split()[:2]))


# ---- the clone ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder with `configs/` made small, three labelled photographs and weights of a classifier; the working folder."""
    (tmp_path / "configs").mkdir()
    for path in (ROOT / "configs").glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        for name, value in {"crop": 64, "batch": 1, "validate_photos": 1, "compile": "false", "holdout": 0.3}.items():
            text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        (tmp_path / "configs" / path.name).write_text(f"holdout = 0.3\n{text}", encoding="utf-8")
    rng = np.random.default_rng(3)
    for name, wnid in zip("abcdef", (row.wnid for row in classes()[280:286]), strict=True):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        Image.fromarray(smooth_photo(rng, SIDE, SIDE)).save(tmp_path / "photos" / wnid / f"{name}.png")
    Image.fromarray(sample("cat").pixels()[60:, 100:][:SIDE, :SIDE]).save(tmp_path / "photo.jpg", quality=95)
    shutil.copytree(ROOT / "assets" / "courses" / "idea", tmp_path / "pigeons")
    made(tmp_path / "mine", tmp_path / "photos")
    write_files(tmp_path)
    forget(monkeypatch)
    (tmp_path / "assets" / "results").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stand_in(program: click.Command, argv: list[str], folder: Path) -> list[str]:
    """The arguments with what is here in place of what a page names, and smaller."""
    found = [PLACES.get(word, word) for word in argv]
    if any("weights.safetensors" in word for word in found) and not (folder / "weights.safetensors").exists():
        save_file(timm.create_model("mobilenetv3_large_100").state_dict(), folder / "weights.safetensors")
    return [*found, *SMALLER.get(called(program, argv), [])]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES[1:] if any(map(asked, commands(page)))])
def test_every_command_of_a_page_runs(page, clone, capsys):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}  # `train` sets its own
    said = [*commands("README.md"), *commands(page)] if page == "docs/usage.md" else commands(page)
    done: set[str] = set()
    try:
        for command in said:
            found = asked(command)
            if found is None or reason(command) or command in done:
                continue
            program, argv = found
            code = cli.main(stand_in(program, argv, clone), program)
            assert code in ((0, 3) if called(program, argv) == "verify" else (0,)), (
                f"{command}\n{capsys.readouterr().err[-2000:]}"
            )
            done.add(command)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert done or all(map(reason, said))


# ---- what is only read -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_of_ours_or_is_known(page):
    for command in commands(page):
        found = asked(command)
        if found is None:
            assert reason(command), f"{command} is not run, and nobody says why"
        else:
            cli.check(found[1], found[0])  # a usage error: an option or a choice that does not exist


def test_commands_that_are_named_in_a_sentence_exist():
    """In pages, and in what the program itself says."""
    files = [ROOT / page for page in PAGES] + [*(ROOT / "hiercodec").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        for program, words in re.findall(r"python -m (hiercodec|tools\.[\w.]+)((?: [a-z][a-z-]*)*)", text):
            found.append((path.name, program, words))
        found += [(path.name, "hiercodec", f" {words}") for words in re.findall(r"`hiercodec ([a-z][^`]*)`", text)]
    assert len(found) > 60
    for name, program, words in found:
        if program not in PROGRAMS:
            assert find_spec(program.rstrip(".")) is not None, f"{name}: {program}"
        elif plain := first_words(words):
            assert plain[0] in GONE or exists(PROGRAMS[program], plain), f"{name}: {program}{words}"


def test_the_lists_hold_nothing_that_no_page_says():
    said = [command for page in PAGES for command in commands(page)]
    assert len(said) > 30
    for pattern in NOT_RUN:
        assert any(re.search(pattern, command) for command in said), pattern
    words = {word for command in said for word in shlex.split(command)}
    assert set(PLACES) <= words, set(PLACES) - words
    assert set(SMALLER) <= {called(*found) for command in said if (found := asked(command))}


def recorded() -> list[tuple[str, str]]:
    """(file, command) of everything that ships: how results, cards and rows say that they were made."""
    found: list[tuple[str, str]] = []

    def walk(name: str, value: object, key: str = "") -> None:
        if isinstance(value, dict):
            for inner, row in value.items():
                walk(name, row, inner)
        elif isinstance(value, list):
            for row in value:
                walk(name, row, key)
        elif isinstance(value, str) and key in ("command", "commands"):
            found.extend((name, command) for command in value.split(" && "))

    for path in sorted((ROOT / "assets").rglob("*.json")):
        walk(path.name, json.loads(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "assets").rglob("*.parquet")):
        walk(path.name, json.loads((pq.read_schema(path).metadata or {})[b"hiercodec"]))
    return found


def test_recorded_commands_exist_and_name_no_folder_of_a_machine():
    assert len(recorded()) > 15
    for name, command in recorded():
        found = asked(command)
        assert found is not None, f"{name}: {command}"
        cli.check(found[1], found[0])
        assert command == without_folders(command), f"{name}: {command}"


def test_an_install_that_is_named_can_be_had():
    extras = re.search(
        r"\[project.optional-dependencies\]\n(.*?)\n\[", (ROOT / "pyproject.toml").read_text(), re.DOTALL
    )
    assert extras
    known = set(re.findall(r"^(\w+) = \[", extras.group(1), flags=re.MULTILINE))
    files = [*(ROOT / "hiercodec").rglob("*.py"), *(ROOT / page for page in PAGES), ROOT / "CHANGELOG.md"]
    for path in files:
        for name, asked in re.findall(
            r"pip install (?:-q )?'?([.\w]+)\[([\w,{}]+)\]", path.read_text(encoding="utf-8")
        ):
            assert name == ".", f"{path.name}: no package index carries {name}"
            assert set(asked.split(",")) <= known | {"{extra}"}, path.name
    assert set(cli.EXTRAS.values()) <= known


def test_a_command_that_is_none_is_found():
    """The tests above can fail: a renamed option, a command that is gone, one of another program."""
    for wrong in (["train", "configs/lite.toml", "--photo-folder", "x"], ["trian", "x"], ["train"]):
        with pytest.raises(click.ClickException):
            cli.check(wrong)
    cli.check(["train", "nowhere.toml", "--photos", "a", "b", "--classifier", "timm:resnet50"])  # it is not run
    assert not exists(cli.COMMANDS, ["trian"])
    assert asked("OMP_NUM_THREADS=2 python -m hiercodec models --json") == (cli.COMMANDS, ["models", "--json"])
    assert asked("streamlit run app.py") is None
    assert reason("ffmpeg -i x") is None
