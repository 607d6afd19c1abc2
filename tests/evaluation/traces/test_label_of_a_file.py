"""A file's label, the pixels, and both: in its own hierarchy only, rows of all three, and weights fitted by a command."""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from hiercodec import stream
from hiercodec.classify import label_of_path, level_probabilities
from hiercodec.classify.fusion import INDEPENDENT, Pool, fuse, label_classes
from hiercodec.evaluation.codecs.peers import HierPeer, Labeller, at_rates
from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.results.records import records
from hiercodec.evaluation.traces.label import arrivals, fused, label_in, label_verdict
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec
from tests.models.tiny import smooth_photo

TREE = load_hierarchy("consensus-mended")
TABBY = 281
RATES = (0.5, 2.0)


@pytest.fixture(scope="module")
def rgb():
    return smooth_photo(np.random.default_rng(3), 48, 64)


@pytest.fixture(scope="module")
def tabby():
    """The label of a tabby, surest of its kind."""
    groups = [int(level.assignment[TABBY]) for level in TREE.levels]
    return label_of_path(list(zip(groups, (3, 2, 0), strict=True)), TREE, FakeClassifier.sha256)


def test_a_label_is_read_in_its_own_hierarchy_level_by_level(rgb, tabby):
    data = FakeCodec().encode(rgb, label=tabby)
    label = label_in(stream.parse(data), TREE)
    assert label.path.winners[-1][:2] == (TABBY, "tabby")
    assert label_in(stream.parse(data), load_hierarchy("wordnet")) is None
    assert label_in(stream.parse(FakeCodec().encode(rgb)), TREE) is None
    sizes = arrivals(stream.parse(data), TREE)
    parsed = stream.parse(data)
    assert list(sizes) == list(TREE.names)
    where = parsed.label_section
    assert where.start < sizes["coarse"] <= sizes["intermediate"] <= sizes["fine"] <= where.end
    early = label_in(stream.parse(data[: sizes["coarse"]]), TREE)
    assert "coarse" in early.path
    assert arrivals(stream.parse(FakeCodec().encode(rgb)), TREE) == {}


def test_the_label_alone_knows_what_it_tells_and_nothing_else(rgb, tabby):
    data = FakeCodec().encode(rgb, label=tabby)
    evaluator = Evaluator(FakeClassifier(), TREE).knowing([TABBY])
    whole = label_verdict(label_in(stream.parse(data), TREE), evaluator.right)
    assert whole.hits == {"coarse": True, "intermediate": True, "fine": True}
    for level, confidence in {"coarse": 0.99, "intermediate": 0.9, "fine": 0.35}.items():
        assert whole.masses[level].max() == pytest.approx(confidence)
    assert whole.probabilities.sum() == pytest.approx(1, abs=1e-5)
    nothing = label_verdict(label_in(stream.parse(data[: stream.parse(data).label_section.start]), TREE), {})
    assert nothing.masses["coarse"] == pytest.approx(TREE.level("coarse").sizes / 1000)


def test_told_and_seen_are_pooled_level_by_level(rgb, tabby):
    evaluator = Evaluator(FakeClassifier(), TREE).knowing([TABBY])
    (seen,) = evaluator.verdicts([rgb])
    data = FakeCodec().encode(rgb, label=tabby)
    both = fused(seen, label_in(stream.parse(data), TREE), {"fine": Pool(0.5, 1.0, 0.2)}, 0.25)
    path = [(int(level.assignment[TABBY]), p) for level, p in zip(TREE.levels, (0.99, 0.9, 0.35), strict=True)]
    told = level_probabilities(label_classes(path, [level.assignment for level in TREE.levels]), TREE)
    for level in TREE.names:
        pool, share = (Pool(0.5, 1.0, 0.2), 0.25) if level == "fine" else (INDEPENDENT, 1.0)
        assert both.masses[level] == pytest.approx(fuse(told[level], seen.masses[level], pool, share))
    assert both.right == seen.right
    assert np.array_equal(both.probabilities, both.masses["fine"].astype(np.float32))


def test_rows_say_what_the_label_tells_what_pixels_show_and_both(rgb):
    evaluator = Evaluator(FakeClassifier(), TREE)
    codec, labeller = FakeCodec(), Labeller(evaluator.classifier, TREE)
    peers = [HierPeer(codec, at_rates(RATES), "x"), HierPeer(codec, at_rates(RATES), "x + label", labeller)]
    found = list(records("a.png", rgb, TABBY, peers, [evaluator]))
    names = {codec: [row["setting"] for row in found if row["codec"] == codec] for codec in {r["codec"] for r in found}}
    rates = ["0.5 bpp", "2 bpp"]
    assert names == {
        "original": [""], "x": rates, "x + label": ["label", *rates], "x + label, label only": ["label"],
        "x + label, fused": ["label", *rates],
    }  # fmt: skip
    for row in found:
        if row["setting"] in rates:
            assert row["bytes"] == round(float(row["setting"].split()[0]) * rgb.shape[0] * rgb.shape[1] / 8)
    (alone,) = (row for row in found if row["codec"].endswith("label only"))
    data = codec.encode(rgb, label=labeller(rgb))
    assert alone["bytes"] == stream.parse(data).label_section.end, "header and label are charged in full"
    masses = level_probabilities(evaluator.classifier.probabilities([rgb])[0], TREE)
    assert alone["path"][0] == masses["coarse"].argmax()
    assert peers[1].provenance()["label"] == f"{evaluator.classifier.name} {evaluator.classifier.weights_id}"


def test_rates_cut_after_the_label_and_never_past_the_end(rgb):
    plain = stream.parse(FakeCodec().encode(rgb))
    assert at_rates((0.0001, 99.0))(plain) == {"0.0001 bpp": plain.header_bytes, "99 bpp": plain.total_bytes}


def test_the_command_fits_weights(tmp_path, monkeypatch, capsys):
    from PIL import Image

    import hiercodec.classify
    import hiercodec.models
    from hiercodec.cli.main import main
    from hiercodec.taxonomy import classes
    from tools.assets import COMMANDS

    run = functools.partial(main, commands=COMMANDS, program="python -m tools.assets")
    for i, wnid in enumerate([classes()[0].wnid, classes()[500].wnid, classes()[900].wnid, classes()[2].wnid]):
        (tmp_path / "set" / wnid).mkdir(parents=True)
        Image.fromarray(smooth_photo(np.random.default_rng(i), 32, 32)).save(tmp_path / "set" / wnid / "a.png")
    monkeypatch.setattr(hiercodec.models, "load", lambda name: FakeCodec())
    monkeypatch.setattr(hiercodec.classify, "load_classifier", lambda spec="lite0": FakeClassifier())
    out = tmp_path / "fusion.json"
    assert run(["fusion", str(tmp_path / "set"), "--rates", "1", "4", "--out", str(out)]) == 0
    said = json.loads(out.read_text())
    assert (said["labeller"], said["hierarchy"], said["photos"]) == ("lite0", TREE.name, 4)
    (levels,) = said["viewers"].values()
    assert list(levels) == list(TREE.names)
    for row in levels.values():
        assert len(row["pool"]) == 3
        assert set(row["held_out"]) == {
            f"{what}_{who}" for what in ("nll", "top1") for who in ("label", "pixels", "independent", "fused")
        }
    assert "pixels → fused" in capsys.readouterr().err
    assert run(["fusion", str(tmp_path / "set"), "--sample", "1", "--out", str(out)]) == 2
