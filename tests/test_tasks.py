"""Questions beyond the class: scores against independent implementations, networks of random weights, rows, pages."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from hiercodec import device, tasks
from hiercodec.classify.loading import read_weights
from hiercodec.cli.main import main
from hiercodec.errors import HiercodecError, InputError
from hiercodec.evaluation.results import rows, untrusted
from hiercodec.evaluation.results.table import score, tables
from hiercodec.tasks import ask, load_task, own_words
from hiercodec.tasks.scores import Boxes, average_precision, iou, mean_iou
from hiercodec.taxonomy import HierarchyLevel, make_hierarchy
from tests import elsewhere
from tests.evaluation.some_rows import some_rows
from tests.models.tiny import smooth_photo

PICTURES = [smooth_photo(np.random.default_rng(i), 70, 90) for i in range(2)]
TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


# ---- scores ------------------------------------------------------------------------------------------------------------
def some_boxes(rng: np.random.Generator, n: int) -> Boxes:
    low = rng.uniform(0, 60, (n, 2))
    return Boxes(
        np.concatenate([low, low + rng.uniform(10, 40, (n, 2))], 1), rng.integers(1, 4, n), rng.uniform(size=n)
    )


def plain_ap(found: Boxes, truth: Boxes) -> float:
    """COCO's AP by its definition, one detection, one recall at a time; IoU by torchvision."""
    from torchvision.ops import box_iou

    each = []
    for kind in sorted(set(truth.classes.tolist())):
        boxes = [i for i, c in enumerate(truth.classes) if c == kind]
        mine = sorted((i for i, c in enumerate(found.classes) if c == kind), key=lambda i: -found.scores[i])
        overlap = box_iou(torch.tensor(found.corners), torch.tensor(truth.corners)).numpy()
        for threshold in [0.5 + 0.05 * i for i in range(10)]:
            free, hits = set(boxes), []
            for i in mine:
                best = max(free, key=lambda b: overlap[i, b], default=None)
                hit = best is not None and overlap[i, best] >= threshold - 1e-12
                hits.append(hit)
                if hit:
                    free.remove(best)
            points = [(sum(hits[: k + 1]) / len(boxes), sum(hits[: k + 1]) / (k + 1)) for k in range(len(hits))]
            reached = [max((p for r, p in points if r >= i / 100 - 1e-12), default=0.0) for i in range(101)]
            each.append(sum(reached) / 101)
    return sum(each) / len(each) if each else math.nan


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_cocos(seed):
    rng = np.random.default_rng(seed)
    truth = some_boxes(rng, 8)
    near = replace(truth, corners=truth.corners + rng.normal(0, 3, truth.corners.shape), scores=rng.uniform(size=8))
    more = some_boxes(rng, 5)
    found = Boxes(*(np.concatenate([getattr(b, f) for b in (near, more)]) for f in ("corners", "classes", "scores")))
    assert average_precision(found, truth) == pytest.approx(plain_ap(found, truth), abs=1e-9)
    assert average_precision(truth, truth) == 1
    assert average_precision(more.where(np.zeros(5, bool)), truth) == 0
    assert math.isnan(average_precision(found, truth.where(np.zeros(8, bool))))
    assert iou(truth.corners, truth.corners).diagonal() == pytest.approx(1)


def test_mean_iou_is_the_jaccard_index():
    from sklearn.metrics import jaccard_score

    rng = np.random.default_rng(0)
    for _ in range(5):
        a = rng.integers(0, 5, (20, 30))
        b = np.where(rng.uniform(size=a.shape) < 0.7, a, rng.integers(0, 6, a.shape))
        assert mean_iou(a, b) == pytest.approx(jaccard_score(a.ravel(), b.ravel(), average="macro"))
    assert mean_iou(a, a) == 1


