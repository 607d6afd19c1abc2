"""Streams to begin with, and what strangers do to them: seeded mutations of any stream of any version and model."""

from __future__ import annotations

import binascii
import functools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hiercodec import models, stream
from hiercodec.errors import CorruptStream
from hiercodec.images import load_rgb
from hiercodec.levels import DEFAULT_MODEL, OWN_LAYOUT, LevelPlan
from hiercodec.models import Codec, LinearBlock, LinearPath, WaveCodec
from hiercodec.models.wave.codec import layout_of
from hiercodec.stream.header import MAX_SIDE
from hiercodec.stream.label import MAX_PAYLOAD, Mark
from tests.models.tiny import TINY_LITE, TINY_TIC, make_codec, smooth_photo

TESTS = Path(__file__).resolve().parents[2] / "tests"
FOUND = Path(__file__).parent / "found"
"""Streams that broke something once; the name of each begins with the codec that it is for."""

CRC = 2
LONGEST_FIELD = 4
EDGES = (0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 4095, 4096, 16383, 16384, MAX_SIDE)


@dataclass(frozen=True, eq=False)
class Seed:
    """A sound stream, and the codec that reads it (None: only its container is read)."""

    name: str
    data: bytes
    codec: Codec | WaveCodec | None

    @functools.cached_property
    def parsed(self) -> stream.Stream:
        """The stream as the container reads it."""
        return stream.parse(self.data, self.codec.plan if self.codec else None)

    @property
    def ends(self) -> tuple[int, ...]:
        """Where a running CRC ends: behind the header and behind every section."""
        return self.parsed.header_bytes, *(section.end for section in self.parsed.sections)


def own(levels: int, order: str = "sigma") -> Codec:
    """A tiny codec with random weights and a level plan of its own."""
    counted = range(1, levels + 1)
    preset = TINY_LITE.scaled(
        name=f"own-{levels}",
        plan=LevelPlan.from_cuts(LevelPlan.numbered(levels).names, tuple(4 * i for i in counted), tuple(counted)),
        linear=LinearPath(tuple(LinearBlock(((3 * i - 3, 3 * i),), 0.3) for i in counted)),
        dead_zone=(0.1,) * levels,
        order=order,
    )
    with tempfile.TemporaryDirectory() as folder:
        return make_codec(preset, Path(folder))


def _own(levels: int, order: str = "sigma") -> Seed:
    codec = own(levels, order)
    return Seed(f"own-{levels}", codec.encode(_photo(levels, 20, 40)), codec)


def _photo(seed: int, height: int, width: int) -> np.ndarray:
    return smooth_photo(np.random.default_rng(seed), max(height, 2), max(width, 2))[:height, :width]


def _shipped(name: str, height: int, width: int) -> Seed:
    codec = models.load(name.partition("-")[0])
    return Seed(name, codec.encode(_photo(height, height, width)), codec)


def _golden(path: Path) -> Seed:
    weights = path.with_name(f"{path.stem.partition('-v')[0]}-v1.safetensors")  # later versions, the same models
    return Seed(path.stem, path.read_bytes(), models.load(weights) if weights.exists() else None)


def _tiny_tic() -> Seed:
    with tempfile.TemporaryDirectory() as folder:
        codec = make_codec(TINY_TIC, Path(folder))
    return Seed("tiny-tic", codec.encode(_photo(2, 17, 33)), codec)


GOLDEN = {path.stem: functools.partial(_golden, path) for path in sorted(TESTS.glob("*/data/*.hc"))}
"""The golden streams of every format version: what a version adds to them is fuzzed from then on."""

SEEDS: dict[str, Callable[[], Seed]] = {
    **GOLDEN,
    "tiny-tic": _tiny_tic,
    "own-1": functools.partial(_own, 1),
    "own-5": functools.partial(_own, 5, "raster"),
    "own-15": functools.partial(_own, 15),
    "lite": functools.partial(_shipped, "lite", 33, 48),
    "lite-strip": functools.partial(_shipped, "lite-strip", 1, 70),
    "wave": functools.partial(_shipped, "wave", 33, 48),
    "wave-strip": functools.partial(_shipped, "wave-strip", 1, 70),
}
"""Name → how to make a seed: golden ones, level plans of models' own, the shipped models on small pictures."""


def given(path: Path, model: str | None = None) -> Seed:
    """A seed from any `.hc` file, with the shipped model that its fingerprint names or the one `model` names.

    A file of pixels is encoded first.
    """
    data = path.read_bytes()
    if path.suffix != ".hc":
        codec = models.load(model or DEFAULT_MODEL)
        return Seed(path.stem, codec.encode(load_rgb(path)), codec)
    return Seed(path.stem, data, models.load(model) if model else models.find(stream.parse(data).header.fingerprint))


def resealed(data: bytes, ends: Sequence[int]) -> bytes:
    """The bytes with the running CRC made right at each of `ends` that they reach: damage that no checksum sees."""
    out, start, crc = bytearray(data), 0, 0xFFFF
    for end in ends:
        if end > len(out):
            break
        crc = binascii.crc_hqx(bytes(out[start : end - CRC]), crc)
        out[end - CRC : end] = crc.to_bytes(CRC, "little")
        start = end
    return bytes(out)


