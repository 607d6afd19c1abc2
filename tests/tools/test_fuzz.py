"""The suite's share of fuzzing: a few seeded mutants of every kind, cuts, and everything that broke something once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hiercodec import stream
from hiercodec.errors import CorruptStream, IncompleteHeader
from tools.fuzz import law
from tools.fuzz.__main__ import cuts, mutants, run
from tools.fuzz.streams import FOUND, SEEDS, Seed, hostile, resealed

QUICK = ("tiny-lite-v1", "tiny-lite-v2", "tiny-wave-v2", "synthetic-v1", "synthetic-own-v1", "own-5", "lite-strip")


@pytest.fixture(scope="module")
def seeds() -> list[Seed]:
    return [SEEDS[name]() for name in QUICK]


def test_every_seed_is_sound_and_they_cover_what_is_there(seeds):
    assert [law.outcome(seed, seed.data) for seed in seeds] == ["complete"] * len(seeds)
    assert {1, 0x85} <= {seed.parsed.header.plan_id for seed in seeds}
    assert {"lite", "wave", "tiny-tic", "own-15"} <= set(SEEDS)


def test_mutants_obey_the_law(seeds):
    outcomes, dearest, broken = run(mutants(seeds, 300, seed=0))
    assert not broken
    assert sum(outcomes.values()) == 300
    assert {"CorruptStream", "ParameterDesync", "prefix", "complete"} <= set(outcomes), "mutants get to every depth"
    assert dearest["work"][1].lawful


def test_the_same_numbers_make_the_same_mutants(seeds):
    one, other = ([data for _, _, data in mutants(seeds, 20, seed=3, first=5)] for _ in range(2))
    assert one == other
    assert one[3] == next(mutants(seeds, 1, seed=3, first=8))[2]


def test_cuts_obey_the_law_and_each_is_the_cut_of_the_whole(seeds):
    seed = seeds[0]
    whole = seed.codec.prefixes(seed.data)
    for _, _, data in itertools.islice(cuts([seed]), 0, None, 19):
        if law.outcome(seed, data) == "prefix":
            mine, other = seed.codec.prefixes(data).latent(), whole.latent(len(data))
            assert mine[0].equal(other[0])
            assert mine[1:3] == other[1:3]


def test_the_law_sees_what_is_against_it(seeds, monkeypatch):
    """An untyped error, a check that is not made, a level that is not there, slow work."""
    seed = seeds[0]
    case = [("case", seed, seed.data)]
    for target, name, wrong in (
        (stream.container, "parse", lambda *a: 1 / 0),
        (seed.codec, "synthesise", lambda y, header: np.zeros((1, 1, 3), np.uint8)),
        (law, "SECONDS", 0.0),
        (law, "MEGABYTES", -1.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, wrong)
            if name == "parse":
                patch.setattr(stream, "parse", wrong)
            assert len(run(case)[2]) == 1, name
    assert not run(case)[2]


def test_resealed_damage_passes_every_checksum(seeds):
    seed = seeds[0]
    damaged = bytearray(seed.data)
    damaged[seed.parsed.blocks[1].offset + 3] ^= 0x40
    with pytest.raises(CorruptStream, match="damaged"):
        stream.parse(bytes(damaged))
    assert stream.parse(resealed(bytes(damaged), seed.ends)).complete
    with pytest.raises(IncompleteHeader):
        stream.parse(resealed(seed.data[:9], seed.ends))


def test_an_encoder_that_means_harm_gets_past_the_checks(seeds):
    """Noise with the right checks reaches the networks: otherwise the fuzzer would only ever test checksums."""
    outcomes = {law.outcome(seeds[0], hostile(seeds[0], np.random.default_rng(i))) for i in range(20)}
    assert "complete" in outcomes
    assert "ParameterDesync" not in outcomes


@pytest.mark.parametrize("path", sorted(FOUND.glob("*.hc")), ids=lambda path: path.stem)
def test_what_broke_something_once_is_lawful(path):
    seed = SEEDS[path.stem.rpartition("-")[0]]()
    assert not run([(path.stem, seed, path.read_bytes())])[2]