# ---- networks of random weights ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> dict[str, str]:
    """Kind → a specification whose weights are random."""
    import open_clip
    from torchvision import models

    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(0)
    found = {}
    for kind, name in (("detect", "ssdlite320_mobilenet_v3_large"), ("segment", "lraspp_mobilenet_v3_large")):
        categories = models.get_model_weights(name).DEFAULT.meta["categories"]
        network = models.get_model(name, weights=None, weights_backbone=None, num_classes=len(categories))
        save_file(network.state_dict(), folder / f"{kind}.safetensors")
        found[kind] = f"{kind}:{name}@{folder / kind}.safetensors"
    (folder / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-clip.json")
    save_file(open_clip.create_model("tiny-clip").state_dict(), folder / "clip.safetensors")
    return found | {"clip": f"clip:tiny-clip@{folder / 'clip.safetensors'}"}


def few() -> object:
    half = HierarchyLevel("side", 2, np.array([0, 0, 1]), ("animal", "thing"))
    return make_hierarchy("three", [half], class_names=("cat", "dog", "car"))


@pytest.mark.parametrize("kind", ["detect", "segment", "clip"])
def test_an_answer_is_like_itself_and_says_what_it_is(networks, kind):
    task = load_task(networks[kind], few())
    first, second = task.answers(PICTURES)
    own = task.score(first, first)
    assert math.isnan(own) if kind == "detect" else own == 1, "random weights are sure of no box"
    assert kind == "detect" or 0 <= task.score(second, first) <= 1
    assert all(0 <= share <= 1 for _, share in task.words(first))
    assert task.provenance["weights"]
    (again,) = task.answers(PICTURES[:1])
    pairs = zip(task.words(again), task.words(first), strict=True)
    assert all(a == b and p == pytest.approx(q, abs=1e-5) for (a, p), (b, q) in pairs)


@pytest.mark.parametrize("kind", ["detect", "segment", "clip"])
def test_networks_run_where_the_device_says_with_the_answers_of_the_processor(networks, kind, monkeypatch):
    here = load_task(networks[kind], few()).answers(PICTURES[:1])

    def found_on(pictures):  # torchvision's own detectors make tensors as this device cannot
        assert pictures[0].device.type == elsewhere.NAME
        row = pictures[0][0, :1, :4]
        return [{"boxes": row, "labels": (row[:, 0] * 0).long(), "scores": row[:, 0]}]

    monkeypatch.setattr("hiercodec.device._counts", lambda: {"cpu": 1, elsewhere.NAME: 1})
    monkeypatch.setenv(device.DEVICE, elsewhere.NAME)
    with elsewhere.Elsewhere() as there:
        task = load_task(networks[kind], few())
        if kind == "detect":
            assert next(task.network.parameters()).device.type == elsewhere.NAME
            task.network.forward = found_on
        before = there.ran
        found = task.answers(PICTURES[:1])
        assert there.ran > before + (3 if kind == "detect" else 20)
    if kind == "segment":
        assert (found[0] == here[0]).mean() > 0.999
    elif kind == "detect":
        np.testing.assert_allclose(found[0].corners[0], PICTURES[0][0, :4, 0] / 255, atol=1e-6)
    else:
        for level, masses in here[0].items():
            np.testing.assert_allclose(found[0][level], masses, atol=1e-5)


def test_clip_s_prompts_are_the_hierarchy_s_words_or_anybody_s(networks, tmp_path):
    said = load_task(networks["clip"], few())
    names = {"side: animal", "side: thing", "class: cat", "class: dog", "class: car"}
    assert {word for word, _ in said.words(said.answers(PICTURES)[0])} == names
    (tmp_path / "words.txt").write_text("boat, bridge\n rain")
    own = load_task(f"{networks['clip']}?words={tmp_path / 'words.txt'}", few())
    (answer,) = own.answers(PICTURES[:1])
    assert {word for word, _ in own.words(answer)} == {"boat", "bridge", "rain"}
    assert sum(share for _, share in own.words(answer)) == pytest.approx(1, abs=1e-5)
    import open_clip

    net = open_clip.create_model("tiny-clip").eval()
    net.load_state_dict(read_weights(Path(networks["clip"].partition("@")[2]))[0])
    from open_clip.transform import PreprocessCfg, image_transform_v2

    x = image_transform_v2(PreprocessCfg(**net.visual.preprocess_cfg), is_train=False)(Image.fromarray(PICTURES[0]))
    with torch.inference_mode():
        texts = open_clip.get_tokenizer("tiny-clip")([f"a photo of a {word}" for word in ("boat", "bridge", "rain")])
        image, text, scale = net(x[None], texts)
        expected = (scale * image @ text.T).softmax(-1)[0].numpy()
    assert answer["word"] == pytest.approx(expected, abs=1e-5)


def test_lpips_is_torchmetrics_own(monkeypatch):
    pytest.importorskip("torchmetrics")
    from torchmetrics.functional.image import lpips as functional
    from torchmetrics.image import lpip

    made = functional._NoTrainLpips
    monkeypatch.setattr(lpip, "_NoTrainLpips", lambda net: made(net=net, pnet_rand=True))
    torch.manual_seed(0)
    task = load_task("lpips:squeeze", few())
    a, b = task.answers(PICTURES)
    assert task.score(a, a) == 1
    with torch.inference_mode():
        expected = task.network.net(a, b, normalize=True).squeeze()
    assert task.score(b, a) == pytest.approx(max(0.0, 1 - float(expected)), abs=1e-5)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("guess:what", "no task 'guess:what'; there are classify, clip"),
        ("detect:", "no task"),
        ("detect:lraspp_mobilenet_v3_large", "torchvision has no detection model"),
        ("segment:lraspp_mobilenet_v3_large@missing.safetensors", "no classifier weights at missing"),
        ("clip:no-such-model/tag", "open_clip has no 'no-such-model'"),
        ("lpips:huge", "alex, vgg and squeeze"),
    ],
)
def test_what_there_is_not_is_one_line(spec, words):
    with pytest.raises(HiercodecError, match=words) as caught:
        load_task(spec, few())
    assert "\n" not in str(caught.value)


