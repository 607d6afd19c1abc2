"""Every figure that commands, cards and pages make of the rows, cards and results that ship, by the functions they call.

A figure of many numbers is kept as a `sketch`: enough to see that one of them changed, and little to store.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.classify import PACKAGED, card_of, confidence_of
from hiercodec.cli.main import main
from hiercodec.evaluation.measure import ORIGINAL
from hiercodec.evaluation.results import bjontegaard, exchange, failures, rows, stopping
from hiercodec.evaluation.results.curves import curve, per_byte
from hiercodec.evaluation.results.table import Table, bits, right, tables, unsure
from hiercodec.fsio import locate
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.report import cards
from hiercodec.taxonomy import Hierarchy, load_hierarchy
from hiercodec.taxonomy.shipped import ladder_names, load_ladder
from hiercodec.ui.learn import facts
from hiercodec.ui.results import label
from tests.evaluation.some_rows import rungs
from tools.effort import bought

FILE = Path(__file__).with_name("measured.json")
FILES = {path.stem: path for path in sorted(locate("results").glob("*.parquet"))}
STRESS = locate("samples", "stress.parquet")
Figures = dict[str, Any]
"""Nested names → a number, or a sketch."""


def sketch(values: Iterable[Any]) -> list[float]:
    """Up to three numbers as they are; of more: how many, how many are finite, their mean, and a sum with fixed weights.

    The sum moves with every number and with their order, and hardly with the last digits of a float.
    """
    x = np.array([math.nan if value is None else float(value) for value in values])
    if len(x) <= 3:
        return [rounded(value) for value in x]
    fine = np.isfinite(x)
    mean = float(x[fine].mean()) if fine.any() else math.nan
    return [len(x), int(fine.sum()), rounded(mean), rounded(weighed(x), 11)]


def weighed(values: Sequence[float] | np.ndarray) -> float:
    """The sum of the finite ones, each with a weight of its own."""
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(values))
    return float(weights @ np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0))


def rounded(value: float, digits: int = 7) -> Any:
    """So many significant digits; words for what JSON has no number for."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else str(value)


def numbers(found: Any) -> list[float]:
    """All numbers of plain data, in order."""
    if isinstance(found, Mapping):
        return [x for value in found.values() for x in numbers(value)]
    if isinstance(found, (list, tuple)):
        return [x for value in found for x in numbers(value)]
    return [float(found)] if isinstance(found, (int, float, np.generic)) and not isinstance(found, (str, bytes)) else []


def write(file: Path, found: Figures) -> None:
    """Figures as JSON, a line for each of the third level."""

    def lines(part: Any, depth: int) -> str:
        if not isinstance(part, dict) or depth == 3:
            return json.dumps(part, ensure_ascii=False)
        inner = ",\n".join(
            f"{' ' * depth} {json.dumps(key, ensure_ascii=False)}: {lines(v, depth + 1)}" for key, v in part.items()
        )
        return f"{{\n{inner}\n{' ' * depth}}}"

    file.write_text(lines(found, 0) + "\n", encoding="utf-8")


def everything() -> Figures:
    """All figures, by where they come from."""
    found = {f"rows {name}": of_file(name) for name in FILES}
    tree = load_hierarchy()
    stressed = tables(rows.read(STRESS), "lite0", tree)[DEFAULT_MODEL]
    return {
        **found,
        "stress": {level: sketch(stressed.measure(right(level)).ravel()) for level in stressed.levels},
        "label": of_label(),
        "effort": {spec: leaf(row) for spec, row in bought(rows.read(FILES["imagenet-val-effort"]))["codecs"].items()},
        "cards": of_cards(),
    }


def leaf(found: Any) -> Any:
    """Nested plain data with a sketch for everything below its second level."""
    return {key: sketch(numbers(value)) for key, value in found.items()}


