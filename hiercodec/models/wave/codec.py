"""The wave codec: photographs in, `.hc` streams out, and back from any prefix of one.

x ──analyse──► bands · gains ──⌊·/T⌋──► indexes ──planes, coarse to fine──► one block a level ──► stream
x̂ ◄──filter── ◄──synthesise── bands ◄──points── indexes of the planes that arrived ◄──────────────┘
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hiercodec import stream
from hiercodec.arguments import Source
from hiercodec.errors import CorruptStream, ParameterDesync
from hiercodec.models.common import EmbeddedCodec, Keep, Prefixes
from hiercodec.models.wave import wavelet
from hiercodec.models.wave.context import BANDS, unpack
from hiercodec.models.wave.network import WaveNetwork
from hiercodec.models.wave.planes import Block, Layout, Symbols, begins_of, block_symbols, flat, indexes_of, tell
from hiercodec.models.wave.preset import WavePreset
from hiercodec.models.wave.symbol_search import search
from hiercodec.models.wave.wavelet import SCALES
from hiercodec.stream.coder import Place

STRIDE = 16
"""Pixels that a cell of a map of bits covers, each way."""


class WaveCodec(EmbeddedCodec):
    """A codec of planes of a wavelet.

    Wavelet and filter run in float32 where the network lives; what feeds the entropy coder is exact integer arithmetic on
    the CPU (`context`).
    """

    def __init__(self, network: WaveNetwork, *, name: str, fingerprint: bytes, card: dict | None = None) -> None:
        super().__init__(network.plan, name, fingerprint, card, network.filter)
        network.context.freeze()
        self.network = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def _coded(self, rgb: np.ndarray, header: stream.Header, steps: int, keep: Keep | None, label: bytes) -> bytes:
        x = torch.tensor(rgb).to(self.device).permute(2, 0, 1)[None].float()
        if steps:
            indexes = flat(search(self.network, x / 255, steps, keep)).astype(np.int32)
        else:
            bands = [band.cpu() for band in self.network.analyse(x)]
            indexes = indexes_of(bands, self.network.preset.finest, self.network.preset.planes)
        return self.write(header, indexes, label)

    def write(self, header: stream.Header, indexes: np.ndarray, label: bytes = b"") -> bytes:
        """The stream of coefficients given by their indexes at the finest threshold (int32, see `planes.Layout`)."""
        planes, layout = self.network.preset.planes, layout_of(header)
        begins = begins_of(layout.arrays(indexes), planes)
        payloads, checks = [], []
        for j, level in enumerate(self.plan):
            writer = stream.SymbolWriter()
            if not j:
                writer.write(begins, np.zeros(SCALES, np.int64), begin_table(planes))
            before = np.sign(indexes) * (np.abs(indexes) >> (planes - level.start))
            runs = block_symbols(self.network.context, layout, before, range(level.start, level.stop), begins)
            check = Check()
            with contextlib.suppress(StopIteration):
                plane, symbols = next(runs)
                while True:
                    values = symbols.of(indexes, planes - 1 - plane)
                    writer.write_pmfs(values, symbols.pmfs())
                    check.add(symbols)
                    plane, symbols = runs.send(values)
            payloads.append(writer.payload())
            checks.append(check.value)
        return stream.write(header, b"", payloads, checks, label=label)

    def prefixes(self, data: Source | stream.Stream, *, bit_map: bool = False) -> WavePrefixes:
        return WavePrefixes(self, data, bit_map=bit_map)

    @torch.inference_mode()
    def synthesise(self, states: Sequence[State], header: stream.Header) -> np.ndarray:
        """What the planes tell, B times → uint8 RGB (B, H, W, 3)."""
        several = [state.bands(self.network.preset, layout_of(header), header) for state in states]
        bands = [torch.cat(band).to(self.device) for band in zip(*(bands for bands, _ in several), strict=True)]
        reached = torch.cat([reached for _, reached in several]).to(self.device)
        x_hat = self.network.synthesise(bands, reached, header.height, header.width)
        return (x_hat.clamp(0, 1).permute(0, 2, 3, 1) * 255).round().to(torch.uint8).contiguous().cpu().numpy()


class State:
    """What a prefix tells: signed indexes at the threshold of `plane` (int32, see `planes.Layout`; −1: none yet).

    Of a coefficient of which the open plane has told nothing (`told`, bool), the index is twice that of the plane before.
    Where bits are counted, `spent` (float64) is what the symbols of each coefficient cost.
    """

    def __init__(self, plane: int, indexes: np.ndarray, told: np.ndarray, spent: np.ndarray | None) -> None:
        self.plane, self.indexes, self.told, self.spent = plane, indexes, told, spent

    @classmethod
    def blank(cls, layout: Layout, counting: bool) -> State:
        """Before anything is told."""
        size = layout.inside.size
        return cls(-1, np.zeros(size, np.int32), np.ones(size, bool), np.zeros(size) if counting else None)

    def copy(self) -> State:
        """A state that goes its own way."""
        spent = None if self.spent is None else self.spent.copy()
        return State(self.plane, self.indexes.copy(), self.told.copy(), spent)

    def become(self, other: State) -> None:
        """Take the place of a copy of another state."""
        vars(self).update(vars(other.copy()))

    def advance(self, plane: int) -> None:
        """Open a plane, the present one or a later one."""
        if plane > self.plane:
            self.indexes <<= plane - self.plane
            self.told[:] = False
            self.plane = plane

    def complete(self, plane: int) -> None:
        """All planes up to this one have told what they had to."""
        self.advance(plane)
        self.told[:] = True

    def tell(self, symbols: Symbols, values: np.ndarray) -> None:
        """Take in the first `len(values)` symbols of a run of the open plane."""
        tell(self.indexes, symbols, values)
        where = symbols.position[: len(values)]
        self.told[where] = True
        if self.spent is not None:
            self.spent[where] += symbols.bits(values)

    def bands(self, preset: WavePreset, layout: Layout, header: stream.Header) -> tuple[list[Tensor], Tensor]:
        """[LL, scales…] times their gains, and log2 of the threshold reached (1,): its mean over what is significant."""
        step = preset.threshold(self.plane)
        points = np.array(preset.table)
        size = np.abs(self.indexes)
        point = points[np.minimum(np.where(self.told, size, size >> 1), 4)]
        value = np.sign(self.indexes) * (size + point * np.where(self.told, 1, 2)) * step
        arrays = [torch.from_numpy(array)[None] for array in layout.arrays(value.astype(np.float32))]
        significant = int(np.count_nonzero(size))
        known = int(np.count_nonzero(self.told & (size > 0)))
        reached = np.log2(2 * step) - (known / significant if significant else 0.0)
        return unpack(arrays, wavelet.sizes(header.height, header.width)), torch.tensor([reached], dtype=torch.float32)

    def bit_map(self, layout: Layout, header: stream.Header) -> np.ndarray:
        """Bits spent on every 16×16 pixels, float64 (⌈H/16⌉, ⌈W/16⌉)."""
        assert self.spent is not None
        arrays = [torch.from_numpy(array)[None] for array in layout.arrays(self.spent)]
        bands = unpack(arrays, wavelet.sizes(header.height, header.width))
        h, w = -(-header.height // STRIDE), -(-header.width // STRIDE)
        out = np.zeros((h, w))
        for band, scale in zip(bands, [0, *range(SCALES)], strict=True):
            a = band[0].sum(0).numpy()
            stride = 2 ** (SCALES - scale)
            rows, columns = (
                np.minimum(np.arange(n) * stride // STRIDE, m - 1) for n, m in zip(a.shape, (h, w), strict=True)
            )
            if stride > STRIDE:  # a coefficient of the coarsest scale stands for up to four cells
                for dy in range(2):
                    for dx in range(2):
                        np.add.at(
                            out, (np.minimum(rows + dy, h - 1)[:, None], np.minimum(columns + dx, w - 1)[None]), a / 4
                        )
            else:
                np.add.at(out, (rows[:, None], columns[None]), a)
        return out


class _Block:
    """How far a block has been read, by whatever cut needed most of it.

    `runs` are its runs of symbols with their planes and values, `starts` the state before each plane (with the number of
    runs before it), `next` the run that has not been read yet.
    """

    def __init__(self, source: Block, writer: stream.SymbolWriter) -> None:
        self.runs: list[tuple[int, Symbols, np.ndarray]] = []
        self.starts: list[tuple[int, State]] = []
        self.check = Check()
        self._source, self._writer = source, writer
        self._readers: list[stream.SymbolReader] = []
        self.places: list[Place] = []
        self.next: tuple[int, Symbols] | None = next(source, None)

    def answer(self, values: np.ndarray, reader: stream.SymbolReader) -> None:
        """The values of the next run, all of them, and who read them."""
        assert self.next is not None
        plane, symbols = self.next
        self.runs.append((plane, symbols, values.astype(np.uint8)))
        self._readers.append(reader)
        self.check.add(symbols)
        try:
            self.next = self._source.send(values)
        except StopIteration:
            self.next = None

    def reached(self, reader: stream.SymbolReader) -> int:
        """How many of the runs, from the first on, a reader's bytes determine."""
        for (_, symbols, values), by in zip(
            self.runs[len(self.places) :], self._readers[len(self.places) :], strict=True
        ):
            self._writer.write_pmfs(values, symbols.pmfs())
            self.places.append(by.place(self._writer.interval))
        done = 0
        while done < len(self.places) and reader.reaches(self.places[done]):
            done += 1
        return done


