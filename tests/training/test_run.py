"""The loop itself, on a task of one number: stopping, resuming, keeping what was there, and saying what went wrong."""

from __future__ import annotations

import dataclasses
import errno
import json
import math

import pytest
import torch
from torch import nn

from hiercodec import fsio
from hiercodec.cli.main import main
from hiercodec.errors import ConfigError, OutputError
from hiercodec.training.config import RunConfig
from hiercodec.training.run import Trainer, launch, schedule


class Ruler(torch.utils.data.Dataset):
    """Batch i is the number i."""

    def __getitem__(self, step):
        return torch.tensor([float(step)])


class Fit:
    """Pulls one weight towards three."""

    def __init__(self, config):
        self.config, self.module, self.batches, self.seen = config, nn.Linear(1, 1, bias=False), Ruler(), []

    def groups(self):
        return [{"params": list(self.module.parameters()), "lr": self.config.lr}]

    def initialise(self):
        nn.init.zeros_(self.module.weight)

    def loss(self, model, batch, step):
        assert batch.item() == step
        self.seen.append(step)
        loss = (model(torch.ones(1, 1)) - 3).square().mean() + 0 * torch.rand(())
        return loss, {"loss": loss.detach()}

    def export(self, module, path, progress):
        path.write_text(json.dumps({"weight": module.weight.item(), **progress}))

    def validate(self, path):
        return {"error": abs(json.loads(path.read_text())["weight"] - 3)}

    def summary(self, figures):
        return f"loss {figures['loss']:.1f}"


@pytest.fixture
def config(tmp_path):
    return RunConfig(name="t", out=str(tmp_path), accelerator="cpu", batch=4, steps=40, lr=0.2, warmup=0, ema=0.5,
                     log_every=1, save_every=10, validate_every=20)  # fmt: skip


def trainer(config, **kwargs):
    return Trainer(Fit(config), launch(config), **kwargs)


def records(run):
    return [json.loads(line) for line in run.log_path.read_text().splitlines()]


def test_it_trains_logs_crops_and_exports_the_averaged_weights(config):
    run = trainer(config)
    exported = json.loads(run.run().read_text())
    assert exported["weight"] == pytest.approx(3, abs=0.5)
    assert exported["weight"] != run.raw.weight.item(), "the mean, not the last"
    assert (exported["steps"], exported["crops"]) == (40, 160)
    lines = records(run)
    assert [r["crops"] for r in lines if "loss" in r] == [4 * (i + 1) for i in range(40)]
    assert [r["step"] for r in lines if "validation" in r] == [20, 40]
    assert exported["validation"] == lines[-1]["validation"]


def test_a_stopped_run_goes_on_exactly_where_it_was(config):
    whole = trainer(config)
    whole.run()
    part = dataclasses.replace(config, name="part")
    first = trainer(part)
    first.task.summary = lambda figures: (first.stop() if first.step == 15 else None, "")[1]
    first.run()
    assert first.step == 15
    second = trainer(part, resume=True)
    assert (second.step, second.crops) == (15, 60)
    second.run()
    assert second.task.seen == list(range(15, 40))
    assert torch.equal(second.raw.weight, whole.raw.weight)
    assert torch.equal(second.ema.module.weight, whole.ema.module.weight)
    assert [r["step"] for r in records(second) if "loss" in r] == list(range(1, 41))


def test_out_of_time_stops_with_a_model(config):
    run = trainer(config)
    assert run.run(minutes=0).is_file()
    assert run.checkpoint_path.is_file()
    assert run.step == 0


def test_starting_again_keeps_what_was_there(config, capsys):
    short = dataclasses.replace(config, steps=2)
    for _ in range(3):
        trainer(short).run()
    out = config.run_dir.parent
    assert sorted(p.name for p in out.iterdir()) == ["t", "t.prev", "t.prev1"]
    for name in ("t", "t.prev", "t.prev1"):
        assert (out / name / "last.safetensors").is_file()
        assert len((out / name / "log.jsonl").read_text().splitlines()) == 3
    assert "--resume" in capsys.readouterr().err


def test_a_torn_log_line_is_dropped_on_resuming(config):
    trainer(dataclasses.replace(config, steps=3)).run()
    log = config.run_dir / "log.jsonl"
    log.write_text(log.read_text() + '{"step": 9, "loss": 1}\n{"step": 3, "lo')
    run = trainer(dataclasses.replace(config, steps=5), resume=True)
    run.run()
    assert [r["step"] for r in records(run) if "loss" in r] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", [lambda d: d[: len(d) // 2], lambda d: b"", lambda d: b"x" * 100], ids=range(3))