def of_file(name: str) -> Figures:
    """A file of rows: what `results show` says, every curve, differences, failures, stopping, and what is exported."""
    found = rows.read(FILES[name])
    kept: Figures = {"show": show(FILES[name])}
    for judge in found.judges or [""]:
        kept[f"curves {judge or 'nobody'}"] = curves_of(found, judge)
    kept["differences"] = differences(found)
    kept["export"] = sketch(numbers(exchange.to_compressai(found, found.codecs[0])["results"]))
    if found.judges:
        kept["other groups"] = regrouped(found)
        tree = load_hierarchy(found.meta["provenance"]["hierarchy"])
        by = {judge: tables(found, judge, tree) for judge in found.judges[:2]}
        kept["failures"] = {f"{judge} {codec}": fails(by[judge][codec], tree) for judge in by for codec in found.codecs}
        kept["stop when sure"] = stops(found)
    return kept


def printed(*command: str) -> Any:
    """What a command prints with --json."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([*command, "--json"]) == 0
    return json.loads(out.getvalue())


def show(path: Any) -> Figures:
    """`results show --json`: codec → measure → its values over settings."""
    said = printed("results", "show", str(path))
    kept: Figures = {key: said[key] for key in ("photos", "labelled", "crop")}
    kept |= {"uncompressed": sketch(numbers(said["uncompressed"]))}
    for point in said["points"]:
        own = kept.setdefault(point["codec"], {})
        own.setdefault("settings", []).append(point["setting"])
        for key in ("bpp", "psnr", "ms_ssim"):
            own.setdefault(key, []).extend([point.get(key), point.get(f"{key}_std")])
        for judge, levels in point.get("accuracy", {}).items():
            own.setdefault(judge, []).extend(numbers(levels))
            own.setdefault(f"{judge} WUP", []).append(point["wup"][judge])
    return {
        codec: {key: len(value) if key == "settings" else sketch(value) for key, value in own.items()}
        if isinstance(own, dict)
        else own
        for codec, own in kept.items()
    }


def line(found: Any) -> list[Any]:
    """A curve: photographs, its first and last mean, and a weighted sum of all means and the ends of its band."""
    ends = [*found.low, *found.high]
    return [found.n, *map(rounded, (found.mean[0], found.mean[-1])), rounded(weighed([*found.mean, *ends]), 11)]


def curves_of(found: rows.Rows, judge: str) -> Figures:
    """Codec → measure → its curve."""
    kept: Figures = {}
    for codec, table in tables(found, judge).items():
        own = kept[codec] = {"bpp": sketch(table.bpp.mean(0)), "bytes": sketch(table.bytes.mean(0))}
        own |= {measure: line(curve(table, measure)) for measure in table.measures}
        own |= {f"per byte {name}": line(per_byte(table, name)) for name in table.levels}
    return kept


def regrouped(found: rows.Rows) -> Figures:
    """Right answers and bits by other groups, of the first judge: those of WordNet, and every rung of a ladder."""
    judge, kept = found.judges[0], {}
    chosen = found.of(codec=[*found.codecs[:1], ORIGINAL])
    for name, levels in {
        "wordnet": load_hierarchy("wordnet"),
        "ladder": rungs(load_ladder(ladder_names()[0])),
    }.items():
        for codec, table in tables(chosen, judge, levels).items():
            names = (kind for level in table.levels for kind in (right(level), bits(level), unsure(level)))
            kept[f"{name} {codec}"] = sketch([x for m in names for x in curve(table, m).mean])
    return kept


def differences(found: rows.Rows) -> Figures:
    """What the first codec has more than each other one, by the first judge (few resamples: the way, not the width)."""
    table = tables(found, next(iter(found.judges), ""))
    first, *others = [name for name in table if name != ORIGINAL]
    measures = [*(measure(level) for measure in (right, bits) for level in found.levels), "wup", "psnr", "ms_ssim"]
    kept: Figures = {}
    for other in others:
        a, b = table[first], table[other]
        for name, rows_ in {
            "at equal rate": bjontegaard.at_equal_rate(a, b, measures, resamples=20),
            "rate at equal": bjontegaard.rate_at_equal(a, b, measures[-4:], resamples=20),
            "at full rate": bjontegaard.at_full_rate(a, b, measures, resamples=20),
        }.items():
            kept[f"{other} {name}"] = {d.measure: sketch([d.value, d.low, d.high, d.shared, d.n]) for d in rows_}
    return kept


def fails(own: Table, tree: Hierarchy) -> Figures:
    """One codec by one judge: who fails in which way, in what order, and how badly."""
    middle, last = len(own.settings) // 2, len(tree.names) - 1
    masks = [int(mask(own, level, middle).sum()) for mask in failures.FAILURES.values() for level in range(last + 1)]
    return {
        "photographs": len(own),
        "right": sketch(own.right.mean(0).ravel()),
        "failing": sketch(masks),
        "orders": sketch([x for key in failures.ORDERS.values() for x in key(own, last, middle)]),
        "severity": sketch(numbers([row[1:] for row in failures.severity(own)])),
        "confused": sketch(numbers(failures.confused_pairs(own, last, middle))),
    }


def stops(found: rows.Rows) -> Figures:
    """Judge and level → the controller's curve, that of equal cuts, and what 90 % sure is worth."""
    kept: Figures = {}
    codec = found.codecs[0]
    for judge in found.judges[:2]:
        curves = confidence_of(card_of(judge), str(found.meta["provenance"]["hierarchy"]))
        table = tables(found, judge)[codec]
        for level in found.levels:
            sure = stopping.sureness(table, level, curves)
            outcomes = [*stopping.controlled(table, level, sure), *stopping.fixed(table, level)]
            kept[f"{judge} {level}"] = {
                "curve": sketch([x for o in outcomes for x in (o.bytes, o.accuracy, o.low, o.high, o.early)]),
                "gain": sketch(stopping.gain(table, level, sure, 0.9, resamples=50)),
            }
    return kept


