"""The command line: `hiercodec COMMAND …`, the same as `python -m hiercodec COMMAND …`.

Results go to stdout (`--json`: machine-readable), everything else to stderr. An error is one line, `hiercodec: …`, and
the error's own exit code (2, or 3 and 4 where `verify` uses them). Starting imports no torch; a command loads what it
needs when it runs.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import warnings
from collections.abc import Sequence

import click

from hiercodec._version import __version__
from hiercodec.cli.base import ONLY_READ
from hiercodec.errors import HiercodecError, how_to_install, is_out_of_memory

MODULES = {
    **dict.fromkeys(("encode", "decode", "trace", "models"), "codec"),
    **dict.fromkeys(("truncate", "info", "verify"), "files"),
    "hierarchy": "hierarchy",
    "evaluate": "evaluate",
    "results": "results",
    **dict.fromkeys(("train", "curves"), "train"),
    "app": "app",
}
"""The module of every command and group of commands, in the order of the help."""

EXTRAS = {
    **dict.fromkeys(("pyarrow", "pandas", "scipy"), "evaluate"),
    **dict.fromkeys(("streamlit", "plotly", "skimage", "loky", "msgpack"), "app"),
    **dict.fromkeys(("compressai", "lightning_fabric", "tomli"), "train"),
    **dict.fromkeys(("open_clip", "umap", "nltk", "sklearn", "joblib"), "clip"),
    "ray": "ray",
}
"""Package → the extra of ours that installs it, for the message where it is missing."""

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class House(click.Group):
    """Commands by name; the module of one is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            return None
        return getattr(importlib.import_module(f"hiercodec.cli.{MODULES[cmd_name]}"), cmd_name)


COMMANDS = click.version_option(__version__, message="hiercodec %(version)s")(
    House(
        help="An image codec whose one bitstream means more the more of it arrives.",
        no_args_is_help=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
)


def check(argv: Sequence[str], commands: click.Command = COMMANDS) -> None:
    """Read the arguments of one of the `commands` without running it; `click.ClickException` says what is wrong."""
    with commands.make_context("hiercodec", list(argv), obj=list(argv)) as context:
        context.meta[ONLY_READ] = True
        commands.invoke(context)


def main(argv: Sequence[str] | None = None, commands: click.Command = COMMANDS, program: str = "hiercodec") -> int:
    """Run one of the `commands`; returns its exit code. Only what is a bug raises."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with commands.make_context(program, list(arguments), obj=arguments) as context:
            code = commands.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        where = getattr(error, "ctx", None)
        return _fail(f"{error.format_message()} ({where.command_path if where else program} --help says more)", 2)
    except BrokenPipeError:
        # The reader is gone (`… | head`). Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", EXIT_INTERRUPTED)
    except HiercodecError as error:
        return _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("hiercodec", "tools"):
            raise
        remedy = f"; {how_to_install(EXTRAS[package])}" if package in EXTRAS else ""
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
