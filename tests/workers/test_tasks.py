"""What the app has done for its visitors: in two turns, the first of them short, and in what plain data comes back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from hiercodec.images import encode_png, read_rgb
from hiercodec.stream import parse
from hiercodec.workers import tasks
from hiercodec.workers.wire import packed, unpacked

JUDGE = (None, "wordnet")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def opened(told):
    picture = encode_png(np.linspace(0, 255, 64 * 96 * 3).reshape(64, 96, 3).astype(np.uint8))
    return tasks.first_picture(picture, "lite", 384, tell=lambda *what: told.append(what))


def test_the_first_turn_shows_the_end_of_the_first_block_and_the_second_what_follows(opened, told):
    assert [what for what, *_ in told] == ["progress", "show"]
    assert opened.shown == next(iter(parse(opened.data).cuts().values()))
    assert read_rgb(told[-1][1]).shape == (64, 96, 3)
    later = []
    bundle, _ = tasks.first_view(opened, "lite", JUDGE, 24, tell=lambda *what: later.append(what))
    shown = [file for what, file, *_ in later if what == "show"]
    assert len(bundle.trace.steps) == tasks.FIRST_STEPS
    assert len(shown) == sum(step.bytes > opened.shown for step in bundle.trace.steps) > 0
    assert told[-1][1] not in shown


def test_what_was_mended_in_a_visitors_file_is_told():
    """A photograph of 24 million pixels is taken; a JPEG without its end is shown, with a word."""
    out = io.BytesIO()
    Image.new("RGB", (6000, 4000), (9, 99, 200)).save(out, "JPEG")
    told = []
    opened = tasks.first_picture(out.getvalue()[:-2], "lite", 96, tell=lambda *what: told.append(what))
    assert opened.rgb is not None
    assert opened.rgb.shape == (64, 96, 3)
    assert ("note", "its last bytes are missing") in told


def test_a_cut_stream_opens_like_a_photograph(opened):
    cut = tasks.first_picture(opened.data[:60], "lite", 384, tell=lambda *_: None)
    assert (cut.data, cut.shown, cut.rgb) == (opened.data[:60], 60, None)
    bundle, _ = tasks.first_view(cut, "lite", JUDGE, 24, tell=lambda *_: None)
    assert bundle.trace.file_bytes == 60


def test_what_goes_to_the_server_is_plain_data(opened):
    view = bundle, rest = tasks.first_view(opened, "lite", JUDGE, 24, tell=lambda *_: None)
    more = tasks.more_steps(bundle.trace, bundle.stream, bundle.original, "lite", JUDGE, rest[:2], tell=lambda *_: None)
    longer = tasks.with_steps(bundle, *more, tell=lambda *_: None)
    assert len(longer.trace.steps) == tasks.FIRST_STEPS + 2
    for what in (opened, view, more, longer):
        assert packed(unpacked(packed(what))) == packed(what)
