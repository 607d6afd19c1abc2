"""Fixtures that several rooms use, and which tests are `quick`.

`pytest -m quick` is what to run at every change: in under 90 s on two idle cores it asks everything that computes little and
starts nothing. A test is quick by where it stands, and unless it is marked otherwise (`slow`, `browser`, `lab`, `gpu`).
"""

from __future__ import annotations

import functools
import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("HIERCODEC_WORKERS", "0")  # pages work in the tests' own process, where fakes can stand in
ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
NOT_QUICK = {"browser", "golden", "js", "pages", "tools", "training", "workers"}
"""Rooms of tests that start a server, a browser or processes, or that train; with `-m quick` they are not even read."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import what `-m quick` would deselect: half of the time of a quick run would go there."""
    inside = collection_path.is_relative_to(TESTS) and collection_path != TESTS
    rooms = collection_path.relative_to(TESTS).parts[:1] if inside else ()
    return True if config.option.markexpr == "quick" and NOT_QUICK & {*rooms} else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With `-n`, the tests of a file run in one process, so that what they share is made once; and all of a browser's, with
    one server and one Chromium beside the other processes. In the order of collection, which begins with these."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "browser" if file.startswith("tests/browser/") else file

    config.option.loadscopereorder = False
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick."""
    for item in items:
        room = item.path.relative_to(TESTS).parts[0]
        others = {mark.name for mark in item.iter_markers()} & {"slow", "browser", "lab", "gpu"}
        if room not in NOT_QUICK and not others:
            item.add_marker(pytest.mark.quick)


@pytest.fixture(scope="module", autouse=True)
def _imported():
    """Keep what is imported out of the garbage collector's sight: Streamlit collects after every run of a page, and to walk
    through all of torch, SciPy and scikit-learn each time takes three times as long as the run itself."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _packages_are_asked_once():
    """With every page that it opens, AppTest reads the metadata of all installed packages, in search of components: most of
    such a test's time. Nothing is installed while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        if "streamlit" in sys.modules:
            from streamlit.components.v2 import manifest_scanner as scanner

            patch.setattr(scanner, "scan_component_manifests", functools.cache(scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _where_we_were():
    """No test leaves the next ones in another folder, or with a page for the main script, as AppTest does: processes that
    are started afterwards would run it once more, for seconds."""
    before, script = os.getcwd(), sys.modules["__main__"]
    yield
    sys.modules["__main__"] = script
    assert os.getcwd() == before


@pytest.fixture(scope="session")
def tiny_lite(tmp_path_factory):
    """A tiny `lite` codec with random weights."""
    from tests.models.tiny import TINY_LITE, make_codec

    return make_codec(TINY_LITE, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def photo():
    """Something like a photograph whose sides no stride divides, uint8 (90, 117, 3)."""
    from tests.models.tiny import smooth_photo

    return smooth_photo(np.random.default_rng(7), 90, 117)


@pytest.fixture(scope="session")
def lab() -> Path:
    """The lab's data; tests that need it skip where it is missing."""
    path = Path(os.environ.get("HIERCODEC_LAB", ROOT.parent / "shared" / "lab"))
    if not path.is_dir():
        pytest.skip("no lab data here (HIERCODEC_LAB)")
    return path
