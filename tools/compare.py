"""Models at equal bytes, on what a training run held out : how weights are chosen.

    python -m tools.compare CONFIG MODEL MODEL …

Every model codes the photographs that CONFIG's split keeps from training (never those of a test set); its curve has two
points a block. Differences are to the first model: means over the log-rates that both cover (Bjøntegaard deltas), with
95 % intervals over photographs, which all models share.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.cli.base import DEVICE, POSITIVE, Arguments, argument, classifiers, command, command_line, labels, option
from hiercodec.cli.main import main
from hiercodec.cli.train import PHOTOS, given
from hiercodec.errors import ConfigError
from hiercodec.evaluation.results.bjontegaard import at_equal_rate, words
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.table import Table, believed, right, tables
from hiercodec.fsio import write_json
from hiercodec.training.config import TrainConfig, read_config
from tools.common import halved_blocks

SIDE = 224
TOLD = "told"
"""The measure of choice: log2 of the probability of what is right, in bits, the mean over levels (and judges).

Right is the label, and where there is none the judge's own answer on the original. Shares of right answers need ten times
the photographs to tell two models apart.
"""

LEAST = 1e-4
"""The least probability that counts: one that is next to nothing tells no less than another."""

RESAMPLES = 1000
UNITS = {"psnr": (" dB", 2), TOLD: (" bits", 3)}
"""Unit and digits of measures that are no shares."""


def compare(
    config: TrainConfig, names: Sequence[str], *, judges: Sequence[str] = (), photos: int = 48
) -> dict[str, Any]:
    """Every model's figures where its levels end, and how it differs from the first, as plain data.

    `judges` are specs of `load_classifier`; by default those of the run's loss. `differences` has, per judge and for
    all together, PSNR in dB (`psnr`), `told` in bits, and for every level the share that is right.
    """
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.codecs.peers import HierPeer
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.results.records import gather
    from hiercodec.taxonomy import load_hierarchy
    from hiercodec.training.data import split

    if not (judges or config.classifiers):
        raise ConfigError(f"{config.name}: a comparison needs a classifier")
    hierarchy = load_hierarchy(config.hierarchy)
    evaluator = [Evaluator(load_classifier(spec), hierarchy) for spec in judges or config.classifiers]
    held_out = split(config)[1].spread(photos)
    codecs = [models.load(name) for name in names]
    peers = [HierPeer(codec, halved_blocks, str(number)) for number, codec in enumerate(codecs)]
    measured = gather(held_out, peers, evaluator, crop=SIDE)
    rows: list[dict[str, Any]] = []
    reference: dict[str, Table] = {}
    for name, codec, peer in zip(names, codecs, peers, strict=True):
        judged = tabulate(measured, measured.judges, peer.name)
        reference = reference or judged
        mark = {"model": Path(name).stem, "fingerprint": codec.fingerprint.hex(), "steps": codec.card.get("steps")}
        ends = {level: _figures(judged, level) for level in codec.plan.names}
        gaps = {judge: differences(judged[judge], reference[judge]) for judge in judged} if rows else None
        rows.append({**mark, "ends": ends, "differences": gaps})
    return {
        "photos": len(held_out),
        "labelled": int((held_out.labels >= 0).sum()),
        "judges": {judge.classifier.name: judge.classifier.weights_id for judge in evaluator},
        "models": rows,
    }


def tabulate(rows: Rows, judges: Sequence[str], codec: str) -> dict[str, Table]:
    """Judge → the table of one model with the measure `TOLD`; under "" the means of all judges' answers."""
    found = {}
    for judge in judges:
        table = tables(rows, judge)[codec]
        chances = np.maximum([table.measure(believed(level)) for level in table.levels], LEAST)
        found[judge] = replace(table, extra={TOLD: np.log2(chances).mean(0)})
    first = next(iter(found.values()))
    measures = [TOLD, *map(right, first.levels)]
    shared = {name: np.mean([table.measure(name) for table in found.values()], 0) for name in measures}
    return found | {"": replace(first, judge="", extra=shared)}


def differences(ours: Table, reference: Table) -> dict[str, dict[str, Any]]:
    """Measure → what `ours` has more at equal bits a pixel, with its 95 % interval."""
    measures = ["psnr", TOLD, *map(right, ours.levels)]
    gaps = at_equal_rate(ours, reference, measures, resamples=RESAMPLES)
    return {gap.measure: gap.to_json() for gap in gaps}


def _figures(judged: Mapping[str, Table], level: str) -> dict[str, Any]:
    """Where a level ends: file bits a pixel, dB, and per judge how often that level's likeliest group is right."""
    first = next(iter(judged.values()))
    at = first.settings.index(f"{level} 100 %")
    shares = {judge: round(float(one.measure(right(level))[:, at].mean()), 5) for judge, one in judged.items() if judge}
    bpp, psnr = float(first.bpp[:, at].mean()), float(first.psnr[:, at].mean())
    return {"bpp": round(bpp, 5), "psnr": round(psnr, 4), "right": shares}


def table(results: dict[str, Any]) -> str:
    """The ends as aligned text, and what every model has more than the first at equal bytes."""
    judges = list(results["judges"])
    lines = [f"{'model':20} {'level':14} {'bpp':>7} {'dB':>6}  right % by {', '.join(judges)}"]
    for row in results["models"]:
        for level, end in row["ends"].items():
            shares = " / ".join(f"{100 * share:.1f}" for share in end["right"].values())
            lines.append(f"{row['model']:20} {level:14} {end['bpp']:7.4f} {end['psnr']:6.2f}  {shares}")
    for row in results["models"][1:]:
        lines.append(f"{row['model']} against {results['models'][0]['model']} at equal bytes, 95 % intervals:")
        for judge, gaps in row["differences"].items():
            said = [
                f"{name} {words(gap, *UNITS.get(name, (' points', 1)), scale=1 if name in UNITS else 100)}"
                for name, gap in gaps.items()
                if judge or name == TOLD
            ]
            lines.append(f"  {judge or 'all judges'}: {'; '.join(said)}")
    return "\n".join(lines)


@command(
    "compare", "models at equal bytes, on what a run held out",
    argument("config", metavar="CONFIG"),
    argument("models", many=True, metavar="MODEL…"),
    classifiers("who judges (default: those of the run's loss)"),
    PHOTOS,
    labels(None),
    DEVICE,
    option("--held-out", type=POSITIVE, default=48, metavar="N", help="held-out photographs to measure on"),
    option("--out", help="results file (JSON)"),
    details="CONFIG is the run whose held-out photographs and classifiers are used; the first MODEL, by name or as a "
    ".safetensors file, is compared with.",
)  # fmt: skip
def comparison(args: Arguments) -> int:
    config = read_config(args.config, given(args))
    results = compare(config, list(args.models), judges=list(args.classifier), photos=args.held_out)
    results["command"] = command_line(args)
    if args.out:
        write_json(args.out, results)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(commands=comparison, program="python -m tools.compare"))
