"""The command line: `python -m hiercodec COMMAND …`.

Results go to stdout (`--json`: machine-readable), everything else to stderr. An error is one line, `hiercodec: …`, and
the error's own exit code (2, or 3 and 4 where `verify` uses them). Starting imports no torch; a command loads what it
needs when it runs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from hiercodec import __version__
from hiercodec.cli import codec as cli_codec
from hiercodec.cli import files as cli_files
from hiercodec.errors import HiercodecError

COMMANDS = (*cli_codec.COMMANDS, *cli_files.COMMANDS)
"""Commands implemented here, in the order of the help."""

DELEGATES = {
    "hierarchy": ("hiercodec.cli.hierarchy", "table, build, stability: make and compare semantic hierarchies"),
    "evaluate": ("hiercodec.cli.evaluate", "rate, distortion and accuracy over a data set"),
    "train": ("hiercodec.cli.train", "train a model from a TOML file"),
    "calibrate": ("hiercodec.cli.calibrate", "fit how sure a classifier is to how often it is right"),
    "bench": ("hiercodec.cli.bench", "speed and rate against peers, side by side in one run"),
}
"""Commands that are other modules' own `main(argv)`; they parse everything behind their name."""

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; delegates appear in the help only."""
    parser = argparse.ArgumentParser(
        prog="python -m hiercodec", description="An image codec whose one bitstream means more the more of it arrives."
    )
    parser.add_argument("--version", action="version", version=f"hiercodec {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=command.description or command.help)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    for name, (_, text) in DELEGATES.items():
        sub = commands.add_parser(name, help=text, add_help=False)
        sub.set_defaults(run=lambda args: parser.error(f"{args.command} must be the first argument"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. `SystemExit` comes from argparse only (usage errors exit 2)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in DELEGATES:
            module = importlib.import_module(DELEGATES[arguments[0]][0])
            code = module.main(arguments[1:])
        else:
            args = build_parser().parse_args(arguments)
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
        if (error.name or "").partition(".")[0] == "hiercodec":
            raise
        return _fail(f"{arguments[0]} needs the package {error.name!r}, which is not installed", 2)
    except MemoryError:
        return _fail("out of memory", 2)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return _fail(f"{named}{error.strerror or error}", 2)
    return code or 0


def _fail(message: str, code: int) -> int:
    print(f"hiercodec: {' '.join(message.split())}", file=sys.stderr)
    return code
