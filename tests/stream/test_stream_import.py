from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROBE = """
import json, sys, time
start = time.process_time()
import hiercodec.stream
seconds = time.process_time() - start
hiercodec.stream.gaussian_tables()
print(json.dumps([seconds, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def probe() -> tuple[float, set[str]]:
    out = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    seconds, modules = json.loads(out)
    return seconds, set(modules)


def test_the_stream_starts_fast_and_alone():
    runs = [probe() for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.3
    heavy = {"torch", "compressai", "numba", "scipy", "streamlit", "plotly", "PIL", "pandas", "timm"}
    assert not heavy & runs[0][1]


def test_the_exported_names_are_pinned():
    import hiercodec.stream as stream

    assert stream.__all__ == [
        "SCALE_LEVELS",
        "Header",
        "Label",
        "Mark",
        "Section",
        "Stream",
        "SymbolReader",
        "SymbolWriter",
        "Tables",
        "checksum",
        "confidence_step",
        "decode_symbols",
        "encode_symbols",
        "gaussian_tables",
        "info",
        "level_end",
        "parse",
        "quantize_pmf",
        "scale_edges",
        "scale_indexes",
        "scale_table",
        "truncate",
        "verify",
        "write",
    ]
    for name in stream.__all__:
        assert getattr(stream, name).__doc__
