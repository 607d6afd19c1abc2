"""Make again what ships in `assets/`: `python -m tools.assets --help` lists what."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from hiercodec.cli.base import (
    FILE,
    POSITIVE,
    Arguments,
    argument,
    classifiers,
    command,
    command_line,
    cores,
    group,
    labels,
    note,
    option,
)
from hiercodec.cli.main import main
from hiercodec.cli.train import IN_LOSS, PHOTOS, given
from hiercodec.errors import HierarchyError
from hiercodec.fsio import check_writable, locate, write_json
from hiercodec.levels import DEFAULT_MODEL
from hiercodec.taxonomy.embeddings import ENV
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

if TYPE_CHECKING:
    from pathlib import Path

    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.photos.samples import Sample
    from hiercodec.models.common import EmbeddedCodec

STEPS, ROUNDS, TURNS = 16, 2, 4
"""Steps of a shipped trace: a third more bytes from one to the next, and some more, in rounds, where answers change."""

KINDS = ("classes", "wordnet", "hierarchies", "stability", "ladder", "layouts")
RATES = (0.02, 0.05, 0.1, 0.2, 0.4)
LIMIT_RATES = (0.1, 0.2, 0.4)
MODEL = option("--model", default=DEFAULT_MODEL)
HIERARCHY = option("--hierarchy", default=DEFAULT_HIERARCHY)
NAMES = argument("names", many=True, required=False, metavar="[SAMPLE…]")
"""All samples by default."""
DATASET = argument("dataset", many=True, metavar="DATASET…")
"""Labelled photographs: wnid folders or .tar shards."""
LABEL = option("--label-by", default="lite0", metavar="C", help="the classifier that writes labels")
SAMPLE = option("--sample", type=POSITIVE, metavar="N", help="only N photographs, evenly spaced over the data set")


def out(*default: str) -> click.Option:
    """`--out`, by default the place in assets/ that ships."""
    return option(
        "--out", type=FILE, default=locate(*default), show_default=False, help="where to write (default: assets/)"
    )


@command(
    "taxonomy", "class list, WordNet graph, hierarchies and maps",
    argument("what", many=True, type=click.Choice([*KINDS, "all"])),
    option("--embeddings", type=FILE, metavar="DIR", help=f"folder of .npy files (default: ${ENV})"),
    option("--nltk-data", metavar="DIR", help="NLTK's data folder with WordNet 3.0"),
    option("--paper", type=FILE, metavar="DIR", help="authors' cluster CSV files, to compare with"),
    out(),
)  # fmt: skip
def taxonomy(args: Arguments) -> int:
    from hiercodec.fsio import write_bytes
    from hiercodec.taxonomy import build, table
    from hiercodec.taxonomy import embeddings as em
    from tools import stability, wordnet
    from tools import taxonomy as makers

    wanted = set(KINDS) if "all" in args.what else set(args.what)
    began = time.perf_counter()

    def say(text: str) -> None:
        note(f"[{time.perf_counter() - began:6.1f} s] {text}")

    if wanted & {"classes", "wordnet"}:
        reader, wnids = wordnet.nltk_wordnet(args.nltk_data), wordnet.imagenet_wnids()
        if "classes" in wanted:
            write_bytes(
                args.out / "taxonomy" / "classes.json", wordnet.classes_json(reader, wnids).encode(), parents=True
            )
        if "wordnet" in wanted:
            write_bytes(
                args.out / "taxonomy" / "wordnet.json", wordnet.graph_json(reader, wnids).encode(), parents=True
            )
        say("class list and WordNet graph written")
    if not wanted & {"hierarchies", "stability", "ladder", "layouts"}:
        return 0
    found = em.from_folder(args.embeddings)
    if not found:
        raise HierarchyError(f"no embeddings: give a folder of .npy files with --embeddings DIR or ${ENV}")
    if wanted & {"hierarchies", "stability"}:
        say(f"clustering {len(found)} embeddings: the consensus' voters")
        voters = stability.single_runs(
            found, stability.KS, stability.VOTER_SEEDS, n_init=stability.VOTER_STARTS, jobs=cores()
        )
    if "hierarchies" in wanted:
        made = makers.shipped_hierarchies(found, say, jobs=cores())
        for name, kinship in (("consensus", 0.0), ("consensus-mended", stability.MENDING)):
            made[name] = stability.consensus_hierarchy(voters, found, name=name, kinship=kinship)
        made["wordnet"] = makers.wordnet_hierarchy()
        makers.write_hierarchies(made, args.out / "hierarchies")
        say(f"{len(made)} hierarchies written")
    if "stability" in wanted:
        paper = list(table.paper_groupings(args.paper).values()) if args.paper else []
        say("measuring stability")
        result = stability.measured(found, voters, {"paper": paper} if paper else {}, jobs=cores())
        write_bytes(args.out / "taxonomy" / "stability.json", stability.dump(result).encode(), parents=True)
        say("stability written")
    if "ladder" in wanted:
        rungs = makers.make_ladder(found, jobs=cores())
        write_bytes(
            args.out / "taxonomy" / "ladder.json", makers.dump_ladder(rungs, build.tools()).encode(), parents=True
        )
        say("k-means at many K written")
    if "layouts" in wanted:
        say("making maps")
        for layout in makers.make_layouts(found):
            write_bytes(args.out / "layouts" / f"{layout.name}.json", makers.dump_layout(layout).encode(), parents=True)
        say("maps written")
    return 0


def ship(row: Sample, codec: EmbeddedCodec, evaluator: Evaluator, *, steps: int, folder: Path) -> Path:
    """Encode, cut, decode and classify one sample and write its bundle, which the app's first paint shows; its file."""
    from hiercodec.evaluation.traces import bundle
    from hiercodec.evaluation.traces.tracing import extend, trace, turning_points

    rgb = row.pixels()
    data = codec.encode(rgb)
    found, decoded = trace(codec, rgb, evaluator.knowing(row.truth), steps=steps, data=data)
    at = {step.bytes: prefix for step, prefix in zip(found.steps, decoded, strict=True)}
    for _ in range(ROUNDS):
        found, more = extend(codec, found, data, rgb, turning_points(found, TURNS), evaluator)
        at |= more
    path = folder / f"{row.id}.zip"
    bundle.write(path, bundle.make(found, data, rgb, [at[step.bytes] for step in found.steps], effort=4))
    return path