class Check:
    """The checksum of a block: CRC-16 over the logits of its runs, in coding order."""

    def __init__(self) -> None:
        self.value = stream.checksum(np.zeros(0, np.uint8), np.zeros(0, np.int64))

    def add(self, symbols: Symbols) -> None:
        """Go on with a run."""
        self.value = stream.checksum(symbols.parameters(), np.zeros(0, np.int64), start=self.value)


class WavePrefixes(Prefixes):
    """The network's work is done once for all prefixes of a stream."""

    _codec: WaveCodec

    def __init__(self, codec: WaveCodec, data: Source | stream.Stream, *, bit_map: bool = False) -> None:
        super().__init__(codec, data, bit_map=bit_map)
        self._layout = layout_of(self.stream.header)
        self._begins = np.zeros(SCALES, np.int64)
        self._blocks: list[_Block] = []

    def latent(self, n_bytes: int | None = None) -> tuple[State, str | None, bool, np.ndarray | None]:
        """What the first `n_bytes` tell: the coefficients, the last complete level, whether more arrived, bits."""
        parsed = self.stream.cut(n_bytes)
        state = State.blank(self._layout, self._bit_map)
        level, more = None, False
        for j, section in enumerate(parsed.blocks):
            if section.check is None:
                break
            try:
                more = self._read(j, section, state)
            except CorruptStream as error:
                raise CorruptStream(f"block {section.name!r}: {error}", offset=section.offset) from None
            if not section.complete:
                break
            level, more = section.name, False
        bits = state.bit_map(self._layout, parsed.header) if self._bit_map else None
        return state, level, more, bits

    def _read(self, j: int, section: stream.Section, state: State) -> bool:
        """Bring `state` from the start of block j to where the section ends; returns whether a symbol of it arrived."""
        reader = stream.SymbolReader(section.payload, complete=section.complete)
        level, planes = self._codec.plan[j], self._codec.network.preset.planes
        begins = np.zeros(0, np.int64)
        if not j:
            begins = reader.read(np.zeros(SCALES, np.int64), begin_table(planes))
            if len(begins) < SCALES:
                return False
            self._begins = np.maximum.accumulate(begins).astype(np.int64)
        if j == len(self._blocks):
            span, writer = range(level.start, level.stop), stream.SymbolWriter()
            writer.write(begins, np.zeros(len(begins), np.int64), begin_table(planes))  # as it was read, sound or not
            source = block_symbols(self._codec.network.context, self._layout, state.indexes.copy(), span, self._begins)
            self._blocks.append(_Block(source, writer))
        block = self._blocks[j]
        if done := block.reached(reader):
            reader.seek(block.places[done - 1])
            first, start = next(pair for pair in reversed(block.starts) if pair[0] <= done)
            state.become(start)
            for plane, symbols, values in block.runs[first:done]:
                state.advance(plane)
                state.tell(symbols, values)
        while (run := block.runs[done][:2] if done < len(block.runs) else block.next) is not None:
            plane, symbols = run
            if plane > state.plane or not block.starts:
                if done == len(block.runs):
                    block.starts.append((done, state.copy()))
                state.advance(plane)
            values = reader.read_pmfs(symbols.pmfs())
            state.tell(symbols, values)
            if len(values) < len(symbols):
                return len(values) > 0 or any(len(symbols) for _, symbols, _ in block.runs[:done])
            if done == len(block.runs):
                block.answer(values, reader)
            done += 1
        state.complete(level.stop - 1)
        if section.complete and block.check.value != section.check:
            raise ParameterDesync(
                f"entropy parameters of block {section.name!r} differ from the encoder's",
                block=section.name,
                offset=section.offset,
            )
        return True


@functools.lru_cache(maxsize=4)
def begin_table(planes: int) -> stream.Tables:
    """The table of the plane at which a scale begins, 0…`planes`: nearly uniform."""
    return stream.Tables.from_pmfs([(0, stream.quantize_pmf(np.ones(planes + 1)))])


def layout_of(header: stream.Header) -> Layout:
    """Where the coefficients of a picture of the header's size stand."""
    return Layout(wavelet.sizes(header.height, header.width), BANDS)
