from __future__ import annotations

import os
from pathlib import Path

import pytest

LAB = Path(os.environ.get("HIERCODEC_LAB", Path(__file__).resolve().parents[3] / "shared" / "lab"))


@pytest.fixture(scope="session")
def lab() -> Path:
    """The lab's folder; the test is skipped where there is none."""
    if not LAB.is_dir():
        pytest.skip("no lab data (HIERCODEC_LAB)")
    return LAB