@command(
    "samples", "choose the sample photographs by measurement: which crops tell the story", MODEL, HIERARCHY,
    argument("names", many=True, required=False, metavar="[SUBJECT…]"),
    option("--views", type=POSITIVE, default=16, metavar="N", help="crops to look at for each thing in a photograph"),
    out("samples", "manifest.json"),
    details="By the judges lite0 and lite2. SUBJECT are ids of tools/subjects.json (default: all). Then: traces, stress.",
)  # fmt: skip
def samples(args: Arguments) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.taxonomy import load_hierarchy
    from tools import samples as choosing

    check_writable(args.out)
    codec, tree = models.load(args.model), load_hierarchy(args.hierarchy)
    judges = [Evaluator(load_classifier(name), tree) for name in choosing.JUDGES]
    things, found, unlisted = choosing.subjects(args.names), [], {}
    for thing, region in things:
        if thing.truth:
            found += choosing.best_views(thing, region, codec, judges, args.views, note)
        else:
            unlisted[thing] = choosing.sure(thing, codec, judges[0])
    wholes = [thing for thing, _ in things]
    rows = choosing.chosen(wholes, found, unlisted)
    write_json(args.out, choosing.manifest(rows, wholes, f"{codec.name} {codec.fingerprint.hex()}"))
    note(choosing.table(rows))
    stories = sum(one.role == "story" for one in rows)
    if stories < choosing.STORIES:
        note(f"{stories} of {choosing.STORIES} are stories: these photographs hold no more with this codec")
    return 0


@command(
    "traces", "what every prefix of the sample photographs gives", NAMES, MODEL,
    option("--classifier", default="lite0"), HIERARCHY,
    option("--steps", type=POSITIVE, default=STEPS, help="of each"),
    out("traces"),
)  # fmt: skip
def traces(args: Arguments) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.photos.samples import sample, samples
    from hiercodec.evaluation.traces import bundle
    from hiercodec.taxonomy import load_hierarchy

    rows = [sample(name) for name in args.names] or samples()
    codec, evaluator = (
        models.load(args.model),
        Evaluator(load_classifier(args.classifier), load_hierarchy(args.hierarchy)),
    )
    total = 0
    for row in rows:
        path = ship(row, codec, evaluator, steps=args.steps, folder=args.out)
        total += path.stat().st_size
        found = bundle.read(path).trace
        last = found.steps[-1]
        answers = " › ".join(f"{top[0][1]} {top[0][2]:.0%}" for top in last.top.values())
        note(f"{path.name}: {found.file_bytes} bytes, {last.bpp:.3f} bpp, {last.psnr:.2f} dB, {answers}")
    note(f"{len(rows)} traces, {total / 1e6:.2f} MB")
    return 0


