"""Runs of `hiercodec evaluate`: honest rows, the same from one process or several, killed and gone on with or not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hiercodec.cli import main as cli
from hiercodec.errors import ConfigError, InputError, OutputError
from hiercodec.evaluation.codecs.peers import RIVALS, HierPeer, cut_shares, rival, shares_and_ends
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.metrics import bits_of_meaning
from hiercodec.evaluation.results import rows
from hiercodec.evaluation.results.parts import BATCH, Parts, check_out
from hiercodec.evaluation.results.run import Bench, Setup, here, photos_of, run
from hiercodec.fsio import write_json
from hiercodec.images import load_rgb
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.similarity import wup_matrix
from tests.evaluation.photographs import Oracle, photographs

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path):
    """Three photographs that a test may change."""
    (tmp_path / "set").mkdir()
    return photographs(tmp_path / "set")


def measured(folder, bench, out):
    photos = photos_of([str(folder)])
    parts = Parts(out, bench.meta("the command", [str(folder)], photos), photos)
    run(parts, here(bench), parts.begin())
    return rows.read(out)


def frame_of(path) -> pd.DataFrame:
    """Everything but the times."""
    return rows.read(path).frame.drop(columns="seconds")


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """Three photographs that stay as they are."""
    return photographs(tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="module")
def known(still, tmp_path_factory, tiny_lite):
    """Three photographs under a tiny codec and JPEG, by a judge whose answers are known."""
    bench = Bench([HierPeer(tiny_lite, name="tiny"), rival("jpeg")], [Evaluator(Oracle(), load_hierarchy("consensus"))])
    return measured(still, bench, tmp_path_factory.mktemp("known") / "known.parquet")


def test_rates_are_those_of_the_files_and_rows_stand_in_order(known, still, tiny_lite):
    assert known.codecs == ["tiny", "jpeg"]
    assert known.frame["photo"].tolist() == sorted(known.frame["photo"], key=lambda name: name.split("/")[1])
    for photo, part in known.frame.groupby("photo"):
        rgb = load_rgb(still / photo)
        whole = len(tiny_lite.encode(rgb))
        assert part["setting"].tolist() == ["", *tiny_lite.plan.names, *rival("jpeg").tuning.settings]
        assert part["bytes"].tolist()[:4:3] == [rgb.nbytes, whole]
        assert part["bpp"].tolist()[3] == pytest.approx(8 * whole / (48 * 64))
        assert part["psnr"].isna().tolist() == [True, *[False] * 8]
        assert part["ms_ssim"].isna().all(), "48 pixels are too few for five scales"
        assert part["seconds"].isna().tolist() == [True] * 4 + [False] * 5, "the cuts of one file share the work"


def test_answers_are_those_of_the_judge(known):
    hierarchy = load_hierarchy("consensus")
    originals = known.of(codec="original").frame
    assert originals["label"].tolist() == [3, 3, 517]
    assert [right.tolist()[-1] for right in originals["right"]] == [True, False, False]
    assert originals["wup"].tolist() == pytest.approx([1, wup_matrix()[700, 3], wup_matrix()[700, 517]])
    assert originals["wup_eq1"].tolist()[1] == pytest.approx(wup_matrix("eq1")[700, 3])
    first, second = originals.iloc[0], originals.iloc[1]
    assert first["classes"].tolist() == [3]
    assert second["path"].tolist() == [int(level.assignment[700]) for level in hierarchy.levels]
    p = Oracle().probabilities([np.zeros((1, 1, 3))])[0]
    groups = np.bincount(hierarchy.levels[0].assignment, weights=p)
    assert second["path_p"][0] == pytest.approx(groups.max())
    truth = hierarchy.levels[0].assignment[3]
    assert second["bits"][0] == pytest.approx(bits_of_meaning(groups, [truth]), abs=1e-5)


def test_the_file_says_how_it_was_made(known, tiny_lite):
    meta = known.meta
    assert (meta["command"], meta["crop"], known.levels["intermediate"]) == ("the command", None, 100)
    assert (meta["data"]["photos"], meta["data"]["labelled"]) == (3, 3)
    made_by = meta["provenance"]
    assert made_by["models"] == {"tiny": tiny_lite.fingerprint.hex()}
    assert made_by["judges"] == {"oracle": {"sha256": "0" * 64, "temperature": 1.0, "in_loss": {"tiny": None}}}
    assert made_by["rivals"]["jpeg"]["options"] == [dict(way) for way in rival("jpeg").tuning.options]
    assert made_by["hierarchy_digest"] == load_hierarchy("consensus").digest


def test_without_labels_the_answer_on_the_original_counts_and_bits_say_how_sure(folder, tmp_path):
    for path in folder.rglob("*.png"):
        path.rename(folder / path.name)
    found = measured(
        folder, Bench([rival("jpeg")], [Evaluator(Oracle(), load_hierarchy("consensus"))]), tmp_path / "r.parquet"
    )
    assert set(found.frame["label"]) == {-1}
    assert all(right.all() for right in found.of(codec="original").frame["right"])
    assert found.frame["bits"].iloc[0][-1] == pytest.approx(
        bits_of_meaning(Oracle().probabilities([np.ones(1)])[0]), abs=1e-4
    )


def test_cuts_are_prefixes_of_the_same_file(folder, tmp_path, tiny_lite):
    found = measured(folder, Bench([HierPeer(tiny_lite, shares_and_ends(4), "tiny")]), tmp_path / "r.parquet")
    part = found.of(codec="tiny", photo="n01491361/0.png").frame.set_index("setting")
    assert list(part.index) == [*(f"{share:.1%}" for share in cut_shares(4)), *tiny_lite.plan.names]
    whole = part.loc["fine", "bytes"]
    for share in cut_shares(4)[1:]:
        assert part.loc[f"{share:.1%}", "bytes"] == pytest.approx(share * whole, abs=1)
        assert part.loc[f"{share:.1%}", "psnr"] < part.loc["fine", "psnr"]


def command(folder: Path, out: Path, *more: str) -> list[str]:
    options = [
        "--model",
        "none",
        "--codec",
        "jpeg",
        "--codec",
        "webp",
        "--classifier",
        "none",
        "--out",
        str(out),
        *more,
    ]
    return ["evaluate", str(folder), *options]


def test_several_processes_make_the_file_that_one_makes(tmp_path):
    photographs(tmp_path, 3 * BATCH + 1)
    for workers in ("1", "2"):
        assert cli.main(command(tmp_path, tmp_path / f"{workers}.parquet", "--workers", workers)) == 0
    pd.testing.assert_frame_equal(frame_of(tmp_path / "1.parquet"), frame_of(tmp_path / "2.parquet"))


def killed_and_gone_on_with(folder: Path, out: Path, kills: int, moments: random.Random) -> int:
    """Start the command, kill it -9 at `kills` random moments, let it end; returns how often it was killed half-way."""
    caught = 0
    for kill in range(kills + 1):
        argv = [sys.executable, "-m", "hiercodec", *command(folder, out, "--resume", "--workers", "1")]
        process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL)
        if kill < kills:
            before = len(list(out.parent.glob(f"{out.name}.parts/*.parquet")))
            while process.poll() is None and len(list(out.parent.glob(f"{out.name}.parts/*.parquet"))) == before:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.08))
            process.send_signal(signal.SIGKILL)
            caught += process.wait() == -signal.SIGKILL
            if not out.exists():
                so_far = rows.read(out)
                assert (so_far.frame.groupby("photo").size() == 10).all(), "a photograph is there whole or not at all"
        else:
            assert process.wait() == 0
    return caught


@pytest.mark.parametrize("kills", [int(os.environ.get("HIERCODEC_KILLS", "2"))])
def test_killed_at_random_moments_it_makes_the_same_file(tmp_path, kills):
    folder = photographs(tmp_path, 30 * kills, 96, 128)
    whole, again = tmp_path / "whole.parquet", tmp_path / "again.parquet"
    assert cli.main(command(folder, whole, "--workers", "1")) == 0
    assert killed_and_gone_on_with(folder, again, kills, random.Random(kills)) >= kills - 1
    pd.testing.assert_frame_equal(frame_of(whole), frame_of(again))
    metas = [{k: v for k, v in rows.read(path).meta.items() if k != "command"} for path in (whole, again)]
    assert metas[0] == metas[1]
    assert {path.name for path in tmp_path.iterdir() if not path.is_dir()} == {whole.name, again.name}
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--codec", "avif"], r"provenance.rivals.avif was None when it was started"),
        (["--crop", "32"], r"crop was None when it was started and is 32 now"),
        (["--limit", "2"], r"data.limit was None when it was started and is 2 now"),
        (["--hierarchy", "wordnet"], None),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_other_settings_cannot_go_on(folder, tmp_path, capsys, changed, words, finished):
    """Without a judge no hierarchy is asked, so another one changes nothing."""
    out = tmp_path / "r.parquet"
    assert cli.main(command(folder, out, "--workers", "1")) == 0
    if not finished:
        found = rows.read(out)
        parts = Parts(out, {k: v for k, v in found.meta.items() if k != "version"}, photos_of([str(folder)]))
        out.unlink()
        parts.begin()
    code = cli.main(command(folder, out, "--workers", "1", "--resume", *changed))
    assert code == (2 if words else 0)
    if words:
        error = capsys.readouterr().err
        assert words in error.replace("\n", " "), error


def test_where_to_write_is_checked_before_anything_is_measured(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("hiercodec.evaluation.results.run.photos_of", lambda *a, **k: pytest.fail("went on"))
    out = tmp_path / "r.parquet"
    out.write_bytes(b"rows")
    assert cli.main(command(folder, out)) == 2
    assert "is there already" in capsys.readouterr().err
    out.unlink()
    write_json(f"{out}.parts/run.json", {})
    with pytest.raises(OutputError, match="was started and not finished: go on with --resume"):
        check_out(out)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        check_out(tmp_path / "file" / "r.parquet")
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(OutputError, match="not writable"):
            check_out(tmp_path / "locked" / "r.parquet")


def test_force_measures_anew(folder, tmp_path):
    out = tmp_path / "r.parquet"
    out.write_bytes(b"something else")
    assert cli.main(command(folder, out, "--workers", "1", "--force", "--limit", "1")) == 0
    assert rows.read(out).frame["photo"].nunique() == 1
    assert cli.main(command(folder, out, "--workers", "1", "--resume", "--limit", "1")) == 0, "complete already"


def test_a_setup_takes_the_hierarchy_that_everything_else_takes():
    assert Setup().hierarchy == load_hierarchy().name


def test_files_that_others_steer_have_a_name_of_their_own_and_say_who():
    """An encoder without an effort asks nobody; lite0 steers unless others are named."""
    (plain,) = Setup(models=("lite@people:1",), steering=("lite2",)).bench().peers
    assert (plain.name, plain.steered_by) == ("lite@people:1", ())
    (usual,) = Setup(models=("lite@both:1",), judges=()).bench().peers
    assert (usual.name, usual.steered_by) == ("lite@both:1", ("lite0",))
    bench = Setup(models=("lite@both:1",), steering=("lite2",), judges=("lite2",)).bench()
    assert bench.peers[0].name == "lite@both:1 by lite2"
    made_by = bench.meta("", [], [])["provenance"]
    assert made_by["steered_by"] == {"lite@both:1 by lite2": ["lite2"]}
    assert made_by["judges"]["lite2"]["in_loss"] == {"lite@both:1 by lite2": True}


def test_formats_are_at_their_best_for_what_the_setup_says():
    bench = Setup(models=(), codecs=("avif",), judges=(), purpose="people").bench()
    assert bench.peers == [RIVALS["avif"].tuned_for("people")]


def test_two_photographs_of_one_name_are_refused(folder):
    with pytest.raises(ConfigError, match=r"two photographs are called n01491361/0\.png"):
        photos_of([str(folder), str(folder)])


def test_figures_enter_the_model_s_card(folder, tmp_path, monkeypatch, tiny_lite):
    """`--card NAME` writes what was measured, and how to measure it again, beside the weights."""
    monkeypatch.setattr("hiercodec.models.load", lambda name: tiny_lite)
    weights = tmp_path / "m.safetensors"
    weights.with_suffix(".json").write_text('{"name": "m", "steps": 3}')
    argv = [str(folder), "--model", str(weights), "--out", str(tmp_path / "r.parquet"), "--classifier", "none"]
    assert cli.main(["evaluate", *argv, "--card", "three photographs", "--workers", "1"]) == 0
    card = json.loads(weights.with_suffix(".json").read_text())
    found = card["measured"]["three photographs"]
    assert card["steps"] == 3
    assert found["photos"] == 3
    assert found["command"].startswith("python -m hiercodec evaluate ")
    assert [row["setting"] for row in found["points"]] == ["coarse", "intermediate", "fine"]


def test_runs_over_the_same_photographs_are_joined(folder, tmp_path, tiny_lite):
    evaluator = Evaluator(Oracle(), load_hierarchy("consensus"))
    peers = [rival("jpeg"), HierPeer(tiny_lite, name="tiny")]
    apart = [measured(folder, Bench([peer], [evaluator]), tmp_path / f"{peer.name}.parquet") for peer in peers]
    whole = measured(folder, Bench(peers, [evaluator]), tmp_path / "whole.parquet")
    joined = rows.join(apart)
    pd.testing.assert_frame_equal(joined.frame.drop(columns="seconds"), whole.frame.drop(columns="seconds"))
    assert joined.meta == whole.meta
    anew = rows.join([rows.without(whole, "tiny"), apart[1]])
    assert anew.meta["provenance"] == whole.meta["provenance"]
    assert anew.codecs == ["jpeg", "tiny"]
    for what, other in (("crop", Bench([], [evaluator], crop=32)), ("oracle", Bench([], [evaluator]))):
        if what == "oracle":
            other.judges[0].classifier.sha256 = "1" * 64
        with pytest.raises(InputError, match=what):
            rows.join([whole, measured(folder, other, tmp_path / f"{what}.parquet")])
