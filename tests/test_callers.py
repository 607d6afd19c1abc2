"""What a caller can hold in the hand: every view of pixels gives the same file, everything else one clear line."""

from __future__ import annotations

import functools
import mmap
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

import hiercodec as hc
from hiercodec import api, stream
from hiercodec.images import as_rgb
from tests.models.tiny import TINY_LITE, make_codec, make_wave, smooth_photo

BOUNDED = settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
SMALL = smooth_photo(np.random.default_rng(3), 18, 21)


class Judge:
    """A classifier that is sure of class 281, tabby."""

    name, sha256, weights_id = "judge", "0" * 64, "0" * 12

    def probabilities(self, pictures):
        for picture in pictures:
            assert picture.dtype == np.uint8
        return np.eye(1000, dtype=np.float32)[[281] * len(pictures)]


@pytest.fixture(scope="module", params=["channels", "wave"])
def codec(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("callers")
    return make_wave(folder) if request.param == "wave" else make_codec(TINY_LITE, folder)


@pytest.fixture(scope="module")
def data(codec):
    return codec.encode(SMALL)


@pytest.fixture(scope="module", autouse=True)
def quick(codec):
    """The front door without the seconds that real weights take to load."""
    patch = pytest.MonkeyPatch()
    patch.setattr(api, "_codec", lambda device: codec)
    patch.setattr(api, "_finder", lambda fingerprint, device: codec)
    patch.setattr(api, "_classifier", functools.partial(_no_network, api._classifier))
    yield
    patch.undo()


def _no_network(load, name, device):
    return Judge() if name == "lite0" else load(name, device)


# ---- views of the same pixels ----------------------------------------------------------------------------------------
def in_a_file(rgb, tmp_path):
    path = tmp_path / "pixels"
    path.write_bytes(rgb.tobytes())
    return np.memmap(path, np.uint8, "r", shape=rgb.shape)


def read_only(rgb):
    out = rgb.copy()
    out.setflags(write=False)
    return out


VIEWS = {
    "contiguous": lambda rgb, tmp: rgb.copy(),
    "BGR turned round": lambda rgb, tmp: np.ascontiguousarray(rgb[:, :, ::-1])[:, :, ::-1],
    "mirrored": lambda rgb, tmp: np.ascontiguousarray(rgb[:, ::-1])[:, ::-1],
    "upside down": lambda rgb, tmp: np.ascontiguousarray(rgb[::-1])[::-1],
    "rotated": lambda rgb, tmp: np.rot90(np.ascontiguousarray(np.rot90(rgb)), -1),
    "channels first": lambda rgb, tmp: np.moveaxis(np.ascontiguousarray(np.moveaxis(rgb, -1, 0)), 0, -1),
    "Fortran's order": lambda rgb, tmp: np.asfortranarray(rgb),
    "every other pixel": lambda rgb, tmp: np.repeat(np.repeat(rgb, 2, 0), 3, 1)[::2, ::3],
    "three of four channels": lambda rgb, tmp: np.dstack([rgb, rgb[..., :1]])[..., :3],
    "a window of a larger one": lambda rgb, tmp: np.pad(rgb, ((2, 3), (4, 5), (0, 0)))[2:-3, 4:-5],
    "read-only": lambda rgb, tmp: read_only(rgb),
    "mapped from a file": in_a_file,
    "not aligned": lambda rgb, tmp: np.frombuffer(b"x" + rgb.tobytes(), np.uint8, offset=1).reshape(rgb.shape),
    "a Pillow image": lambda rgb, tmp: Image.fromarray(rgb),
}


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_of_the_same_pixels_gives_the_same_file_and_answer(codec, data, tmp_path, view):
    picture = VIEWS[view](SMALL, tmp_path)
    before = np.array(picture)
    assert np.array_equal(before, SMALL)
    assert codec.encode(picture) == data == hc.encode(picture, codec=codec)
    assert np.array_equal(hc.predict(picture, Judge()).probabilities, hc.predict(SMALL, Judge()).probabilities)
    assert hc.label(picture, Judge()) == hc.label(SMALL, Judge())
    assert np.array_equal(np.array(picture), before)


def test_a_real_classifier_takes_every_view_too(tmp_path):
    from hiercodec.classify import load_classifier

    lite0 = load_classifier("lite0")
    expected = hc.predict(SMALL, lite0).probabilities
    for view in ("BGR turned round", "Fortran's order", "mapped from a file"):
        assert np.array_equal(hc.predict(VIEWS[view](SMALL, tmp_path), lite0).probabilities, expected)


MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "La")
MODES += ("I;16", "I;16L", "I;16B", "I;16N")


