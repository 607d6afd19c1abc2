"""encode, decode, trace and models against a stand-in codec: what the command line itself is responsible for."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import hiercodec
from hiercodec import api, classify, installed, stream
from hiercodec.cli import codec
from hiercodec.cli import main as cli
from hiercodec.errors import ClassifierNotFound, ModelMismatch, ModelNotFound, NotAnImage, ParameterDesync
from hiercodec.evaluation.codecs import purposes
from hiercodec.evaluation.traces import tracing  # loaded before stand-ins hide what it needs
from hiercodec.levels import PAPER_PLAN

FINGERPRINT = b"\x0a\x0b\x0c\x0d"


class FakeCodec:
    """Codes nothing: the payloads are as long as the picture is wide."""

    name, fingerprint, plan = "fake", FINGERPRINT, PAPER_PLAN
    desync = False

    def encode(self, rgb, label=None, **options):
        self.options = options
        height, width = rgb.shape[:2]
        header = stream.Header(width, height, FINGERPRINT, mark=label and label.mark)
        blocks = [b"c" * width, b"i" * width, b"f" * width]
        return stream.write(header, b"z" * width, blocks, [1, 2, 3], label.payload if label else b"")

    def decode(self, data):
        parsed = stream.parse(data)
        if parsed.header.fingerprint != FINGERPRINT:
            raise ModelMismatch("made by another model", offset=0)
        if self.desync:
            raise ParameterDesync("parameters of block 'coarse' differ", block="coarse", offset=50)
        image = np.full((parsed.header.height, parsed.header.width, 3), parsed.size % 256, np.uint8)
        return SimpleNamespace(
            image=image, level=parsed.level, fraction=0.25, complete=parsed.complete, bytes=parsed.size
        )

    def prefixes(self, data, *, bit_map=False):
        parsed = stream.parse(data)
        return SimpleNamespace(each=lambda lengths: (self.decode(parsed.cut(n)) for n in lengths), stream=parsed)


MEASURED = {
    "photos": 24,
    "uncompressed": {"accuracy": {"net": {"coarse": {"top1": 0.9}, "fine": {"top1": 0.8}}}},
    "points": [
        {"codec": "fake", "setting": "coarse", "bpp": 0.25, "psnr": 26.0, "accuracy": {}},
        {"codec": "fake", "setting": "fine", "bpp": 0.5, "psnr": 30.5,
         "accuracy": {"net": {"coarse": {"top1": 0.85, "low": 0.8}, "fine": {"top1": 0.75}}}},
    ],
}  # fmt: skip


@pytest.fixture
def house(monkeypatch, tmp_path):
    """A stand-in for `models` and `images`; returns the calls they saw."""
    calls = []
    codec = FakeCodec()

    def load(name):
        calls.append(("load", name))
        if name == "none":
            raise ModelNotFound("no weights for model 'none'")
        return codec

    def find(mark):
        calls.append(("find", mark))
        if mark != FINGERPRINT:
            raise ModelNotFound(f"no model has the stream's fingerprint {mark.hex()}")
        return codec

    def load_rgb(path, note=None):
        if "text" in str(path):
            raise NotAnImage("not an image")
        return np.zeros((20, 60, 3), np.uint8)

    row = {"bpp": 0.1234, "psnr": 25.678, "agreement": 0.9}
    card = {
        "fingerprint": FINGERPRINT.hex(),
        "steps": 10,
        "validation": {"levels": {"coarse": row, "fine": {}}},
        "measured": {"Kodak": MEASURED},
    }
    models = SimpleNamespace(load=load, find=find)
    monkeypatch.setattr(installed, "models", lambda: {"fake": card})
    images = SimpleNamespace(
        load_rgb=load_rgb, encode_png=lambda rgb: b"PNG" + rgb.tobytes()[:1], MAX_PIXELS=20_000_000
    )
    for name, module in (("models", models), ("images", images)):
        monkeypatch.setitem(sys.modules, f"hiercodec.{name}", module)
        monkeypatch.setattr(hiercodec, name, module, raising=False)
    return SimpleNamespace(calls=calls, codec=codec, path=tmp_path)


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_encode_then_decode_picks_the_model_that_the_stream_names(house, capsys):
    out, png = house.path / "out.hc", house.path / "out.png"
    assert run("encode", "photo.jpg", out, "--model", "tic") == 0
    data = out.read_bytes()
    assert stream.verify(data)["state"] == "complete"
    said = capsys.readouterr()
    assert said.out == ""
    assert f"60×20, {len(data)} bytes, {8 * len(data) / 1200:.4f} bpp, model fake" in said.err
    assert run("decode", out, png) == 0
    assert png.read_bytes() == b"PNG" + bytes([len(data) % 256])
    assert "complete" in capsys.readouterr().err
    assert house.calls == [("load", "tic"), ("find", FINGERPRINT)]


def test_encode_hands_effort_and_purpose_on(house, capsys, monkeypatch):
    assert (tuple(purposes.KEPT), purposes.DEFAULT) == (codec.PURPOSES, codec.EFFORT)
    monkeypatch.setattr(purposes, "options", lambda *asked: {"asked": asked})
    out = house.path / "out.hc"
    for given, asked in {
        (): (None, None),
        ("--effort", 0): (0, None),
        ("--effort", 7): (7, None),
        ("--for", "machines"): (None, "machines"),
        ("--for", "both", "--effort", 1): (1, "both"),
    }.items():
        assert run("encode", "photo.jpg", out, *given) == 0
        assert house.codec.options == {"asked": asked}
    capsys.readouterr()
    out.unlink()
    assert run("encode", "photo.jpg", out, "--for", "people", "--effort", 0) == 2
    assert capsys.readouterr().err == "hiercodec: --for says what an effort is for: give --effort 1 to 9 with it\n"
    for wrong in (("--effort", 10), ("--effort", "much"), ("--for", "cats")):
        assert run("encode", "photo.jpg", out, *wrong) == 2
        assert "Invalid value" in capsys.readouterr().err
    assert not out.exists()


def test_encode_says_first_what_a_classifier_says(house, capsys, monkeypatch):
    out, png = house.path / "out.hc", house.path / "out.png"
    asked = []

    def label(rgb, classifier, hierarchy):
        asked.append((classifier, hierarchy.name))
        return classify.label_of(np.eye(1000)[281], hierarchy, classify.PACKAGED["lite0"].sha256)

    monkeypatch.setattr(api, "label", label)
    sure = [f"{group} (over 95 % sure)" for group in ("label: kind other mammals", "family cats", "class tabby")]
    words = f"{' › '.join(sure)}; by lite0"
    assert run("encode", "photo.jpg", out, "--label-by", "lite0") == 0
    assert words in capsys.readouterr().err
    assert stream.info(out.read_bytes())["version"] == 2
    assert run("decode", out, png, "--level", "label") == 0
    assert words in capsys.readouterr().err
    assert run("encode", "photo.jpg", out, "--label-by", "lite2", "--hierarchy", "wordnet") == 0
    assert asked == [("lite0", "consensus-mended"), ("lite2", "wordnet")]
    assert run("encode", "photo.jpg", out, "--hierarchy", "wordnet") == 2
    assert "give --label-by too" in capsys.readouterr().err


def test_decode_cuts_first(house, capsys):
    out, png = house.path / "out.hc", house.path / "out.png"
    run("encode", "photo.jpg", out)
    data = out.read_bytes()
    assert run("decode", out, png, "--bytes", 100, "--model", "mine.safetensors") == 0
    assert png.read_bytes() == b"PNGd"
    assert house.calls[-1] == ("load", "mine.safetensors")
    assert "100 of " in capsys.readouterr().err
    end = stream.level_end(data, "intermediate")
    assert run("decode", out, png, "--level", "intermediate") == 0
    assert png.read_bytes() == b"PNG" + bytes([end % 256])
    assert f"{end} of {len(data)} bytes" in (text := capsys.readouterr().err)
    assert "family complete, 25.0 % of the next" in text
    assert run("decode", out, png, "--bytes", 12) == 3
    assert run("decode", out, png, "--level", "poodle") == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("encode", "text.txt", "new.hc"), 2),
        (("encode", "photo.jpg", "new.hc", "--model", "none"), 2),
        (("encode", "photo.jpg", "missing/new.hc"), 2),
        (("decode", "other.hc", "new.png"), 2),
        (("decode", "other.hc", "new.png", "--model", "fake"), 4),
        (("decode", "same.hc", "missing/new.png"), 2),
        (("decode", "same.hc", "new.webp"), 2),
        (("decode", "none.hc", "new.png"), 2),
        (("trace", "text.txt"), 2),
        (("trace", "photo.jpg", "--classifier", "timm:none"), 2),
    ],
)
def test_failures_are_one_line_and_write_nothing(house, capsys, monkeypatch, command, code):
    monkeypatch.chdir(house.path)
    same = house.codec.encode(np.zeros((20, 60, 3), np.uint8))
    parsed = stream.parse(same)
    other = stream.write(
        stream.Header(60, 20, b"none"), parsed.z.payload, [s.payload for s in parsed.blocks], [1, 2, 3]
    )
    (house.path / "same.hc").write_bytes(same)
    (house.path / "other.hc").write_bytes(other)

    def load_classifier(spec):
        raise ClassifierNotFound(f"no classifier {spec!r}")

    monkeypatch.setitem(sys.modules, "hiercodec.classify", SimpleNamespace(load_classifier=load_classifier))
    assert run(*command) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("hiercodec: ")
    assert said.err.count("\n") == 1
    assert sorted(p.name for p in house.path.iterdir()) == ["other.hc", "same.hc"]


BOMB = bytes.fromhex("8948430d0a010100200010af5989f005090909b38c")
"""A sound header and nothing else: 8192×4096 in 21 bytes."""


def test_a_stream_of_too_many_pixels_is_refused_before_a_model_is_loaded(house, capsys):
    bomb, png = house.path / "bomb.hc", house.path / "out.png"
    bomb.write_bytes(BOMB)
    assert run("decode", bomb, png, "--model", "fake") == 2
    assert "8192×4096, 33,554,432 pixels; at most 20,000,000" in (said := capsys.readouterr().err)
    assert "--max-pixels 33554432" in said
    assert not house.calls
    assert run("decode", bomb, png, "--model", "fake", "--max-pixels", 33554432) == 4  # of another model, but tried
    assert house.calls == [("load", "fake")]


def test_any_cut_of_a_stream_within_the_bound_decodes(house):
    data = house.codec.encode(np.zeros((20, 60, 3), np.uint8))
    for n_bytes in range(stream.parse(data).header_bytes, len(data) + 1, 17):
        (house.path / "cut.hc").write_bytes(data[:n_bytes])
        assert run("decode", house.path / "cut.hc", house.path / "out.png", "--max-pixels", 1200) == 0
    assert run("decode", house.path / "cut.hc", house.path / "out.png", "--max-pixels", 1199) == 2


def test_a_desync_is_an_error_that_names_the_block(house, capsys):
    out, png = house.path / "out.hc", house.path / "out.png"
    run("encode", "photo.jpg", out)
    house.codec.desync = True
    capsys.readouterr()
    assert run("decode", out, png) == 4
    assert "block 'coarse'" in capsys.readouterr().err
    assert not png.exists()


def test_models_for_people_and_machines(house, capsys):
    assert run("models", "--json") == 0
    assert json.loads(capsys.readouterr().out)["fake"]["fingerprint"] == FINGERPRINT.hex()
    assert run("models") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["fake", "0a0b0c0d", "10", "kind", "0.123", "25.68", "90.0", "%"]
    assert lines[2].split() == ["class", "-", "-", "-"]
    assert "fake on Kodak: 24 photographs" in lines[5]
    assert [line.split() for line in lines[6:]] == [
        ["codec", "setting", "bpp", "PSNR", "net"],
        ["uncompressed", "-", "-", "90.0", "/", "80.0"],
        ["fake", "coarse", "0.250", "26.00", "-"],
        ["fake", "fine", "0.500", "30.50", "85.0", "/", "75.0"],
    ]


def test_trace_prints_every_step(house, capsys, monkeypatch):
    hierarchy = SimpleNamespace(name="h", names=("coarse", "fine"))
    asked = {}

    def trace(codec, rgb, evaluator, **options):
        asked.update(options, evaluator=evaluator)
        top = {
            "coarse": ((3, "animal", 0.914), (1, "tool", 0.05)),
            "fine": ((151, "a very long class name indeed", 0.4),),
        }
        steps = [
            SimpleNamespace(bytes=40, bpp=0.2667, psnr=12.3456, level=None, fraction=0.0, top={}),
            SimpleNamespace(bytes=200, bpp=1.3333, psnr=31.0, level="fine", fraction=1.0, top=top),
        ]
        found = SimpleNamespace(width=60, height=20, file_bytes=200, steps=steps, to_json=lambda: {"steps": [1, 2]})
        return found, []

    classify = SimpleNamespace(load_classifier=lambda spec: f"classifier {spec}")
    taxonomy = SimpleNamespace(load_hierarchy=lambda name="default": asked.update(hierarchy_name=name) or hierarchy)
    monkeypatch.setattr(tracing, "trace", trace)
    for name, module in (("classify", classify), ("taxonomy", taxonomy)):
        monkeypatch.setitem(sys.modules, f"hiercodec.{name}", module)
        monkeypatch.setattr(hiercodec, name, module, raising=False)
    assert run("trace", "photo.jpg", "--steps", 7) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "photo.jpg: 60×20, 200 bytes, model fake"
    assert lines[2].split() == ["40", "0.2667", "12.35", "-", "0.0", "%", "-", "-"]
    assert "animal 91 %" in lines[3]
    assert "a very long class name … 40 %" in lines[3]
    assert (asked["steps"], asked["hierarchy_name"]) == (7, "default")
    assert (asked["evaluator"].classifier, asked["evaluator"].hierarchy) == ("classifier lite0", hierarchy)
    assert run("trace", "photo.jpg", "--json", "--hierarchy", "mine.json", "--steps", 1) == 0
    assert json.loads(capsys.readouterr().out) == {"steps": [1, 2]}
    assert (asked["steps"], asked["hierarchy_name"]) == (4, "mine.json")
    assert run("trace", "photo.jpg", "--classifier", "none") == 0
    assert asked["evaluator"] is None
