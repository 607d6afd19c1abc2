"""What command modules share: the shape of a command, and how they speak.

A module of `cli` ends in `COMMANDS`, its commands and groups of commands. Modules are imported to print the help, so what
is slow to import (torch, plotly, streamlit) is imported where a command runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hiercodec.fsio import printable


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its name and help line, its arguments, and what runs (args → exit code)."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str | None = None

    def add_to(self, commands: argparse._SubParsersAction) -> None:
        """Make it a choice of `commands`."""
        parser = commands.add_parser(self.name, help=self.help, description=self.description or self.help)
        self.add_arguments(parser)
        parser.set_defaults(run=self.run)


@dataclass(frozen=True, slots=True)
class Group:
    """Commands behind one word: `hierarchy table`, `hierarchy build`, …"""

    name: str
    help: str
    commands: tuple[Command, ...]

    def add_to(self, commands: argparse._SubParsersAction) -> None:
        """Make it a choice of `commands`."""
        parser = commands.add_parser(self.name, help=self.help, description=self.help)
        choices = parser.add_subparsers(metavar="COMMAND", required=True)
        for command in self.commands:
            command.add_to(choices)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="machine-readable output on stdout")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, allow_nan=False))


def command_line(args: argparse.Namespace) -> str:
    """What was typed, for results that say how they were made; `main` leaves it in `args.argv`."""
    return f"python -m hiercodec {' '.join(map(_quoted, args.argv))}"


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


def percent(share: float) -> str:
    """0.5 → "50.0 %"."""
    return f"{100 * share:.1f} %"


def positive(text: str) -> int:
    """argparse type: an integer ≥ 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
