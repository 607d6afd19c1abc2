"""What the walk as a stranger found, R6 to R19, one test each at least: all of them fail on the code of that day.

SECURITY.md lists every finding with its test; R1 to R5 have theirs in their rooms.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import tracemalloc
import warnings
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hiercodec import fsio, images, installed
from hiercodec.classify import catalog, loading
from hiercodec.cli.base import command
from hiercodec.cli.main import House, main
from hiercodec.errors import ClassifierNotFound, DamagedImage, HierarchyError, ModelNotFound
from hiercodec.evaluation.traces import bundle
from hiercodec.evaluation.traces.trace import Step, Trace
from hiercodec.models import store
from hiercodec.taxonomy import embeddings, hierarchy_file, parse_hierarchy, search
from tests.models.tiny import TINY_LITE, make_codec

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def one_line(error: BaseException) -> bool:
    return "\n" not in str(error)


# ---- R6: out of memory ---------------------------------------------------------------------------------------------
def test_r06_torch_out_of_memory_is_one_line(monkeypatch, capsys):
    def hungry(_):
        import torch

        torch.empty(1 << 55, dtype=torch.uint8)

    monkeypatch.setattr(House, "get_command", lambda *_: command("hungry", "eat")(hungry))
    assert main(["hungry"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hiercodec: out of memory")
    assert said.count("\n") == 1


# ---- R7: pictures longer than WebP's 16 383 -------------------------------------------------------------------------
@pytest.mark.parametrize("size", [(17_000, 30), (30, 17_000)])
def test_r07_a_very_long_picture_fits_a_bundle(size):
    width, height = size
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    seen = type("Seen", (), {"image": rgb, "bits": np.ones((-(-height // 16), -(-width // 16)))})()
    steps = tuple(Step(n, 1.0, 30.0, None, 0.0) for n in (10, 20))
    found = bundle.make(Trace(width, height, 20, {}, {"fine": 20}, steps), b"", rgb, [seen, seen])
    assert np.array_equal(found.original_pixels(), rgb)
    assert np.array_equal(found.frames()[1], rgb)
    assert found.bit_maps().shape == (2, -(-height // 16), -(-width // 16))


# ---- R8: a flipped bit; R9: truncated weights, a broken card ---------------------------------------------------------
@pytest.fixture
def model(tmp_path):
    """A tiny model's weights; its card lies beside them."""
    make_codec(TINY_LITE, tmp_path)
    return next(tmp_path.glob("*.safetensors"))


def flip(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("card", ["as written", "of old, without a sha256"])
def test_r08_a_flipped_bit_in_the_weights_is_refused(model, card):
    path = model.with_suffix(".json")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert len(told["sha256"]) == 64
    if card != "as written":
        del told["sha256"]
        path.write_text(json.dumps(told), encoding="utf-8")
    store.load(model)
    flip(model, 0.9)
    with pytest.raises(ModelNotFound, match=r"SHA-256|fingerprint") as caught:
        store.load(model)
    assert one_line(caught.value)


def test_r08_every_shipped_model_says_its_sha256_and_is_it():
    for name, card in installed.models().items():
        assert len(card["sha256"]) == 64
        assert store.load(name).fingerprint.hex() == card["fingerprint"]


def test_r08_a_flipped_bit_in_a_classifier_is_refused(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "judge.safetensors"
    save_file({"weight": np.ones((4, 4), np.float32)}, path)
    sha256 = loading.read_weights(path)[1]
    assert loading.read_weights(path, sha256)[1] == sha256
    flip(path, 0.99)
    with pytest.raises(ClassifierNotFound, match="SHA-256") as caught:
        loading.read_weights(path, sha256)
    assert one_line(caught.value)
    with pytest.raises(ClassifierNotFound, match="SHA-256"):
        loading.load(f"timm:mobilenetv3_small_050@{path}?sha256={sha256}")


def test_r08_weights_from_the_hub_are_those_it_names(tmp_path):
    blob = tmp_path / ("ab" * 32)
    blob.write_bytes(b"x")
    link = tmp_path / "model.safetensors"
    link.symlink_to(blob)
    assert loading._sha256_of_hub(link) == "ab" * 32
    assert loading._sha256_of_hub(tmp_path / "model.safetensors.other") is None


def test_r08_a_flipped_bit_in_a_shipped_hierarchy_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "hierarchies"
    shutil.copytree(hierarchy_file.SHELF.folder, folder)
    monkeypatch.setattr(hierarchy_file, "SHELF", replace(hierarchy_file.SHELF, folder=folder))
    name = hierarchy_file.DEFAULT
    assert hierarchy_file.load_hierarchy(name).names
    path = folder / f"{name}.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"assignment":[0', '"assignment":[1', 1), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    with pytest.raises(HierarchyError, match=r"not the file that was shipped .*SHA256SUMS") as caught:
        hierarchy_file.load_hierarchy(name)
    assert one_line(caught.value)


def test_r08_every_shipped_hierarchy_is_in_the_manifest():
    lines = (hierarchy_file.SHELF.folder / hierarchy_file.SUMS).read_text(encoding="utf-8").splitlines()
    assert sorted(line[66:] for line in lines) == sorted(p.name for p in hierarchy_file.SHELF.folder.glob("*.json"))


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_r09_truncated_weights_are_one_line(model, share):
    for told in (True, False):
        if not told:
            path = model.with_suffix(".json")
            card = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps({k: v for k, v in card.items() if k != "sha256"}), encoding="utf-8")
        data = model.read_bytes()
        model.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ModelNotFound) as caught:
            store.load(model)
        assert one_line(caught.value)
        model.write_bytes(data)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"words"', "[" * 100_000, '{"preset": 5}', "\ud800"])
