"""What an encoder's effort bought, from rows of `evaluate`: bytes at equal PSNR, what judges know at equal bytes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hiercodec.evaluation.codecs import purposes
from hiercodec.evaluation.results.bjontegaard import at_equal_rate, rate_at_equal, words
from hiercodec.evaluation.results.rows import Rows
from hiercodec.evaluation.results.table import bits, tables


def bought(rows: Rows) -> dict[str, Any]:
    """Plain data: how each `MODEL@PURPOSE:EFFORT` of a file of rows differs from its MODEL, every prefix counted.

    Per codec: `steered_by`, the classifiers that its encoder asked; `bytes`, per cent more bits for the same PSNR; `psnr`,
    dB more for the same bits; `meaning`, judge → level → bits of meaning more for the same bits (of the right answer: the
    base-2 logarithm of its probability, times the number of groups); `file`, mean bits a pixel and PSNR of whole files.
    Bjøntegaard means over the prefixes that were measured, with 95 % intervals over photographs.
    """
    found: dict[str, Any] = {}
    measures, measured = [bits(level) for level in rows.levels], {}
    for judge in rows.judges or [""]:
        measured = tables(rows, judge)
        for spec, ours in measured.items():
            plain = measured.get(spec.rpartition("@")[0])
            if plain is None or plain.codec == spec:
                continue
            entry = found.setdefault(spec, {"steered_by": steering(rows, spec), "meaning": {}})
            entry["bytes"] = rate_at_equal(ours, plain, ["psnr"])[0].to_json()
            entry["psnr"] = at_equal_rate(ours, plain, ["psnr"])[0].to_json()
            ends = [(float(c.bpp[:, -1].mean()), float(c.psnr[:, -1].mean())) for c in (ours, plain)]
            entry["file"] = dict(
                zip(("bpp", "psnr", "plain_bpp", "plain_psnr"), np.round(sum(ends, ()), 4), strict=True)
            )
            gaps = at_equal_rate(ours, plain, measures)
            if judge and gaps:
                entry["meaning"][judge] = {level: gap.to_json() for level, gap in zip(rows.levels, gaps, strict=True)}
    return {
        "photos": len(next(iter(measured.values()))),
        **{k: rows.meta.get(k) for k in ("data", "crop", "command", "provenance")},
        "codecs": found,
    }


def steering(rows: Rows, codec: str) -> list[str]:
    """Who steered the files of a codec, as the rows' file says; nobody where it says nothing."""
    return list((rows.meta.get("provenance") or {}).get("steered_by", {}).get(codec, ()))


def seconds(steered: Mapping[str, Sequence[str]], rgb: np.ndarray, repeats: int = 3) -> dict[str, float]:
    """Processor seconds, the median of `repeats`, that encoding uint8 (H, W, 3) takes each codec, steered by these."""
    from hiercodec import models

    found = {}
    for spec, classifiers in steered.items():
        name, options = purposes.read(spec.partition(" by ")[0], classifiers or purposes.STEERING)
        codec, taken = models.load(name), []
        for _ in range(repeats + 1):
            start = time.process_time()
            codec.encode(rgb, **options)
            taken.append(time.process_time() - start)
        found[spec] = round(float(np.median(taken[1:])), 3)
    return found


def table(result: Mapping[str, Any]) -> str:
    """The results file that `tools.assets effort` writes as a table in Markdown; intervals are 95 %."""
    lines = []
    for name, data in result["data"].items():
        lines += [f"**{name}**, {data['photos']} photographs: `{data['command']}`", ""]
        judges = list(dict.fromkeys(judge for row in data["codecs"].values() for judge in row["meaning"]))
        titles = [f"meaning more at equal bytes by {judge.partition('@')[0]}, bits" for judge in judges]
        head = ["encoder", "steered by", "CPU seconds", "bytes at equal PSNR", "dB at equal bytes", *titles]
        lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        for spec, row in data["codecs"].items():
            told = [row["meaning"].get(judge, {}).values() for judge in judges]
            steered = " and ".join(name.partition("@")[0].removeprefix("timm:") for name in row["steered_by"])
            spent = f"{result['seconds']['encode_cpu_s'][spec]:.2f}"
            cells = [f"`{spec.partition(' by ')[0]}`", steered or "nobody", spent]
            cells += [words(row["bytes"], " %", 1), words(row["psnr"], "", 2)]
            cells += [" / ".join(words(gap, "", 2) for gap in gaps) or "-" for gaps in told]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)