def test_without_a_network_weights_that_are_missing_are_one_line(monkeypatch, tmp_path):
    from urllib.error import URLError

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refused(*args, **options):
        raise URLError("no network here")

    monkeypatch.setattr("torch.hub.download_url_to_file", refused)
    with pytest.raises(InputError, match="not on this machine and cannot be fetched"):
        load_task("segment:lraspp_mobilenet_v3_large", few())


def test_words_of_visitors_are_bounded():
    assert own_words("a, b\n c") == ["a", "b", "c"]
    for text in (",".join(map(str, range(51))), "x" * 61):
        with pytest.raises(InputError, match="up to 50 words"):
            own_words(text)


# ---- rows --------------------------------------------------------------------------------------------------------------
class Brightness:
    """A task that answers with the mean of a picture; the second one has nothing to compare."""

    title, provenance = "how bright", {"weights": "none"}

    def __init__(self, rest, hierarchy, words):
        self.blind = rest == "blind"

    def answers(self, pictures):
        return [float(picture.mean()) for picture in pictures]

    def score(self, answer, reference):
        return math.nan if self.blind else 1 - abs(answer - reference) / 255

    def words(self, answer):
        return [("bright", answer / 255)]


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A file of rows with two tasks of one's own, registered as anybody can."""
    monkeypatch.setitem(tasks.TASKS, "bright", Brightness)
    (tmp_path / "photos").mkdir()
    for i, picture in enumerate(PICTURES):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    out = tmp_path / "rows.parquet"
    argv = ["evaluate", str(tmp_path / "photos"), "--model", "none", "--codec", "jpeg", "--classifier", "none"]
    asked = ["--task", "bright:mean", "--task", "bright:blind", "--workers", "1", "--out", str(out)]
    assert main([*argv, *asked]) == 0
    return out


def test_scores_stand_in_rows_and_in_every_figure_made_of_them(measured, capsys):
    from hiercodec.evaluation.codecs.peers import rival

    found = rows.read(measured)
    assert found.meta["tasks"] == ["bright:mean", "bright:blind"]
    assert found.meta["provenance"]["tasks"]["bright:mean"] == {"weights": "none"}
    table = tables(found, "")["jpeg"]
    points = {point.setting: point.picture for point in rival("jpeg").points(PICTURES[0])}
    for place, setting in enumerate(table.settings):
        expected = 1 - abs(points[setting].mean() - PICTURES[0].mean()) / 255
        assert table.measure(score("bright:mean"))[0, place] == pytest.approx(expected, abs=1e-5)
    assert np.isnan(table.measure(score("bright:blind"))).all()
    assert not table.has(score("bright:blind"))
    assert main(["results", "show", str(measured), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["points"][0]["scores"]
    assert said["bright:blind"] is None, "what has no value is not 0"
    assert said["bright:mean"] == pytest.approx(table.measure(score("bright:mean"))[:, 0].mean(), abs=1e-4)
    assert main(["results", "show", str(measured)]) == 0
    assert "bright:mean" in capsys.readouterr().out
    assert untrusted.open_rows(measured.read_bytes()).meta["tasks"] == found.meta["tasks"]


def test_files_without_tasks_are_what_they_were_and_false_scores_are_refused(measured, tmp_path):
    plain = some_rows(4)
    rows.write(tmp_path / "plain.parquet", plain.frame, plain.meta)
    assert rows.read(tmp_path / "plain.parquet").frame["scores"].isna().all()
    assert not tables(rows.read(tmp_path / "plain.parquet"), "lite0")["lite"].extra
    found = rows.read(measured)
    with pytest.raises(InputError, match="their tasks differ"):
        rows.join([found, replace(found, meta={**found.meta, "tasks": ["other"]})])
    for wrong in ([2.0, 0.5], [0.5]):
        frame = found.frame.assign(scores=[np.array(wrong)] * len(found))
        rows.write(tmp_path / "wrong.parquet", frame, found.meta)
        with pytest.raises(InputError, match="one value a task, from 0 to 1"):
            untrusted.open_rows((tmp_path / "wrong.parquet").read_bytes())


def test_a_page_is_told_plain_values(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "bright", Brightness)
    title, before, now, value = ask("bright:mean", "consensus", (), PICTURES[0], PICTURES[1])
    assert (title, before[0][0], now[0][0]) == ("how bright", "bright", "bright")
    assert value == pytest.approx(1 - abs(PICTURES[1].mean() - PICTURES[0].mean()) / 255)
