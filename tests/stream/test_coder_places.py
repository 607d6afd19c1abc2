"""Places: a reader that goes on from one gives what a reader from the start gives, at every cut."""

import numpy as np
import pytest

from hiercodec.stream import SymbolReader, SymbolWriter

TOTAL = 1 << 24
CARRYING = 0


def runs(rng, count=40, size=10):
    """Runs of symbols with tables of their own, some of them nearly certain."""
    for _ in range(count):
        zero = (TOTAL * rng.uniform(0.02, 0.999, size)).astype(np.int64)
        plus = ((TOTAL - zero) * rng.uniform(0.1, 0.9, size)).astype(np.int64)
        pmfs = np.maximum(1, np.stack([zero, plus, TOTAL - zero - plus], 1))
        pmfs[:, 0] += TOTAL - pmfs.sum(1)
        u = rng.uniform(0, TOTAL, size)
        yield (u[:, None] > pmfs.cumsum(1)[:, :2]).sum(1).astype(np.int32), pmfs


@pytest.mark.parametrize("seed", [CARRYING, 1, 2])
def test_going_on_from_a_place_is_going_on(seed):
    coded = list(runs(np.random.default_rng(seed)))
    writer, intervals = SymbolWriter(), []
    for symbols, pmfs in coded:
        writer.write_pmfs(symbols, pmfs)
        intervals.append(writer.interval)
    data = writer.payload()
    reader = SymbolReader(data, complete=True)
    places = [(reader.read_pmfs(pmfs), reader.place(end))[1] for end, (_, pmfs) in zip(intervals, coded, strict=True)]
    assert seed != CARRYING or any(place.carried for place in places), "the test needs a carry"
    everything = np.concatenate([symbols for symbols, _ in coded])
    reached = 0
    for n in range(len(data) + 1):
        complete = n == len(data)
        reader = SymbolReader(data[:n], complete=complete)
        plain = []
        for _, pmfs in coded:
            plain.append(reader.read_pmfs(pmfs))
            if len(plain[-1]) < len(pmfs):
                break
        told = np.concatenate(plain)
        assert (told == everything[: len(told)]).all()
        whole = sum(len(part) == len(pmfs) for part, (_, pmfs) in zip(plain, coded, strict=False))
        known = [SymbolReader(data[:n], complete=complete).reaches(place) for place in places]
        assert known == sorted(known, reverse=True)
        assert sum(known) == whole, n
        if whole:
            other = SymbolReader(data[:n], complete=complete)
            other.seek(places[whole - 1])
            rest = [other.read_pmfs(pmfs) for _, pmfs in coded[whole : whole + 1]]
            assert np.array_equal(np.concatenate(rest) if rest else [], plain[whole] if whole < len(plain) else [])
        reached += bool(whole)
    assert reached > len(data) / 2


def test_tables_of_one_s_own_code_at_their_ideal_length():
    rng = np.random.default_rng(5)
    coded = list(runs(rng, 20, 400))
    writer = SymbolWriter()
    for symbols, pmfs in coded:
        writer.write_pmfs(symbols, pmfs)
    ideal = sum((24 - np.log2(pmfs[np.arange(len(symbols)), symbols])).sum() for symbols, pmfs in coded)
    assert len(writer.payload()) * 8 < ideal * 1.001 + 16
