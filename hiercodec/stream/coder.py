"""The entropy coder: symbols to bytes, and any prefix of those bytes back to the symbols it determines.

A payload is a binary fraction in [0, 1), most significant byte first, zeros behind its end. Coding a symbol narrows an
interval to the part that the symbol's table gives it; a longer sequence means an interval inside, and intervals lie in
the lexicographic order of their sequences. So decoding is monotone in the fraction. The continuations of a cut payload
fill the range from "then zeros" to "then ones" (0xFF): the symbols that both ends agree on are those of everything in
between, and the first on which they differ is not determined. That is the whole rule for cuts, and it holds for bytes
as it does for words.
Two facts make it finite. Sub-intervals have bounds on a grid at most 64 bits finer than what was read, so 32 bytes of
0xFF reach as far as endless ones. The intervals of all symbols leave out a sliver of less than 2⁻⁸ of the whole;
bits in there were written by no encoder, and the library raises: such an end counts as "differs".

The range coder is that of constriction: 32-bit words, 64-bit state, 24-bit probabilities, written in Rust without a
way to read outside its buffer. Chosen by measurement (81 920 symbols of a 256×256 image, 80 % of them at the scale
floor, one busy core; 2 440 bytes ideal) over a bounded rANS in numba:

    constriction   2 441 bytes   encode 1.9 ms   decode 2.2 ms   import 0.01 s
    numba rANS     2 448 bytes   encode 0.3 ms   decode 1–7 ms   import 0.3–0.8 s, then 1.9 s to compile at first use

491 520 symbols (768×512, 14 731 bytes ideal): 14 732 bytes, 17 ms and 17 ms; a cut at half decodes in 2 ms.
"""

# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import binascii
import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from constriction import stream as coders  # pyright: ignore[reportAttributeAccessIssue] (compiled, untyped)

from hiercodec.errors import CorruptStream
from hiercodec.stream.tables import Tables

_WORD = 4  # bytes: constriction's default range coder moves 32-bit words through a 64-bit state
_GUARD = b"\xff" * (8 * _WORD)
_FIRST_CHUNK = 64
_FAMILY = coders.model.Categorical(perfect=False)


def _weights(pmfs: np.ndarray) -> np.ndarray:
    """Integer pmfs as the library has to be given them (`Tables.model` says why); float32 holds whole numbers below 2²⁴."""
    return (np.asarray(pmfs) - 1).astype(np.float32)


def checksum(indexes: np.ndarray, means: np.ndarray, *, start: int = 0xFFFF) -> int:
    """16-bit CRC of one block's entropy parameters: scale indexes as uint8, then grid means as little-endian int16.

    `start` is the CRC of what came before.

    `ValueError` if a value does not fit its type: a wrapped value would make different parameters look alike.
    """
    indexes, means = np.asarray(indexes), np.asarray(means)
    if indexes.size and not (indexes.min() >= 0 and indexes.max() <= 255):
        raise ValueError("scale indexes must be 0 to 255")
    if means.size and not (means.min() >= -32768 and means.max() <= 32767):
        raise ValueError("grid means must fit 16 bits")
    crc = binascii.crc_hqx(np.ascontiguousarray(indexes, dtype=np.uint8).tobytes(), start)
    return binascii.crc_hqx(np.ascontiguousarray(means, dtype="<i2").tobytes(), crc)


def _runs(indexes: np.ndarray) -> list[tuple[int, int, int]]:
    """(start, stop, index) of every stretch of equal indexes."""
    if not len(indexes):
        return []
    bounds = [0, *(np.flatnonzero(indexes[1:] != indexes[:-1]) + 1).tolist(), len(indexes)]
    return [(a, b, int(indexes[a])) for a, b in itertools.pairwise(bounds)]


Interval: TypeAlias = "tuple[int, tuple[int, int]]"
"""What coding has come to: how many 32-bit words stand before the open interval, its low end, its width."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader stands behind some symbol; `carried` if the words before the interval have taken a carry out of it."""

    interval: Interval
    carried: bool


