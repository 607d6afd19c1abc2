"""Faults put into the house one at a time, to see that its tests find them: `python -m tools.mutants [ROOM …]`.

Three or so a room: a sign, a level, a rounding, a bound. Each is put into a copy of the checkout, where a file of
its room's tests runs until one fails. A fault that no test finds is said by name, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
CODE = ("hiercodec", "tests", "tools", "pages", "app.py", "pyproject.toml", "conftest.py")
"""What is copied; all else is linked."""


@dataclass(frozen=True)
class Mutant:
    """A fault: in the file `path` of `room`, `old` (which stands there once) becomes `new`; `tests` have to find it."""

    room: str
    what: str
    path: str
    old: str
    new: str
    tests: str


def mutants() -> Iterator[Mutant]:
    """Every fault, room by room."""
    for room, faults in FAULTS.items():
        for what, path, old, new, tests in faults:
            yield Mutant(room, what, f"hiercodec/{path}", old, new, f"tests/{tests}")


FAULTS = {
    "stream": [
        ("a section's CRC forgets what came before it", "stream/container.py", "crc = binascii.crc_hqx(body, crc)",
         "crc = binascii.crc_hqx(body, 0xFFFF)", "stream/test_stream_container.py"),
        ("a cut payload is taken for a whole one", "stream/coder.py", r'_GUARD = b"\xff" * (8 * _WORD)',
         r'_GUARD = b"\x00" * (8 * _WORD)', "stream/test_stream_coder.py"),
        ("scales are rounded down instead of to the nearest", "stream/tables.py", "round(math.sqrt(a * b), 12) for a, b",
         "round(b, 12) for a, b", "stream/test_stream_tables.py"),
        ("a length may have five bytes", "stream/header.py", "for i in range(4):", "for i in range(5):",
         "stream/test_stream_container.py"),
    ],
    "models": [
        ("the coding path computes in float32", "models/channels/coding.py", """.cpu().double().eval().requires_grad_(False)
        self.z_tables, self._order = z_tables, order
        self.medians = torch.from_numpy(np.asarray(medians, np.float64))""", """.cpu().eval().requires_grad_(False)
        self.z_tables, self._order = z_tables, order
        self.medians = torch.from_numpy(np.asarray(medians, np.float32))""", "models/channels/test_codec.py"),
        ("means are cut off instead of rounded", "models/channels/blocks.py", "torch.round(mu * MEAN_STEPS)",
         "torch.trunc(mu * MEAN_STEPS)", "models/test_golden.py"),
        ("symbols stand in the opposite order", "models/channels/order.py", "SCALE_LEVELS - 1 - indexes,", "indexes,",
         "models/test_registry.py"),
        ("a later block is not corrected", "models/channels/entropy.py", "scale + d_scale, mean + d_mean", "scale, mean",
         "models/test_golden.py"),
        ("refinements are added at twice their size", "models/channels/linear.py", "y_hat[:, : len(components)] / gain",
         "2 * y_hat[:, : len(components)] / gain", "models/channels/test_linear.py"),
        ("a lifting step of the wavelet has the wrong sign", "models/wave/wavelet.py", "even = even + BETA *",
         "even = even - BETA *", "models/wave/test_wavelet.py"),
    ],
    "images": [
        ("EXIF orientation is ignored", "images/reading.py", "rgb if turn is None else rgb.transpose(turn)", "rgb",
         "test_images.py"),
        ("16-bit samples are cut off instead of rounded", "images/reading.py", "+ 128) // 257", ") // 257",
         "test_images.py"),
        ("what is transparent becomes black", "images/reading.py", 'Image.new("RGB", rgb.size, WHITE)',
         'Image.new("RGB", rgb.size)', "test_images.py"),
    ],
    "taxonomy": [
        ("depth counts edges instead of nodes in WUP", "taxonomy/similarity.py",
         "depth = graph.max_depth[lcs].astype(np.float64) + 1", "depth = graph.max_depth[lcs].astype(np.float64)",
         "taxonomy/test_wordnet.py"),
        ("similarity inside groups counts a class with itself", "taxonomy/measures.py",
         "(sums.diagonal() - groups.T @ symmetric.diagonal()) / 2", "sums.diagonal() / 2", "taxonomy/test_measures.py"),
        ("a cut lies one level too deep", "taxonomy/cuts.py", "path[min(depth, len(path) - 1)]",
         "path[min(depth + 1, len(path) - 1)]", "taxonomy/test_wordnet.py"),
    ],
    "classify": [
        ("the likeliest group stands last", "classify/probabilities.py", 'np.argsort(-q, kind="stable")',
         'np.argsort(q, kind="stable")', "classify/test_probabilities.py"),
        ("confidence falls as the file grows", "classify/confidence.py", "c * np.log(np.clip(share, 1e-3, 1))",
         "-c * np.log(np.clip(share, 1e-3, 1))", "classify/test_confidence.py"),
        ("label and pixels are added, not multiplied", "classify/fusion.py",
         "mass = np.exp(z - z.max(-1, keepdims=True))", "mass = z - z.min(-1, keepdims=True)", "classify/test_fusion.py"),
    ],
    "evaluation": [
        ("PSNR has the wrong sign", "evaluation/metrics.py", "10 * math.log10(PEAK**2 / mse)",
         "10 * math.log10(mse / PEAK**2)", "evaluation/test_metrics.py"),
        ("a Bjøntegaard delta compares the other way round", "evaluation/metrics.py", "(areas[1] - areas[0])",
         "(areas[0] - areas[1])", "evaluation/test_metrics.py"),
        ("bits of meaning count a confident mistake below nothing", "evaluation/metrics.py", "min(max(bits, 0.0),",
         "min(bits,", "evaluation/test_meaning.py"),
        ("a rule stops one step late", "evaluation/traces/trace.py", "enumerate(sure) if p >= until.threshold",
         "enumerate(sure) if p > until.threshold + 0.05", "evaluation/traces/test_until.py"),
    ],
    "training": [
        ("a distribution is compared with itself", "training/codec/loss.py", "ce.append(-(target * mass",
         "ce.append(-(mass * mass", "training/codec/test_loss.py"),
        ("crops are mirrored up and down", "training/data.py", "piece[:, ::-1]", "piece[::-1]", "training/test_data.py"),
        ("every process trains on the first one's crops", "training/data.py", "slice(rank * batch, (rank + 1) * batch)",
         "slice(0, batch)", "training/test_data.py"),
    ],
    "figures": [
        ("a codec is drawn in another's colour", "figures/rates.py", "p.group(number), (names or {})",
         "p.group(number + 1), (names or {})", "figures/test_rates_figures.py"),
        ("published curves are drawn at their rates", "figures/rates.py", "y=[y for _, y in points],",
         "y=[x for x, _ in points],", "figures/test_rates_figures.py"),
        ("a gap's interval is drawn the wrong way round", "figures/rates.py", '"arrayminus": value - low',
         '"arrayminus": high - value', "figures/test_rates_figures.py"),
    ],
    "ui": [
        ("right is called wrong", "report/glossary.py", "same = group in trace.measure_of(level)",
         "same = group not in trace.measure_of(level)", "ui/test_answers.py"),
        ("almost certain is called certain", "report/answers.py", 'return ">99 %" if 0.99 < p < 1 else', "return",
         "ui/test_answers.py"),
        ("kilobytes are called bytes", "report/answers.py", "if n < 1000:", "if n < 100_000:", "test_doctests.py"),
    ],
    "pages": [
        ("a step in the address counts from 0", "ui/frame/state.py", "remember(STEP, index + 1)", "remember(STEP, index)",
         "ui/test_state.py"),
        ("another level is drawn than the chosen one", "ui/results/curves.py", "lines = _lines(choice, names, right(level))",
         "lines = _lines(choice, names, right(next(iter(choice.levels))))", "pages/test_results.py"),
        ("a mistake is looked for the wrong way round", "ui/failures/gallery.py", "truth, taken = pairs[pair]",
         "taken, truth = pairs[pair]", "pages/test_failures.py"),
        ("the address has another name for an open group", "ui/groups/structure.py", 'OPEN, CHART = "open", "tree_chart"',
         'OPEN, CHART = "node", "tree_chart"', "pages/test_groups.py"),
    ],
    "workers": [
        ("work after closing waits for ever", "workers/pool.py", 'ticket.told("error", WorkerDied(CLOSED))', "pass",
         "workers/test_pool.py"),
        ("there may be one worker too many", "workers/pool.py", "if self._alive < self.size and",
         "if self._alive <= self.size and", "workers/test_pool.py"),
        ("the time that waiting takes is not told", "workers/ticket.py", 'about {max(1, round(self.seconds))} s"',
         'about 1 s"', "test_doctests.py"),
    ],
    "cli": [
        ("a cut file is called complete", "cli/files.py", '"truncated": 3', '"truncated": 0', "cli/test_cli_files.py"),
        ("an option's second value is lost", "cli/base.py", "out += [flag] if values else []", "out += []",
         "cli/test_cli_files.py"),
        ("a share is told as if it were per cent", "cli/base.py", "{100 * share:.1f} %", "{share:.1f} %",
         "cli/test_cli_files.py"),
    ],
    "api": [
        ("every level is cut at the first", "stream/container.py", "    return cuts[level]\n",
         "    return min(cuts.values())\n", "test_front_door.py"),
        ("WUP is always NLTK's", "api.py", "wup_matrix(measure)", 'wup_matrix("nltk")', "test_front_door.py"),
        ("an error is no error of ours", "errors.py", "class NotRGB(ImageError)", "class NotRGB(Exception)",
         "test_front_door.py"),
    ],
}  # fmt: skip
"""Room → (what is wrong, file, what stands there, what shall stand there, tests that have to find it)."""


def house(folder: Path) -> None:
    """A copy of the checkout to put faults into: code copied, everything else linked."""
    for path in ROOT.iterdir():
        target = folder / path.name
        if path.name in CODE:
            skip = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, target, ignore=skip, symlinks=True) if path.is_dir() else shutil.copy(path, target)
        elif not path.name.startswith("."):
            target.symlink_to(path)


def first_failure(tests: str, folder: Path, seconds: int) -> str:
    """The first of the tests that fails, "a hang", or "" where all pass."""
    command = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", "-m", "not browser and not slow", tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return "a hang"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode and not failed:
        return f"an exit code of {done.returncode}"
    return failed[0].split(" - ")[0].split(" ", 1)[1] if failed else ""


def found(mutant: Mutant, folder: Path, seconds: int) -> str:
    """What finds the fault in the copy, as `first_failure` says it."""
    path = folder / mutant.path
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return first_failure(mutant.tests, folder, seconds)
    finally:
        path.write_text(sound, encoding="utf-8")


def main() -> int:
    """Put every fault in, one at a time."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(FAULTS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=600, help="after which a run counts as a hang (default 600)")
    args = parser.parse_args()
    survived, chosen = [], [m for m in mutants() if not args.rooms or m.room in args.rooms]
    with tempfile.TemporaryDirectory() as name:
        house(Path(name))
        for tests in sorted({mutant.tests for mutant in chosen}):
            if by := first_failure(tests, Path(name), args.seconds):
                sys.exit(f"{by} fails without any fault: mend that first")
        for mutant in tqdm(chosen, unit="fault", disable=None):
            start = time.monotonic()
            by = found(mutant, Path(name), args.seconds)
            print(f"{mutant.room}: {mutant.what}: {by or 'NOT FOUND'} ({time.monotonic() - start:.0f} s)", flush=True)
            survived += [] if by else [mutant]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} faults found")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
