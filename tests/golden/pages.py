"""What pages draw of the files that ship: the traces of every chart and the cells of every table, as `measured.sketch`es."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from hiercodec.ui.results.curves import BITS, PSNR, SIMILAR, SSIM
from tests.golden.measured import FILES, Figures, in_words, numbers, sketch

FILE = Path(__file__).with_name("pages.json")
ROOT = Path(__file__).resolve().parents[2]
GROUPS = ("Map", "Tree", "CLIP against WordNet", "Stability")
RESULTS = ("Curves", "Against rivals", "Stop when sure")
FAILURES = ("Gallery", "Confusion", "Mistakes")
MAIN = "imagenet-val"
DRAWN = ("x", "y", "z", "values", "r", "text", "customdata", "error_y", "error_x", "link", "node")
"""Parts of a trace that hold figures."""


def everything() -> Figures:
    """Page, file and view → its charts and tables."""
    called = _called()
    looks = [(view, name) for name in (MAIN, "kodak", "imagenet-val-effort") for view in RESULTS]
    looks += [("Label or pixels", MAIN)]
    found = {f"results {name} {view}": of_page("results", view=view, rows=called[name]) for view, name in looks}
    found |= {f"results {y}": of_page("results", view="Curves", y=y) for y in (BITS, SIMILAR, PSNR, SSIM)}
    found["results, orders"] = of_page("results", view="Against rivals", rows="imagenet-val-orders")
    found["results, fewer bytes"] = of_page("results", view="Against rivals", bd="for equal quality")
    found["results, other groups"] = of_page("results", view="Curves", groups="wordnet")
    found["results, models"] = of_page("results", view="Models")
    found |= {f"failures {view}": of_page("failures", view=view, table=True) for view in FAILURES}
    found |= {f"groups {view}": of_page("groups", view=view) for view in GROUPS}
    return found


def _called() -> dict[str, str]:
    from hiercodec.ui.results import files

    shipped = files.shipped()
    return {name: title for title, name in zip(shipped, shipped, strict=True) if name in FILES}


def of_page(name: str, *, table: bool = False, **state: str) -> Figures:
    """Every chart and table of a page that is opened with this state."""
    at = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=600)
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    if table and at.toggle:
        for switch in at.toggle:
            switch.set_value(True)
        at.run()
    assert not at.exception, at.exception
    found: Figures = {}
    for i, chart in enumerate(at.get("plotly_chart")):
        traces = json.loads(chart.proto.spec)["data"]
        found[f"chart {i}"] = [of_trace(trace) for trace in traces]
    for i, frame in enumerate(at.dataframe):
        found[f"table {i}"] = sketch(
            [x for column in frame.value.columns for v in frame.value[column] for x in cell(v)]
        )
    return found


def cell(value: Any) -> list[float]:
    """The numbers of a cell of a table."""
    return in_words(value.item() if isinstance(value, np.generic) else value)


def of_trace(trace: dict[str, Any]) -> list[float]:
    """All numbers of a trace, in the order of `DRAWN`."""
    return sketch([x for part in DRAWN if part in trace for x in unpacked(trace[part])])


def unpacked(part: Any) -> list[float]:
    """The numbers in a part of a trace, packed or not."""
    if isinstance(part, dict) and "bdata" in part:
        return [float(x) for x in np.frombuffer(base64.b64decode(part["bdata"]), part["dtype"])]
    if isinstance(part, dict):
        return [x for key, value in part.items() if key in (*DRAWN, "array", "value") for x in unpacked(value)]
    if isinstance(part, list):
        return [x for value in part for x in unpacked(value)]
    return in_words(part) if isinstance(part, str) else numbers(part)
