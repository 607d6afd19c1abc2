"""Turn a distillation run into the weights that ship, and measure them.

    python -m hiercodec.training.distill_export --run DIR --out assets/models/classifier.safetensors \\
        --photos VALIDATION_DIR --teacher SPEC --hierarchy consensus …

Writes the averaged student in half precision, its card (configuration, data, cost, measured figures) and the run's log.
The photographs lie in folders named by wnid; they are used to report, never to choose.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from hiercodec.classify import Preprocess, level_probabilities, load_classifier
from hiercodec.classify.classifier import Classifier
from hiercodec.classify.network import Net, NetConfig
from hiercodec.errors import ConfigError, HiercodecError
from hiercodec.evaluation.runner import wilson
from hiercodec.images import load_rgb
from hiercodec.taxonomy import Hierarchy, classes, load_hierarchy
from hiercodec.training.distill import DistillConfig, read_checkpoint
from hiercodec.training.distill_pictures import random_crop, read_photos, to_input
from hiercodec.training.distill_refit import refit
from hiercodec.training.distill_teacher import Teacher

CAVEATS = [
    "Distilled from a few thousand photographs: far below its teacher, and unsure of itself on rare classes.",
    "Trained on whole photographs of everyday things; drawings, screenshots and microscopy are outside what it knows.",
    "ImageNet's classes and their biases (398 are animals, 118 of them dog breeds) are its own.",
]


def student_of(run: Path) -> tuple[dict, Net]:
    """The facts of the run's checkpoint, and its averaged student."""
    meta, tensors = read_checkpoint(run / "checkpoint.safetensors")
    net = Net(NetConfig.from_dict(meta["net"]))
    net.load_state_dict({k.removeprefix("ema."): v for k, v in tensors.items() if k.startswith("ema.")})
    return meta, net.to(memory_format=torch.channels_last).requires_grad_(False)


def refit_last_layer(
    net: Net, teacher: Classifier, photos: list[np.ndarray], config: DistillConfig, preprocess: Preprocess, crops: int
) -> dict[str, float]:
    """`refit` on random crops of the photos the run trained on, judged on those it held out."""
    rng = np.random.default_rng(config.seed)
    train = [p for i, p in enumerate(photos) if i % config.holdout] * crops
    held = [p for i, p in enumerate(photos) if i % config.holdout == 0]
    model = Teacher(copy.deepcopy(teacher.module), config.bf16)
    size = preprocess.size

    def batches(pictures: list[np.ndarray], view: Callable[[np.ndarray], np.ndarray]) -> Iterator[torch.Tensor]:
        for i in range(0, len(pictures), config.batch):
            yield to_input([view(p) for p in pictures[i : i + config.batch]], preprocess)

    random = batches(train, lambda p: random_crop(p, size, rng))
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
        return refit(net, lambda x: model(x)[1].mean((1, 2)), random, batches(held, preprocess.crop_of))


