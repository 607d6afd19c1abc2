"""Published curves on Kodak: the formats we measured are as strong as others found them, and distances are what they are."""

from __future__ import annotations

import numpy as np
import pytest

from hiercodec.evaluation.codecs.peers import RIVALS
from hiercodec.evaluation.results import bjontegaard, rows
from hiercodec.evaluation.results.curves import Curve, Published, curve, more_bytes, on_kodak
from hiercodec.evaluation.results.table import right, tables
from hiercodec.fsio import APP, locate

MOST = 8.0
"""Per cent more bytes than published, at equal PSNR, that a rival may need before it counts as measured badly."""

FORMATS = {paper.format: paper for paper in on_kodak().values() if paper.format}


@pytest.fixture(scope="module")
def measured():
    return tables(rows.read(locate("results", "kodak.parquet")), "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_rival_is_measured_at_no_less_than_its_published_strength(name, measured):
    more = more_bytes(curve(measured[name], "psnr"), FORMATS[name])
    assert more is not None
    assert more < MOST, f"{name} needs {more:.1f} % more bytes than {FORMATS[name].name} as published"


def test_every_classical_format_that_was_published_is_a_rival(measured):
    assert set(FORMATS) == {"jpeg", "jpeg2000", "webp", "avif"} <= set(measured)
    assert all(paper.source for paper in on_kodak().values())


def line(bpp, psnr) -> Curve:
    bpp, psnr = np.array(bpp), np.array(psnr)
    return Curve("ours", ("",) * len(bpp), bpp, bpp, psnr, psnr, psnr, 24)


def test_the_distance_is_what_it_was_made_to_be():
    theirs = Published("theirs", "somewhere", True, (0.1, 0.2, 0.21, 0.4), (26.0, 28.0, 27.9, 30.0))
    double = line([0.2, 0.4, 0.8], [26, 28, 30])
    assert more_bytes(double, theirs) == pytest.approx(100)
    assert more_bytes(line([0.05, 0.1, 0.2], [26, 28, 30]), theirs) == pytest.approx(-50)
    assert more_bytes(line([0.1, 0.2], [20, 25]), theirs) is None, "no quality is common"


def on_kodak_table(measured, codec: str) -> str:
    """Against every rival and every published curve: bytes at equal PSNR, in Markdown."""
    lines = [f"| against | bytes that `{codec}` needs more at equal PSNR | dB at equal bytes |", "|---|---|---|"]
    for name in (name for name in RIVALS if name in measured):
        ways = bjontegaard.rate_at_equal, bjontegaard.at_equal_rate
        (more,), (gap,) = (way(measured[codec], measured[name], ["psnr"]) for way in ways)
        cells = bjontegaard.words(more.to_json(), " %", 1), bjontegaard.words(gap.to_json(), " dB", 2)
        lines.append(f"| {RIVALS[name].title} | {' | '.join(cells)} |")
    ours = curve(measured[codec], "psnr")
    for paper in (paper for paper in on_kodak().values() if not paper.format):
        more = more_bytes(ours, paper)
        said = "no quality in common" if more is None else f"{more:+.1f} %".replace("-", "−")
        lines.append(f"| {paper.name}{', can be cut' if paper.progressive else ''}, published | {said} | |")
    return "\n".join(lines)


def answers_table(found, codec: str) -> str:
    """Against every rival: right answers at equal bytes, in points, by judges that sat in no loss, in Markdown."""
    lines = ["| against | judge | kind | family | class |", "|---|---|---|---|---|"]
    judged = {judge: tables(found, judge) for judge in ("lite0", "lite2")}
    for name in (name for name in RIVALS if name in found.codecs):
        for judge, table in judged.items():
            gaps = bjontegaard.at_equal_rate(table[codec], table[name], [right(level) for level in found.levels])
            said = [bjontegaard.words(gap.to_json(), "", 1, scale=100) for gap in gaps]
            lines.append(f"| {RIVALS[name].title} | `{judge}` | {' | '.join(said)} |")
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["wave", "wave-pixels", "lite"])
def test_the_docs_say_where_ours_stand_among_published_and_measured_codecs(codec, measured):
    text = (APP / "docs" / "rivals.md").read_text(encoding="utf-8")
    found = rows.read(locate("results", "imagenet-val.parquet"))
    answers = [answers_table(found, codec)] if codec in found.codecs else []
    for table in (on_kodak_table(measured, codec), *answers):
        assert table in text, f"docs/rivals.md lacks\n{table}"


def steered_table(found) -> str:
    """What effort 5 for both, steered by networks that judge nothing, gives `wave` at equal bytes, in Markdown."""
    judged = {judge: tables(found, judge) for judge in found.judges}
    ours, theirs = (
        next(name for name in found.codecs if name.startswith(f"{model}@both:5 by ")) for model in ("wave", "lite")
    )
    named = {"wave": "plain `wave`", "avif": "AVIF", "jpeg2000": "JPEG 2000", theirs: "`lite@both:5`, steered alike"}
    lines = [f"| `wave@both:5` against | {' | '.join(f'by `{judge}`' for judge in judged)} | dB |", "|---|---|---|---|"]
    for name, title in named.items():
        cells = []
        for table in judged.values():
            gaps = bjontegaard.at_equal_rate(table[ours], table[name], [right(level) for level in found.levels])
            cells.append(" / ".join(bjontegaard.words(gap.to_json(), "", 1, scale=100) for gap in gaps))
        (quality,) = bjontegaard.at_equal_rate(table[ours], table[name], ["psnr"])
        lines.append(f"| {title} | {' | '.join(cells)} | {bjontegaard.words(quality.to_json(), '', 2)} |")
    return "\n".join(lines)


@pytest.mark.slow
def test_the_docs_say_what_effort_gives_wave():
    table = steered_table(rows.read(locate("results", "imagenet-val-steered.parquet")))
    assert table in (APP / "docs" / "wave.md").read_text(encoding="utf-8"), f"docs/wave.md lacks\n{table}"
