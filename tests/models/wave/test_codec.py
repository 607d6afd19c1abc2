"""The wave codec: real files, cut anywhere."""

import contextlib

import numpy as np
import pytest
import torch

from hiercodec import stream
from hiercodec.errors import CorruptStream, ModelMismatch, ParameterDesync, StreamError
from hiercodec.evaluation.metrics import psnr
from hiercodec.models.wave.codec import layout_of
from hiercodec.models.wave.planes import begins_of, indexes_of
from tests.models.tiny import smooth_photo
from tools.bench import ideal_bits


def coefficients(codec, photo):
    """What the encoder codes of a picture."""
    bands = codec.network.analyse(torch.tensor(photo).permute(2, 0, 1)[None].float())
    return indexes_of(bands, codec.network.preset.finest, codec.network.preset.planes)


def test_every_coefficient_comes_back(codec, photo, coded):
    state, level, *_ = codec.prefixes(coded).latent()
    inside = layout_of(stream.parse(coded).header).inside
    assert (state.indexes == coefficients(codec, photo))[inside].all()
    decoded = codec.decode(coded)
    assert (level, decoded.fraction, decoded.complete) == ("fine", 1.0, True)


def test_every_prefix_decodes_and_more_bytes_never_tell_less(codec, coded):
    decoder = codec.prefixes(coded)
    told = -1
    for n in range(decoder.stream.header_bytes, len(coded) + 1, 7):
        state, level, more, _ = decoder.latent(n)
        known = (state.plane, int(state.told.sum()))
        assert known >= (told if told != -1 else known), n
        told = known
        if n % 5 == 0:  # one decoder for all cuts says what one for each says
            alone, *rest = codec.prefixes(coded[:n]).latent()
            assert [level, more] == rest[:2]
            assert (state.indexes == alone.indexes).all()
    assert codec.decode(coded[: len(coded) // 2]).image.shape == codec.decode(coded).image.shape


def test_where_a_level_ends_nothing_of_the_next_has_arrived(codec, coded):
    ends = stream.parse(coded).cuts()
    for name, n in ends.items():
        found = codec.decode(coded[:n])
        assert (found.level, found.fraction) == (name, float(n == len(coded)))


def test_how_far_a_cut_got_is_said_in_bytes_of_the_open_block(codec, coded):
    parsed = stream.parse(coded)
    block = parsed.blocks[1]
    for n in (block.start + (block.end - block.start) // 3, block.end - 1):
        assert codec.decode(coded[:n]).fraction == pytest.approx((n - block.start) / (block.end - block.start))
    assert codec.decode(coded[: parsed.blocks[0].offset + 1]).fraction == 0, (
        "a byte, and no symbol yet: a blank picture"
    )


def test_pictures_get_better(codec, photo, coded):
    cuts = [*stream.parse(coded).cuts().values()]
    values = [psnr(photo, codec.decode(coded[:n]).image) for n in cuts]
    assert values == sorted(values)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (33, 1), (31, 64), (64, 64)])
def test_any_size(codec, shape):
    picture = smooth_photo(np.random.default_rng(2), 64, 64)[: shape[0], : shape[1]]
    data = codec.encode(picture)
    for n in (stream.parse(data).header_bytes, len(data) // 2, len(data)):
        if n >= stream.parse(data).header_bytes:
            assert codec.decode(data[:n]).image.shape == (*shape, 3)


def test_a_grey_picture_costs_next_to_nothing(codec):
    data = codec.encode(np.full((64, 64, 3), 128, np.uint8))
    assert len(data) < 45
    assert abs(int(codec.decode(data).image.mean()) - 128) < 3


def test_files_are_as_long_as_their_tables_say(codec, coded):
    payload = sum(len(block.payload) for block in stream.parse(coded).blocks)
    assert payload == pytest.approx(ideal_bits(codec, coded) / 8, rel=0.01, abs=6)


def test_a_map_of_bits_adds_up(codec, coded):
    for n in (len(coded) // 3, len(coded)):
        decoder = codec.prefixes(coded, bit_map=True)
        spent = decoder.at(n).bits
        assert spent.shape == (6, 8)
        assert spent.sum() == pytest.approx(decoder.latent(n)[0].spent.sum())


def test_where_scales_begin():
    silent, loud = np.zeros(4, np.int64), np.array([0, -5])
    assert begins_of([silent, silent, loud, silent, silent], 9).tolist() == [6, 6, 6, 9, 9]


def test_a_stream_of_another_model_is_refused(codec, coded, tiny_lite, photo):
    with pytest.raises(ModelMismatch):
        codec.decode(tiny_lite.encode(photo))
    with pytest.raises(ModelMismatch):
        tiny_lite.decode(coded)


def test_other_parameters_are_noticed(codec, coded):
    """A decoder that derives other logits than the encoder stops at the block's check."""
    decoder = codec.prefixes(coded)
    head = codec.network.context.phases[1].head.weight
    head[0, 0, 0, 0] += 2.0
    try:
        with pytest.raises((ParameterDesync, CorruptStream)):
            decoder.at()
    finally:
        head[0, 0, 0, 0] -= 2.0


def test_damage_is_an_error_or_a_picture(codec, coded):
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(coded[: int(rng.integers(40, len(coded)))])
        broken[int(rng.integers(len(broken)))] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(StreamError):
            assert codec.decode(bytes(broken)).image.dtype == np.uint8


def test_a_label_goes_first(codec, photo):
    from hiercodec import api

    class Sure:
        name, sha256, weights_id = "sure", "ab" * 32, "ab" * 6

        def probabilities(self, pictures):
            out = np.full((len(pictures), 1000), 1e-4, np.float32)
            out[:, 7] = 0.9001
            return out

    label = api.label(photo, Sure())
    data = codec.encode(photo, label=label)
    assert codec.decode(data).label.payload == label.payload
    assert np.array_equal(codec.decode(data).image, codec.decode(codec.encode(photo)).image)


def test_beginnings_that_no_encoder_writes_are_no_way_around_the_law(codec, photo, monkeypatch):
    """Scales that begin out of order: one decoder for all cuts still says what one for each says."""
    from hiercodec.models.wave import codec as module

    monkeypatch.setattr(module, "begins_of", lambda indexes, planes: np.array([0, 7, 2, 8, 3]))
    data = codec.encode(photo)

    def outcome(decoder, n):
        try:
            return decoder.at(n).image.tobytes()
        except StreamError as error:
            return type(error)

    shared = codec.prefixes(data)
    for n in [len(data), *range(shared.stream.header_bytes, len(data), 61)]:
        assert outcome(shared, n) == outcome(codec.prefixes(data[:n]), n), n
    read = stream.SymbolReader(shared.stream.blocks[0].payload, complete=True)
    assert shared._blocks[0].places
    assert all(read.reaches(place) for place in shared._blocks[0].places)
