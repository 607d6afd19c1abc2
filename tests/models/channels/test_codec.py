"""Encode, cut anywhere, decode: the laws every codec obeys, whatever its transform."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from hiercodec import stream
from hiercodec.errors import CorruptStream, ModelMismatch, ParameterDesync, StreamError
from hiercodec.models import LITE, TIC
from hiercodec.models.channels.blocks import BlockLoop
from hiercodec.models.channels.network import HierNetwork
from tests.models.tiny import TINY_LITE, make_codec, smooth_photo
from tools.bench import ideal_bits


@pytest.fixture(scope="module")
def coded(tiny, photo):
    return tiny.encode(photo)


def test_a_full_stream_is_complete_and_has_the_photo_s_size(tiny, photo, coded):
    decoded = tiny.decode(coded)
    assert decoded.image.shape == photo.shape
    assert decoded.image.dtype == np.uint8
    assert (decoded.level, decoded.fraction, decoded.complete, decoded.bytes) == ("fine", 1.0, True, len(coded))


def test_the_full_stream_reproduces_the_encoder_s_reconstruction(tiny, photo, coded, monkeypatch):
    """The encoder's own ŷ, caught on its way, synthesises to exactly the decoder's picture."""
    caught = []
    advance = BlockLoop.advance
    monkeypatch.setattr(BlockLoop, "advance", lambda *a: caught.append(advance(*a)) or caught[-1])
    assert tiny.encode(photo) == coded
    y_hat = torch.cat(caught, 1).float()
    mine = tiny.synthesise([y_hat], stream.parse(coded).header)[0]
    assert np.array_equal(mine, tiny.decode(coded).image)


def test_every_prefix_decodes_and_gets_on(tiny, coded):
    """Levels and fractions never go back as bytes arrive."""
    header = stream.parse(coded).z.offset
    progress = []
    for n in [*range(header, len(coded), max(1, len(coded) // 60)), len(coded)]:
        decoded = tiny.decode(coded[:n])
        level = -1 if decoded.level is None else tiny.plan.names.index(decoded.level)
        progress.append((level, decoded.fraction))
        assert decoded.complete == (n == len(coded))
    assert progress == sorted(progress)
    assert progress[0] == (-1, 0.0)
    assert progress[-1] == (2, 1.0)


def test_a_decoder_of_prefixes_gives_what_decoding_each_gives(tiny, coded):
    """In any order of lengths, for pictures and maps of bits alike; and the codec itself remembers nothing."""
    lengths = np.linspace(stream.parse(coded).z.offset, len(coded), 12).astype(int).tolist()
    before = set(vars(tiny))
    decoder = tiny.prefixes(coded, bit_map=True)
    for n in (*lengths[::-1], *lengths[::3], None):
        mine, plain = decoder.at(n), tiny.decode(coded[:n], bit_map=True)
        assert np.array_equal(mine.image, plain.image)
        assert np.array_equal(mine.bits, plain.bits)
        for name in ("level", "fraction", "complete", "bytes"):
            assert getattr(mine, name) == getattr(plain, name)
    assert set(vars(tiny)) == before


def test_parameters_are_computed_once_for_all_prefixes_of_a_stream(tiny, coded, monkeypatch):
    asked = []
    parameters = BlockLoop.parameters
    monkeypatch.setattr(BlockLoop, "parameters", lambda loop: (asked.append(len(loop.blocks)), parameters(loop))[1])
    decoder = tiny.prefixes(coded)
    for end in (len(coded) // 2, len(coded) - 1, len(coded)):
        decoder.at(end)
    assert sorted(asked) == [0, 1, 2]
    tiny.decode(coded)
    assert sorted(asked) == [0, 0, 1, 1, 2, 2]


def test_prefix_latents_are_exact_where_symbols_arrived(tiny, coded):
    decoder = tiny.prefixes(coded)
    full = decoder.latent()[0]
    for level, end in stream.parse(coded).cuts().items():
        if level not in tiny.plan.names:
            continue
        part, reached, _, _ = decoder.latent(end)
        assert reached == level
        stop = tiny.plan[tiny.plan.names.index(level)].stop
        assert torch.equal(part[:, :stop], full[:, :stop])
        assert part[:, stop:].abs().sum() == 0


def test_estimated_and_coded_bits_agree_within_one_percent(tiny_lite):
    """Σ -log2 p under the tables, against the bytes of each block of a large picture."""
    rgb = smooth_photo(np.random.default_rng(3), 512, 512)
    rgb = (rgb.astype(int) + np.random.default_rng(1).integers(-60, 60, rgb.shape)).clip(0, 255).astype(np.uint8)
    data = tiny_lite.encode(rgb)
    coded = sum(len(section.payload) for section in stream.parse(data).sections)
    ideal = ideal_bits(tiny_lite, data) / 8
    assert ideal > 4000
    assert 0.999 * ideal - 4 <= coded <= 1.01 * ideal


def test_the_map_of_bits_adds_up_to_every_prefix(tiny_lite):
    """Map + z + container = the bytes of any prefix within 1 %, but for a symbol that a cut leaves undetermined."""
    rgb = smooth_photo(np.random.default_rng(3), 130, 200)
    rgb = (rgb.astype(int) + np.random.default_rng(1).integers(-60, 60, rgb.shape)).clip(0, 255).astype(np.uint8)
    data = tiny_lite.encode(rgb)
    before = np.zeros((9, 13))
    for n in np.linspace(stream.parse(data).z.end, len(data), 20).astype(int):
        decoded, parsed = tiny_lite.decode(data[:n], bit_map=True), stream.parse(data[:n])
        assert decoded.bits.shape == (9, 13)
        assert (decoded.bits >= before).all()
        total = decoded.bits.sum() / 8 + parsed.z.available + parsed.overhead_bytes
        assert total == pytest.approx(n, rel=0.01, abs=4)
        before = decoded.bits
    assert tiny_lite.decode(data).bits is None
    assert before.sum() == pytest.approx(ideal_bits(tiny_lite, data) - 8 * parsed.z.length, rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (16, 16), (17, 63), (130, 31)])
def test_any_size_goes_in_and_comes_out(tiny, size):
    rgb = smooth_photo(np.random.default_rng(5), max(size[0], 2), max(size[1], 2))[: size[0], : size[1]]
    assert tiny.decode(tiny.encode(rgb)).image.shape == (*size, 3)


def test_symbols_do_not_depend_on_threads(tiny, photo, coded):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = tiny.prefixes(coded).latent()[0]
        torch.set_num_threads(2)
        together = tiny.prefixes(coded).latent()[0]
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(alone, together)


def test_what_is_rounded_moves_by_nothing_that_float32_could_keep(tiny, coded):
    """σ and μ before rounding, alone and three in a batch: other sums, which in float32 differ by about 1e-7."""
    features, exact = tiny.start(tiny.parse(coded)).hyper, tiny.coding.entropy
    before = features.new_zeros(1, 0, *features.shape[-2:])
    alone = exact.block_parameters(0, features, before)
    batch = exact.block_parameters(0, features.repeat(3, 1, 1, 1), before.repeat(3, 1, 1, 1))
    for one, three in zip(alone, batch, strict=True):
        assert one.dtype == three.dtype == torch.float64
        assert (one - three[1:2]).abs().max() < 1e-12
    coarser = copy.deepcopy(exact).float().block_parameters(0, features.float(), before.float())
    assert (coarser[0] - alone[0]).abs().max() > 1e-10, "float32 would be seen"


def test_other_parameters_are_a_desync_that_names_the_block(tiny_lite, photo, tmp_path):
    """A decoder whose entropy networks differ a little must say so instead of showing garbage."""
    other = make_codec(TINY_LITE, tmp_path)
    data = tiny_lite.encode(photo)
    with torch.no_grad():
        other.coding.entropy.scales.bias[150] += 0.5
    other.fingerprint = tiny_lite.fingerprint
    with pytest.raises(ParameterDesync, match="block 'intermediate'") as caught:
        other.decode(data)
    assert caught.value.block == "intermediate"
    assert caught.value.offset == stream.parse(data).blocks[1].offset


def test_another_model_s_stream_is_refused(tiny_lite, photo, tmp_path):
    other = make_codec(TINY_LITE, tmp_path, seed=1)
    assert other.fingerprint != tiny_lite.fingerprint
    with pytest.raises(ModelMismatch, match=tiny_lite.fingerprint.hex()):
        other.decode(tiny_lite.encode(photo))


def test_a_flipped_bit_is_a_typed_error(tiny_lite, photo):
    """Every flip in a complete file is caught by a checksum; none becomes a picture."""
    data = tiny_lite.encode(photo)
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(data), 40):
        broken = bytearray(data)
        broken[position] ^= 1 << int(rng.integers(8))
        with pytest.raises(StreamError):
            tiny_lite.decode(bytes(broken))
    broken = bytearray(data)
    broken[stream.parse(data).blocks[1].offset + 20] ^= 4
    with pytest.raises(CorruptStream):
        tiny_lite.decode(bytes(broken))


def test_the_container_of_a_256_square_costs_at_most_40_bytes(tiny_lite):
    data = tiny_lite.encode(smooth_photo(np.random.default_rng(2), 256, 256))
    parsed = stream.parse(data)
    payload = len(parsed.z.payload) + sum(len(block.payload) for block in parsed.blocks)
    assert 0 < len(data) - payload <= 40


def test_the_presets_are_the_paper_s():
    """N=192, M=320 with Δ-networks is about 28 M parameters in the paper; lite stays near 4 M."""
    count = {p.name: sum(v.numel() for v in HierNetwork(p).parameters()) / 1e6 for p in (LITE, TIC)}
    assert 24 < count["tic"] < 34
    assert 3 < count["lite"] < 5
    assert TIC.m == LITE.m == 320
    assert TIC.n == 192
