"""What command modules share: how a command is declared, the options that several have, and how they speak.

    @command("encode", "photograph → stream", PHOTO, argument("output", metavar="OUT.hc"), MODEL)
    def encode(args): ...                       # a namespace of its arguments → exit code (None: 0)

A module is imported when one of its commands is asked for, and to print the help; what is slow to import (torch, plotly,
streamlit) is imported where a command runs.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from hiercodec import device, plugins, values
from hiercodec.fsio import printable, without_folders
from hiercodec.levels import DEFAULT_MODEL

Arguments = SimpleNamespace
"""The arguments of a command by name, and in `program` and `argv` what was typed."""

ONLY_READ = "hiercodec.only_read"
"""What a context's `meta` says where commands are to be read and not run."""

FILE = click.Path(path_type=Path)
POSITIVE = click.IntRange(min=1)


class Several(click.Option):
    """An option that takes one value or more, `--k 10 100`, and may be repeated as well."""

    def __init__(self, flags: Sequence[str], **settings: Any) -> None:
        super().__init__(flags, multiple=True, **settings)


class _Command(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        flags = {flag for param in self.params if isinstance(param, Several) for flag in param.opts}
        return super().parse_args(ctx, spread(args, flags))


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which they were given


def spread(args: Sequence[str], flags: set[str]) -> list[str]:
    """`args` with each of `flags` written once a value, as click reads them.

    >>> spread(["a", "--k", "10", "100", "--json"], {"--k"})
    ['a', '--k', '10', '--k', '100', '--json']
    """
    out: list[str] = []
    flag, values = "", 0
    for arg in args:
        if arg.startswith("-") and len(arg) > 1:
            flag, values = arg if arg in flags else "", 0
        elif flag:
            out += [flag] if values else []
            values += 1
        out.append(arg)
    return out


def command(
    name: str, summary: str, *params: click.Parameter, details: str = ""
) -> Callable[[Callable[[Arguments], int | None]], click.Command]:
    """Make a function of its `Arguments` the command `name`; `details` follow the summary in its own help."""

    def made(run: Callable[[Arguments], int | None]) -> click.Command:
        def call(**values: Any) -> int | None:
            root = click.get_current_context().find_root()
            if root.meta.get(ONLY_READ):
                return None
            return run(Arguments(**values, program=root.info_name, argv=root.obj))

        text = f"{summary[0].upper()}{summary[1:]}.{' ' if details else ''}{details}"
        settings = {"help_option_names": ["-h", "--help"], "show_default": True}
        own = [*params, *([PLUGIN] if DEVICE in params else [])]  # who runs networks runs those of others
        return _Command(name, settings, call, own, text, short_help=summary)

    return made


def group(name: str, summary: str, *commands: click.Command) -> click.Group:
    """Commands behind one word: `hierarchy table`, `hierarchy build`, …"""
    settings = {"help_option_names": ["-h", "--help"]}
    return _Group(name, list(commands), help=summary, no_args_is_help=False, context_settings=settings)


def argument(name: str, *, many: bool = False, required: bool = True, **settings: Any) -> click.Argument:
    """A positional argument; `many` takes one or more, or none where it is not `required`."""
    return click.Argument([name], nargs=-1 if many else 1, required=required, **settings)


def option(*flags: str, several: bool = False, **settings: Any) -> click.Option:
    """An option; `several` takes one value or more."""
    return Several(flags, **settings) if several else click.Option(flags, **settings)


def flag(*flags: str, help: str) -> click.Option:
    """An option without a value."""
    return click.Option(flags, is_flag=True, show_default=False, help=help)


JSON = flag("--json", help="machine-readable output on stdout")
MODEL = option("--model", default=DEFAULT_MODEL, metavar="NAME|PATH", help="a model or its weights")
HIERARCHY = option("--hierarchy", metavar="H", help="a hierarchy's name or a JSON file")
CROP = option("--crop", type=POSITIVE, metavar="N", help="take the central square of this side first")
SAMPLE = option("--sample", type=POSITIVE, metavar="N", help="only N photographs, evenly spaced over the data set")


def labels(default: str | None = "auto") -> click.Option:
    """`--labels`: how a data set's photographs are labelled."""
    how = "auto: wnids on the path, and ImageNet's ground-truth files; index: folders called 0…999; none; or a file"
    return option("--labels", default=default, metavar="HOW", help=how)


def setting(flag: str, variable: str, **settings: Any) -> click.Option:
    """An option that stands for an environment variable, for as long as the command runs and for what it starts.

    One that may be repeated adds to what the variable holds.
    """

    def set_variable(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        text = " ".join([os.environ.get(variable, ""), *value]).strip() if isinstance(value, tuple) and value else value
        if text:
            ctx.with_resource(environment(variable, str(text)))
        return value

    return click.Option([flag], callback=set_variable, **settings)


@contextlib.contextmanager
def environment(variable: str, value: str) -> Iterator[None]:
    """An environment variable has this value meanwhile."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before


DEVICE = setting("--device", device.DEVICE, metavar="auto|cpu|cuda|mps",
                 help=f"where networks run (default: what {device.DEVICE} says, else cpu)")  # fmt: skip
PLUGIN = setting(
    "--plugin", plugins.PLUGINS, multiple=True, metavar="MODULE",
    help="a module that adds codecs, classifiers, tasks or parts of networks (docs/extending.md); may be repeated",
)  # fmt: skip


def classifiers(help: str = "classifier spec (default lite0)") -> click.Option:
    """`--classifier`, as often as it takes."""
    return option("--classifier", multiple=True, metavar="C", help=f"{help}; may be repeated")


def at_most_one(args: Arguments, *names: str, required: bool = False) -> None:
    """A usage error where more than one of these options was given, or none of those `required`."""
    given = [name for name in names if getattr(args, name) not in (None, (), False)]
    if len(given) > 1 or (required and not given):
        flags = [f"--{name.replace('_', '-')}" for name in names]
        raise click.UsageError(f"give {'' if required else 'at most '}one of {', '.join(flags[:-1])} and {flags[-1]}")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(values.dumps(value, indent=2))


def command_line(args: Arguments) -> str:
    """What was typed, for results that say how they were made."""
    typed = " ".join(map(_quoted, args.argv))
    return without_folders(f"{args.program.replace('hiercodec', 'python -m hiercodec')} {typed}")


def _quoted(word: str) -> str:
    """A word for a shell; what cannot be printed in it as bash and zsh write such words, $'…'."""
    spelled = printable(word)
    return shlex.quote(word) if spelled == word.replace("\\", "\\\\") else "$'" + spelled.replace("'", "\\'") + "'"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def note(text: str) -> None:
    """One line for people, on stderr."""
    print(text, file=sys.stderr)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Text columns two spaces apart, the first `left` aligned left, the others right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join(line(row) for row in (header, *rows))


def records(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of one kind as such columns, numbers to three decimals."""
    cells = [[_cell(value) for value in row.values()] for row in rows]
    return table([name.replace("_", " ") for name in rows[0]], cells) + "\n" if rows else "(none)\n"


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """0.5 → "50.0 %"."""
    return f"{100 * share:.1f} %"