@pytest.mark.parametrize("mode", MODES)
def test_a_pillow_image_of_any_mode_is_a_picture(codec, mode):
    picture = Image.new(mode, (20, 18))
    assert codec.decode(codec.encode(picture)).image.shape == (18, 20, 3)


def test_lab_is_turned_into_the_colours_that_it_was_made_of():
    rgb = Image.fromarray(SMALL // 2 + 60)  # well inside what both can say
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    there = ImageCms.applyTransform(rgb, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert np.abs(as_rgb(there).astype(int) - np.asarray(rgb)).max() <= 4


def test_samples_that_are_no_numbers_are_no_picture(codec):
    with pytest.raises(hc.NotRGB, match="mode F with samples that are no numbers"):
        codec.encode(Image.fromarray(np.full((4, 4), np.nan, np.float32)))


# ---- streams -----------------------------------------------------------------------------------------------------
def mapped(data, tmp_path):
    path = tmp_path / "m.hc"
    path.write_bytes(data)
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def written(data, tmp_path):
    (tmp_path / "photo.hc").write_bytes(data)
    return tmp_path / "photo.hc"


HELD = {
    "bytes": lambda data, tmp: data,
    "a bytearray": lambda data, tmp: bytearray(data),
    "a view": lambda data, tmp: memoryview(b"x" + data)[1:],
    "every other byte": lambda data, tmp: memoryview(bytes(b for byte in data for b in (byte, 0)))[::2],
    "an array": lambda data, tmp: np.frombuffer(data, np.uint8),
    "mapped from a file": mapped,
    "a path": written,
    "a path as text": lambda data, tmp: str(written(data, tmp)),
}


@pytest.mark.parametrize("held", list(HELD))
def test_a_stream_is_anything_that_holds_bytes_or_the_path_of_a_file(codec, data, tmp_path, held):
    whole = codec.decode(data).image
    source = HELD[held](data, tmp_path)
    assert np.array_equal(codec.decode(source).image, whole)
    assert np.array_equal(hc.decode(source).image, whole)
    assert np.array_equal(codec.prefixes(source).at().image, whole)
    assert hc.truncate(source, level="coarse") == hc.truncate(data, level="coarse")
    assert hc.read_label(source) is None
    assert codec.parse(source).total_bytes == len(data)
    assert hc.decode_until(source, "coarse:0.9", classifier=Judge()).reached


def test_a_file_that_is_not_there_is_named(codec, tmp_path):
    for decode in (codec.decode, hc.decode, hc.read_label, codec.prefixes, functools.partial(hc.truncate, bytes=3)):
        with pytest.raises(hc.InputError, match=r"cannot read .*nowhere\.hc: No such file") as caught:
            decode(tmp_path / "nowhere.hc")
        assert "\n" not in str(caught.value)


# ---- anything at all -------------------------------------------------------------------------------------------------
SHAPES = st.lists(st.integers(0, 5), max_size=5).map(tuple)
DTYPES = st.sampled_from(
    ["u1", "i1", "u2", "i8", "f2", "f4", "f8", "?", "c16", "U1", "S2", "O", "M8[s]"],
)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=40),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(object),
    st.builds(Path, st.text(st.characters(codec="ascii", categories=["L"]), max_size=5)),
    st.builds(lambda dtype, shape: np.zeros(shape, dtype), DTYPES, SHAPES),
    st.builds(lambda shape: np.ma.masked_all(shape, np.uint8), SHAPES),
    st.builds(lambda shape: torch.zeros(shape), SHAPES),
    arrays.arrays(np.uint8, SHAPES),
    st.builds(Image.new, st.sampled_from(MODES), st.tuples(st.integers(0, 9), st.integers(0, 9))),
    st.builds(lambda: Image), st.builds(lambda: type), st.builds(lambda: len),
    st.builds(lambda: np.broadcast_to(np.uint8(0), (1 << 20, 1 << 20, 3))),
)  # fmt: skip


