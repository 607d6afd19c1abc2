"""Figures of results files: every codec a line, every figure where the file has it."""

from __future__ import annotations

from hiercodec.figures.results import codecs_of, rate_accuracy


def point(codec, setting, bpp, psnr, top1=None):
    accuracy = {"net": {"fine": {"top1": top1, "low": top1 - 0.1, "high": top1 + 0.05}}} if top1 else {}
    return {"codec": codec, "setting": setting, "bpp": bpp, "psnr": psnr, "accuracy": accuracy}


RESULTS = {
    "groups": {"fine": 1000},
    "provenance": {"models": {"ours": "00"}},
    "uncompressed": {"accuracy": {"net": {"fine": {"top1": 0.9, "low": 0.8, "high": 1.0}}}},
    "points": [
        point("avif", "q1", 0.3, 27.0, 0.5),
        point("ours", "fine", 0.9, 30.0, 0.7),
        point("ours", "coarse", 0.2, 25.0, 0.4),
        point("avif", "q9", 0.1, 24.0),
    ],
}


def test_our_codec_comes_first_and_lines_run_by_rate():
    assert codecs_of(RESULTS) == ["ours", "avif"]
    fig = rate_accuracy(RESULTS, "net", ("fine",))
    assert [(t.name, list(t.x), list(t.y)) for t in fig.data] == [
        ("ours", [0.2, 0.9], [0.4, 0.7]),
        ("AVIF", [0.3], [0.5]),
    ]
    assert fig.data[0].line.dash != fig.data[1].line.dash, "told apart without colour too"


def test_accuracies_have_their_intervals_and_what_was_not_measured_is_not_drawn():
    fig = rate_accuracy(RESULTS, "net", ("fine",), mode="dark")
    ours, avif = fig.data
    assert list(ours.y) == [0.4, 0.7]
    assert list(ours.error_y.arrayminus) == [0.4 - (0.4 - 0.1), 0.7 - (0.7 - 0.1)]
    assert list(avif.x) == [0.3]
    assert fig.layout.shapes[0].y0 == 0.9
    assert fig.layout.annotations[0].text == "class (1000 groups)"
    assert not any(len(t.x) for t in rate_accuracy(RESULTS, "another", ("fine",)).data)
