"""CLIP text embeddings of class names: from a local .npy file or from open_clip, always L2-normalised."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import os
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hiercodec.errors import HierarchyError, first_line
from hiercodec.fsio import write_bytes

TEMPLATE = "a photo of a {}"
MAX_TEMPLATE = 200
"""Characters a template may have; CLIP reads no more than 77 tokens of a text."""
MAX_BYTES = 512_000_000
ENV = "HIERCODEC_EMBEDDINGS"
"""Environment variable: a folder of .npy files, one an embedding; the app clusters them live."""


@dataclass(frozen=True, slots=True)
class KnownEmbedding:
    """An embedding that shipped assets were made from: how to find it in a folder, how to compute it anew.

    The files of the two 512-dimensional ones do not name their encoder; ViT-B/16 is what their source suggests.
    """

    name: str
    title: str
    hint: str
    model: str
    pretrained: str
    template: str


KNOWN = (
    KnownEmbedding("clip-b16", "ViT-B/16", "a-photo-of-a", "ViT-B-16", "openai", TEMPLATE),
    KnownEmbedding("clip-b16-desc", "ViT-B/16 on descriptions", "gpt3desc", "ViT-B-16", "openai", "GPT-3 descriptions"),
    KnownEmbedding("clip-l14", "ViT-L/14", "ViT-L-14", "ViT-L-14", "openai", "80 templates"),
    KnownEmbedding("clip-h14", "ViT-H/14", "ViT-H-14", "ViT-H-14", "laion2b_s32b_b79k", "80 templates"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Unit vectors float64[n, d], one row a class, with their name and where they come from."""

    name: str
    vectors: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def similarity(self) -> np.ndarray:
        """Cosine similarity of all pairs, float64[n, n]."""
        return self.vectors @ self.vectors.T

    def nearest(self, count: int) -> np.ndarray:
        """int64[n, count]: the most similar other classes, best first; ties by index."""
        similarity = np.round(self.similarity, 9)
        np.fill_diagonal(similarity, -np.inf)
        return np.argsort(-similarity, axis=1, kind="stable")[:, :count]


def from_array(
    name: str, array: np.ndarray, *, n: int | None = 1000, provenance: dict[str, Any] | None = None
) -> Embedding:
    """Check and normalise a matrix with one row a class (n rows unless n is None)."""
    if array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise HierarchyError(
            f"{name}: embeddings are a matrix of floating-point numbers, got {array.dtype}{array.shape}"
        )
    if n is not None and len(array) != n:
        raise HierarchyError(f"{name}: {len(array)} rows for {n} classes")
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
        vectors = np.asarray(array, np.float64)
        norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norm).all() or not (norm > 0).all():
        row = int(np.flatnonzero(~(np.isfinite(norm) & (norm > 0)))[0])
        raise HierarchyError(f"{name}: row {row} is zero or not finite")
    return Embedding(
        name, vectors / norm, {"sha256": _digest(array), "dimensions": array.shape[1], **(provenance or {})}
    )


def from_file(path: str | Path, *, n: int | None = 1000) -> Embedding:
    """An embedding from a .npy file of numbers (pickled files are refused)."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise HierarchyError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise HierarchyError(f"cannot read {path}: {error.strerror or error}") from None
    return from_bytes(data, name=known_name(path.stem), n=n)


def from_bytes(data: bytes, *, name: str = "uploaded", n: int | None = 1000) -> Embedding:
    """An embedding from the bytes of a .npy file."""
    if data[:4] == b"PK\3\4":
        raise HierarchyError(f"{name}: an archive of arrays; give a single .npy file")
    try:
        array = _matrix(data)
    except (ValueError, EOFError, SyntaxError, TypeError, OverflowError, RecursionError, tokenize.TokenError) as error:
        raise HierarchyError(f"{name}: not a .npy file of numbers ({first_line(error):.120})") from None
    known = known_embedding(name)
    return from_array(name, array, n=n, provenance=_provenance(known) if known else {"source": "local file"})


def _matrix(data: bytes) -> np.ndarray:
    """The matrix in a .npy file, a view of its bytes: nothing is allocated on the word of its header.

    `numpy.load` would take a pickle, an archive, or any shape that the header claims.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]}; save it anew with numpy.save")
    shape, by_columns, dtype = readers[version](file)
    count = math.prod(shape)
    if len(shape) != 2 or dtype.kind != "f" or count < 1:
        raise ValueError(f"embeddings are a matrix of floating-point numbers, got {dtype}{shape}")
    if len(data) - file.tell() != count * dtype.itemsize:
        raise ValueError(f"{shape[0]}×{shape[1]} numbers of {dtype.itemsize} bytes are not what follows the header")
    return np.frombuffer(data, dtype, count, file.tell()).reshape(shape, order="F" if by_columns else "C")