def test_half_a_checkpoint_is_one_clear_error_and_stays_where_it_is(config, damage):
    run = trainer(dataclasses.replace(config, steps=2))
    run.run()
    broken = damage(run.checkpoint_path.read_bytes())
    run.checkpoint_path.write_bytes(broken)
    with pytest.raises(ConfigError, match=r"no checkpoint of this run.*without --resume") as caught:
        trainer(config, resume=True)
    assert "\n" not in str(caught.value)
    assert run.checkpoint_path.read_bytes() == broken


def test_another_model_s_checkpoint_is_refused(config):
    trainer(dataclasses.replace(config, steps=2)).run()
    task = Fit(config)
    task.module = nn.Linear(2, 1, bias=False)
    with pytest.raises(ConfigError, match="no checkpoint of this run"):
        Trainer(task, launch(config), resume=True)


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_one_clear_error_and_leaves_the_last_checkpoint(config, monkeypatch):
    run = trainer(dataclasses.replace(config, steps=2))
    run.run()
    before = run.checkpoint_path.read_bytes()
    again = trainer(config, resume=True)
    monkeypatch.setattr(fsio.os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot write .*last.safetensors: No space left on device"):
        again.run()
    assert run.checkpoint_path.read_bytes() == before
    assert not list(config.run_dir.glob(".*.tmp"))


def test_a_disk_that_is_full_for_the_model_is_one_clear_error(config):
    run = trainer(dataclasses.replace(config, steps=1))
    run.task.export = full
    with pytest.raises(OutputError, match=r"cannot write .*validate.safetensors: .*No space left"):
        run.run()
    assert run.checkpoint_path.is_file()


def test_a_log_that_cannot_be_written_is_one_clear_error(config):
    trainer(dataclasses.replace(config, steps=1)).run()
    run = trainer(config, resume=True)
    run.log_path.unlink()
    run.log_path.mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*log.jsonl"):
        run.run()


def test_an_out_that_is_no_folder_is_one_clear_error(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        trainer(dataclasses.replace(config, out=str(tmp_path / "file")))


def test_a_step_without_a_finite_gradient_changes_nothing(config):
    run = trainer(config)
    run.task.loss = lambda model, batch, step: (model(batch[None]).sum() * math.inf, {})
    run._train_step(torch.ones(1))
    assert run.raw.weight.item() == 0


def test_steps_without_a_finite_gradient_are_logged_and_after_many_in_a_row_the_run_says_what_to_do(config):
    def broken(model, batch, step):
        loss = (model(torch.ones(1, 1)) - 3).square().mean()
        return loss * (math.nan if step % 10 or step > 19 else 1), {"loss": loss.detach()}

    long = trainer(dataclasses.replace(config, steps=1000))
    long.task.loss = broken
    with pytest.raises(ConfigError, match=r"50 steps in a row, up to step 60, .*lower lr") as caught:
        long.run()
    assert "\n" not in str(caught.value)
    assert [r["skipped"] for r in records(long) if "loss" in r][:11] == [0, *[1] * 9, 0]
    assert torch.isfinite(long.raw.weight).all()
    assert trainer(dataclasses.replace(config, steps=1000), resume=True).step == 60, "its last checkpoint is there"


def test_making_a_trainer_moves_and_writes_nothing(config):
    trainer(dataclasses.replace(config, steps=2)).run()
    before = {p: p.read_bytes() for p in config.run_dir.rglob("*") if p.is_file()}
    (config.run_dir / "log.jsonl").write_text('{"step": 9')
    for resume in (True, False):
        trainer(config, resume=resume)
    assert {p for p in config.run_dir.parent.rglob("*") if p.is_file()} == {*before}
    assert (config.run_dir / "log.jsonl").read_text() == '{"step": 9'


def test_the_schedule_warms_up_and_comes_down():
    config = RunConfig(name="t", steps=100, warmup=10, lr_end=0.1)
    shares = [schedule(step, config) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[10] == 1
    assert shares[100] == pytest.approx(0.1)
    assert shares[10:] == sorted(shares[10:], reverse=True)
    held = [schedule(step, dataclasses.replace(config, hold=0.5)) for step in range(101)]
    assert held[:10] == shares[:10]
    assert held[10:56] == [1] * 46
    assert 1 > held[56] > held[78] == pytest.approx(0.55, abs=0.02)
    assert held[100] == shares[100]


@pytest.mark.slow
def test_the_smoke_run_works_on_a_fresh_clone(tmp_path, monkeypatch, capsys):
    from pathlib import Path

    config = Path(__file__).resolve().parents[2] / "configs" / "smoke.toml"
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(config), "--steps", "2", "--device", "cpu"]) == 0
    assert (tmp_path / capsys.readouterr().out.strip()).is_file()


def test_missing_photographs_are_one_line_that_says_what_to_do(capsys):
    from pathlib import Path

    config = Path(__file__).resolve().parents[2] / "configs" / "smoke.toml"
    assert main(["train", str(config), "--photos", "nowhere/photos-0.tar"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hiercodec: no photographs at nowhere/photos-0.tar")
    assert "--photos DIR" in said
