"""The file commands as a user runs them, and the law of errors: one line, an exit code, no half-written file."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from hiercodec import fsio, stream
from hiercodec.cli import main as cli
from hiercodec.cli.base import JSON, argument, command, command_line, option
from hiercodec.errors import CorruptStream, InputError, ModelNotFound, OutputError, StreamError

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "stream" / "data" / "synthetic-v1.hc"
DATA = GOLDEN.read_bytes()
HEADER_BYTES = stream.parse(DATA).header_bytes


@dataclass
class Done:
    """What a command left: exit code, stdout, stderr."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str | Path, code: int = 0) -> Done:
    """Run the command line in this process; the exit code must be `code`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        returned = cli.main([str(argument) for argument in arguments])
    assert returned == code, err.getvalue()
    return Done(returned, out.getvalue(), err.getvalue())


def shell(*arguments: str | Path, code: int = 0) -> Done:
    """Run the command line as a user does; the exit code must be `code`, and never is there a traceback."""
    command = [sys.executable, "-m", "hiercodec", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, encoding="utf-8")
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_user_sees_the_same_from_the_shell(tmp_path, sample):
    cut = tmp_path / "cut.hc"
    shell("truncate", sample, cut, "--level", "kind")
    assert "kind complete" in shell("verify", cut, code=3).stdout
    assert json.loads(shell("info", cut, "--json").stdout)["level"] == "coarse"
    cut.write_bytes(b"foreign")
    assert "not a .hc stream" in one_line(shell("verify", cut, code=4).stderr)
    assert "Missing argument 'OUT.hc'" in one_line(shell("truncate", cut, code=2).stderr)


def one_line(text: str) -> str:
    """The error law: a single line that starts with the program's name."""
    assert text.startswith("hiercodec: ")
    assert text.count("\n") == 1
    return text


@pytest.fixture
def sample(tmp_path) -> Path:
    path = tmp_path / "in.hc"
    path.write_bytes(DATA)
    return path


def test_help_names_every_command_and_starts_fast_without_torch():
    script = (
        "import sys, time; start = time.process_time()\n"
        "from hiercodec.cli.main import main\n"
        f"assert main(['verify', {str(GOLDEN)!r}]) == 0\n"
        f"assert main(['info', '--json', {str(GOLDEN)!r}]) == 0\n"
        "print(time.process_time() - start, file=sys.stderr)\n"
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'torch', 'PIL', 'timm', 'compressai', 'streamlit'}),"
        " file=sys.stderr)"
    )
    command = [sys.executable, "-c", script]
    done = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT) for _ in range(3)]
    lines = [each.stderr.splitlines() for each in done]
    assert min(float(seconds) for seconds, _ in lines) < 0.5
    assert lines[0][1] == "[]"
    text = run("--help").stdout
    for name in cli.MODULES:
        assert f"\n  {name} " in text


PINNED = """
encode --device --effort --for --hierarchy --label-by --model --plugin
decode --bytes --device --level --max-pixels --model --plugin
trace --classifier --device --hierarchy --html --json --model --plugin --side --steps --until
models --json
truncate --bytes --level
info --json
verify --json
hierarchy table --all --json --measure --paper
hierarchy build --classes --clip --device --embedding --json --k --method --n-init --name --names --out
    --plugin --seed --template --wordnet-depth --wordnet-k
hierarchy compare --json
hierarchy stability --fragile --json
hierarchy show --level
evaluate --card --classifier --codec --crop --cuts --device --force --formats-for --hierarchy --label-by --labels
    --limit --model --out --plugin --rates --ray --resume --sample --steer --strict --task --workers
results show --json
results bd --chart --json --judge
results join --drop --name --out --slim
results export --codec --out --to
results import --name --out
train --classifier --device --devices --hierarchy --labels --minutes --photos --plugin --precision --resume --steps
    --strategy
curves --mode
app --address --courses --device --headless --plugin --port
"""
"""Every command and its options, `--help` aside: names that scripts of others rely on."""


