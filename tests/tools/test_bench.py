"""The bench times what it says, in turns, and prints it."""

from __future__ import annotations

import numpy as np

from tests.models.tiny import TINY_TIC, make_codec, smooth_photo
from tools import bench


def test_every_step_is_timed_on_the_data_of_its_own_encoder():
    seen = []
    runs = {
        name: {
            "encode": lambda n=name: seen.append(f"{n} encode") or n,
            "decode": lambda data, n=name: seen.append(f"{n} decode {data}"),
        }
        for name in ("a", "b")
    }
    rows = bench._time(runs, repeats=2)
    assert seen == 3 * ["a encode", "a decode a", "b encode", "b decode b"], "the codecs take turns"
    assert set(rows["a"]) == {"encode_s", "encode_cpu_s", "decode_s", "decode_cpu_s", "decode_s_min"}


def test_synthesis_is_part_of_decoding(tmp_path):
    codec = make_codec(TINY_TIC, tmp_path)
    rgb = smooth_photo(np.random.default_rng(0), 48, 64)
    steps = bench._own(codec, rgb)
    data = steps["encode"]()
    assert np.array_equal(steps["synthesis"](data)[0], steps["decode"](data).image)


def test_the_table_names_every_codec_and_the_price_of_its_entropy_model():
    row = {"encode_s": 0.1, "decode_s": 0.2, "decode_over_synthesis": 1.234, "decode_speed_vs_mbt2018": 20.0}
    results = {
        "photo": "64×48",
        "threads": 1,
        "device": "cpu",
        "repeats": 2,
        "speed": {"lite": row, "mbt2018": {"encode_s": 2.0, "decode_s": 4.0}},
        "overhead": {
            "file_bytes": 9,
            "coded_bytes": 5,
            "container_bytes": 4,
            "ideal_bytes": 5.0,
            "coder_overhead_percent": 0.1,
        },
    }
    text = bench.table(results)
    assert "1.23" in text
    assert "20.0 ×" in text
    assert "not measured" in text
