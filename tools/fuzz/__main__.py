"""Fuzz the decoder: `python -m tools.fuzz --mutants 20000 --seed 0`. Same numbers, same mutants, on any machine.

Every mutant has to obey the law of `law.py`. One that does not is written to `--keep` as a file (`tools/fuzz/found/` is
where the ones that were mended stay, as a regression test), and the command ends with exit code 1.
`--cuts` reads every byte cut of every seed instead. `--stream FILE` fuzzes a stream or picture of one's own.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tools.fuzz.law import Cost, measured, outcome
from tools.fuzz.streams import SEEDS, Seed, given, mutant
from tools.report import record

HANG = 60
Case = tuple[str, Seed, bytes]


def mutants(seeds: list[Seed], count: int, seed: int, first: int = 0) -> Iterator[Case]:
    """(its number, the seed it came from, its bytes), each from its own number alone."""
    for i in range(first, first + count):
        origin, data = mutant(seeds, np.random.default_rng([seed, i]))
        yield f"{origin.name} {seed}:{i}", origin, data


def cuts(seeds: list[Seed]) -> Iterator[Case]:
    """Every byte cut of every seed."""
    for seed in seeds:
        for n in range(len(seed.data) + 1):
            yield f"{seed.name} first {n}", seed, seed.data[:n]


def run(cases: Iterable[Case], keep: Path | None = None) -> tuple[Counter[str], dict[str, tuple[str, Cost]], list[str]]:
    """How often each outcome came, the dearest case of each kind of cost, and what broke the law."""
    outcomes: Counter[str] = Counter()
    dearest: dict[str, tuple[str, Cost]] = {}
    broken: list[str] = []
    for name, seed, data in cases:
        faulthandler.dump_traceback_later(HANG, exit=True)
        problem = None
        with measured() as costs:
            try:
                outcomes[outcome(seed, data)] += 1
            except Exception:
                problem = traceback.format_exc()
        cost = costs[0]
        for kind in ("work", "clock", "memory"):
            if kind not in dearest or getattr(cost, kind) > getattr(dearest[kind][1], kind):
                dearest[kind] = (name, cost)
        if problem is None and not cost.lawful:
            problem = f"cost {cost}"
        if problem is not None:
            broken.append(f"{name}: {problem}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed.name}-{hashlib.sha256(data).hexdigest()[:8]}.hc").write_bytes(data)
    faulthandler.cancel_dump_traceback_later()
    return outcomes, dearest, broken


def main() -> int:
    """Read the arguments, fuzz, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument(
        "--first", type=int, default=0, metavar="I", help="number of the first mutant (to see one again)"
    )
    parser.add_argument("--cuts", action="store_true", help="every byte cut of the seeds instead of mutants")
    parser.add_argument("--only", nargs="+", choices=SEEDS, help="only these seeds")
    parser.add_argument("--stream", type=Path, nargs="+", default=[], metavar="FILE", help="seeds of one's own")
    parser.add_argument("--model", help="the model of --stream, where its fingerprint names no shipped one")
    parser.add_argument(
        "--keep", type=Path, default=Path("runs/fuzz"), metavar="FOLDER", help="for what breaks the law"
    )
    parser.add_argument("--record", action="store_true", help="enter the figures into the report")
    args = parser.parse_args()
    names = args.only or ([] if args.stream else list(SEEDS))
    seeds = [*(SEEDS[name]() for name in names), *(given(path, args.model) for path in args.stream)]
    for seed in seeds:
        assert outcome(seed, seed.data) == "complete"  # and all that is made once is made before anything is measured
    total = sum(len(seed.data) + 1 for seed in seeds) if args.cuts else args.mutants
    cases = cuts(seeds) if args.cuts else mutants(seeds, args.mutants, args.seed, args.first)
    outcomes, dearest, broken = run(tqdm(cases, total=total, disable=None, unit="stream"), args.keep)
    for name, count in outcomes.most_common():
        print(f"{count:7d}  {name}")
    for kind, (name, cost) in dearest.items():
        print(f"most {kind}: {cost}, {name}")
    for problem in broken:
        print(f"BROKEN {problem}")
    print(f"{total} streams of {len(seeds)} seeds, {len(broken)} against the law")
    if args.record:
        work, memory = (dearest[kind][1] for kind in ("work", "memory"))
        record("cuts" if args.cuts else "mutants", {
            "streams": total, "seeds": {seed.name: len(seed.data) for seed in seeds}, "seed": args.seed,
            "outcomes": dict(outcomes.most_common()), "broken": len(broken), "seconds": round(work.work, 3),
            "clock": round(dearest["clock"][1].clock, 3), "megabytes": round(memory.memory, 1),
        })  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
