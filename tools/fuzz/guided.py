"""Coverage-guided fuzzing with atheris: `python -m tools.fuzz.guided --seconds 600 [libFuzzer's options]`.

Needs `pip install atheris`, which no requirement of ours asks for. Inputs that reach new lines of the stream's and the
codec's code are kept in runs/fuzz/corpus and mutated further; the law is that of `law.py`, every checksum is made right
before half of the inputs are read. A finding is left as runs/fuzz/crash-…; `python -m tools.fuzz.guided FILE` sees it again.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tools.report import record

try:
    import atheris  # pyright: ignore[reportMissingImports]
except ImportError:
    raise SystemExit("coverage-guided fuzzing needs atheris: pip install atheris") from None

with atheris.instrument_imports(include=["hiercodec.stream", "hiercodec.models"]):
    from tools.fuzz.law import measured, outcome
    from tools.fuzz.streams import SEEDS, resealed

HERE = Path("runs/fuzz")
CODECS = ("tiny-lite-v1", "own-5", "synthetic-v1")
LONGEST = 2048


def main() -> None:
    """Fuzz until the time is up. The first byte of an input chooses the codec and whether its checksums are made right."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.guided", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--record", action="store_true", help="enter the figures into the report")
    args, more = parser.parse_known_args()
    if args.record:
        _recorded([f"--seconds={args.seconds}", *more])
    seeds = [SEEDS[name]() for name in CODECS]
    corpus = HERE / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        outcome(seed, seed.data)
        for size in (len(seed.data), len(seed.data) // 2, *seed.ends):
            (corpus / f"{seed.name}-{size}").write_bytes(bytes([2 * i]) + seed.data[:size])

    def read(data: bytes) -> None:
        if not data:
            return
        seed, stream = seeds[data[0] // 2 % len(seeds)], data[1:]
        stream = resealed(stream, seed.ends) if data[0] % 2 else stream
        with measured() as costs:
            outcome(seed, stream)
        assert costs[0].lawful, str(costs[0])

    options = [f"-max_total_time={args.seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={HERE}/", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, *more, *([] if more and Path(more[-1]).is_file() else [str(corpus)])], read)
    atheris.Fuzz()


def _recorded(arguments: list[str]) -> None:
    """Run the fuzzer, which ends its process, as a child, and record what it says at its end."""
    child = subprocess.run([sys.executable, "-m", "tools.fuzz.guided", *arguments], stderr=subprocess.PIPE, text=True)
    print(child.stderr[-2000:], file=sys.stderr)
    done = re.search(r"Done (\d+) runs in (\d+) second", child.stderr)
    lines = re.findall(r"(?:cov|corp): (\d+)", child.stderr)
    runs, seconds = map(int, done.groups()) if done else (0, 0)
    coverage, corpus = map(int, lines[-2:])
    record("guided", {"streams": runs, "duration": seconds, "coverage": coverage, "corpus": corpus,
                      "broken": int(child.returncode != 0)})  # fmt: skip
    raise SystemExit(child.returncode)


if __name__ == "__main__":
    main()
