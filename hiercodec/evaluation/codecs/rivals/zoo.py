"""CompressAI's trained models as peers, a file a quality: its own `compress` and `decompress`, in a process of its own.

    compressai:ARCHITECTURE[:Q|:Q-Q][:ms-ssim]        compressai:bmshj2018-hyperprior:1-6

A file is `HEAD` (quality, width, height), the length of every string but the last in four bytes each, and the strings; the
latents' shape follows from the size. Padding is that of `compressai.utils.eval_model`: to multiples of 64, with black, the
picture in the middle. Its decoder reads past its buffer where a string was damaged, so it sees what `compress` has just made
and nothing else. One child of every process that measures imports CompressAI, once, and keeps the networks.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import signal
import struct
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hiercodec import device
from hiercodec.errors import HiercodecError, InputError, is_out_of_memory
from hiercodec.plugins import unknown
from hiercodec.protocols import OperatingPoint

KIND = "compressai"
HEAD = struct.Struct(">BHH")
"""Quality, width and height; no picture that is read has more than 65 535 pixels a side."""

LENGTH = struct.Struct(">I")
SPEC = re.compile(r"([\w-]+)(?::(\d+)(?:-(\d+))?)?(?::(ms-ssim))?")
"""Architecture, first and last quality, and what was trained for instead of the squared error."""

STEPS = (10.0, 7.1715, 5.1832, 3.7211, 2.6833, 1.9305, 1.3897, 1.0)
"""Quantisation steps of the models of variable rate, a quality each: those of `compressai.utils.eval_model`."""

T = TypeVar("T")


class Zoo:
    """One architecture at some of its qualities; `name` is what stands before them, and after.

    `InputError` says what there is not, or which file to put where.
    """

    def __init__(self, spec: str) -> None:
        match = SPEC.fullmatch(spec)
        architecture, low, high, metric = match.groups() if match else ("", "", "", "")
        asked = range(int(low), int(high or low) + 1) if low else None
        if not match or asked == range(0):
            raise InputError(f"no codec '{KIND}:{spec[:80]}': write {KIND}:bmshj2018-hyperprior:1-6, or …:1-6:ms-ssim")
        self.name = f"{KIND}:{architecture}" + (f":{metric}" if metric else "")
        self._architecture, self._metric = architecture, metric or "mse"
        self._weights: Mapping[int, tuple[str, str]] = _ask(_weights_of, architecture, self._metric, asked, _cache())

    def points(self, rgb: np.ndarray) -> Iterator[OperatingPoint]:
        """A file a quality, coded when it is asked for."""
        for quality, (path, _) in self._weights.items():
            data, picture, seconds = _ask(_coded, self._architecture, quality, path, device.chosen(), rgb)
            yield OperatingPoint(f"q{quality}", len(data), picture, seconds=seconds)

    def provenance(self) -> dict[str, Any]:
        """The version, what was trained for, and which weights exactly."""
        weights = {str(quality): sha256[:12] for quality, (_, sha256) in self._weights.items()}
        return {"encoder": metadata.version(KIND), "metric": self._metric, "weights": weights}


def _cache() -> str:
    """Where torch.hub keeps weights."""
    import torch

    return str(Path(torch.hub.get_dir()) / "checkpoints")


# ---- the child's side --------------------------------------------------------------------------------------------------
def _zoo() -> tuple[dict[str, Any], dict[str, Any]]:
    """CompressAI's image models: architecture → class, and → addresses of weights by metric and quality."""
    with warnings.catch_warnings():  # its own, at import
        warnings.simplefilter("ignore")
        from compressai.zoo import image, image_vbr
    varying = {
        name: {metric: dict.fromkeys(range(1, len(STEPS) + 1), url) for metric, url in urls.items()}
        for name, urls in image_vbr.model_urls.items()
    }
    return image.model_architectures | image_vbr.model_architectures, image.model_urls | varying


def _weights_of(architecture: str, metric: str, asked: range | None, cache: str) -> dict[int, tuple[str, str]]:
    """Quality → where its weights are and their SHA-256; those that are not in torch.hub's cache are fetched."""
    from torch.hub import download_url_to_file

    urls = _zoo()[1]
    if architecture not in urls:
        raise InputError(unknown("trained image model of CompressAI", architecture, urls))
    there = urls[architecture].get(metric, {})
    if not there:
        raise InputError(f"CompressAI has no weights of {architecture} for {metric}")
    if missing := [quality for quality in asked or () if quality not in there]:
        raise InputError(f"{architecture} has no quality {missing[0]}; there are {min(there)} to {max(there)}")
    weights, hashes = {}, dict[Path, str]()
    for quality in asked or there:
        url = there[quality]
        path = Path(cache, url.rpartition("/")[2])
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                download_url_to_file(url, str(path), path.name.partition(".")[0].rpartition("-")[2], progress=False)
            hashes[path] = hashes.get(path) or hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, RuntimeError) as error:  # RuntimeError: what came has another hash
            raise InputError(
                f"{architecture}, quality {quality}: weights are not on this machine and cannot be fetched ({error}); put "
                f"{url} into {path.parent}"
            ) from None
        weights[quality] = str(path), hashes[path]
    return weights


