"""`python -m hiercodec …`."""

from __future__ import annotations

import io
import sys

from hiercodec.cli.main import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show × or é is no reason to fail
    sys.exit(main())