class SymbolWriter:
    """Codes symbols in as many calls as it takes; every call may bring tables of its own."""

    def __init__(self) -> None:
        self._encoder = coders.queue.RangeEncoder()

    def write(self, symbols: np.ndarray, indexes: np.ndarray, tables: Tables) -> None:
        """Code `symbols` int[n] in the given order, each with the table its index names; saturates at the support."""
        indexes = tables.check_indexes(indexes)
        symbols = np.asarray(symbols)
        if symbols.shape != indexes.shape or symbols.dtype.kind not in "iu":
            raise ValueError(f"symbols must be {len(indexes)} integers, got {symbols.dtype} {symbols.shape}")
        shifted = (tables.clamp(symbols, indexes) - tables.offsets[indexes]).astype(np.int32)
        for start, stop, index in _runs(indexes):
            model = tables.model(index)
            if model is not None:
                self._encoder.encode(shifted[start:stop], model)

    def write_pmfs(self, symbols: np.ndarray, pmfs: np.ndarray) -> None:
        """Code `symbols` int[n] in the given order, each by its own table of `pmfs` (n, K), integers as `Tables` has them.

        The symbols are 0…K−1, every entry is ≥ 1, every row sums to 2²⁴.
        """
        if len(symbols):
            self._encoder.encode(np.asarray(symbols, np.int32), _FAMILY, _weights(pmfs))

    @property
    def interval(self) -> Interval:
        """What coding has come to: a reader makes a `Place` of it."""
        return self._encoder.pos()

    def payload(self) -> bytes:
        """The shortest byte string that decodes to the symbols when followed by zero bytes; no symbols give no bytes."""
        return _shortest(self._encoder)


def encode_symbols(symbols: np.ndarray, indexes: np.ndarray, tables: Tables) -> bytes:
    """The payload of one call of `SymbolWriter.write`.

    Speed comes from runs of equal indexes (`order` makes at most 64 of them).
    """
    writer = SymbolWriter()
    writer.write(symbols, indexes, tables)
    return writer.payload()