def export(net: Net, out: Path, preprocess: Preprocess) -> None:
    """Write the student as half-precision safetensors with its configuration and preprocessing; whole or not at all."""
    weights = {k: v.half().contiguous() for k, v in net.state_dict().items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    facts = {"net": json.dumps(net.config.to_dict()), "preprocess": json.dumps(preprocess.to_dict())}
    save_file(weights, partial, facts)
    partial.replace(out)


def labelled(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Photographs in folders named by wnid, sorted by path, and their class indexes."""
    index = {c.wnid: c.index for c in classes()}
    paths = sorted(p for p in folder.glob("*/*") if p.parent.name in index and p.is_file())
    if not paths:
        raise ConfigError(f"no photographs in folders named by wnid below {folder}")
    return paths, np.array([index[p.parent.name] for p in paths])


def measure(
    classifier: Classifier,
    paths: Sequence[Path],
    labels: np.ndarray,
    hierarchies: Sequence[Hierarchy],
    change: Callable[[np.ndarray], np.ndarray] = lambda rgb: rgb,
) -> dict[str, dict[str, dict[str, float]]]:
    """Top-1 at every level of every hierarchy, in %, with its 95 % Wilson interval."""
    p = np.concatenate(
        [
            classifier.probabilities([change(load_rgb(path)) for path in paths[i : i + 64]])
            for i in range(0, len(paths), 64)
        ]
    )
    found: dict[str, dict[str, dict[str, float]]] = {}
    for hierarchy in hierarchies:
        rows = found[hierarchy.name] = {}
        for level, q in zip(hierarchy.levels, level_probabilities(p, hierarchy).values(), strict=True):
            hits = int((q.argmax(1) == level.assignment[labels]).sum())
            low, high = wilson(hits, len(labels))
            rows[level.name] = {
                "k": level.k,
                "top1": round(100 * hits / len(labels), 2),
                "low": round(100 * low, 2),
                "high": round(100 * high, 2),
            }
    return found


def webp(quality: int) -> Callable[[np.ndarray], np.ndarray]:
    """A picture after WebP at this quality."""

    def change(rgb: np.ndarray) -> np.ndarray:
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, "WEBP", quality=quality)
        return np.asarray(Image.open(buffer).convert("RGB"))

    return change


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--photos", required=True, type=Path)
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--run", type=Path, help="the run to export; without it the weights at OUT are measured again")
    parser.add_argument("--hierarchy", nargs="+", default=["consensus"])
    parser.add_argument("--refit", nargs="*", type=Path, help="photos of the run: fit the last layer in closed form")
    parser.add_argument("--crops", type=int, default=2, help="random crops of each photo for --refit")
    parser.add_argument("--size", type=int, default=224, help="input size of the exported classifier")
    parser.add_argument(
        "--webp", type=int, nargs="*", default=[0, 20], help="measure also after WebP at these qualities"
    )
    parser.add_argument("--limit", type=int, help="measure on every (n / LIMIT)th photograph only")
    parser.add_argument("--note", action="append", default=[], help="a sentence for the card: data, device")
    args = parser.parse_args()
    torch.set_num_threads(1)
    card_path = args.out.with_suffix(".json")
    try:
        teacher = load_classifier(args.teacher)
        hierarchies = [load_hierarchy(name) for name in args.hierarchy]
        paths, labels = labelled(args.photos)
        if args.run:
            preprocess = Preprocess(args.size, 0.875, "bicubic", teacher.preprocess.mean, teacher.preprocess.std)
            meta, net = student_of(args.run)
            fitted = None
            if args.refit:
                config = DistillConfig(**meta["config"])
                fitted = refit_last_layer(net, teacher, read_photos(args.refit), config, preprocess, args.crops)
            export(net, args.out, preprocess)
            shutil.copyfile(args.run / "log.jsonl", args.out.with_name(f"{args.out.stem}_log.jsonl"))
            card_path.unlink(missing_ok=True)
        student = load_classifier(str(args.out))
        card = student.card if not args.run else card_of(meta, student, teacher, fitted, args.note)
    except HiercodecError as error:
        parser.error(str(error))
    card["measured"] = report(student, teacher, *spread(paths, labels, args.limit), hierarchies, args.webp)
    card["caveats"] = CAVEATS
    card_path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(card["measured"], indent=2, ensure_ascii=False))


def card_of(meta: dict, student: Classifier, teacher: Classifier, fitted: dict | None, notes: list[str]) -> dict:
    """What is known about the weights apart from their measured figures."""
    return {
        "kind": "classifier",
        "weights_id": student.weights_id,
        "parameters": sum(p.numel() for p in student.module.parameters()),
        "net": meta["net"],
        "preprocess": student.preprocess.to_dict(),
        "training": {
            "method": "distillation (hiercodec.training.distill) from random initialisation",
            "teacher": {"name": teacher.name, "weights_id": teacher.weights_id},
            "config": meta["config"],
            "steps": meta["step"],
            "last_layer": fitted or "by gradient descent",
            "wall_minutes": round(meta["seconds"] / 60, 1),
            "notes": notes,
        },
    }


def report(
    student: Classifier,
    teacher: Classifier,
    paths: Sequence[Path],
    labels: np.ndarray,
    hierarchies: Sequence[Hierarchy],
    qualities: Sequence[int],
) -> dict:
    """The card's figures: top-1 in % with 95 % Wilson intervals, the teacher's beside, and after WebP."""
    few = spread(paths, labels, 300)
    shaken = {f"webp_quality_{q}": measure(student, *few, hierarchies[:1], webp(q)) for q in qualities}
    return {
        "photos": f"{len(paths)} ImageNet validation photographs, {len(set(labels.tolist()))} classes, never trained on",
        "command": "python -m hiercodec.training.distill_export --out WEIGHTS --photos VALIDATION_DIR --teacher SPEC",
        "top1_percent_with_95_interval": measure(student, paths, labels, hierarchies),
        "teacher": measure(teacher, paths, labels, hierarchies),
        f"on_{len(few[0])}_of_them": {"untouched": measure(student, *few, hierarchies[:1]), **shaken},
    }


def spread(paths: Sequence[Path], labels: np.ndarray, limit: int | None) -> tuple[Sequence[Path], np.ndarray]:
    """About `limit` of the photographs, evenly spaced; all of them for None."""
    every = max(1, len(paths) // limit) if limit else 1
    return paths[::every], labels[::every]


if __name__ == "__main__":
    main()
