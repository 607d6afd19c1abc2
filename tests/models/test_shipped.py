"""The weights that ship: cards that tell the truth, and the promise of the whole project on real photographs."""

from __future__ import annotations

import itertools
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file

from hiercodec import installed, models, stream
from hiercodec.errors import InputError, ModelNotFound
from hiercodec.evaluation.codecs.peers import rival
from hiercodec.evaluation.measure import best_within, measure
from hiercodec.evaluation.metrics import psnr
from hiercodec.fsio import read_bytes
from hiercodec.images import centre_crop, load_rgb
from hiercodec.models import store
from tools.bench import ideal_bits

NAMES = sorted(installed.models())


@pytest.fixture(scope="module")
def lite():
    return models.load("lite")


@pytest.fixture(scope="module")
def astronaut():
    from skimage import data

    return centre_crop(np.ascontiguousarray(data.astronaut()), 256)


def test_lite_ships():
    assert "lite" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_card_names_its_weights(name):
    card = installed.models()[name]
    tensors = load_file(installed.MODELS.folder / f"{name}.safetensors")
    assert store.fingerprint(tensors, store.preset_of(card["preset"]).declared).hex() == card["fingerprint"]
    assert (installed.MODELS.folder / f"{name}.safetensors").stat().st_size < 60_000_000
    assert card["steps"] > 0
    assert card["training"]["photos"]


def test_find_goes_by_fingerprint(lite):
    assert models.find(lite.fingerprint).name == "lite"
    with pytest.raises(ModelNotFound, match="00000000"):
        models.find(b"\0" * 4)


def test_a_known_model_without_weights_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr(installed, "MODELS", replace(installed.MODELS, folder=tmp_path))
    with pytest.raises(ModelNotFound, match=r"'tic' .*README.*Train.*; there are: none"):
        models.load("tic")


def test_unknown_and_foreign_weights_are_one_clear_error(tmp_path):
    with pytest.raises(ModelNotFound, match=r"there are: .*lite"):
        models.load("heavy")
    foreign = tmp_path / "x.safetensors"
    foreign.write_bytes(b"not safetensors at all")
    for card in ("{}", "no JSON", (installed.MODELS.folder / "lite.json").read_text(encoding="utf-8")):
        foreign.with_suffix(".json").write_text(card, encoding="utf-8")
        with pytest.raises(
            ModelNotFound, match=r"not a hiercodec model|card x\.json is damaged|not the file that its card names"
        ):
            models.load(foreign)


def quality_over_bytes(codec, rgb, cuts: int = 20) -> tuple[list[int], list[float]]:
    """File lengths and PSNR at `cuts` evenly spread lengths and at every level's end."""
    data = codec.encode(rgb)
    parsed = stream.parse(data)
    lengths = np.linspace(parsed.z.end, len(data), cuts).astype(int).tolist()
    lengths = sorted({*lengths, *parsed.cuts().values()})
    prefixes = codec.prefixes(data)
    return lengths, [psnr(rgb, prefixes.at(n).image) for n in lengths]


def test_more_bytes_never_look_worse(lite, astronaut):
    """PSNR does not fall by more than 0.05 dB from one length to the next, the level boundaries included."""
    lengths, quality = quality_over_bytes(lite, astronaut)
    drops = {n: a - b for n, a, b in zip(lengths[1:], quality[:-1], quality[1:], strict=True) if a - b > 0.05}
    assert not drops
    assert quality[-1] > quality[0] + 5


def test_lite_is_worth_looking_at(lite, astronaut):
    """Better than JPEG at every level's bytes, and most so where bytes are few; a wrong weight file would not pass."""
    data = lite.encode(astronaut)
    assert 8 * len(data) / 256**2 < 1.0
    rivals = measure(astronaut, rival("jpeg").finely().points(astronaut))
    for level, margin in (("intermediate", 2.0), ("fine", 1.5)):
        end = stream.parse(data).cuts()[level]
        best = best_within(rivals, end)
        assert best is not None
        assert psnr(astronaut, lite.decode(data[:end]).image) > rivals[best].psnr + margin
    coarse = stream.parse(data).cuts()["coarse"]
    assert 8 * coarse / 256**2 < 0.3
    assert psnr(astronaut, lite.decode(data[:coarse]).image) > 22


def test_the_container_is_small(lite, astronaut):
    assert stream.parse(lite.encode(astronaut)).overhead_bytes <= 40


def test_coded_within_one_percent_of_ideal(lite, astronaut):
    data = lite.encode(astronaut)
    coded = sum(section.available for section in stream.parse(data).sections)
    assert coded <= 1.01 * ideal_bits(lite, data) / 8


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 25) if os.environ.get("HIERCODEC_KODAK") == "all" else (13,))
def test_kodak_gets_better_with_every_cut(lite, lab, number):
    lengths, quality = quality_over_bytes(lite, load_rgb(lab / f"images/kodak/kodim{number:02d}.png"), cuts=8)
    assert all(b >= a - 0.05 for a, b in itertools.pairwise(quality)), list(zip(lengths, quality, strict=True))


def test_reading_weights_takes_as_much_memory_as_they_have():
    """A visitor's worker has two gigabytes: one read of as many bytes as a file may have would take one of them."""
    path = store.weights_path("lite")
    expected = path.read_bytes()
    tracemalloc.start()
    try:
        assert read_bytes(path, max_bytes=store.MAX_WEIGHTS) == expected
        assert tracemalloc.get_traced_memory()[1] < 4 * len(expected)
    finally:
        tracemalloc.stop()
    with pytest.raises(InputError, match="larger than 1000 bytes"):
        read_bytes(path, max_bytes=1000)