def _shortest(encoder: coders.queue.RangeEncoder) -> bytes:
    """The shortest byte string whose zero-padded value lies in the encoder's final interval.

    The interval is [base·2⁶⁴ + lower, … + range) in units of 2⁻⁽³²·ᵖᵒˢ⁺⁶⁴⁾, where base is what the first `pos` words
    spell before any carry out of the state. The library seals with the point lower + 2³² − 1, which tells whether the
    words it returns have taken that carry.
    """
    words = encoder.get_compressed()
    if not len(words):
        return b""
    position, (lower, width) = encoder.pos()
    base = int.from_bytes(words[:position].astype(">u4").tobytes(), "big") - ((lower + (1 << 32) - 1) >> 64)
    for size in range(2 * _WORD + 1):
        step = 1 << (64 - 8 * size)
        value = -(-lower // step) * step  # the smallest multiple of `step` that is ≥ lower
        if value < lower + width:
            break
    tail = (base << 64) + value
    return tail.to_bytes(_WORD * position + 8, "big").rstrip(b"\0")


def _decoder(data: bytes) -> coders.queue.RangeDecoder:
    """A decoder over `data`, zero-padded to whole words; behind them the library reads zeros too."""
    words = np.frombuffer(data + bytes(-len(data) % _WORD), dtype=">u4").astype(np.uint32)
    return coders.queue.RangeDecoder(words)


class SymbolReader:
    """Reads what a `SymbolWriter` wrote, by the same calls, from its whole payload or from what a cut left of it.

    `complete` says that `data` is the whole payload. Otherwise symbols are given as long as all continuations of `data`
    share them (see above); how many are never falls as bytes are added, and no bytes raise.
    """

    def __init__(self, data: bytes, *, complete: bool) -> None:
        self._data, self._ends = data, (0,) if complete else (0, 0xFF)
        self._low = _decoder(data)
        self._high = None if complete else _decoder(data + _GUARD)

    def read(self, indexes: np.ndarray, tables: Tables) -> np.ndarray:
        """The next symbols (int32), each by the table its index names; fewer than there are indexes where the bytes end.

        Nothing can be read after that. `CorruptStream` if no encoder can have written a whole payload.
        """
        indexes = tables.check_indexes(indexes)
        symbols = np.zeros(len(indexes), dtype=np.int32)
        for start, stop, index in _runs(indexes):
            model = tables.model(index)
            offset = int(tables.offsets[index])
            if model is None:
                symbols[start:stop] = offset
                continue
            known = self._next(functools.partial(_alike, model), stop - start)
            symbols[start : start + len(known)] = known + offset
            if len(known) < stop - start:
                return symbols[: start + len(known)]
        return symbols

    def place(self, interval: Interval) -> Place:
        """Where this reader stands, from which others of the same payload can go on.

        `interval` is that of a writer which wrote exactly what this reader has read.
        """
        return Place(interval, self._window(interval[0], 0) < interval[1][0])

    def reaches(self, place: Place) -> bool:
        """Whether these bytes determine every symbol up to a place in the same payload."""
        word, (low, width) = place.interval
        low -= place.carried << 64
        return len(self._data) >= _WORD * word and all(
            low <= self._window(word, end) < low + width for end in self._ends
        )

    def seek(self, place: Place) -> None:
        """Go on from a place that these bytes reach."""
        for decoder in (self._low, self._high):
            if decoder is not None:
                decoder.seek(*place.interval)

    def _window(self, word: int, end: int) -> int:
        """64 bits of the payload from a word on, and behind its end bytes of `end`."""
        return int.from_bytes(self._data[_WORD * word :][:8].ljust(8, bytes([end])), "big")

    def read_pmfs(self, pmfs: np.ndarray) -> np.ndarray:
        """The next symbols (int32), each by its own table of `pmfs` (n, K); otherwise as `read`."""
        if not len(pmfs):
            return np.zeros(0, np.int32)
        return self._next(functools.partial(_each_its_own, _weights(pmfs)), len(pmfs))

    def _next(self, take: _Take, count: int) -> np.ndarray:
        """Up to `count` symbols, as far as the bytes determine them."""
        if self._high is not None:
            return _common(self._low, self._high, take, count)
        try:
            return take(self._low, 0, count)
        except AssertionError:  # the library's word for bits that no encoder writes with these tables
            raise CorruptStream("a payload does not decode with its tables", offset=0) from None


def decode_symbols(data: bytes, indexes: np.ndarray, tables: Tables, complete: bool) -> tuple[np.ndarray, int]:
    """Decode a payload, or what a prefix of it determines: (symbols int32[n], n_valid); `symbols[n_valid:]` are 0.

    `complete` says that `data` is the whole payload: then n_valid = n, or `CorruptStream` if no encoder can have
    written it. Otherwise n_valid is the number of leading symbols that `SymbolReader` gives.
    """
    known = SymbolReader(data, complete=complete).read(indexes, tables)
    symbols = np.zeros(len(indexes), dtype=np.int32)
    symbols[: len(known)] = known
    return symbols, len(known)


_Take = Callable[[Any, int, int], np.ndarray]
"""Decodes the symbols start…stop of a call with a decoder."""


def _each_its_own(weights: np.ndarray, decoder, start: int, stop: int) -> np.ndarray:
    """The symbols start…stop, each of its own table."""
    return decoder.decode(_FAMILY, weights[start:stop])


def _alike(model, decoder, start: int, stop: int) -> np.ndarray:
    """The symbols start…stop of one table."""
    return decoder.decode(model, stop - start)


def _common(low, high, take: _Take, count: int) -> np.ndarray:
    """The leading symbols, at most `count`, on which both decoders agree."""
    parts, done, chunk = [], 0, _FIRST_CHUNK
    while done < count:
        stop = min(done + chunk, count)
        a, b = _up_to(low, take, done, stop), _up_to(high, take, done, stop)
        shared = min(len(a), len(b))
        differ = np.flatnonzero(a[:shared] != b[:shared])
        agreed = int(differ[0]) if len(differ) else shared
        parts.append(a[:agreed])
        if done + agreed < stop:
            break
        done = stop
        chunk *= 2
    return np.concatenate(parts)


def _up_to(decoder, take: _Take, start: int, stop: int) -> np.ndarray:
    """The symbols start…stop; fewer where the bits turn out to be none that an encoder writes.

    On failure the library returns nothing at all, so the good part is found again from a copy, by halving.
    """
    saved = decoder.clone()
    try:
        return take(decoder, start, stop)
    except AssertionError:
        pass
    good = [np.zeros(0, dtype=np.int32)]
    size = 1 << ((stop - start).bit_length() - 1)
    while size:
        trial = saved.clone()
        if start + size <= stop:
            try:
                good.append(take(trial, start, start + size))
                saved, start = trial, start + size
            except AssertionError:
                pass
        size //= 2
    return np.concatenate(good)
