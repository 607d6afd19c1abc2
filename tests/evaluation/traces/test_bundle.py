"""Bundles: pixels and bit maps come back, the file is reproducible, damage is one clear error."""

from __future__ import annotations

import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from hiercodec.errors import InputError
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.tracing import extend, inside, trace
from tests.evaluation.fake_codec import FakeCodec


@pytest.fixture(scope="module")
def made():
    rgb = np.random.default_rng(2).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    codec = FakeCodec()
    data = codec.encode(rgb)
    found, decoded = trace(codec, rgb, steps=8, data=data)
    return rgb, decoded, data, bundle.make(found, data, rgb, decoded)


def test_pixels_come_back_bit_for_bit(tmp_path, made):
    rgb, decoded, data, packed = made
    bundle.write(tmp_path / "x.zip", packed)
    again = bundle.read(tmp_path / "x.zip")
    assert again == packed
    assert again.stream == data
    assert np.array_equal(again.original_pixels(), rgb)
    for index, (frame, shown) in enumerate(zip(decoded, again.frames(), strict=True)):
        assert np.array_equal(shown, frame.image)
        assert np.array_equal(again.pixels(index), frame.image)
    maps = again.bit_maps()
    assert maps.shape == (len(decoded), 3, 4)
    assert all(np.abs(bits - result.bits).max() <= 1 / 16 for bits, result in zip(maps, decoded, strict=True))


@pytest.mark.parametrize("effort", [0, 1, 4])
def test_every_effort_is_lossless(effort, made):
    assert np.array_equal(bundle.from_webp(bundle.to_webp(made[0], effort)), made[0])


def test_same_content_gives_same_bytes(tmp_path, made):
    for name in ("a.zip", "b.zip"):
        bundle.write(tmp_path / name, made[3])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip"]  # no temporary left


def test_frames_must_match_the_steps(made):
    rgb, decoded, data, packed = made
    with pytest.raises(ValueError, match="frames and"):
        bundle.make(packed.trace, data, rgb, decoded[:-1])


def test_no_position_of_the_grid_overflows(made):
    rgb, decoded, data, packed = made
    most = np.full((3, 4), 320 * 24.0)
    full = [SimpleNamespace(image=result.image, bits=most) for result in decoded]
    assert (bundle.make(packed.trace, data, rgb, full).bit_maps() == most).all()


def test_finer_steps_take_their_places(made):
    rgb, _, data, packed = made
    codec = FakeCodec()
    finer, new = extend(codec, packed.trace, data, rgb, inside(packed.trace, "coarse", 5))
    again = bundle.refined(packed, finer, new)
    assert new
    assert len(again.changes) == len(packed.changes) + len(new)
    for step, frame, bits in zip(finer.steps, again.frames(), again.bit_maps(), strict=True):
        direct = codec.decode(data[: step.bytes], bit_map=True)
        assert np.array_equal(frame, direct.image)
        assert np.abs(bits - direct.bits).max() <= 1 / 16


def test_missing_foreign_and_damaged_files_are_one_clear_error(tmp_path, made):
    with pytest.raises(InputError, match="make it with"):
        bundle.read(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(InputError, match="not a trace"):
        bundle.read(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("trace.json", '{"schema": 7}')
    with pytest.raises(InputError, match="schema"):
        bundle.read(tmp_path / "other.zip")
    bundle.write(tmp_path / "x.zip", made[3])
    data = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not a trace"):
        bundle.read(tmp_path / "cut.zip")
