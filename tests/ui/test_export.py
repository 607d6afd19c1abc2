"""What can be taken away: the same pixels, the same numbers."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from hiercodec.evaluation.measure import Evaluator
from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.trace import Trace
from hiercodec.evaluation.traces.tracing import trace
from hiercodec.report import export
from hiercodec.taxonomy import load_hierarchy
from tests.evaluation.fake_codec import FakeClassifier, FakeCodec


@pytest.fixture(scope="module")
def packed():
    rgb = sample("cat").pixels()[:96, :144]
    codec = FakeCodec()
    data = codec.encode(rgb)
    found, decoded = trace(codec, rgb, Evaluator(FakeClassifier(), load_hierarchy()), steps=7, data=data)
    return bundle.make(found, data, rgb, decoded)


def test_frame_is_the_decoders_output_bit_for_bit(packed):
    for index, step in enumerate(packed.trace.steps):
        decoded = FakeCodec().decode(packed.stream[: step.bytes]).image
        assert np.array_equal(packed.pixels(index), decoded)


def test_prefix_reopens_to_the_same_picture(packed):
    part = packed.stream[: packed.trace.steps[3].bytes]
    assert np.array_equal(FakeCodec().decode(part).image, packed.pixels(3))


def test_animation_holds_every_step_losslessly(packed):
    with Image.open(io.BytesIO(export.animation(packed))) as image:
        assert image.n_frames == len(packed.changes)
        for index in (0, len(packed.changes) - 1):
            image.seek(index)
            assert np.array_equal(np.asarray(image.convert("RGB")), packed.pixels(index))


def test_contact_sheet_holds_every_step(packed):
    sheet = np.asarray(Image.open(io.BytesIO(export.contact_sheet(packed))).convert("RGB"))
    assert np.array_equal(sheet[12 : 12 + 96, 12 : 12 + 144], packed.pixels(0))
    assert sheet.shape[0] > 2 * 96


def test_table_csv_and_json_agree_with_the_trace(packed):
    found = packed.trace
    rows = list(csv.DictReader(io.StringIO(export.trace_csv(found))))
    assert [int(row["bytes"]) for row in rows] == [step.bytes for step in found.steps]
    assert float(rows[2]["psnr"]) == pytest.approx(found.steps[2].psnr, abs=0.01)
    assert rows[-1]["fine"] == found.steps[-1].top["fine"][0][1]
    assert Trace.from_json(json.loads(export.trace_json(found))) == found