@functools.cache
def _network(architecture: str, quality: int, path: str, place: str) -> tuple[Any, dict[str, Any]]:
    """A network that can code, and what its `compress` and `decompress` take besides."""
    import torch
    from compressai.zoo.pretrained import load_pretrained

    kind, place_of = _zoo()[0][architecture], device.resolve(place)
    steps_of_z = {"vr_entbttlnck": True} if architecture in ("bmshj2018-hyperprior-vbr", "mbt2018-mean-vbr") else {}
    try:
        tensors = load_pretrained(torch.load(path, map_location="cpu", weights_only=True))
        network = kind.from_state_dict(tensors, **steps_of_z).eval()
    except Exception as error:  # torch's reader and CompressAI's models each raise errors of their own
        if is_out_of_memory(error):
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} holds no weights of {architecture}: {why:.200}") from None
    if not architecture.endswith("-vbr"):
        network.update()
        return network.to(place_of), {}
    scale = torch.tensor(1 / STEPS[quality - 1])
    network.no_quantoffset, network.scl2ctx = False, True  # as `eval_model` sets them
    network.update(force=True, **({"scale": scale} if steps_of_z else {}))
    return network.to(place_of), {"stage": 2, "s": 0, "inputscale": scale.to(place_of)}


def _coded(architecture: str, quality: int, path: str, place: str, rgb: np.ndarray) -> tuple[bytes, np.ndarray, float]:
    """The file of uint8 (H, W, 3) at one quality, the picture that is decoded from it, and the seconds of both."""
    import torch

    network, options = _network(architecture, quality, path, place)
    began = time.perf_counter()
    with torch.inference_mode():
        data = _written(network, options, quality, rgb)
        picture = _read(network, options, data)
    return data, picture, time.perf_counter() - began


def _written(network: Any, options: Mapping[str, Any], quality: int, rgb: np.ndarray) -> bytes:
    import torch
    from torch.nn.functional import pad

    place = next(network.parameters()).device
    x = torch.from_numpy(np.ascontiguousarray(rgb)).to(place).permute(2, 0, 1)[None].float() / 255
    out = network.compress(pad(x, _padding(*rgb.shape[:2])[0]), **options)
    strings = [batch[0] for batch in out["strings"]]
    lengths = b"".join(LENGTH.pack(len(string)) for string in strings[:-1])
    return HEAD.pack(quality, rgb.shape[1], rgb.shape[0]) + lengths + b"".join(strings)


def _read(network: Any, options: Mapping[str, Any], data: bytes) -> np.ndarray:
    """A file of `_written`, of this very process → uint8 (H, W, 3)."""
    from torch.nn.functional import pad

    _, width, height = HEAD.unpack_from(data)
    strings = [data[HEAD.size :]]
    if network.downsampling_factor > 16:  # one of its two strings is that of the hyper-latent
        start = HEAD.size + LENGTH.size
        end = start + LENGTH.unpack_from(data, HEAD.size)[0]
        strings = [data[start:end], data[end:]]
    (left, right, top, bottom), cut = _padding(height, width)
    shape = [side // network.downsampling_factor for side in (top + height + bottom, left + width + right)]
    x = pad(network.decompress([[string] for string in strings], shape, **options)["x_hat"], cut)
    return (x[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def _padding(height: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    from compressai.ops import compute_padding

    return compute_padding(height, width, min_div=64)


# ---- between them ------------------------------------------------------------------------------------------------------
@functools.cache
def _child() -> Connection:
    """The pipe to this process' child, which ends with it."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=_serve, args=(theirs,), name=KIND, daemon=True).start()
    theirs.close()  # now the pipe ends with the process
    return ours


def _ask(what: Callable[..., T], *args: Any) -> T:
    """What a function gives in the child, or the error that it raises there."""
    pipe = _child()
    try:
        pipe.send((what, args))
        answer = pipe.recv()
    except BaseException as error:  # nobody may get what was asked before
        _child.cache_clear()
        pipe.close()
        if isinstance(error, (EOFError, OSError)):
            why = "perhaps for want of memory: go on with --resume, fewer --workers"
            raise InputError(f"the process that runs CompressAI died, {why}") from None
        raise
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _serve(pipe: Connection) -> None:
    """The life of a child: (function, arguments) comes in, its value or error goes out, until the parent is gone."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and that ends us
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with contextlib.suppress(EOFError, OSError):
        while True:
            what, args = pipe.recv()
            try:
                answer = what(*args)
            except (HiercodecError, ImportError, MemoryError) as error:
                answer = error
            except Exception as error:  # with its words, by which memory's own are known
                answer = RuntimeError(f"{type(error).__name__}: {error}")
            pipe.send(answer)
