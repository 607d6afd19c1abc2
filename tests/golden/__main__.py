"""Record every figure anew: `python -m tests.golden`, in the commit that changes what ships, and only there."""

from __future__ import annotations

import os

os.environ.setdefault("HIERCODEC_WORKERS", "0")

if __name__ == "__main__":
    from tests.golden import measured, pages

    for part in (measured, pages):
        measured.write(part.FILE, part.everything())
