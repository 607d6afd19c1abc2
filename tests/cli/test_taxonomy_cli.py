"""The hierarchy commands, run as the command line runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hiercodec.cli import main as cli
from hiercodec.taxonomy import load_hierarchy
from tools import assets

ROOT = Path(__file__).resolve().parents[2]


def main(*argv):
    return cli.main(["hierarchy", *argv])


def run_json(capsys, *argv):
    assert main(*argv, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def points(tmp_path):
    """A .npy file of 24 points in 3 × 2 blobs, and its class names."""
    rng = np.random.default_rng(0)
    x = (20 * rng.normal(size=(3, 6))).repeat(8, 0) + (3 * rng.normal(size=(6, 6))).repeat(4, 0)
    np.save(tmp_path / "x.npy", x + 0.1 * rng.normal(size=x.shape))
    (tmp_path / "names.txt").write_text("\n".join(f"thing {i}" for i in range(24)), encoding="utf-8")
    return tmp_path


def test_table_gives_the_issues_figures(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HIERCODEC_LAB", str(tmp_path / "none"))
    result = run_json(capsys, "table")
    rows = {(row["hierarchy"], row["level"]): row for row in result["levels"]}
    cut = rows["wordnet", "coarse"]
    assert cut["intra"] == pytest.approx(0.472, abs=0.002)
    assert cut["inter"] == pytest.approx(0.270, abs=0.006)
    for model in ("clip-b16", "clip-b16-desc", "clip-l14", "clip-h14"):
        row = rows[f"{model}-flat", "coarse"]
        assert 0.55 <= row["intra"] <= 0.62
        assert 0.42 <= row["inter"] <= 0.43
    assert rows["consensus", "coarse"]["largest_share"] < 0.2
    assert [round(g["wup"], 3) for g in result["golden"]] == [0.320, 0.769, 0.880]
    assert ("paper (authors' files)", "coarse") not in rows
    assert [n["inside"] for n in result["nesting"] if n["hierarchy"] == "consensus"] == [100]


@pytest.mark.lab
def test_table_reproduces_the_papers_table_1(capsys, lab):
    result = run_json(capsys, "table", "wordnet", "--paper", str(lab / "paper"))
    row = result["levels"][0]
    assert (row["hierarchy"], row["level"]) == ("paper (authors' files)", "coarse")
    assert row["intra"] == pytest.approx(0.583, abs=0.001)
    assert row["inter"] == pytest.approx(0.426, abs=0.001)
    assert result["published"]["CLIP clusters"]["intra"] == 0.583


def test_two_runs_are_byte_identical_whatever_the_hash_seed():
    def run(seed, *argv):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "hiercodec", "hierarchy", *argv]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True).stdout

    assert run("1", "table", "--json") == run("2", "table", "--json")
    assert run("1", "stability", "--json") == run("2", "stability", "--json")


def test_table_and_stability_are_readable_without_json(capsys):
    assert main("table", "consensus", "--measure", "eq1") == 0
    out = capsys.readouterr().out
    assert "consensus" in out
    assert "0.583" in out
    assert main("stability", "--fragile", "3") == 0
    assert "Most fragile classes" in capsys.readouterr().out


def test_show_lists_groups_and_members(capsys):
    assert main("show", "consensus") == 0
    assert "[111]: Japanese spaniel" in capsys.readouterr().out
    assert main("show", "wordnet", "--level", "coarse") == 0
    assert "…" not in capsys.readouterr().out


@pytest.mark.parametrize("method", ["flat", "nested", "ward"])
def test_build_from_own_embeddings_and_classes(points, capsys, method):
    out = points / "mine.json"
    argv = ["build", "--embedding", str(points / "x.npy"), "--classes", str(points / "names.txt"), "--k", "6", "3"]
    summary = run_json(capsys, *argv, "--method", method, "--out", str(out))
    h = load_hierarchy(out)
    assert summary["levels"] == {"level 1": 3, "level 2": 6, "fine": 24}
    assert h.ks == (3, 6, 24)
    assert h.name == "mine"
    assert h.levels[-1].labels[5] == "thing 5"
    assert h.level("level 1").sizes.tolist() == [8, 8, 8]
    assert h.provenance["embedding"]["dimensions"] == 6
    first = out.read_bytes()
    main(*argv, "--method", method, "--out", str(out))
    assert out.read_bytes() == first


def test_build_cuts_wordnet_at_depths_or_near_k(tmp_path, capsys):
    by_depth = run_json(capsys, "build", "--wordnet-depth", "3", "6", "--out", str(tmp_path / "a.json"))
    assert by_depth["levels"] == {"depth 3": 12, "depth 6": 88, "fine": 1000}
    assert by_depth["tree"] is True
    by_k = run_json(capsys, "build", "--wordnet-k", "10", "--out", str(tmp_path / "b.json"))
    assert by_k["levels"] == {"depth 3": 12, "fine": 1000}


def test_levels_are_called_as_their_author_says(points, capsys):
    argv = ["build", "--embedding", str(points / "x.npy"), "--classes", str(points / "names.txt"), "--k", "3", "6"]
    built = run_json(capsys, *argv, "--names", "realm", "order", "--out", str(points / "two.json"))
    assert built["levels"] == {"realm": 3, "order": 6, "fine": 24}
    built = run_json(capsys, *argv, "--names", "realm", "order", "species", "--out", str(points / "three.json"))
    assert load_hierarchy(points / "three.json").names == ("realm", "order", "species")
    built = run_json(
        capsys, "build", "--wordnet-depth", "3", "--names", "top", "thing", "--out", str(points / "cut.json")
    )
    assert built["levels"] == {"top": 12, "thing": 1000}
    assert main(*argv, "--names", "realm", "--out", str(points / "one.json")) == 2
    assert "1 names for 2 levels" in capsys.readouterr().err


def test_two_hierarchies_are_compared_level_by_level(points, capsys):
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    rows = run_json(capsys, "compare", "consensus", "wordnet")["levels"]
    a, b = load_hierarchy("consensus"), load_hierarchy("wordnet")
    assert [(row["level of A"], row["level of B"]) for row in rows] == [
        (x, y) for x in a.names[:-1] for y in b.names[:-1]
    ]
    for row in rows:
        both = a.level(row["level of A"]).assignment, b.level(row["level of B"]).assignment
        assert row["ari"] == pytest.approx(adjusted_rand_score(*both), abs=1e-4)
        assert row["ami"] == pytest.approx(adjusted_mutual_info_score(*both), abs=1e-4)
        assert (row["k of A"], row["k of B"], row["n"]) == (both[0].max() + 1, both[1].max() + 1, 1000)
    alike = run_json(capsys, "compare", "wordnet", "wordnet")["levels"]
    assert [row["ari"] for row in alike if row["level of A"] == row["level of B"]] == [1.0, 1.0]
    assert main("compare", "consensus", "wordnet") == 0
    assert "without an interval" in capsys.readouterr().out
    argv = ["build", "--embedding", str(points / "x.npy"), "--classes", str(points / "names.txt"), "--k", "3"]
    assert main(*argv, "--out", str(points / "own.json")) == 0
    assert main("compare", str(points / "own.json"), "wordnet") == 2
    assert "'own' and 'wordnet' are of different classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["table", "nonsense"], "no hierarchy 'nonsense'"),
        (["table", "missing.json"], "cannot read missing.json"),
        (["show", "consensus", "--level", "other"], "no level 'other'"),
        (["build", "--embedding", "missing.npy", "--out", "x.json"], "cannot read missing.npy"),
        (["build", "--embedding", "x.npy", "--out", "y.json"], "24 rows for 1000 classes"),
        (["build", "--embedding", "x.npy", "--classes", "names.txt", "--k", "24", "--out", "y"], "each K lies between"),
        (["build", "--embedding", "x.npy", "--classes", "names.txt", "--k", "1", "--out", "y"], "each K lies between"),
        (
            ["build", "--embedding", "x.npy", "--classes", "names.txt", "--k", "3", "--method", "guess", "--out", "y"],
            "no method 'guess'",
        ),
        (["build", "--embedding", "x.npy", "--classes", "x.npy", "--out", "y"], "cannot read x.npy"),
        (["build", "--embedding", "x.npy", "--classes", "names.txt", "--k", "3", "--out", "no/y.json"], "cannot write"),
        (["build", "--wordnet-depth", "3", "--classes", "names.txt", "--out", "y"], "leave out --classes"),
        (["build", "--wordnet-depth", "-3", "--out", "y"], "depth is 0 or more"),
        (["build", "--clip", "ViT-B-16/openai", "--template", "no slot", "--out", "y"], "must have one {}"),
    ],
)
def test_bad_requests_get_one_line_and_code_2(points, capsys, monkeypatch, argv, message):
    (points / "empty").mkdir()
    monkeypatch.chdir(points)
    assert main(*argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("hiercodec: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_assets_without_embeddings_get_one_line(tmp_path, capsys):
    assert (
        cli.main(["taxonomy", "layouts", "--embeddings", str(tmp_path)], assets.COMMANDS, "python -m tools.assets") == 2
    )
    assert "no embeddings" in capsys.readouterr().err
