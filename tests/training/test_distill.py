"""Distillation: the loss falls, resuming is exact, the export loads."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hiercodec.classify import Preprocess, load_classifier
from hiercodec.classify.network import Net, NetConfig, StageConfig
from hiercodec.training.distill import DistillConfig, Distiller
from hiercodec.training.distill_export import export, labelled, measure, student_of
from hiercodec.training.distill_optimiser import orthogonalise
from hiercodec.training.distill_pictures import blend, degrade, random_crop, to_input
from hiercodec.training.distill_refit import refit
from hiercodec.training.distill_teacher import Teacher

NET = NetConfig(4, (StageConfig(6, 2, (8,), dense=True), StageConfig(8, 2, (12,))), head=16, classes=1000)
CONFIG = DistillConfig(
    batch=8,
    sizes=((0.0, 32),),
    lr_scales=(1.0, 1.0, 0.5),
    lr=0.05,
    bf16=False,
    holdout=5,
    ema=0.8,
    degrade_from=0.5,
    shares=(0.5, 1.0),
    couple=(0.5, 1.0),
)


class FakeTeacher(nn.Module):
    """Random features at strides 4 and 8, random logits."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first, self.second, self.last = nn.Conv2d(3, 6, 4, 4), nn.Conv2d(6, 8, 2, 2), nn.Linear(8, 1000)
        for p in self.parameters():
            p.data = torch.randn(p.shape, generator=generator) * 0.3

    @torch.no_grad()
    def forward(self, x):
        a = self.first(x)
        b = self.second(a.relu())
        return [a, b], self.last(b.permute(0, 2, 3, 1))


def photos() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (48, 40 + i, 3), dtype=np.uint8) for i in range(30)]


def distiller(out) -> Distiller:
    return Distiller(FakeTeacher(), photos(), CONFIG, NET, out)


def rows(out) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_loss_falls_in_every_phase(tmp_path):
    d = distiller(tmp_path)
    x, seen = d.crops(10_000, 1.0)
    before = {k: v.item() for k, v in d.losses(x, seen, 1.0).items()}
    d.run(steps=60)
    after = {k: v.item() for k, v in d.losses(x, seen, 1.0).items()}
    assert set(after) == {"s0", "s1", "logits", "kl"}
    for name, value in after.items():
        assert value < 0.8 * before[name], name
    logged = rows(tmp_path)
    assert logged[-1]["step"] == 60
    assert "agreement" in logged[-1]


@pytest.mark.parametrize("stop", [7, 20])  # while features are still the teacher's; when they are the student's
def test_resuming_is_exact(tmp_path, stop):
    straight = distiller(tmp_path / "a")
    straight.run(steps=24)
    first = distiller(tmp_path / "b")
    for step in range(stop):
        first.train_step(step / 24)
    (tmp_path / "b").mkdir()
    first.save()
    second = distiller(tmp_path / "b")
    second.resume()
    assert second.step == stop
    second.run(steps=24)
    a, b = (load_file(tmp_path / n / "checkpoint.safetensors") for n in "ab")
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


def test_held_out_photos_are_not_trained_on(tmp_path):
    d = distiller(tmp_path)
    assert len(d.held) == 6
    assert not {p.shape[1] for p in d.held} & {p.shape[1] for p in d.train}


def test_a_stop_leaves_a_checkpoint(tmp_path):
    d = distiller(tmp_path)
    d.stopping = True
    d.run(minutes=5)
    assert (tmp_path / "checkpoint.safetensors").is_file()
    assert d.step == 0


def test_export_and_measure(tmp_path):
    from hiercodec.images import encode_png
    from hiercodec.taxonomy import load_hierarchy

    d = distiller(tmp_path)
    d.run(steps=2)
    facts, net = student_of(tmp_path)
    assert facts["step"] == 2
    export(net, tmp_path / "x" / "classifier.safetensors", Preprocess(32))
    c = load_classifier(str(tmp_path / "x" / "classifier.safetensors"))
    x = c.preprocess(photos()[0])[None]
    with torch.no_grad():
        expected = d.ema(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(c.logits(photos()[:1]), expected, atol=0.02 * expected.std())
    for wnid in ("n01440764", "n01443537", "junk"):
        (tmp_path / "val" / wnid).mkdir(parents=True)
        (tmp_path / "val" / wnid / "a.png").write_bytes(encode_png(photos()[0]))
    paths, labels = labelled(tmp_path / "val")
    assert labels.tolist() == [0, 1]
    found = measure(c, paths, labels, [load_hierarchy()])
    fine = found[load_hierarchy().name]["fine"]
    assert fine["k"] == 1000
    assert fine["low"] <= fine["top1"] <= fine["high"]


def test_refit_finds_a_last_layer_that_gradients_did_not():
    """The teacher here is the student with another last layer: it must be found almost exactly."""
    torch.manual_seed(0)
    net = Net(NET)
    other = copy.deepcopy(net)
    other.head.logits.weight.data.mul_(-1.0)
    other.head.logits.bias.data.normal_()
    pictures = [torch.randn(32, 3, 32, 32) for _ in range(6)]
    found = refit(net, other, pictures[:4], pictures[4:])
    assert found["pictures"] == 128
    assert found["held_kl"] < 0.1 * found["held_kl_before"]
    with torch.no_grad():
        got, goal = net(pictures[5]), other(pictures[5])
    assert (got.argmax(1) == goal.argmax(1)).float().mean() > 0.8


def test_refit_changes_nothing_where_nothing_helps():
    torch.manual_seed(0)
    net = Net(NET)
    before = copy.deepcopy(net.state_dict())
    found = refit(net, copy.deepcopy(net), [torch.randn(4, 3, 32, 32)], [torch.randn(8, 3, 32, 32)])
    assert "ridge" not in found
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


# -- parts


def test_orthogonalise():
    x = orthogonalise(torch.randn(12, 40, generator=torch.Generator().manual_seed(0)))
    s = torch.linalg.svdvals(x)
    assert 0.6 < float(s.min()) <= float(s.max()) < 1.3


def test_crops_and_degradation():
    rng = np.random.default_rng(0)
    photo = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    for _ in range(12):
        crop = random_crop(photo, 24, rng)
        assert crop.shape == (24, 24, 3)
        assert degrade(crop, rng).shape == (24, 24, 3)
    assert not np.array_equal(degrade(crop, rng), crop)


def test_blend_changes_both_views_alike():
    x = torch.rand(6, 3, 8, 8)
    y, original = x.clone(), x.clone()
    blend(x, y, np.random.default_rng(0), 1.0)
    assert torch.equal(x, y)
    assert all(not torch.equal(a, b) for a, b in zip(x, original, strict=True))
    blend(x, y, np.random.default_rng(0), 0.0)
    assert torch.equal(x, y)


def test_input_is_what_the_classifier_sees():
    p = Preprocess(16, 1.0, "bicubic", (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    rgb = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    np.testing.assert_allclose(to_input([rgb], p)[0].numpy(), p(rgb), atol=1e-5)


def test_teacher_says_what_the_module_says():
    import timm

    torch.manual_seed(0)
    module = timm.create_model("mobilenetv2_035", pad_type="same").eval()
    for m in module.modules():  # batch norms with something to fold
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_()
            m.running_var.uniform_(0.5, 2.0)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = module(x)
    features, dense = Teacher(module, bf16=False)(x)
    torch.testing.assert_close(dense.mean((1, 2)), expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-3)
    assert [f.shape[-1] for f in features] == [16, 8, 4, 4, 2, 2]
