"""The report on robustness: what the hostile tests found, drawn from figures that they recorded themselves.

`python -m tools.report` draws docs/robustness.md from docs/robustness.json; every command named in it enters its figures
there with `--record`. `python -m tools.report --measure` runs all of them first (some hours on two cores).
"""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "robustness.json"
REPORT = ROOT / "docs" / "robustness.md"

COMMANDS = (
    "tools.fuzz --mutants 20000 --seed 0 --record",
    "tools.fuzz --cuts --record",
    "tools.fuzz.guided --seconds 600 --record",
    "tools.symbols --photos ../shared/lab/images/photos-0.tar --record",
    "tools.crashes --kills 50 --record",
    "tools.load --record load",
    "tools.load --visitors 5 --soak 30 --record soak",
)
"""What measures everything, from the top of a checkout with the lab beside it."""

HEAD = """# What was done to it

Drawn by `python -m tools.report` from figures that the commands recorded; `--measure` measures all of it anew. Each
section names its command, the day and what it found, good or bad. Seconds depend on the machine; where other
programs kept it busy, the figures say so.
"""


def record(part: str, figures: dict[str, Any]) -> None:
    """Enter the figures of one part, with the command that found them and the day."""
    known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    known[part] = {"command": _command(), "date": datetime.date.today().isoformat(), **figures}
    FIGURES.write_text(json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _command() -> str:
    """How this process was started, as anyone would type it: with the lab where a checkout has it."""
    module = ".".join(Path(sys.argv[0]).resolve().relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    words = [f"../shared/lab{word.partition('/lab')[2]}" if "/lab/" in word else word for word in sys.argv[1:]]
    if "--folder" in words:  # where something lay meanwhile
        del words[words.index("--folder") : words.index("--folder") + 2]
    return f"python -m {module} {shlex.join(words)}".strip()


def drawn(figures: dict[str, Any]) -> str:
    """The report, as Markdown."""
    lines = [HEAD]
    for title, parts in SECTIONS.items():
        lines.append(f"\n## {title}\n")
        there = [(figures[name], draw) for name, draw in parts.items() if name in figures]
        for found, draw in there:
            lines.append(f"`{found['command']}` ({found['date']}):\n")
            lines += [*draw(found), ""]
        if not there:
            lines.append("Not measured yet.\n")
    return "\n".join(lines).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ("---",) * len(head), *rows)]


def _mutants(found: dict[str, Any]) -> Iterator[str]:
    seeds = ", ".join(f"{name} ({size} B)" for name, size in found["seeds"].items())
    yield (
        f"{found['streams']:,} streams from {len(found['seeds'])} seeds, **{found['broken']} against the law** (a verified "
        f"prefix or a typed error, below 1 s and 200 MB). Dearest: {found['seconds']} s of work, {found['megabytes']} MB. "
        f"Seeds: {seeds}.\n"
    )
    yield from _table(("outcome", "streams"), [(name, f"{count:,}") for name, count in found["outcomes"].items()])


def _guided(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"atheris (libFuzzer), {found['duration']} s: {found['streams']:,} streams, {found['coverage']} branches covered, a "
        f"corpus of {found['corpus']}, **{found['broken']} findings**."
    )


def _symbols(found: dict[str, Any]) -> Iterator[str]:
    plain, *_ = found["ways"].values()
    margin = found["margin"]
    yield (
        f"{plain['photos']} photographs, {found['count']:,} symbols, model {found['model']}, torch {found['torch']}; all "
        "against one thread. σ and μ before rounding come no nearer to a boundary than "
        f"{margin['sigma']:.1e} (relative) and {margin['mu']:.1e}; the table says how far they move.\n"
    )
    yield from _table(
        ("way", "equal symbols", "equal parameters", "σ moves by", "μ moves by", "equal files encoded", "size differs by"),
        [
            (name, f"{row['symbols']} of {row['photos']}", f"{row['parameters']} of {row['photos']}", f"{row['sigma']:.0e}",
             f"{row['mu']:.0e}", f"{row['encoded']} of {row['photos']}", f"{100 * row['longest']:.2f} %")
            for name, row in found["ways"].items()
        ],
    )  # fmt: skip
    if found["skipped"]:
        yield f"\nNot measured: {', '.join(found['skipped'])}."
    yield (
        "\nDecoding depends on nothing but the file. Encoding rounds what float32 transforms give, so another kernel may "
        "choose a neighbouring symbol; such a file is as good and decodes everywhere."
    )


def _crashes(found: dict[str, Any]) -> Iterator[str]:
    yield from _table(
        (
            "command",
            "killed",
            "ended before",
            "output there",
            "temporary files left",
            "resumed to equal results",
            "wrong",
        ),
        [
            (name, row["kills"], row["early"], row["there"], row["left"], row["resumed"], f"**{len(row['wrong'])}**")
            for name, row in found["commands"].items()
        ],
    )
    for name, row in found["commands"].items():
        yield from (f"\n{name}: {problem}" for problem in row["wrong"][:5])


def _load(found: dict[str, Any]) -> Iterator[str]:
    alive = "the server lived" if found["alive"] else "**the server died**"
    yield (
        f"{found['visitors']} visitors, {found['visits']} visits in {found['duration']} s; {alive}, **{found['failed']} "
        f"visits failed, {found['anothers']} of {found['pictures']} pictures were another's**. Memory of all processes: at "
        f"most {found['peak_mb']:,} MB; mean of the second third {found['settled_mb']:,} MB, of the last "
        f"{found['last_mb']:,} MB. Other programs took {100 * found['others']:.0f} % of the cores (load of the machine: "
        f"{found['load'][0]} before, {found['load'][-1]} after).\n"
    )
    yield from _table(
        ("step", "times", "median, s", "worst, s"),
        [(name, row["n"], row["median"], row["worst"]) for name, row in found["seconds"].items()],
    )
    yield from (f"\nFailed: {reason}" for reason in found["reasons"])


SECTIONS: dict[str, dict[str, Callable[[dict[str, Any]], Iterator[str]]]] = {
    "Streams": {"mutants": _mutants, "cuts": _mutants, "guided": _guided},
    "The same symbols everywhere": {"symbols": _symbols},
    "Killed at any moment": {"crashes": _crashes},
    "A class at once": {"load": _load, "soak": _load},
}


def main() -> None:
    """Measure where asked to, and draw."""
    parser = argparse.ArgumentParser(prog="python -m tools.report", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="run every command first")
    if parser.parse_args().measure:
        for command in COMMANDS:
            print(f"python -m {command}", flush=True)
            subprocess.run([sys.executable, "-m", *shlex.split(command)], cwd=ROOT)
    REPORT.write_text(drawn(json.loads(FIGURES.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