@command(
    "stress", "the samples cropped, turned, blurred, noisy, dark, occluded", NAMES, MODEL, classifiers(), HIERARCHY,
    option("--cuts", type=int, default=3, metavar="N", help="shares of a file, besides its levels' ends"),
    out("samples", "stress.parquet"),
)  # fmt: skip
def stress(args: Arguments) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.codecs.peers import HierPeer, shares_and_ends
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.photos.samples import sample, samples
    from hiercodec.evaluation.provenance import provenance
    from hiercodec.evaluation.results import rows
    from hiercodec.evaluation.stress import STRESSES
    from hiercodec.taxonomy import load_hierarchy
    from tools.stress import stress_records

    check_writable(args.out)
    chosen, tree = [sample(name) for name in args.names] or samples(), load_hierarchy(args.hierarchy)
    judges = [Evaluator(load_classifier(spec), tree) for spec in args.classifier or ["lite0"]]
    peers = [HierPeer(models.load(args.model), shares_and_ends(args.cuts), args.model)]
    kept = []
    with tqdm(total=len(chosen) * len(STRESSES), unit="picture", disable=None) as bar:
        for row in chosen:
            kept += stress_records(row.id, row.pixels(), row.truth, peers, judges, look=lambda *_: bar.update())
    meta = {
        "command": command_line(args),
        "levels": {level.name: level.k for level in tree.levels},
        "crop": None,
        "data": {"name": "samples under stress", "photos": len(chosen) * len(STRESSES)},
        "provenance": provenance(peers, judges),
    }
    rows.write(args.out, kept, meta)
    note(f"{args.out.name}: {len(kept)} rows, {args.out.stat().st_size / 1e3:.0f} kB")
    return 0


@command(
    "effort", "what an encoder's effort buys, from rows of `evaluate`",
    argument("rows", many=True, metavar="ROWS.parquet…"),
    out("results", "effort.json"),
    details="ROWS are files of rows of a model and of MODEL@PURPOSE:EFFORT, one a data set.",
)  # fmt: skip
def effort(args: Arguments) -> int:
    from hiercodec.evaluation.provenance import environment, today
    from hiercodec.evaluation.results import rows, run
    from tools import effort as buying
    from tools.bench import photo

    check_writable(args.out)
    run.one_thread()
    found = {data["data"]["name"]: data for data in (buying.bought(rows.read(path)) for path in args.rows)}
    steered = {}
    for data in found.values():
        for codec, row in data["codecs"].items():
            steered |= {codec.partition("@")[0]: [], codec: row["steered_by"]}
    rgb = photo(None, 256)
    result = {
        "schema": 1,
        "command": command_line(args),
        "date": today(),
        "seconds": {
            "photo": "astronaut, 256×256",
            "threads": 1,
            **environment(),
            "encode_cpu_s": buying.seconds(steered, rgb),
        },
        "data": found,
    }
    write_json(args.out, result)
    print(buying.table(result))
    return 0


@command(
    "fusion", "how much a label and a classifier weigh against each other", DATASET, labels(), MODEL, LABEL,
    classifiers("who sees the pixels (default lite0)"), HIERARCHY,
    option("--rates", several=True, type=float, default=RATES, metavar="BPP…", help="where files are cut"),
    option("--crop", type=POSITIVE, help="take the central square of this side first"), SAMPLE,
    out("fusion.json"),
)  # fmt: skip
def fusion(args: Arguments) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.codecs.peers import HierPeer, Labeller, at_rates
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.taxonomy import load_hierarchy
    from tools.common import labelled_photos
    from tools.fusing import fitted

    check_writable(args.out)
    tree, photos = load_hierarchy(args.hierarchy), labelled_photos(args.dataset, sample=args.sample, how=args.labels)
    codec, labeller = models.load(args.model), Labeller(load_classifier(args.label_by), tree)
    viewers = [Evaluator(load_classifier(spec), tree) for spec in args.classifier or ["lite0"]]
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        found = fitted(
            photos,
            HierPeer(codec, at_rates(args.rates), labeller=labeller),
            viewers,
            crop=args.crop,
            progress=lambda done: bar.update(done - bar.n),
        )
    made = {"model": f"{codec.name} {codec.fingerprint.hex()}", "photos": len(photos), "rates": list(args.rates)}
    write_json(
        args.out,
        {"labeller": args.label_by, "hierarchy": tree.name, **made, "command": command_line(args), "viewers": found},
    )
    for name, levels in found.items():
        gains = ", ".join(
            f"{level} {row['held_out']['nll_pixels']} → {row['held_out']['nll_fused']}" for level, row in levels.items()
        )
        note(f"{name}: NLL of held-out photographs, pixels → fused: {gains}")
    return 0


