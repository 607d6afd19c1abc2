"""CompressAI's models as rivals, with small random weights where torch.hub would have put trained ones."""

from __future__ import annotations

import os
import signal
import warnings
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
import torch

from hiercodec.cli.main import main
from hiercodec.errors import InputError
from hiercodec.evaluation.codecs.rivals import rival, zoo
from hiercodec.evaluation.results import rows
from tests.evaluation.photographs import photographs
from tests.models.tiny import smooth_photo

pytestmark = pytest.mark.slow  # CompressAI is imported in this process and in the child

PHOTO = smooth_photo(np.random.default_rng(3), 90, 117)
ALL = (
    "bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018-mean", "mbt2018", "cheng2020-anchor", "cheng2020-attn",
    "bmshj2018-hyperprior-vbr", "mbt2018-mean-vbr", "mbt2018-vbr",
)  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """torch.hub's folder with small networks of all architectures at their first two qualities."""
    home = tmp_path_factory.mktemp("torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home))
        folder = Path(zoo._cache())
        folder.mkdir(parents=True)
        classes, urls = zoo._zoo()
        assert set(urls) == set(ALL)
        torch.manual_seed(0)
        for name, by_metric in urls.items():
            for metric, by_quality in by_metric.items():
                for quality in (1, 2):
                    varying = name.endswith("-vbr")
                    sizes = (16,) if name.startswith("cheng") else (16, 24)
                    variable_z = {"vr_entbttlnck": True} if varying and name != "mbt2018-vbr" else {}
                    network = classes[name](*sizes, **variable_z)
                    with torch.no_grad():
                        list(network.g_a.parameters())[-1].mul_(40 * quality)  # latents that are not all zero
                        list(network.g_a.parameters())[-2].mul_(40 * quality)
                    if not varying:
                        network.update(force=True)  # as published weights are
                    torch.save(network.state_dict(), folder / by_quality[quality].rpartition("/")[2])
                    assert metric in ("mse", "ms-ssim")
        yield folder


@pytest.mark.parametrize("name", ALL)
def test_bytes_and_pictures_are_those_of_compressai_s_own_evaluation(cache, name, monkeypatch):
    """`compressai.utils.eval_model` counts the strings alone; ours has the head that docs/rivals.md describes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai.utils.eval_model import __main__ as theirs_is
    monkeypatch.setattr(theirs_is, "ms_ssim", lambda *a, **k: torch.zeros(()))  # only for pictures above 160 pixels
    from torchvision.transforms.functional import to_tensor

    found = list(rival(f"compressai:{name}:1-2").points(PHOTO))
    assert [point.setting for point in found] == ["q1", "q2"]
    for quality, point in enumerate(found, start=1):
        path = cache / zoo._zoo()[1][name]["mse"][quality].rpartition("/")[2]
        network, options = zoo._network(name, quality, str(path), "cpu")
        scale = options.get("inputscale")
        theirs = theirs_is.inference(network, to_tensor(PHOTO), *((2, scale) if scale is not None else ()))
        strings = theirs["bpp"] * PHOTO.shape[0] * PHOTO.shape[1] / 8
        assert strings > 16, "these weights make strings of some length"
        head = 5 if name == "bmshj2018-factorized" else 9
        assert point.bytes == round(strings) + head
        assert point.picture.shape == PHOTO.shape
        mse = np.mean((point.picture.astype(float) - PHOTO) ** 2)
        assert 10 * np.log10(255**2 / mse) == pytest.approx(theirs["psnr-rgb"], abs=0.01)
        assert point.seconds > 0


def test_a_file_is_all_that_is_decoded(cache):
    """What a file lacks is missed, and it says itself how large the picture is."""
    path = cache / zoo._zoo()[1]["bmshj2018-hyperprior"]["mse"][2].rpartition("/")[2]
    network, options = zoo._network("bmshj2018-hyperprior", 2, str(path), "cpu")
    with torch.inference_mode():
        data, other = (zoo._written(network, options, 2, rgb) for rgb in (PHOTO, PHOTO[:50, ::-1]))
        assert zoo._read(network, options, data).shape == (90, 117, 3)
        assert zoo._read(network, options, other).shape == (50, 117, 3)
    assert zoo.HEAD.unpack_from(data) == (2, 117, 90)
    assert data != other


def test_one_run_two_workers_and_one_that_goes_on_give_the_same_rows(cache, tmp_path, capsys):
    photographs(tmp_path, 5, 70, 90)
    argv = ["evaluate", str(tmp_path), "--model", "none", "--classifier", "none", "--codec", "jpeg"]
    argv += ["--codec", "compressai:bmshj2018-hyperprior:1-2", "--codec", "compressai:bmshj2018-factorized:2:ms-ssim"]
    outs = {way: tmp_path / f"{way}.parquet" for way in ("here", "two", "on")}
    assert main([*argv, "--workers", "1", "--out", str(outs["here"])]) == 0
    assert main([*argv, "--workers", "2", "--out", str(outs["two"])]) == 0
    hidden = sorted(tmp_path.rglob("*.png"))[-1]
    hidden = hidden.rename(hidden.with_suffix(".away"))
    assert main([*argv, "--workers", "1", "--out", str(outs["on"])]) == 0
    hidden.rename(hidden.with_suffix(".png"))
    assert main([*argv, "--workers", "1", "--out", str(outs["on"]), "--resume"]) == 0
    assert "4 of 5 photographs are measured" in capsys.readouterr().err
    found = {way: rows.read(out) for way, out in outs.items()}
    codecs = ["original", "jpeg", "compressai:bmshj2018-hyperprior", "compressai:bmshj2018-factorized:ms-ssim"]
    assert list(dict.fromkeys(found["here"].frame.codec)) == codecs
    for other in ("two", "on"):
        for column in ("photo", "codec", "setting", "bytes", "psnr"):
            np.testing.assert_array_equal(found[other].frame[column], found["here"].frame[column])
    said = found["here"].meta["provenance"]["rivals"]["compressai:bmshj2018-hyperprior"]
    assert said["metric"] == "mse"
    assert list(said["weights"]) == ["1", "2"]
    path = cache / zoo._zoo()[1]["bmshj2018-hyperprior"]["mse"][1].rpartition("/")[2]
    path.write_bytes(path.read_bytes() + b"\0")  # other weights
    assert main([*argv, "--workers", "1", "--out", str(outs["on"]), "--resume"]) == 2
    assert "weights.1 was" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("elic2022", "no trained image model of CompressAI 'elic2022'; known: bmshj2018-factorized, "),
        ("mbt2018:9", "mbt2018 has no quality 9; there are 1 to 8"),
        ("mbt2018-vbr:ms-ssim", "CompressAI has no weights of mbt2018-vbr for ms-ssim"),
        ("mbt2018:2-1", "write compressai:bmshj2018-hyperprior:1-6"),
        ("mbt2018:low", "write compressai:bmshj2018-hyperprior:1-6"),
    ],
)
def test_what_there_is_not_is_one_line(cache, spec, words):
    with pytest.raises(InputError) as caught:
        rival(f"compressai:{spec}")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_weights_and_network_it_says_which_file_to_put_where(cache, tmp_path, monkeypatch):
    def refused(*args, **options):
        raise OSError("no network here")

    monkeypatch.setattr("torch.hub.download_url_to_file", refused)
    monkeypatch.setattr(zoo, "_ask", lambda what, *args: what(*args))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        rival("compressai:mbt2018:3")
    assert str(caught.value).endswith(
        "put https://compressai.s3.amazonaws.com/models/v1/mbt2018-3-22901978.pth.tar into "
        f"{tmp_path / 'hub' / 'checkpoints'}"
    )


def test_what_is_no_weights_is_named(cache):
    for quality, content in ((3, b"no checkpoint"), (4, (cache / "mbt2018-1-3f36cd77.pth.tar").read_bytes())):
        path = cache / zoo._zoo()[1]["bmshj2018-hyperprior"]["mse"][quality].rpartition("/")[2]
        path.write_bytes(content)
        with pytest.raises(InputError, match=rf"{path.name} holds no weights of bmshj2018-hyperprior: "):
            list(rival(f"compressai:bmshj2018-hyperprior:{quality}").points(PHOTO))


def test_a_child_that_died_is_one_line_and_is_followed_by_another(cache):
    peer = rival("compressai:bmshj2018-factorized:1")
    wanted = [point.bytes for point in peer.points(PHOTO)]
    (child,) = (process for process in active_children() if process.name == zoo.KIND)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with pytest.raises(InputError, match=r"^the process that runs CompressAI died"):
        list(peer.points(PHOTO))
    assert [point.bytes for point in peer.points(PHOTO)] == wanted
