"""Results over a data set: real bytes, honest shares, intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hiercodec.cli import main as cli
from hiercodec.errors import ConfigError, OutputError
from hiercodec.evaluation.dataset import Photos, load_photos
from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.peers import HierPeer, cut_shares, rival, shares_and_ends
from hiercodec.evaluation.results import evaluate, gather
from hiercodec.fsio import write_json
from hiercodec.images import encode_png
from hiercodec.taxonomy import load_hierarchy
from hiercodec.taxonomy.similarity import wup_matrix
from tests.models.tiny import smooth_photo


class Oracle:
    """A 'classifier' that is sure of class 3 for bright pictures and of class 700 for dark ones."""

    name, weights_id, sha256, temperature = "oracle", "0" * 12, "0" * 64, 1.0

    def probabilities(self, pictures):
        p = np.full((len(pictures), 1000), 1e-6, np.float32)
        for row, picture in zip(p, pictures, strict=True):
            row[3 if picture.mean() > 127 else 700] = 1 - 999e-6
        return p


@pytest.fixture
def folder(tmp_path):
    for i, (wnid, level) in enumerate([("n01491361", 60), ("n01491361", -60), ("n03126707", -60)]):
        (tmp_path / wnid).mkdir(exist_ok=True)
        rgb = smooth_photo(np.random.default_rng(i), 48, 64).astype(int) // 2 + 64 + level
        (tmp_path / wnid / f"{i}.png").write_bytes(encode_png(rgb.clip(0, 255).astype(np.uint8)))
    return tmp_path


def test_labels_come_from_folder_names(folder):
    photos = load_photos([folder])
    assert photos.labels.tolist() == [3, 3, 517]
    assert len(load_photos([folder], limit=2)) == 2


def test_a_sample_is_spread_evenly_and_never_repeats():
    photos = Photos([np.zeros((1, 1, 3), np.uint8)] * 10, np.arange(10), [str(i) for i in range(10)])
    assert photos.spread(4).labels.tolist() == [0, 3, 6, 9]
    assert photos.spread(99).labels.tolist() == list(range(10))


def test_a_missing_data_set_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match=r"give a folder or a \.tar shard"):
        load_photos([tmp_path / "nowhere"])


def test_rates_and_accuracies_are_those_of_the_files(folder, tiny_lite):
    photos = load_photos([folder])
    judging = Judging(Oracle(), load_hierarchy("consensus"))
    done = []
    peers = [HierPeer(tiny_lite, name="tiny"), rival("jpeg")]
    results = evaluate(photos, peers, [judging], progress=lambda *a: done.append(a))
    assert done == [(1, 3), (2, 3), (3, 3)]
    rows = {(r["codec"], r["setting"]): r for r in results["points"]}
    whole = np.mean([8 * len(tiny_lite.encode(p)) / (48 * 64) for p in photos.pixels])
    assert rows["tiny", "fine"]["bpp"] == pytest.approx(whole, abs=1e-4)
    assert rows["tiny", "coarse"]["bpp"] < rows["tiny", "intermediate"]["bpp"] < whole + 1e-9
    assert results["groups"] == {"coarse": 10, "intermediate": 100, "fine": 1000}
    assert results["uncompressed"]["accuracy"]["oracle"]["fine"]["top1"] == pytest.approx(1 / 3, abs=1e-4)
    assert rows["jpeg", "q40"]["accuracy"]["oracle"]["fine"]["top1"] == pytest.approx(1 / 3, abs=1e-4)
    assert results["provenance"]["models"] == {"tiny": tiny_lite.fingerprint.hex()}
    assert results["provenance"]["classifiers"] == {"oracle": "0" * 12}
    judge = {"sha256": "0" * 64, "temperature": 1.0, "in_loss": {"tiny": None}}
    assert results["provenance"]["judges"] == {"oracle": judge}
    assert results["provenance"]["rivals"]["jpeg"]["options"] == [dict(way) for way in rival("jpeg").options]
    json.dumps(results)


def test_a_photograph_without_a_label_is_judged_by_the_answer_on_its_original(folder, tiny_lite):
    judging = Judging(Oracle(), load_hierarchy("consensus"))
    photos = load_photos([folder])
    known = gather(photos, [], [judging])["original", ""]
    assert known.hits["oracle"]["fine"] == [True, False, False]
    assert known.wup["oracle"] == [1.0, wup_matrix()[700, 3], wup_matrix()[700, 517]]
    unlabelled = Photos(photos.pixels, np.full(3, -1), photos.names)
    rows = evaluate(unlabelled, [HierPeer(tiny_lite)], [judging])
    assert rows["uncompressed"]["accuracy"]["oracle"]["fine"]["agreement"] == 1.0
    assert "top1" not in rows["points"][0]["accuracy"]["oracle"]["coarse"]


def test_cuts_are_prefixes_of_the_same_file(folder, tiny_lite):
    photos = load_photos([folder])
    rows = {r["setting"]: r for r in evaluate(photos, [HierPeer(tiny_lite, shares_and_ends(4))])["points"]}
    assert list(rows) == [*(f"{share:.1%}" for share in cut_shares(4)), *tiny_lite.plan.names]
    whole, byte = rows["fine"]["bpp"], 8 / (48 * 64)
    assert rows["6.0%"]["bpp"] >= 20 * byte, "the header is always there"
    for share in cut_shares(4)[1:]:
        assert rows[f"{share:.1%}"]["bpp"] == pytest.approx(share * whole, abs=byte)
        assert rows[f"{share:.1%}"]["psnr"] < rows["fine"]["psnr"]


def test_a_results_file_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        write_json(tmp_path / "file" / "r.json", {})


def test_evaluate_on_the_command_line_writes_one_results_file(folder, tmp_path, monkeypatch, tiny_lite):
    monkeypatch.setattr("hiercodec.models.load", lambda name: tiny_lite)
    out = tmp_path / "deep" / "r.json"
    code = cli.main(
        ["evaluate", str(folder), "--out", str(out), "--classifier", "none", "--codec", "webp", "--limit", "1"]
    )
    assert code == 0
    results = json.loads(out.read_text())
    assert {r["codec"] for r in results["points"]} == {"lite", "webp"}
    assert "accuracy" not in results["uncompressed"]


def test_figures_enter_the_model_s_card(folder, tmp_path, monkeypatch, tiny_lite):
    """`--card NAME` writes what was measured, and how to measure it again, beside the weights."""
    monkeypatch.setattr("hiercodec.models.load", lambda name: tiny_lite)
    weights = tmp_path / "m.safetensors"
    weights.with_suffix(".json").write_text('{"name": "m", "steps": 3}')
    argv = [str(folder), "--model", str(weights), "--out", str(tmp_path / "r.json"), "--classifier", "none"]
    assert cli.main(["evaluate", *argv, "--card", "three photographs"]) == 0
    card = json.loads(weights.with_suffix(".json").read_text())
    measured = card["measured"]["three photographs"]
    assert card["steps"] == 3
    assert measured["photos"] == 3
    assert measured["command"].startswith("python -m hiercodec evaluate ")
    assert [row["setting"] for row in measured["points"]] == ["coarse", "intermediate", "fine"]