@command(
    "limits", "what a label cannot answer and pixels can", DATASET, labels(),
    option("--train", several=True, required=True, metavar="DATASET…", help="what best guesses are learned from"),
    MODEL, LABEL, option("--classifier", default="lite2", metavar="C", help="who sees the pixels"), HIERARCHY,
    option("--other", default="wordnet", help="the hierarchy that nobody thought of"),
    option("--rates", several=True, type=float, default=LIMIT_RATES, metavar="BPP…", help="where files are cut"),
    option("--crop", type=POSITIVE, default=224, help="the central square of this side"), SAMPLE,
    out("results", "label-limits.json"),
)  # fmt: skip
def limits(args: Arguments) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation.codecs.peers import HierPeer, Labeller
    from hiercodec.evaluation.measure import Evaluator
    from hiercodec.evaluation.provenance import commit, provenance, today
    from hiercodec.taxonomy import load_hierarchy
    from tools import limits as study
    from tools.common import labelled_photos

    check_writable(args.out)
    tree, other = load_hierarchy(args.hierarchy), load_hierarchy(args.other)
    photos, train = (
        labelled_photos(args.dataset, sample=args.sample, how=args.labels).cropped(args.crop),
        labelled_photos(args.train, how=args.labels).cropped(args.crop),
    )
    lab = study.Lab(
        models.load(args.model),
        Labeller(load_classifier(args.label_by), tree),
        Evaluator(load_classifier(args.classifier), tree),
        args.rates,
    )
    guesses = study.learned(train, lab.labeller)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        absent, asked = study.one_object(photos, lab, other, guesses, lambda done: bar.update(done - bar.n))
    two = study.pairs(photos, lab)
    made = {
        "command": command_line(args),
        "date": today(),
        "commit": commit(),
        "provenance": provenance([HierPeer(lab.codec, name=args.model, labeller=lab.labeller)], [lab.viewer]),
        "labeller": args.label_by,
        "viewer": lab.viewer.classifier.name,
        "rates": list(args.rates),
        "photos": len(photos),
        "training_photos": len(train),
    }
    found = {"absent": absent.shares(), "pairs": two.shares(), "questions": asked.shares()}
    write_json(args.out, made | found | {"strangers": study.strangers(lab.labeller)})
    for name, rows in found.items():
        for row in rows:
            note(
                f"{name}: {', '.join(row['name'])}: {row['share']:.1%} ({row['low']:.1%} to {row['high']:.1%}), n {row['n']}"
            )
    return 0


@command(
    "ablation", "train and measure the paper's ablations at equal budget",
    argument("config", metavar="CONFIG"),
    out("results", "ablation.json"),
    option("--arms", several=True, metavar="ARM…", help="only these (a wrong name lists all)"),
    option("--seeds", several=True, type=int, default=[0, 1, 2], metavar="SEED…", help="one run each"),
    option("--steps", type=POSITIVE, help="training steps a run (default: the config's)"),
    PHOTOS,
    IN_LOSS,
    option("--held-out", type=POSITIVE, default=96, metavar="N", help="held-out photographs to measure on"),
    option("--minutes", type=float, help="start no further run after this long"),
    details="CONFIG is what all arms share: a training run as a TOML file, see configs/ablation.toml.",
)  # fmt: skip
def ablation(args: Arguments) -> int:
    from hiercodec.training.config import read_config
    from tools.ablation import chosen, run, table

    results = run(
        read_config(args.config, given(args)),
        chosen(args.arms or None),
        list(args.seeds),
        args.out,
        photos=args.held_out,
        minutes=args.minutes,
        command=command_line(args),
    )
    print(table(results))
    return 0


COMMANDS = group(
    "assets",
    "make again what ships with hiercodec",
    taxonomy,
    samples,
    traces,
    stress,
    effort,
    fusion,
    limits,
    ablation,
)

if __name__ == "__main__":
    sys.exit(main(commands=COMMANDS, program="python -m tools.assets"))
