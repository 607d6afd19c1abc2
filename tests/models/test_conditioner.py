"""Pixels that are conditioned on a core: the same picture, from a file that names what it needs."""

from __future__ import annotations

import numpy as np
import pytest

import hiercodec as hc
from hiercodec import classify, models, stream
from hiercodec.errors import InputError, ModelMismatch, ModelNotFound
from hiercodec.models import conditioner
from hiercodec.taxonomy import load_hierarchy
from tests.models.tiny import TINY_LITE, make_codec, make_conditioner


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """(the weights' path, a codec that has a conditioner, one that has none)."""
    folder = tmp_path_factory.mktemp("house")
    bare = make_codec(TINY_LITE, folder)
    weights = folder / "tiny-lite.safetensors"
    make_conditioner(conditioner.path_of(weights), bare, load_hierarchy())
    return weights, models.load(weights), bare


def core(seed: int) -> stream.Core:
    p = np.random.default_rng(seed).dirichlet(np.full(1000, 0.01))
    return classify.core_of(p, load_hierarchy(), classify.PACKAGED["lite0"].sha256)


def test_a_core_changes_what_pixels_cost_and_not_which_they_are(house, photo):
    _, codec, _ = house
    plain = codec.encode(photo)
    files = {seed: codec.encode(photo, core=core(seed), conditioned=True) for seed in (1, 2)}
    for seed, data in files.items():  # one of them is wrong, whatever the picture is
        decoded = codec.decode(data)
        assert decoded.complete
        assert np.array_equal(decoded.image, codec.decode(plain).image)
        assert hc.told(decoded.core).path.winners == hc.told(core(seed)).path.winners
        assert abs(codec.ideal_bits(data) / 8 - sum(s.length for s in codec.parse(data).sections[1:])) < 0.01 * len(
            data
        )
    coded = [[block.payload for block in stream.parse(data).blocks] for data in (plain, *files.values())]
    assert coded[0] != coded[1] != coded[2]
    assert len(codec.encode(photo, core=core(1))) <= len(plain) + 8
    assert codec.encode(photo, core=core(1), conditioned=True) == files[1]


def test_any_cut_of_a_conditioned_file_decodes_as_the_whole_does(house, photo):
    _, codec, _ = house
    data = codec.encode(photo, core=core(1), conditioned=True)
    decoder = codec.prefixes(data)
    for n in (*range(decoder.stream.header_bytes, len(data), 97), len(data)):
        assert np.array_equal(codec.decode(data[:n]).image, decoder.at(n).image)


def test_without_its_conditioner_a_file_says_what_is_missing(house, photo):
    _, codec, bare = house
    data = codec.encode(photo, core=core(1), conditioned=True)
    mark = next(iter(codec.conditioners))
    assert stream.parse(data).header.core.conditioner == mark
    assert bare.fingerprint == codec.fingerprint
    with pytest.raises(ModelMismatch, match=f"conditioner {mark}, which is not here"):
        bare.decode(data)
    assert hc.told(data).complete, "what the core tells needs no conditioner"
    assert bare.decode(codec.encode(photo, core=core(1))).complete
    with pytest.raises(ModelNotFound, match="no conditioner"):
        bare.encode(photo, core=core(1), conditioned=True)
    with pytest.raises(InputError, match="give one"):
        codec.encode(photo, conditioned=True)


def test_a_shift_of_nothing_codes_as_before(house, photo):
    _, codec, bare = house
    (found,) = codec.conditioners.values()
    none = conditioner.read(
        conditioner.Conditioner(found.groups, found.gates, tuple(0 * s for s in found.shifts)).serialised(), found.card
    )
    bare.conditioners[none.mark] = none
    try:
        data = bare.encode(photo, core=core(1), conditioned=True)
    finally:
        del bare.conditioners[none.mark]
    sections = (stream.parse(d) for d in (data, bare.encode(photo)))
    a, b = ([(s.payload, s.check) for s in (p.z, *p.blocks)] for p in sections)
    assert a == b


def test_a_damaged_conditioner_is_seen_and_another_model_s_is_left_alone(house):
    weights, codec, _ = house
    path = conditioner.path_of(weights)
    sound, card = path.read_bytes(), path.with_suffix(".json").read_text()
    try:
        path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        with pytest.raises(ModelNotFound, match="not the conditioner that was shipped"):
            models.load(weights)
        path.write_bytes(sound[:-40])
        with pytest.raises(ModelNotFound, match="not the conditioner that was shipped"):
            models.load(weights)
        path.with_suffix(".json").write_text(card.replace(codec.fingerprint.hex(), "00000000"))
        assert not models.load(weights).conditioners
    finally:
        path.write_bytes(sound)
        path.with_suffix(".json").write_text(card)
