"""Devices by name: the one there is, or one line that says there is none; and every tensor where it should be."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from PIL import Image

import hiercodec as hc
from hiercodec import classify, device, stream
from hiercodec.cli.base import DEVICE, command, environment
from hiercodec.cli.main import COMMANDS, main
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs import purposes
from hiercodec.evaluation.codecs.peers import prefixes
from hiercodec.evaluation.photos.samples import sample
from hiercodec.evaluation.results import cluster, run
from hiercodec.models import store
from hiercodec.workers import settings
from tests.elsewhere import NAME, Elsewhere
from tests.models.tiny import make_wave, smooth_photo
from tools.common import halved_blocks

ROOT = Path(__file__).resolve().parents[1]
GREY = np.full((64, 64, 3), 128, np.uint8)


def machine(monkeypatch, **counts):
    """A machine with these devices beside its processor."""
    monkeypatch.setattr("hiercodec.device._counts", lambda: {"cpu": 1, "cuda": 0, "mps": 0, **counts})


def test_a_device_that_is_not_there_is_one_line(monkeypatch, capsys):
    machine(monkeypatch)
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(InputError, match=f"^there is no device '{name}' on this machine.*; usable: cpu$"):
            hc.load(device=name)
    for name in ("gpu", "meta", "", 1.5):
        with pytest.raises(InputError, match=r"^no device .*; known are cpu, cuda, cuda:N, mps and auto$"):
            hc.load(device=name)
    for ask in (
        lambda d: hc.predict(GREY, device=d),
        lambda d: hc.encode(GREY, device=d),
        lambda d: hc.label(GREY, device=d),
    ):
        with pytest.raises(InputError, match=r"^there is no device 'mps'"):
            ask("mps")


@pytest.mark.parametrize(
    "command",
    [
        "encode PHOTO OUT", "decode STREAM OUT", "trace PHOTO", "evaluate FOLDER --out OUT",
        "evaluate FOLDER --out OUT --workers 2", "train CONFIG", "app",
        "evaluate FOLDER --out OUT --model none",
    ],
)  # fmt: skip
def test_commands_say_it_in_one_line_and_write_nothing(command, tmp_path, monkeypatch, capsys):
    machine(monkeypatch)
    photos = tmp_path / "photos" / "n02123045"
    photos.mkdir(parents=True)
    for name in "ab":
        Image.fromarray(GREY).save(photos / f"{name}.png")
    (tmp_path / "in.hc").write_bytes(hc.encode(GREY))
    places = {
        "PHOTO": photos / "a.png", "FOLDER": tmp_path / "photos", "STREAM": tmp_path / "in.hc", "OUT": tmp_path / "out.png",
        "CONFIG": ROOT / "configs" / "smoke.toml",
    }  # fmt: skip
    argv = [str(places.get(word, word)) for word in command.split()]
    for said in ([*argv, "--device", "cuda"], argv):
        monkeypatch.setenv(device.DEVICE, "cuda")
        if command.startswith("train") and said is argv:
            continue  # its config says where it runs, and "auto" is anywhere
        assert main(said) == 2
        error = capsys.readouterr().err.splitlines()
        assert error[-1].startswith("hiercodec: there is no device 'cuda' on this machine"), error
        assert not (tmp_path / "out.png").exists()
        monkeypatch.delenv(device.DEVICE)


def test_every_command_that_runs_a_network_has_the_option():
    runs = ["encode", "decode", "trace", "evaluate", "train", "app"]
    root = click.Context(COMMANDS)
    having = {n for n in COMMANDS.list_commands(root) if any(p.name == "device" for p in _command(n).params)}
    assert having == {*runs}
    assert any(p.name == "device" for p in _command("hierarchy").commands["build"].params)


def _command(name):
    return COMMANDS.get_command(click.Context(COMMANDS), name)


def test_the_option_counts_before_the_variable_and_for_the_command_only(monkeypatch):
    """What a command starts inherits it."""
    machine(monkeypatch, cuda=2)
    monkeypatch.setenv(device.DEVICE, "mps")
    seen = []
    probe = command("probe", "says where", DEVICE)(lambda args: seen.append((args.device, device.chosen())))
    assert main(["--device", "cuda:1"], probe) == 0
    assert main([], probe) == 0
    assert seen == [("cuda:1", "cuda:1"), (None, "mps")]
    assert os.environ[device.DEVICE] == "mps"
    with environment(device.DEVICE, "cuda"):
        assert device.resolve() == torch.device("cuda")
    assert device.chosen() == "mps"


def test_the_number_of_a_device_counts(monkeypatch):
    machine(monkeypatch, cuda=2)
    assert device.resolve("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(InputError, match="no device 'cuda:2'"):
        device.resolve("cuda:2")


def test_auto_is_the_fastest_there_is(monkeypatch):
    for counts, fastest in (({}, "cpu"), ({"mps": 1}, "mps"), ({"cuda": 1}, "cuda")):
        machine(monkeypatch, **counts)
        assert device.resolve("auto") == torch.device(fastest)


def test_a_device_that_fails_is_not_called_a_broken_model(monkeypatch):
    """Nor is a bug in the code that makes a model of its file."""

    def fail(module, *places, **layout):
        if places:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return module

    monkeypatch.setattr(torch.nn.Module, "to", fail)
    with pytest.raises(RuntimeError, match="CUDA error"):
        hc.load()
    monkeypatch.setattr(store, "build", lambda *a, **k: None + 1)
    with pytest.raises(TypeError):
        hc.load()


# ---- who works where ---------------------------------------------------------------------------------------------------
def test_workers_share_the_gpus(monkeypatch):
    machine(monkeypatch, cuda=2)
    for name, places, count in (
        ("cpu", ["cpu"] * 3, None), ("cuda", ["cuda:0", "cuda:1", "cuda:0"], 2), ("auto", ["cuda:0", "cuda:1", "cuda:0"], 2),
        ("cuda:1", ["cuda:1"] * 3, 1),
    ):  # fmt: skip
        monkeypatch.setenv(device.DEVICE, name)
        assert device.shared(3) == places
        assert device.count() == count


def test_actors_get_a_gpu_each(monkeypatch):
    cores, gpus = {"CPU": 8.0}, {"CPU": 8.0, "GPU": 2.0}
    for name, there, share in (
        ("cpu", gpus, ("cpu", 0, 8)), ("auto", cores, ("cpu", 0, 8)), ("auto", gpus, ("cuda", 1, 2)),
        ("cuda", gpus, ("cuda", 1, 2)), ("cuda:1", gpus, ("cuda", 1, 2)), ("mps", cores, ("mps", 0, 8)),
    ):  # fmt: skip
        monkeypatch.setenv(device.DEVICE, name)
        assert cluster.share(there) == share
    monkeypatch.setenv(device.DEVICE, "cuda")
    with pytest.raises(InputError, match=r"^there is no GPU on the Ray cluster$"):
        cluster.share(cores)


def test_the_app_s_workers_get_more_memory_on_another_device(monkeypatch):
    assert settings().memory == 2000 * 10**6
    monkeypatch.setenv(device.DEVICE, "cuda")
    assert settings().memory == 8000 * 10**6


def test_a_run_says_on_which_device_it_was(monkeypatch):
    """Rows of the processor stay as they were; a run does not go on elsewhere (`Parts` compares)."""
    bench = run.Bench([])
    assert "device" not in bench.meta("", [], [])
    monkeypatch.setenv(device.DEVICE, "cuda")
    assert bench.meta("", [], [])["device"] == "cuda"


# ---- every tensor where it should be -----------------------------------------------------------------------------------
@pytest.fixture
def elsewhere(monkeypatch):
    """A device that is none; autocast does not know it, and nothing here is in half precision."""
    machine(monkeypatch, meta=1)
    monkeypatch.setattr(torch, "autocast", lambda *a, **k: contextlib.nullcontext())
    with Elsewhere() as there:
        yield there


@pytest.fixture(scope="module")
def codecs(tmp_path_factory):
    from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec

    folder = tmp_path_factory.mktemp("models")
    return {"lite": make_codec(TINY_LITE, folder), "tic": make_codec(TINY_TIC, folder), "wave": make_wave(folder)}


@pytest.mark.parametrize("name", ["lite", "tic", "wave"])
def test_codecs_work_elsewhere_as_they_do_here(codecs, name, elsewhere):
    codec, photo = codecs[name], smooth_photo(np.random.default_rng(7), 90, 117)
    data = codec.encode(photo)
    cuts = halved_blocks(stream.parse(data, codec.plan))
    here = [point.picture for point in prefixes(codec, data, cuts, bit_map=True)]
    before = elsewhere.ran
    assert str(codec.to(NAME).device) == NAME
    assert codec.encode(photo) == data
    there = [point.picture for point in prefixes(codec, data, cuts, bit_map=True)]
    assert elsewhere.ran > before + 50
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(here, there, strict=True)) <= 1  # sums of a whole batch
    assert np.array_equal(codec.prefixes(data).at(cuts["coarse 50 %"]).image, here[0])
    codec.to("cpu")


def test_cuts_go_through_a_device_together(codecs, monkeypatch):
    codec = codecs["lite"]
    data, sizes = codec.encode(GREY), []
    inside = type(codec).synthesise
    monkeypatch.setattr(type(codec), "synthesise", lambda s, y, h: sizes.append(len(y)) or inside(s, y, h))
    list(codec.prefixes(data).each([len(data)] * 3))
    monkeypatch.setattr(device, "batch", lambda place, pixels: 2)
    list(codec.prefixes(data).each([len(data)] * 3))
    assert sizes == [1, 1, 1, 2, 1]
    monkeypatch.undo()
    assert device.batch(torch.device("cpu"), 1) == 1
    assert device.batch(torch.device("cuda"), 2**20) == 4
    assert device.batch(torch.device("cuda"), 2**30) == 1


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lite", "wave"])
def test_judges_and_efforts_work_elsewhere_as_they_do_here(codecs, elsewhere, family):
    """Also an effort whose classifier lives here and whose codec lives there, and the other way round."""
    codec, photo = codecs[family], smooth_photo(np.random.default_rng(7), 64, 80)
    here, there = classify.load_classifier("lite0", device="cpu"), classify.load_classifier("lite0", device=NAME)
    assert (str(here.device), str(there.device)) == ("cpu", NAME)
    np.testing.assert_allclose(there.probabilities([photo]), here.probabilities([photo]), atol=1e-6)
    with environment(device.DEVICE, NAME):
        assert str(classify.load_classifier("lite0").device) == NAME
        assert hc.predict(photo).path.winners == hc.predict(photo, here).path.winners
    wanted = codec.encode(photo, **purposes.options(1, "both", here))
    for place, judge in ((NAME, here), ("cpu", there)):
        codec.to(place)
        assert codec.encode(photo, **purposes.options(1, "both", judge)) == wanted
    codec.to("cpu")


@pytest.mark.slow
def test_orders_work_elsewhere_as_they_do_here(elsewhere):
    from tools.orders import Order, backbone

    photo, found = smooth_photo(np.random.default_rng(7), 64, 80), {}
    for place in ("cpu", NAME):
        backbone.backbone.cache_clear()
        with environment(device.DEVICE, place):
            found[place] = [(p.bytes, p.picture) for p in Order("order:trit").points(photo)]
    backbone.backbone.cache_clear()
    for (size, picture), (other, again) in zip(found["cpu"], found[NAME], strict=True):
        assert size == other
        assert np.array_equal(picture, again)


def test_a_tensor_that_was_left_behind_is_seen(elsewhere):
    """The device of these tests can fail."""
    there = torch.zeros(3).to(NAME)
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.zeros(3)
    with pytest.raises((TypeError, RuntimeError), match="numpy"):
        there.numpy()
    assert torch.equal((there + 1).cpu(), torch.ones(3))


# ---- on a GPU ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def gpu():
    """A CUDA device, or MPS."""
    place = device.resolve("auto")
    if place.type == "cpu":
        pytest.skip("no GPU here")
    return place


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["lite", "wave"])
def test_a_gpu_codes_the_same(gpu, name):
    """The same symbols but for a few that lie on a boundary; its streams decode here, ours there, to one grey level."""
    here, there = hc.load(name, device="cpu"), hc.load(name, device=str(gpu))
    photo = sample("cat").pixels()
    ours, theirs = here.encode(photo), there.encode(photo)
    assert abs(len(theirs) / len(ours) - 1) < 0.002
    for data in (ours, theirs):
        for end in stream.parse(data).cuts().values():
            pictures = [codec.decode(data[:end]).image.astype(int) for codec in (here, there)]
            assert np.abs(pictures[0] - pictures[1]).max() <= 1


@pytest.mark.gpu
def test_a_gpu_judges_the_same(gpu):
    photo = sample("cat").pixels()
    ours, theirs = (hc.predict(photo, device=place).probabilities for place in ("cpu", str(gpu)))
    np.testing.assert_allclose(theirs, ours, atol=2e-3)


@pytest.mark.gpu
def test_a_gpu_is_faster_where_networks_work(gpu):
    """All cuts of one stream, classified."""
    photo, took = sample("cat").pixels(), {}
    for place in ("cpu", str(gpu)):
        codec, judge = hc.load(device=place), classify.load_classifier("lite2", device=place)
        data = codec.encode(photo)
        lengths = np.linspace(len(data) // 10, len(data), 24).astype(int).tolist()
        for _ in range(2):  # the first one warms up
            began = time.perf_counter()
            judge.probabilities([decoded.image for decoded in codec.prefixes(data).each(lengths)])
            took[place] = time.perf_counter() - began
    assert took[str(gpu)] < took["cpu"], took
