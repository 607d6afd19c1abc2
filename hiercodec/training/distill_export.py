"""Turn a distillation run into the weights that ship, and measure them.

    python -m hiercodec.training.distill_export --run DIR --out assets/models/classifier.safetensors \\
        --photos VALIDATION_DIR --teacher SPEC --hierarchy consensus …

Writes the averaged student in half precision, its card (configuration, data, cost, measured figures) and the run's log.
The photographs lie in folders named by wnid; they are used to report, never to choose.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from hiercodec.classify import Preprocess, level_probabilities, load_classifier
from hiercodec.classify.classifier import Classifier
from hiercodec.errors import ConfigError, HiercodecError
from hiercodec.evaluation.runner import wilson
from hiercodec.images import load_rgb
from hiercodec.taxonomy import Hierarchy, classes, load_hierarchy
from hiercodec.training.distill import read_checkpoint

CAVEATS = [
    "Distilled from a few thousand photographs: far below its teacher, and unsure of itself on rare classes.",
    "Trained on whole photographs of everyday things; drawings, screenshots and microscopy are outside what it knows.",
    "ImageNet's classes and their biases (a third are animals, 118 are dog breeds) are its own.",
]


def export(run: Path, out: Path, preprocess: Preprocess) -> dict:
    """Write the averaged student of the run's checkpoint as half-precision safetensors; returns the checkpoint's facts."""
    meta, tensors = read_checkpoint(run / "checkpoint.safetensors")
    weights = {k.removeprefix("ema."): v.half().contiguous() for k, v in tensors.items() if k.startswith("ema.")}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    save_file(weights, partial, {"net": json.dumps(meta["net"]), "preprocess": json.dumps(preprocess.to_dict())})
    partial.replace(out)
    return meta | {"parameters": sum(v.numel() for v in weights.values())}


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
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--photos", required=True, type=Path)
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--hierarchy", nargs="+", default=["consensus"])
    parser.add_argument("--size", type=int, default=224, help="input size of the exported classifier")
    parser.add_argument(
        "--webp", type=int, nargs="*", default=[0, 20], help="also measure after WebP, first 300 photos"
    )
    parser.add_argument("--note", action="append", default=[], help="a sentence for the card: data, device")
    args = parser.parse_args()
    try:
        teacher = load_classifier(args.teacher)
        paths, labels = labelled(args.photos)
        hierarchies = [load_hierarchy(name) for name in args.hierarchy]
        preprocess = Preprocess(args.size, 0.875, "bicubic", teacher.preprocess.mean, teacher.preprocess.std)
        meta = export(args.run, args.out, preprocess)
        student = load_classifier(str(args.out))
    except HiercodecError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    few = (paths[:300], labels[:300])
    card = {
        "kind": "classifier",
        "weights": args.out.name,
        "weights_id": student.weights_id,
        "parameters": meta["parameters"],
        "net": meta["net"],
        "preprocess": preprocess.to_dict(),
        "training": {
            "method": "stage-wise, then end-to-end distillation (hiercodec.training.distill), random initialisation",
            "teacher": {"name": teacher.name, "weights_id": teacher.weights_id},
            "config": meta["config"],
            "steps": meta["step"],
            "pictures_seen": meta["seen"] if "seen" in meta else meta["step"] * meta["config"]["batch"],
            "wall_minutes": round(meta["seconds"] / 60, 1),
            "notes": args.note,
        },
        "measured": {
            "photos": f"{len(paths)} ImageNet validation photographs, {len(set(labels.tolist()))} classes, never trained on",
            "top1_percent_with_95_interval": measure(student, paths, labels, hierarchies),
            "teacher": measure(teacher, paths, labels, hierarchies),
            "first_300": measure(student, *few, hierarchies[:1]),
            **{f"first_300_after_webp_{q}": measure(student, *few, hierarchies[:1], webp(q)) for q in args.webp},
        },
        "caveats": CAVEATS,
    }
    args.out.with_suffix(".json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.copyfile(args.run / "log.jsonl", args.out.with_name(f"{args.out.stem}_log.jsonl"))
    print(json.dumps(card["measured"], indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