def test_r09_a_broken_card_is_one_line_wherever_it_is_read(model, monkeypatch, capsys, text):
    model.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogatepass"))
    monkeypatch.setattr(installed, "MODELS", replace(installed.MODELS, folder=model.parent))
    with pytest.raises(ModelNotFound) as caught:
        store.load(model)
    assert one_line(caught.value)
    if "preset" not in text:
        with pytest.raises(ModelNotFound, match="card"):
            installed.models()
        assert main(["models"]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_r09_a_classifier_s_broken_card_is_one_line(tmp_path, monkeypatch, text):
    monkeypatch.setattr(catalog, "CARDS", tmp_path)
    (tmp_path / "lite0.json").write_text(text, encoding="utf-8")
    with pytest.raises(ClassifierNotFound, match="card of lite0 is damaged") as caught:
        catalog.card_of("lite0")
    assert one_line(caught.value)


# ---- R12: memory -----------------------------------------------------------------------------------------------------
def test_r12_sixteen_bit_pictures_take_twelve_bytes_a_pixel_at_most():
    out = io.BytesIO()
    Image.fromarray(np.zeros((2000, 1000), np.uint16)).save(out, "PNG")
    tracemalloc.start()
    try:
        rgb = images.read_rgb(out.getvalue())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rgb.shape == (2000, 1000, 3)
    assert peak < 12 * 2000 * 1000  # it was 32


# ---- R13: a palette picture without its palette; R14: Pillow's warnings -----------------------------------------------
def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_r13_a_palette_png_without_plte_is_damage():
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 3, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4" * 4))
    with pytest.raises(DamagedImage):
        images.read_rgb(b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b""))


