"""The command line: `hiercodec COMMAND …`, the same as `python -m hiercodec COMMAND …`.

Results go to stdout (`--json`: machine-readable), everything else to stderr. An error is one line, `hiercodec: …`, and
the error's own exit code (2, or 3 and 4 where `verify` uses them). Starting imports no torch; a command loads what it
needs when it runs.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence

from hiercodec._version import __version__
from hiercodec.cli import app, assets, bench, calibrate, codec, evaluate, files, hierarchy, results, rivals, train
from hiercodec.errors import HiercodecError, is_out_of_memory

COMMANDS = (
    *codec.COMMANDS,
    *files.COMMANDS,
    *hierarchy.COMMANDS,
    *evaluate.COMMANDS,
    *results.COMMANDS,
    *calibrate.COMMANDS,
    *bench.COMMANDS,
    *train.COMMANDS,
    *rivals.COMMANDS,
    *assets.COMMANDS,
    *app.COMMANDS,
)
"""Every command and group of commands, in the order of the help."""

EXTRAS = {
    **dict.fromkeys(
        ("streamlit", "pyarrow", "pandas", "plotly", "skimage", "sklearn", "scipy", "joblib", "loky"), "app"
    ),
    **dict.fromkeys(("compressai", "lightning_fabric", "tomli"), "train"),
    **dict.fromkeys(("open_clip", "umap", "nltk"), "clip"),
    "ray": "ray",
}
"""Package → the extra of ours that installs it, for the message where it is missing."""

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="hiercodec", description="An image codec whose one bitstream means more the more of it arrives."
    )
    parser.add_argument("--version", action="version", version=f"hiercodec {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for entry in COMMANDS:
        entry.add_to(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. `SystemExit` comes from argparse only (usage errors exit 2)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        args = build_parser().parse_args(arguments)
        args.argv = arguments
        code = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader is gone (`… | head`). Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return _fail("interrupted", EXIT_INTERRUPTED)
    except HiercodecError as error:
        return _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "hiercodec":
            raise
        remedy = f": pip install 'hiercodec[{EXTRAS[package]}]'" if package in EXTRAS else ""
        return _fail(f"{arguments[0]} needs the package {package!r}, which is not installed{remedy}", 2)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return _fail("out of memory: this needs more than the machine has free; a smaller picture needs less", 2)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return _fail(f"{named}{error.strerror or error}", 2)
    return code or 0


def entry() -> None:
    """The console command: `main` with the settings of a process of its own; exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show × or é is no reason to fail
    # Pillow warns of a large picture before the error of ours that refuses it; an error is one line.
    warnings.filterwarnings("ignore", message=r"Image size \(\d+ pixels\) exceeds limit")
    sys.exit(main())


def _fail(message: str, code: int) -> int:
    print(f"hiercodec: {' '.join(message.split())}", file=sys.stderr)
    return code