def rewritten(seed: Seed, rng: np.random.Generator) -> bytes:
    """A stream with sound checksums whose payloads, checks and header say something else."""
    parsed = seed.parsed
    payloads = [section.payload for section in (parsed.z, *parsed.blocks)]
    label = parsed.label_section.payload if parsed.label_section else b""
    checks = [block.check or 0 for block in parsed.blocks]
    for _ in range(rng.integers(1, 4)):
        j = int(rng.integers(len(payloads)))
        payloads[j] = _noise(rng, int(rng.choice((0, 1, 3, 4, len(payloads[j]), len(payloads[j]) + 40))))
    if rng.random() < 0.2:
        checks[int(rng.integers(len(checks)))] ^= 1 << int(rng.integers(16))
    header = parsed.header
    if header.mark and rng.random() < 0.5:
        label = _noise(rng, int(rng.integers(MAX_PAYLOAD + 1)))
        header = replace(header, mark=Mark(rng.bytes(2).hex(), rng.bytes(2).hex()[:3]))
    if rng.random() < 0.4:
        header = replace(header, width=int(rng.integers(1, 200)), height=int(rng.integers(1, 200)))
    return stream.write(header, payloads[0], payloads[1:], checks, label)


def hostile(seed: Seed, rng: np.random.Generator) -> bytes:
    """What an encoder that means harm can write: noise under right checksums, entropy parameters included."""
    codec = seed.codec
    if codec is None:
        return rewritten(seed, rng)
    size = {"width": int(rng.integers(1, 100)), "height": int(rng.integers(1, 100))}
    header = replace(seed.parsed.header, **size)
    if isinstance(codec, WaveCodec):
        return _coefficients(codec, header, rng)
    grid, shape = codec.grids(header)
    z = _noise(rng, int(rng.integers(60)))
    blocks = [_noise(rng, int(rng.choice((0, 2, 40, 400)))) for _ in codec.plan]
    checks = [0] * len(blocks)
    try:
        loop = codec.coding.start(codec.coding.read_z(z, shape), shape, grid)
        for j, payload in enumerate(blocks):
            block = codec.coding.parameters(loop)
            checks[j] = block.check
            coded, _ = stream.decode_symbols(payload, block.indexes, stream.gaussian_tables(), complete=True)
            symbols = np.zeros(block.mu.shape)
            symbols.reshape(-1)[block.order] = coded
            loop.advance(block.mu.new_tensor(symbols), block.mu)
    except CorruptStream:
        pass  # no encoder can have written this noise: the decoder has to notice, too
    label = _noise(rng, int(rng.integers(MAX_PAYLOAD + 1))) if header.mark else b""
    return stream.write(header, z, blocks, checks, label)


def _coefficients(codec: WaveCodec, header: stream.Header, rng: np.random.Generator) -> bytes:
    """A sound stream of coefficients that no photograph has: as large as there are planes for, anywhere."""
    largest = 2 ** int(rng.integers(codec.network.preset.planes + 1))
    share = rng.random()
    size = layout_of(header).inside.size
    indexes = rng.integers(1 - largest, largest, size) * (rng.random(size) < share)
    return codec.write(header, indexes.astype(np.int32))


def _noise(rng: np.random.Generator, size: int) -> bytes:
    """Random bytes, or one byte again and again: both ends of the coder's range."""
    return rng.bytes(size) if rng.random() < 0.7 else bytes([int(rng.choice((0, 255, 128)))]) * size


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 9)):
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))


def _overwrite(data: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(len(data)))
    size = min(int(rng.integers(1, 9)), len(data) - start)
    data[start : start + size] = _noise(rng, size)


def _insert(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(data) + 1))
    data[at:at] = _noise(rng, int(rng.integers(1, 40)))


def _delete(data: bytearray, rng: np.random.Generator) -> None:
    start = int(rng.integers(len(data)))
    del data[start : start + int(rng.integers(1, 40))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    start, at = (int(n) for n in rng.integers(len(data), size=2))
    data[at:at] = data[start : start + int(rng.integers(1, 80))]


def _header(data: bytearray, rng: np.random.Generator) -> None:
    """One field behind the magic: version, plan, sizes, fingerprint or lengths, wherever a version keeps them."""
    at = int(rng.integers(5, min(30, len(data))))
    edge = int(rng.choice(EDGES)).to_bytes(LONGEST_FIELD, "little")[: int(rng.integers(1, 3))]
    value = edge if rng.random() < 0.6 else bytes([OWN_LAYOUT + int(rng.integers(17))])
    data[at : at + len(value)] = value


EDITS = (_flip, _overwrite, _insert, _delete, _repeat, _header)


def mutant(seeds: Sequence[Seed], rng: np.random.Generator) -> tuple[Seed, bytes]:
    """One seed and what became of it."""
    seed = seeds[int(rng.integers(len(seeds)))]
    way = rng.random()
    if way < 0.1:
        data = hostile(seed, rng)
    elif way < 0.25:
        data = rewritten(seed, rng)
    else:
        edited = bytearray(seed.data)
        for _ in range(rng.integers(1, 4)):
            EDITS[int(rng.integers(len(EDITS)))](edited, rng)
            if not edited:
                edited = bytearray(b"\x89")
        if rng.random() < 0.2:  # spliced with another
            other = seeds[int(rng.integers(len(seeds)))].data
            edited = edited[: rng.integers(len(edited) + 1)] + other[rng.integers(len(other)) :]
        data = resealed(bytes(edited), seed.ends) if rng.random() < 0.5 else bytes(edited)
    if rng.random() < 0.3:
        data = data[: rng.integers(len(data) + 1)]
    return seed, data
