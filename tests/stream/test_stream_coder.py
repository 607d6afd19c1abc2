from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiercodec import stream
from hiercodec.errors import CorruptStream
from tests.stream.conftest import order


def typical(n: int, seed: int, spread: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Symbols and indexes in coding order."""
    rng = np.random.default_rng(seed)
    indexes = stream.scale_indexes(np.exp(rng.normal(-0.8, spread, n)))
    symbols = np.rint(rng.normal(0, stream.scale_table()[indexes])).astype(np.int32)
    rank = order(indexes)
    return stream.gaussian_tables().clamp(symbols, indexes)[rank], indexes[rank]


def common(a: np.ndarray, b: np.ndarray) -> int:
    differ = np.flatnonzero(a != b)
    return int(differ[0]) if len(differ) else len(a)


def random_tables(rng: np.random.Generator) -> stream.Tables:
    sizes = rng.integers(1, 40, rng.integers(1, 6))
    pmfs = [(int(rng.integers(-50, 50)), stream.quantize_pmf(rng.random(n) ** rng.integers(1, 30))) for n in sizes]
    return stream.Tables.from_pmfs(pmfs)


def test_checksum_sees_every_single_change():
    indexes, means = np.array([3, 1, 2], np.uint8), np.array([5, -7, 300], np.int16)
    base = stream.checksum(indexes, means)
    assert 0 <= base <= 0xFFFF
    assert stream.checksum(indexes.astype(np.int64), means.astype(np.float64)) == base
    for i in range(3):
        for delta in (1, -1):
            changed = means.copy()
            changed[i] += delta
            assert stream.checksum(indexes, changed) != base
            changed = indexes.astype(np.int64)  # 0 - 1 is 255 to numpy 1 and an error to numpy 2
            changed[i] += delta
            assert stream.checksum(changed, means) != base
    with pytest.raises(ValueError, match="16 bits"):
        stream.checksum(indexes, means.astype(np.int64) + 40000)
    with pytest.raises(ValueError, match="0 to 255"):
        stream.checksum(indexes.astype(int) - 2, means)


@pytest.mark.parametrize("n", [0, 1, 2, 100, 20_000])
def test_round_trip(n):
    symbols, indexes = typical(n, seed=n)
    tables = stream.gaussian_tables()
    data = stream.encode_symbols(symbols, indexes, tables)
    decoded, valid = stream.decode_symbols(data, indexes, tables, complete=True)
    assert decoded.dtype == np.int32
    assert valid == n
    np.testing.assert_array_equal(decoded, symbols)


@pytest.mark.parametrize("seed", range(150))
def test_round_trip_of_strange_tables_and_short_streams(seed):
    """Near-certain, near-impossible and single-symbol tables, in any order: carries and empty tails included."""
    rng = np.random.default_rng(seed)
    tables = random_tables(rng)
    indexes = rng.integers(0, len(tables), rng.integers(0, 60))
    symbols = tables.clamp(rng.integers(-99, 99, len(indexes)), indexes)
    data = stream.encode_symbols(symbols, indexes, tables)
    np.testing.assert_array_equal(stream.decode_symbols(data, indexes, tables, complete=True)[0], symbols)
    assert len(data) <= tables.bits(symbols, indexes).sum() / 8 + 1.1
    assert not data.endswith(b"\0")
    for k in range(len(data) + 1):
        decoded, valid = stream.decode_symbols(data[:k], indexes, tables, complete=False)
        np.testing.assert_array_equal(decoded[:valid], symbols[:valid])


def test_symbols_outside_the_support_saturate():
    tables = stream.gaussian_tables()
    indexes = np.array([63, 63, 0, 0])
    symbols = np.array([2**31 - 1, -(2**31), 65, -65], dtype=np.int32)
    data = stream.encode_symbols(symbols, indexes, tables)
    decoded, _ = stream.decode_symbols(data, indexes, tables, complete=True)
    assert decoded.tolist() == tables.clamp(symbols, indexes).tolist() == [512, -512, 64, -64]


def test_a_cut_at_every_byte_gives_exact_symbols_and_never_fewer():
    symbols, indexes = typical(3000, seed=1)
    tables = stream.gaussian_tables()
    data = stream.encode_symbols(symbols, indexes, tables)
    bits = np.cumsum(tables.bits(symbols, indexes))
    last = 0
    for k in range(len(data) + 1):
        decoded, valid = stream.decode_symbols(data[:k], indexes, tables, complete=False)
        np.testing.assert_array_equal(decoded[:valid], symbols[:valid])
        assert not decoded[valid:].any()
        assert valid >= last
        # No decoder can know a symbol before its bits are there; this one is at most two bytes behind.
        assert np.searchsorted(bits, 8 * k - 16) <= valid <= np.searchsorted(bits, 8 * k + 0.01, side="right")
        last = valid


@pytest.mark.parametrize("cut", [0, 1, 5, 6, 7, 8, 30])
def test_the_valid_count_is_exactly_what_all_continuations_share(cut):
    symbols, indexes = typical(200, seed=2)
    tables = stream.gaussian_tables()
    prefix = stream.encode_symbols(symbols, indexes, tables)[:cut]
    _, valid = stream.decode_symbols(prefix, indexes, tables, complete=False)
    shared = len(symbols)
    for byte in range(256):
        for tail in (bytes(27), b"\x80\x00\x13" * 9, b"\xff" * 27):
            decoded, n = stream.decode_symbols(prefix + bytes([byte]) + tail, indexes, tables, complete=False)
            shared = min(shared, common(decoded[:n], symbols[:n]))
            assert n >= valid
            np.testing.assert_array_equal(decoded[:valid], symbols[:valid])
    assert shared == valid


def test_what_follows_a_cut_does_not_matter():
    symbols, indexes = typical(2000, seed=5)
    tables = stream.gaussian_tables()
    data = stream.encode_symbols(symbols, indexes, tables)
    rng = np.random.default_rng(0)
    for k in range(0, len(data), 23):
        decoded, valid = stream.decode_symbols(data[:k], indexes, tables, complete=False)
        other, n = stream.decode_symbols(data[:k] + rng.bytes(40), indexes, tables, complete=False)
        assert n >= valid
        np.testing.assert_array_equal(other[:valid], decoded[:valid])


@pytest.mark.parametrize(("n", "floor"), [(81_920, 0.8), (81_920, 0.0), (491_520, 0.8)])
def test_the_code_is_within_a_third_of_a_percent_of_ideal(n, floor):
    """Real Gaussian symbols against their ideal code length under the exact Gaussian, and under the tables."""
    rng = np.random.default_rng(n)
    indexes = stream.scale_indexes(np.where(rng.random(n) < floor, 0.11, np.exp(rng.normal(-0.8, 0.9, n))))
    scales = stream.scale_table()[indexes]
    symbols = np.rint(rng.normal(0, scales)).astype(np.int32)
    rank = order(indexes)
    tables = stream.gaussian_tables()
    size = len(stream.encode_symbols(symbols[rank], indexes[rank], tables))
    assert size <= 1.0003 * tables.bits(symbols, indexes).sum() / 8 + 1
    from scipy.stats import norm

    distance = np.abs(symbols)
    exact = -np.log2(norm.sf((distance - 0.5) / scales) - norm.sf((distance + 0.5) / scales)).sum() / 8
    assert size <= 1.003 * exact + 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 400), st.integers(0, 20))
def test_any_bytes_decode_or_are_corrupt(data, n, seed):
    _, indexes = typical(n, seed)
    tables = stream.gaussian_tables()
    decoded, valid = stream.decode_symbols(data, indexes, tables, complete=False)
    assert 0 <= valid <= n == len(decoded)
    np.testing.assert_array_equal(tables.clamp(decoded, indexes), decoded)
    try:
        whole, count = stream.decode_symbols(data, indexes, tables, complete=True)
    except CorruptStream:
        return
    assert count == n
    np.testing.assert_array_equal(whole[:valid], decoded[:valid])


def test_bits_that_no_encoder_writes_are_corrupt_when_whole_and_a_cut_otherwise():
    """Random bytes reach the sliver that no symbol owns within some ten thousand symbols."""
    _, indexes = typical(50_000, seed=4)
    tables = stream.gaussian_tables()
    data = np.random.default_rng(0).bytes(20_000)
    with pytest.raises(CorruptStream):
        stream.decode_symbols(data, indexes, tables, complete=True)
    _, valid = stream.decode_symbols(data, indexes, tables, complete=False)
    assert 0 < valid < len(indexes)
    stream.decode_symbols(data, indexes[:valid], tables, complete=True)
    with pytest.raises(CorruptStream):
        stream.decode_symbols(data, indexes[: valid + 1], tables, complete=True)


def test_a_damaged_byte_leaves_what_is_before_it():
    symbols, indexes = typical(3000, seed=9)
    tables = stream.gaussian_tables()
    data = stream.encode_symbols(symbols, indexes, tables)
    for k in range(0, len(data), 17):
        before, valid = stream.decode_symbols(data[:k], indexes, tables, complete=False)
        damaged = data[:k] + bytes([data[k] ^ 0x10]) + data[k + 1 :]
        decoded, _ = stream.decode_symbols(damaged, indexes, tables, complete=False)
        np.testing.assert_array_equal(decoded[:valid], before[:valid])


def test_tables_are_shared_between_threads():
    symbols, indexes = typical(5000, seed=11)
    tables = stream.Tables.from_pmfs(zip(stream.gaussian_tables().offsets, stream.gaussian_tables().pmfs, strict=True))
    data = stream.encode_symbols(symbols, indexes, tables)
    results = []

    def work():
        results.append(stream.decode_symbols(data, indexes, tables, complete=True)[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, symbols)


@pytest.mark.parametrize("symbols", [[1.0], [[1]], [1, 2]])
def test_symbols_of_another_shape_or_type_are_refused(symbols):
    with pytest.raises(ValueError, match="symbols must be"):
        stream.encode_symbols(np.array(symbols), np.array([0]), stream.gaussian_tables())