def leaves(group: click.Group = cli.COMMANDS, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command by the words that call it."""
    found = {}
    for name in group.list_commands(click.Context(group)):
        entry = group.get_command(click.Context(group), name)
        found |= leaves(entry, (*path, name)) if isinstance(entry, click.Group) else {(*path, name): entry}
    return found


def test_commands_and_options_are_pinned():
    options = {path: [p for p in entry.params if isinstance(p, click.Option)] for path, entry in leaves().items()}
    found = [" ".join([*path, *sorted(flag for p in known for flag in p.opts)]) for path, known in options.items()]
    assert found == PINNED.strip().replace("\n   ", "").splitlines()


def test_every_command_explains_itself():
    for path, entry in leaves().items():
        said = run(*path, "--help").stdout
        assert said.startswith(f"Usage: hiercodec {' '.join(path)} [OPTIONS]")
        assert all(param.help for param in entry.params if isinstance(param, click.Option))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing command. (hiercodec --help says more)"),
        (("fly",), "No such command 'fly'."),
        (("--", "train"), "Missing argument 'CONFIG'"),
        (("info",), "Missing argument 'IN.hc'. (hiercodec info --help says more)"),
        (("info", "a.hc", "--jsn"), "No such option"),
        (("truncate", "a.hc", "b.hc"), "give one of --bytes and --level"),
        (("decode", "a.hc", "b.png", "--bytes", "3", "--level", "fine"), "give at most one of --bytes and --level"),
        (("truncate", "a.hc", "b.hc", "--bytes", "0"), "'--bytes': 0 is not in the range"),
        (("encode", "a.png", "b.hc", "--for", "cats"), "'--for': 'cats' is not one of 'people', 'machines', 'both'"),
        (("hierarchy", "build", "--out", "x.json"), "give one of --embedding, --clip"),
        (("evaluate", ".", "--out", "x.parquet", "--ray", "--workers", "2"), "at most one of --workers and --ray"),
    ],
)
def test_what_cannot_be_meant_is_one_line(capsys, arguments, said):
    assert cli.main(arguments) == 2
    assert said in one_line(capsys.readouterr().err)


def test_shares_are_told_in_per_cent(sample):
    shares = [float(line.split()[2]) for line in run("info", sample).stdout.splitlines()[4:-1]]
    assert sum(shares) == pytest.approx(100, abs=0.3)


def test_an_option_of_several_values_ends_where_the_next_begins(monkeypatch):
    seen = []
    entry = command(
        "probe", "probe", argument("words", many=True), option("--k", several=True, type=int, default=[1, 2]), JSON
    )(lambda args: seen.append((args.words, args.k, args.json)))
    monkeypatch.setattr(cli.House, "get_command", lambda *_: entry)
    for argv in (["a", "b"], ["a", "--k", "10", "100", "--json"], ["--k", "7", "--k", "8", "9", "--json", "a"]):
        assert cli.main(["probe", *argv]) == 0
    assert seen == [(("a", "b"), (1, 2), False), (("a",), (10, 100), True), (("a",), (7, 8, 9), True)]


def test_results_name_the_command_that_made_them(monkeypatch):
    seen = []
    probe = command("probe", "probe", argument("word"))(lambda args: seen.append(command_line(args)))
    monkeypatch.setattr(cli.House, "get_command", lambda *_: probe)
    assert cli.main(["probe", "two words"]) == 0
    assert seen == ["python -m hiercodec probe 'two words'"]


def test_verify_says_what_is_there_with_its_exit_code(tmp_path, sample):
    assert "complete, 514 bytes" in run("verify", sample).stdout
    cut = tmp_path / "cut.hc"
    for size in (1, 4, 7, HEADER_BYTES - 1, HEADER_BYTES, 100, len(DATA) - 1):
        cut.write_bytes(DATA[:size])
        assert f"truncated but sound: {size} " in run("verify", cut, code=3).stdout
        found = json.loads(run("verify", cut, "--json", code=3).stdout)
        assert (found["state"], found["bytes"]) == ("truncated", size)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x89PNG\r\n\x1a\n" + bytes(50), DATA + b"\0", DATA[:60] + b"?" + DATA[61:], DATA[:10] + b"?" + DATA[11:]],
)
def test_damage_is_one_line_and_exit_4_everywhere(tmp_path, damaged):
    path = tmp_path / "bad.hc"
    path.write_bytes(damaged)
    out = tmp_path / "out.hc"
    assert "(at byte " in one_line(run("verify", path, code=4).stderr)
    found = json.loads(run("verify", path, "--json", code=4).stdout)
    assert found["state"] == "damaged"
    assert found["error"] in ("BadMagic", "CorruptStream")
    one_line(run("info", path, code=4).stderr)
    one_line(run("truncate", path, out, "--bytes", "40", code=4).stderr)
    one_line(run("decode", path, tmp_path / "out.png", code=4).stderr)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.hc"]


def test_a_stream_cut_inside_its_header_cannot_be_shown_or_decoded(tmp_path):
    path = tmp_path / "stub.hc"
    path.write_bytes(DATA[:12])
    assert "cut inside its header" in one_line(run("info", path, code=3).stderr)
    assert "cut inside its header" in one_line(run("decode", path, tmp_path / "out.png", code=3).stderr)


def test_info_adds_up_for_people_and_machines(tmp_path, sample):
    text = run("info", sample).stdout
    assert "75×50, 514 bytes, 1.0965 bpp, complete" in text
    assert "model 0102feff" in text
    for size in (len(DATA), 300, HEADER_BYTES):
        cut = tmp_path / "cut.hc"
        cut.write_bytes(DATA[:size])
        done = run("info", cut, "--json")
        info = json.loads(done.stdout)
        assert done.stderr == ""
        assert sum(info["parts"].values()) == info["bytes"] == size
        assert info["complete"] == (size == len(DATA))


def test_truncate_by_level_and_by_bytes(tmp_path, sample):
    out = tmp_path / "out.hc"
    for level, end in stream.parse(DATA).cuts().items():
        done = run("truncate", sample, out, "--level", level)
        assert done.stdout == ""
        assert out.read_bytes() == DATA[:end]
    run("truncate", sample, out, "--bytes", "77")
    assert out.read_bytes() == DATA[:77]
    run("truncate", sample, out, "--bytes", "100000")
    assert out.read_bytes() == DATA
    run("truncate", sample, sample, "--bytes", "400")  # in place
    assert sample.read_bytes() == DATA[:400]
    assert "cut at 400" in one_line(run("truncate", sample, out, "--level", "fine", code=2).stderr)
    assert "no level 'poodle'" in one_line(run("truncate", sample, out, "--level", "poodle", code=2).stderr)
    assert out.read_bytes() == DATA
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.hc", "out.hc"]


def test_paths_that_cannot_be_used(tmp_path, sample):
    assert "No such file" in one_line(run("info", tmp_path / "none.hc", code=2).stderr)
    assert "directory" in one_line(run("verify", tmp_path, code=2).stderr)
    missing = tmp_path / "missing" / "out.hc"
    assert "no directory" in one_line(run("truncate", sample, missing, "--bytes", "9", code=2).stderr)
    assert "is a directory" in one_line(run("truncate", sample, tmp_path, "--bytes", "9", code=2).stderr)
    below_a_file = sample / "out.hc"
    assert "no directory" in one_line(run("truncate", sample, below_a_file, "--bytes", "9", code=2).stderr)
    wrong = tmp_path / "out.jpg"
    assert "decode writes PNG" in one_line(run("decode", sample, wrong, code=2).stderr)
    if Path("/proc").is_dir():  # not even root can make a file there
        one_line(run("truncate", sample, "/proc/out.hc", "--bytes", "9", code=2).stderr)
    assert [p.name for p in tmp_path.iterdir()] == ["in.hc"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_write_permission(tmp_path, sample):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    line = one_line(run("truncate", sample, locked / "out.hc", "--bytes", "9", code=2).stderr)
    assert "not writable" in line


def test_a_reader_that_goes_away_is_no_traceback(sample):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hiercodec", "info", str(sample)], stdout=write, stderr=subprocess.PIPE, cwd=ROOT
    )
    os.close(write)
    assert done.returncode == cli.EXIT_BROKEN_PIPE
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ModelNotFound("no weights\nfor it"), 2, "no weights for it"),
        (CorruptStream("bad", offset=7), 4, "bad (at byte 7)"),
        (KeyboardInterrupt(), cli.EXIT_INTERRUPTED, "interrupted"),
        (MemoryError(), 2, "out of memory"),
        (PermissionError(13, "Permission denied", "weights"), 2, "weights: Permission denied"),
        (
            ModuleNotFoundError("No module named 'nltk'", name="nltk"),
            2,
            "which is not installed; in a clone of the repository: pip install '.[clip]'",
        ),
        (ModuleNotFoundError("No module named 'x.y'", name="x.y"), 2, "boom needs the package 'x', which is not"),
    ],
)
def test_every_error_is_one_line_with_its_code(monkeypatch, capsys, error, code, text):
    def fail(args):
        raise error

    monkeypatch.setattr(cli.House, "get_command", lambda *_: command("boom", "fails")(fail))
    assert cli.main(["boom"]) == code
    assert text in one_line(capsys.readouterr().err)


def test_our_own_bugs_are_not_hidden(monkeypatch):
    def bug(args):
        raise ZeroDivisionError

    monkeypatch.setattr(cli.House, "get_command", lambda *_: command("boom", "fails")(bug))
    with pytest.raises(ZeroDivisionError):
        cli.main(["boom"])


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "out.hc"
    path.write_bytes(b"old")
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fail(*_, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises((OutputError, KeyboardInterrupt)):
                fsio.write_bytes(path, b"new")
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["out.hc"]
    fsio.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="permissions, links and devices of POSIX")
def test_writes_keep_permissions_follow_links_and_spare_devices(tmp_path):
    fresh = tmp_path / "fresh"
    fsio.write_bytes(fresh, b"x")
    (tmp_path / "plain").touch()
    assert fresh.stat().st_mode == (tmp_path / "plain").stat().st_mode
    fresh.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(fresh)
    fsio.write_bytes(link, b"through")
    assert link.is_symlink()
    assert fresh.read_bytes() == b"through"
    assert fresh.stat().st_mode & 0o777 == 0o640
    fsio.write_bytes(os.devnull, b"gone")
    assert not Path(os.devnull).is_file()


def test_reads_are_bounded(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(bytes(11))
    assert fsio.read_bytes(path, max_bytes=11) == bytes(11)
    with pytest.raises(InputError, match="larger than 10 bytes"):
        fsio.read_bytes(path, max_bytes=10)
    with pytest.raises(InputError, match="cannot read"):
        fsio.read_bytes("a\0b")
    assert not issubclass(InputError, StreamError)


def test_a_label_is_said_in_words(tmp_path):
    data, path = (GOLDEN.with_name("synthetic-v2.hc")).read_bytes(), tmp_path / "label.hc"
    path.write_bytes(data)
    said = run("info", path).stdout
    assert "format version 2" in said
    assert "label: kind " in said
    assert "by lite0, groups of consensus-mended" in said
    run("truncate", path, tmp_path / "alone.hc", "--level", "label")
    alone = run("info", tmp_path / "alone.hc").stdout
    assert [line for line in alone.splitlines() if line.startswith("label:")] == [
        line for line in said.splitlines() if line.startswith("label:")
    ]
    run("verify", tmp_path / "alone.hc", code=3)
    parsed = stream.parse(data)
    elsewhere = dataclasses.replace(parsed.header, mark=stream.Mark("0000", "579"))
    sections = parsed.z.payload, [b.payload for b in parsed.blocks], [b.check or 0 for b in parsed.blocks]
    path.write_bytes(stream.write(elsewhere, *sections, b"abc"))
    assert "label: 3 bytes that name groups of a hierarchy that is not here (its digest begins with 0000)" in (
        run("info", path).stdout
    )
    run("verify", path)
