from __future__ import annotations

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hiercodec import stream
from hiercodec.stream import tables as module


def test_scales_are_geometric_and_end_where_the_format_says():
    scales = stream.scale_table()
    assert scales.dtype == np.float64
    assert len(scales) == stream.SCALE_LEVELS == 64
    assert (scales[0], scales[-1]) == (0.11, 64.0)
    np.testing.assert_allclose(scales, np.geomspace(0.11, 64, 64), rtol=1e-10)


def test_scale_indexes_name_the_nearest_scale():
    scales = stream.scale_table()
    assert stream.scale_indexes(scales).tolist() == list(range(64))
    assert stream.scale_indexes(np.array([0.0, 1e9])).tolist() == [0, 63]
    sigma = np.exp(np.random.default_rng(0).uniform(-2, 4, 1000))
    nearest = np.abs(np.log(sigma[:, None] / scales)).argmin(1)
    np.testing.assert_array_equal(stream.scale_indexes(sigma), nearest)


def test_gaussian_tables_are_pinned():
    assert (
        stream.gaussian_tables().digest()
        == module.GAUSSIAN_DIGEST
        == "c54b493049130724121537d959786692c38f1ca758746b7838b947dee8b7258f"
    )


def test_another_platforms_tables_are_refused(monkeypatch):
    monkeypatch.setattr(module, "GAUSSIAN_DIGEST", "0" * 64)
    with pytest.raises(RuntimeError, match="Gaussian tables"):
        module.gaussian_tables.__wrapped__()


def test_gaussian_tables_agree_with_scipy_to_a_unit():
    tables = stream.gaussian_tables()
    for scale, offset, pmf in zip(stream.scale_table(), tables.offsets, tables.pmfs, strict=True):
        radius = -int(offset)
        assert radius == max(64, int(np.ceil(8 * scale)))
        assert pmf.sum() == module.TOTAL
        assert pmf.min() >= 1
        np.testing.assert_array_equal(pmf, pmf[::-1])
        k = np.arange(1, radius + 1)
        expected = (norm.sf((k - 0.5) / scale) - norm.sf((k + 0.5) / scale)) * (module.TOTAL - len(pmf)) + 1
        assert np.abs(pmf[radius + 1 :] - expected).max() <= 0.5 + 1e-6


def test_no_table_value_lies_near_a_rounding_boundary():
    """An erfc that is off by 1e-13 (hundreds of ulps) must still give the same integers."""
    for scale in stream.scale_table():
        weights = module.gaussian_weights(float(scale))
        share = np.delete(weights, len(weights) // 2) * (module.TOTAL - len(weights))
        margin = np.abs(share - np.floor(share) - 0.5)
        assert (margin > 1e-13 * share + 1e-12).all()


def test_what_the_tables_cost_over_the_gaussian_itself():
    """Expected bits under the table against the entropy of the exact discrete Gaussian: < 0.05 % + 2e-4 bit."""
    for scale, pmf in zip(stream.scale_table(), stream.gaussian_tables().pmfs, strict=True):
        exact = module.gaussian_weights(float(scale))
        entropy = -(exact[exact > 0] * np.log2(exact[exact > 0])).sum()
        cost = (exact * (24 - np.log2(pmf))).sum()
        assert -1e-9 < cost - entropy < 2e-4 + 5e-4 * entropy


def test_the_library_works_on_our_integers():
    """Read every boundary of a table back out of constriction: a symbol owns [cdf[i], cdf[i+1]) · scale and no more."""
    rng = np.random.default_rng(0)
    wild = rng.integers(1, 4000, 200)
    wild[[3, 4, 5]] = 1
    wild[-1] += module.TOTAL - wild.sum()
    gaussian = stream.gaussian_tables()
    cases = [(stream.Tables.from_pmfs([(0, wild)]), 0), (gaussian, 0), (gaussian, 20), (gaussian, 63)]
    cases.append((stream.Tables.from_pmfs([(0, [1, module.TOTAL - 1])]), 0))
    scale = ((1 << 64) - 1) >> 24
    for tables, index in cases:
        cdf = np.concatenate([[0], np.cumsum(tables.pmfs[index])]).tolist()
        for symbol in range(len(cdf) - 1):
            for point in (cdf[symbol] * scale, cdf[symbol + 1] * scale - 1):
                words = np.array([point >> 32, point & 0xFFFFFFFF], dtype=np.uint32)
                decoder = constriction.stream.queue.RangeDecoder(words)
                assert decoder.decode(tables.model(index), 1)[0] == symbol


def test_clamp_saturates_at_the_support():
    tables = stream.gaussian_tables()
    indexes = np.array([[0, 0, 63], [63, 0, 63]], dtype=np.uint8)
    symbols = np.array([[70, -70, 70], [-9999, 64, 512]])
    clamped = tables.clamp(symbols, indexes)
    assert clamped.dtype == np.int32
    assert clamped.tolist() == [[64, -64, 70], [-512, 64, 512]]


def test_bits_are_those_of_the_pmf():
    tables = stream.Tables.from_pmfs([(-1, [1, 2, 1]), (5, [1 << 24]), (0, [1, 7])])
    bits = tables.bits(np.array([-1, 0, 5, 0, 1, 9]), np.array([0, 0, 1, 2, 2, 2]))
    np.testing.assert_allclose(bits, [2, 1, 0, 3, 3 - np.log2(7), 3 - np.log2(7)])


@pytest.mark.parametrize(
    "pmfs",
    [[], [(0, [])], [(0, [0, 16])], [(0, [3, 2])], [(0, [1 << 24, 1])], [(1 << 40, [1, 1])], [(0, [[1, 1]])]],
)
def test_impossible_tables_are_refused(pmfs):
    with pytest.raises(ValueError, match=r"pmf|entries"):
        stream.Tables.from_pmfs(pmfs)


def test_an_index_without_a_table_is_refused():
    tables = stream.Tables.from_pmfs([(0, [1, 1])])
    for indexes in ([0, 1], [-1], [0.0], [[0]]):
        with pytest.raises(ValueError, match="indexes must be"):
            stream.decode_symbols(b"", np.array(indexes), tables, False)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=300).filter(lambda w: sum(w) > 0))
def test_quantize_pmf_gives_a_table(weights):
    pmf = stream.quantize_pmf(np.array(weights))
    assert pmf.min() >= 1
    assert pmf.sum() == module.TOTAL
    share = np.array(weights) / sum(weights) * (module.TOTAL - len(weights))
    assert np.abs(pmf - 1 - share).max() < 1 + 1e-6
    stream.Tables.from_pmfs([(0, pmf)])


@pytest.mark.parametrize("weights", [[], [0.0, 0.0], [-1.0, 2.0], [np.nan], [np.inf], [[1.0]]])
def test_quantize_pmf_refuses_what_is_no_pmf(weights):
    with pytest.raises(ValueError, match=r"pmf|weights"):
        stream.quantize_pmf(np.array(weights))