def of_label() -> Figures:
    """Label, pixels and both, by every judge and level."""
    found, kept = rows.read(FILES[label.ROWS]), {}
    for judge in found.judges:
        ways = label.three(tables(found, judge))
        for level in found.levels:
            for name, table in zip(("label", "pixels", "both"), ways, strict=True):
                shown = (curve(table, right(level)), curve(table, bits(level)), per_byte(table, level))
                kept[f"{judge} {level} {name}"] = [x for found_ in shown for x in line(found_)]
    for level in found.levels:
        stated = [facts._share(way, level, "0.2") for way in ("label", "pixels", "both")]
        kept[f"lessons, {level}"] = sketch(numbers(stated))
    return kept


def of_cards() -> Figures:
    """What `models --json` prints, the cards of classifiers, and the rows that pages make of results files."""
    kept: Figures = {}
    for name, card in printed("models").items():
        kept[f"models {name}"] = {
            **{key: sketch(numbers(value)) for key, value in card.items() if numbers(value)},
            "prefixes": sketch(cells(cards.prefixes(card))),
        }
    for name in PACKAGED:
        kept[name] = leaf(card_of(name)) | {"calibration": sketch(cells(cards.calibration(card_of(name))))}
    kept["speed"] = sketch(numbers(cards.results("speed")))
    kept["effort"] = sketch(numbers(cards.results("effort")))
    kept["label-limits"] = sketch(numbers(cards.results("label-limits")))
    return kept


def cells(table: Sequence[Mapping[str, Any]]) -> list[float]:
    """The numbers in a table's cells, also those in words ("75.1 (72.3 to 77.7)")."""
    return [x for row in table for value in row.values() for x in in_words(value)]


def in_words(value: Any) -> list[float]:
    """The numbers of a cell."""
    if not isinstance(value, str):
        return numbers(value)
    found = []
    for word in value.replace("−", "-").replace(",", "").replace("(", " ").replace(")", " ").split():
        with contextlib.suppress(ValueError):
            found.append(float(word.removesuffix("%")))
    return found