def test_r14_broken_exif_prints_nothing():
    entries = [(0x010E, 2, 400, 9999), (0x0112, 3, 1, 6), (0x8769, 4, 1, 8)]  # a text beyond the end, upright, a loop
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    exif += b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 8)
    out = io.BytesIO()
    Image.new("RGB", (4, 2)).save(out, "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert images.read_rgb(out.getvalue()).shape == (4, 2, 3)  # turned upright
    assert not caught


# ---- R15: .npy files --------------------------------------------------------------------------------------------------
def npy(header: str, data: bytes = bytes(8000)) -> bytes:
    text = header.encode("latin1")
    text += b" " * ((-len(text) - 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data


SHAPE = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "data",
    [
        npy(SHAPE % "(99999999999999999999999, 512)"),  # OverflowError
        npy(SHAPE % "(True, 512)"),  # TypeError
        npy("{'descr': '<f4',"),  # tokenize.TokenError
        b"PK\3\4" + bytes(100),  # zipfile.BadZipFile
        npy("(" * 3000),
        npy(SHAPE % "(2**40, 512)"),
        npy(SHAPE % "(1000, -1)"),
        npy(SHAPE % "()"),
        b"\x80\4N.",
    ],
)
def test_r15_npy_files_that_are_none_are_one_line(data):
    with pytest.raises(HierarchyError) as caught:
        embeddings.from_bytes(data)
    assert one_line(caught.value)


def test_r15_nothing_is_allocated_on_the_word_of_a_header():
    tracemalloc.start()
    try:
        with pytest.raises(HierarchyError, match="not what follows"):
            embeddings.from_bytes(npy(SHAPE % "(1000, 1000000)"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10**6


def test_r15_damaged_headers_are_typed():
    buffer, rng = io.BytesIO(), np.random.default_rng(15)
    np.save(buffer, rng.normal(size=(1000, 4)).astype(np.float32))
    sound = buffer.getvalue()
    for _ in range(2000):
        data = bytearray(sound)
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(0, 128)] = rng.integers(0, 256)
        try:
            embeddings.from_bytes(bytes(data))
        except HierarchyError:
            continue


# ---- R16: text in hierarchies -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"name": "\ud800"},
        {"description": "\ud800"},
        {"classes": ["a", "\ud800"]},
        {"levels": [{"name": "\ud800", "groups": {"k": ["a", "b"]}}]},
        {"levels": [{"name": "k", "groups": {"\ud800": ["a", "b"]}}]},
        {"provenance": {"made by": "\ud800"}},
        {"name": "n" * 10_000},
        {"description": "d" * 100_000},
        {"provenance": {"made by": "p" * 2_000_000}},
    ],
)
def test_r16_text_that_cannot_be_written_or_has_no_end_is_refused(change):
    plain = {"format": "hiercodec/hierarchy", "version": 1, "name": "own", "classes": ["a", "b"], "levels": []}
    with pytest.raises(HierarchyError) as caught:
        parse_hierarchy(json.dumps(plain | change))
    assert one_line(caught.value)
    str(caught.value).encode()


def test_what_is_looked_for_has_an_end():
    text = "tabby" + " x" * 10**6
    tracemalloc.start()
    try:
        search(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10**6
    assert search("tabby")


# ---- R17: what kill -9 leaves behind --------------------------------------------------------------------------------------
def test_r17_what_a_killed_write_left_goes_with_a_later_one(tmp_path):
    old, fresh, other = (tmp_path / name for name in (".out.hc.abc.tmp", ".out.hc.def.tmp", ".else.hc.abc.tmp"))
    for path in (old, fresh, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1, 1))
    fsio.write_bytes(tmp_path / "out.hc", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".else.hc.abc.tmp", ".out.hc.def.tmp", "out.hc"]


# ---- R18: who can reach the server; R19: what runs it for others
def test_r18_the_server_listens_at_home_unless_told_otherwise():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "localhost"
    assert config["server"]["maxUploadSize"] <= 12
    assert config["browser"]["gatherUsageStats"] is False
    assert "metricsUserAttributes" not in config.get("server", {})


def test_r19_every_finding_has_its_test_in_security_md():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| R"))
    assert [*rows] == [f"R{n}" for n in range(1, 20)]
    for number, row in rows.items():
        tests = [word.strip("`") for word in row.split() if "::" in word]
        assert tests, number
        for test in tests:
            path, name = test.split("::")
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_r19_the_container_is_not_root_and_says_whether_it_lives():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    user = [line for line in lines if line.startswith("USER ")]
    assert user
    assert "root" not in user[-1]
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert any("--require-hashes" in line and "requirements.lock" in line for line in lines)


def test_r19_the_lock_holds_every_package_with_its_hashes():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {line.split("==")[0].lower().replace("_", "-") for line in lock.splitlines() if "==" in line[:80]}
    wanted = [
        line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ]
    names = {re.split(r"[<>=!;\[ ]", line)[0].lower().replace("_", "-") for line in wanted if line}
    assert names <= locked | {"tomli"}
    assert "--hash=sha256:" in lock
    assert "://" not in lock
