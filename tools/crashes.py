"""Kill commands at random moments: `python -m tools.crashes [--kills 50] [--seed 0] [--record]`.

encode, decode, evaluate and train each run once undisturbed; then they are started again and again and killed (SIGKILL)
at a random moment of the processor time that this took, which a busy machine does not stretch. After every kill the output
is either not there or byte for byte that of the undisturbed run, and no file besides is half. evaluate and train go on with
`--resume` from kill to kill, and end with the results of the run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from safetensors import safe_open
from tqdm import tqdm

from tests.models.tiny import smooth_photo
from tools.report import ROOT, record

LEFT_BEHIND = ".tmp"
"""What a killed write may leave: its temporary file, hidden, beside what it was to replace."""

TICK = 0.005
"""Seconds between two looks at a command that is to be killed."""

TIMES = ("seconds", "ms_per_photo", "crops_per_s", "date")
"""Fields of results that say how long something took, so that no two runs agree on them."""

TRAIN = """
name = "t"
photos = [{photos}]
out = "."
changes = {{ n = 8, n_hyper = 4, width = 16, delta_width = 8 }}
crop = 32
batch = 2
steps = 60
warmup = 2
threads = 1
log_every = 5
save_every = 5
validate_every = 30
validate_photos = 2
holdout = 0.2
accelerator = "cpu"
"""


@dataclass(frozen=True)
class Job:
    """A command, the file it makes, how one reads a result, and whether it goes on where it was killed."""

    arguments: list[str]
    output: str
    read: Callable[[Path], Any]
    resumes: bool = False
    whole: Callable[[Path], None] = lambda folder: None


@dataclass
class Found:
    """What the kills of one command did."""

    kills: int = 0
    early: int = 0
    there: int = 0
    left: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


def digest(path: Path) -> str:
    """What a file is, byte for byte."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def results(path: Path) -> Any:
    """The figures of a results file, without what says how long they took."""
    if path.suffix == ".parquet":
        import pyarrow.parquet

        frame = pyarrow.parquet.read_table(path).to_pandas()
        return frame.drop(columns=[name for name in TIMES if name in frame]).to_json()
    return _timeless(json.loads(path.read_text(encoding="utf-8")))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(part) for key, part in value.items() if key not in TIMES}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def weights(path: Path) -> str:
    """All tensors of a model file."""
    with safe_open(str(path), framework="np") as file:
        names = sorted(file.keys())
        return hashlib.sha256(b"".join(name.encode() + file.get_tensor(name).tobytes() for name in names)).hexdigest()


def readable_checkpoint(folder: Path) -> None:
    """A checkpoint that is there is whole, and so is every line of the log but the last."""
    for path in folder.rglob("*.safetensors"):
        weights(path)
    for path in folder.rglob("log.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines()[:-1]:
            json.loads(line)


def jobs(folder: Path) -> dict[str, Job]:
    """The commands to be killed, on pictures made in `folder`."""
    rng = np.random.default_rng(0)
    photos = folder / "photos"
    photos.mkdir()
    for i in range(6):
        Image.fromarray(smooth_photo(rng, 64, 80)).save(photos / f"{i}.png")
    photo, coded, config = str(photos / "0.png"), folder / "in.hc", folder / "t.toml"
    subprocess.run(_command(["encode", photo, str(coded)]), check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    config.write_text(TRAIN.format(photos=json.dumps(str(photos))), encoding="utf-8")
    evaluate = ["evaluate", str(photos), "--codec", "jpeg", "--classifier", "none", "--cuts", "2"]
    rows = (
        "--resume" in subprocess.run(_command(["evaluate", "--help"]), capture_output=True, text=True, cwd=ROOT).stdout
    )
    name = "results.parquet" if rows else "results.json"
    return {
        "encode": Job(["encode", photo, "out.hc"], "out.hc", digest),
        "decode": Job(["decode", str(coded), "out.png"], "out.png", digest),
        "evaluate": Job([*evaluate, "--out", name, *(["--workers", "1"] if rows else [])], name, results, resumes=rows),
        "train": Job(["train", str(config)], "t/t.safetensors", weights, resumes=True, whole=readable_checkpoint),
    }


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "hiercodec", *arguments]


def start(job: Job, folder: Path, *, resume: bool = False) -> subprocess.Popen[bytes]:
    """The command in `folder`, a process group of its own."""
    arguments = [*job.arguments, *(["--resume"] if resume and job.resumes else [])]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(_command(arguments), cwd=folder, env=environment, start_new_session=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip


def killed(child: subprocess.Popen[bytes], after: float) -> bool:
    """SIGKILL to the command and all its processes after so many seconds on a processor; False if it had ended before."""
    process = psutil.Process(child.pid)
    while child.poll() is None:
        times = process.cpu_times()
        if times.user + times.system >= after:
            os.killpg(child.pid, signal.SIGKILL)
            break
        time.sleep(TICK)
    child.communicate()
    return child.returncode == -signal.SIGKILL


def trial(
    job: Job, kills: int, moments: random.Random, folder: Path, tick: Callable[[], object] = lambda: None
) -> Found:
    """Run once, then kill so often; what was there before a kill is the old file or, after it, the new one."""
    calm, found = folder / "calm", Found()
    calm.mkdir(parents=True)
    before = os.times()
    child = start(job, calm)
    errors = child.communicate()[1].decode(errors="replace")
    if child.returncode:
        raise SystemExit(f"{job.arguments[0]} fails undisturbed: {errors[-2000:]}")
    after = os.times()
    duration = after.children_user + after.children_system - before.children_user - before.children_system
    expected = job.read(calm / job.output)
    where, going = folder / "0", False
    where.mkdir()
    for number in range(1, kills + 1):
        if killed(start(job, where, resume=going), moments.uniform(0, duration)):
            found.kills += 1
        else:
            found.early += 1
        going = job.resumes
        _check(job, where, expected, found)
        if (where / job.output).exists() or not job.resumes:
            where, going = folder / str(number), False
            where.mkdir()
        tick()
    if job.resumes:
        last = start(job, where, resume=going)
        errors = last.communicate()[1].decode(errors="replace")
        if last.returncode or job.read(where / job.output) != expected:
            found.wrong.append(f"resumed to something else: {errors[-500:]}")
        else:
            found.resumed += 1
    return found


def _check(job: Job, where: Path, expected: Any, found: Found) -> None:
    output = where / job.output
    try:
        if output.exists():
            found.there += 1
            if job.read(output) != expected:
                found.wrong.append("an output that is not that of a whole run")
            found.resumed += job.resumes
        job.whole(where)
    except Exception as error:
        found.wrong.append(f"a half file: {error!r}")
    rest = list(where.rglob(f"*{LEFT_BEHIND}"))
    found.left += len(rest)
    if any(not path.name.startswith(".") for path in rest):
        found.wrong.append(f"temporary files in sight: {rest}")


def main() -> int:
    """Kill, tell, record."""
    parser = argparse.ArgumentParser(prog="python -m tools.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="of every command (default 50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=("encode", "decode", "evaluate", "train"))
    parser.add_argument("--record", action="store_true", help="enter the figures into the report")
    args = parser.parse_args()
    told: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        every = jobs(Path(temporary))
        names = args.only or list(every)
        with tqdm(total=args.kills * len(names), unit="kill", disable=None) as bar:
            for name in names:
                found = trial(every[name], args.kills, random.Random(args.seed), Path(temporary) / name, bar.update)
                told[name] = vars(found)
                print(f"{name}: {told[name]}", flush=True)
    if args.record:
        record("crashes", {"commands": told})
    return 1 if any(row["wrong"] for row in told.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