def from_folder(folder: str | Path | None = None, *, n: int | None = 1000) -> dict[str, Embedding]:
    """Every .npy file of a folder (default: the one HIERCODEC_EMBEDDINGS names); known ones under their short names."""
    folder = os.environ.get(ENV) if folder is None else folder
    if not folder:
        return {}
    if not Path(folder).is_dir():
        raise HierarchyError(f"no folder {folder}")
    embeddings = [from_file(path, n=n) for path in sorted(Path(folder).glob("*.npy"))]
    order = {known.name: i for i, known in enumerate(KNOWN)}
    return {e.name: e for e in sorted(embeddings, key=lambda e: (order.get(e.name, len(order)), e.name))}


def from_open_clip(model: str, pretrained: str, names: Sequence[str], *, template: str = TEMPLATE) -> Embedding:
    """Encode `template` filled with every name by an open_clip model; kept in ~/.cache by model, tag, template and names.

    The template has one {} and at most MAX_TEMPLATE characters; it is text, not a format string, so braces of any other
    kind stay as they are. The first call downloads the weights; `HierarchyError` says what is wrong with the template or
    what is missing (open_clip, the network, the model). A bar on stderr tells how far it got.
    """
    if len(template) > MAX_TEMPLATE:
        raise HierarchyError(f"the template has {len(template)} characters; at most {MAX_TEMPLATE} are read")
    if template.count("{}") != 1:
        raise HierarchyError(f"the template {template!r} must have one {{}}, where the class name goes")
    texts = [template.replace("{}", name) for name in names]  # not `format`: visitors write templates
    key = hashlib.sha256(json.dumps([model, pretrained, texts]).encode()).hexdigest()[:24]
    path = Path.home() / ".cache" / "hiercodec" / "embeddings" / f"{key}.npy"
    provenance = {"model": model, "pretrained": pretrained, "template": template, "source": "open_clip"}
    label = f"{model}/{pretrained}"
    if path.exists():
        return from_array(label, np.load(path, allow_pickle=False), n=len(names), provenance=provenance)
    array = _encode(model, pretrained, texts)
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue(), parents=True)
    return from_array(label, array, n=len(names), provenance=provenance)


def known_embedding(name: str) -> KnownEmbedding | None:
    """The entry of KNOWN with this name."""
    return next((known for known in KNOWN if known.name == name), None)


def known_name(stem: str) -> str:
    """The short name of a known embedding's file, else the file's own stem."""
    return next((known.name for known in KNOWN if known.hint in stem), stem)


def open_clip_net(model: str, pretrained: str | None) -> tuple[Any, Any]:
    """An open_clip model, in evaluation mode, and its tokenizer; `pretrained` None leaves the weights random.

    `HierarchyError` says what is missing: open_clip, the model, the tag, or the network that weights come from.
    """
    try:
        import open_clip
    except ImportError as error:
        raise HierarchyError(f"CLIP needs {error.name}: pip install open_clip_torch") from error
    tags = open_clip.list_pretrained_tags_by_model(model)
    if pretrained is not None and pretrained not in tags:
        known = f"its tags are {', '.join(tags)}" if tags else "no such model"
        raise HierarchyError(f"open_clip has no {model!r} / {pretrained!r}: {known}")
    quiet = logging.root.manager.disable
    logging.disable(logging.ERROR)  # open_clip logs what the message below says
    try:
        return open_clip.create_model(model, pretrained=pretrained).eval(), open_clip.get_tokenizer(model)
    except Exception as error:  # hub, HTTP, file and model-name errors share no base class
        raise HierarchyError(
            f"no weights for {model!r} / {pretrained!r}: they are not in the local cache and could not be downloaded "
            f"({first_line(error)})"
        ) from error
    finally:
        logging.disable(quiet)


def _encode(model: str, pretrained: str, texts: list[str]) -> np.ndarray:
    try:
        net, tokenizer = open_clip_net(model, pretrained)
    except HierarchyError as error:
        raise HierarchyError(f"{error}; give a local .npy file instead") from None
    import torch
    from tqdm import tqdm

    from hiercodec.device import resolve

    net.to(device := resolve())
    rows = []
    for start in tqdm(range(0, len(texts), 64), desc=f"{model} text embeddings", unit="batch"):
        with torch.inference_mode():
            rows.append(net.encode_text(tokenizer(texts[start : start + 64]).to(device)).float().cpu().numpy())
    array = np.concatenate(rows)
    return (array / np.linalg.norm(array, axis=1, keepdims=True)).astype(np.float32)


def _provenance(known: KnownEmbedding) -> dict[str, Any]:
    return {"model": known.model, "pretrained": known.pretrained, "template": known.template, "source": "local file"}


def _digest(array: np.ndarray) -> str:
    sha = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]