def answers(call) -> None:
    """It gives something whose repr is a short line, or says in one why not; nothing is warned of."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = call()
    except hc.HiercodecError as error:
        found = str(error)
    if not isinstance(found, bytes):
        said = repr(found) if not isinstance(found, str) else found
        assert said.strip()
        assert "\n" not in said
        assert len(said) < 600


@BOUNDED
@given(thing=ANYTHING)
@example(thing="photo.hc")
@example(thing=5)
@example(thing=SMALL[:, ::-1])
def test_the_front_door_answers_anything_in_one_line(codec, data, thing, tmp_path_factory):
    judge = Judge()
    calls = [
        lambda: hc.encode(thing), lambda: hc.encode(SMALL, effort=thing if thing not in range(1, 10) else 0)
        if isinstance(thing, int) else hc.encode(SMALL, effort=thing),
        lambda: hc.encode(SMALL, purpose=thing, effort=1 if isinstance(thing, str) else None) if thing is not None else 0,
        lambda: hc.encode(SMALL, effort=1, purpose="machines", classifier=thing),
        lambda: hc.encode(SMALL, codec=thing), lambda: hc.encode(SMALL, label=thing),
        lambda: hc.decode(thing), lambda: hc.decode(data, codec=thing),
        lambda: hc.truncate(thing, bytes=5), lambda: hc.truncate(data, bytes=thing),
        lambda: hc.truncate(data, level=thing), lambda: hc.truncate(data, level=thing, bytes=thing),
        lambda: hc.predict(thing, judge), lambda: hc.predict(SMALL, thing), lambda: hc.predict(SMALL, judge, thing),
        lambda: hc.label(thing, judge), lambda: hc.label(SMALL, thing), lambda: hc.label(SMALL, judge, thing),
        lambda: hc.read_label(thing), lambda: hc.read_label(hc.label(SMALL, judge), thing),
        lambda: hc.read_label(data, thing),
        lambda: hc.decode_until(thing, "coarse:0.9", classifier=judge, steps=2),
        lambda: hc.decode_until(data, thing, classifier=judge, steps=2),
        lambda: hc.decode_until(data, "coarse:0.9", classifier=thing, steps=2),
        lambda: hc.decode_until(data, "coarse:0.9", classifier=judge, hierarchy=thing, steps=2),
        lambda: hc.decode_until(data, "coarse:0.9", classifier=judge, codec=thing, steps=2),
        lambda: hc.decode_until(data, "coarse:0.9", classifier=judge, steps=thing),
        lambda: hc.hierarchy(thing), lambda: hc.load(thing), lambda: hc.load("no such model", device=thing),
        lambda: hc.wup(thing, 3), lambda: hc.wup("tabby", thing), lambda: hc.wup(1, 2, measure=thing),
        lambda: codec.encode(thing), lambda: codec.encode(SMALL, label=thing),
        lambda: codec.decode(thing), lambda: codec.decode(data, bit_map=bool(str(thing))),
        lambda: codec.prefixes(thing), lambda: codec.prefixes(data).at(thing), lambda: codec.parse(thing),
        lambda: stream.parse(thing), lambda: stream.info(thing), lambda: stream.verify(thing),
        lambda: stream.truncate(thing, 5),
    ]  # fmt: skip
    for call in calls:
        answers(call)


def test_what_is_found_is_shown_in_a_short_line(codec, data):
    told = hc.encode(SMALL, codec=codec, label=hc.label(SMALL, Judge()))
    things = {
        "Decoded": codec.decode(data[:-30], bit_map=True),
        "Decoded ": hc.decode(data),
        "Hierarchy": hc.hierarchy(),
        "HierarchyLevel": hc.hierarchy().levels[0],
        "Prediction": hc.predict(SMALL, Judge()),
        "Path": hc.predict(SMALL, Judge()).path,
        "Stopped": hc.decode_until(data, "coarse:0.9", classifier=Judge()),
        "LabelReading": hc.read_label(told),
        "Label": hc.label(SMALL, Judge()),
        "Stream": codec.parse(told),
        "Codec": codec,
        "PrefixDecoder": codec.prefixes(data),
    }
    for name, thing in things.items():
        said = repr(thing)
        assert said.startswith(name.strip()) or type(thing).__name__ in said, said
        assert "\n" not in said
        assert len(said) < (900 if name == "Stream" else 300), said
    assert repr(things["Decoded "]) == f"Decoded(21×18 from {len(data)} bytes: complete)"
    assert repr(hc.hierarchy()) == "Hierarchy('consensus-mended': coarse 10, intermediate 100, fine 1000)"
