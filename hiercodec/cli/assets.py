"""`hiercodec assets taxonomy | traces | stress | …`: make again what ships in `assets/`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from hiercodec.cli import labels
from hiercodec.cli.base import Command, Group, command_line, cores, note
from hiercodec.cli.hierarchy import measured
from hiercodec.errors import HierarchyError
from hiercodec.fsio import check_writable, locate, write_json
from hiercodec.taxonomy.embeddings import ENV
from hiercodec.taxonomy.hierarchy_file import DEFAULT as DEFAULT_HIERARCHY

KINDS = ("classes", "wordnet", "hierarchies", "stability", "ladder", "layouts")


def _taxonomy_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", choices=(*KINDS, "all"), metavar="WHAT", help=f"all, or {', '.join(KINDS)}")
    parser.add_argument("--embeddings", type=Path, metavar="DIR", help=f"folder of .npy files (default: ${ENV})")
    parser.add_argument("--nltk-data", metavar="DIR", help="NLTK's data folder with WordNet 3.0")
    parser.add_argument("--paper", type=Path, metavar="DIR", help="authors' cluster CSV files, to compare with")
    parser.add_argument("--out", type=Path, default=locate(), metavar="DIR", help="where to write (default: assets)")


def _taxonomy(args: argparse.Namespace) -> int:
    from hiercodec.taxonomy import build, ladder, layouts, stability, table, wordnet_build
    from hiercodec.taxonomy import embeddings as em
    from hiercodec.taxonomy.paths import write_asset

    wanted = set(KINDS) if "all" in args.what else set(args.what)
    began = time.perf_counter()

    def say(text: str) -> None:
        note(f"[{time.perf_counter() - began:6.1f} s] {text}")

    if wanted & {"classes", "wordnet"}:
        reader, wnids = wordnet_build.nltk_wordnet(args.nltk_data), wordnet_build.imagenet_wnids()
        if "classes" in wanted:
            write_asset(args.out / "taxonomy" / "classes.json", wordnet_build.classes_json(reader, wnids))
        if "wordnet" in wanted:
            write_asset(args.out / "taxonomy" / "wordnet.json", wordnet_build.graph_json(reader, wnids))
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
        made = build.shipped_hierarchies(found, say, jobs=cores())
        for name, kinship in (("consensus", 0.0), ("consensus-mended", build.MENDING)):
            made[name] = build.consensus_hierarchy(voters, found, name=name, kinship=kinship)
        made["wordnet"] = build.wordnet_hierarchy()
        build.write_hierarchies(made, args.out / "hierarchies")
        say(f"{len(made)} hierarchies written")
    if "stability" in wanted:
        paper = list(table.paper_groupings(args.paper).values()) if args.paper else []
        say("measuring stability")
        result = measured(found, voters, {"paper": paper} if paper else {})
        write_asset(args.out / "taxonomy" / "stability.json", stability.dump(result))
        say("stability written")
    if "ladder" in wanted:
        rungs = ladder.make_ladder(found, jobs=cores())
        write_asset(args.out / "taxonomy" / "ladder.json", ladder.dump_ladder(rungs, build.tools()))
        say("k-means at many K written")
    if "layouts" in wanted:
        say("making maps")
        for layout in layouts.make_layouts(found):
            write_asset(args.out / "layouts" / f"{layout.name}.json", layouts.dump_layout(layout))
        say("maps written")
    return 0


def _traces_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="SAMPLE", help="all samples by default")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--classifier", default="lite0")
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY)
    parser.add_argument("--steps", type=int, help="default: as many as ship")
    parser.add_argument("--out", type=Path, default=locate("traces"), metavar="DIR")


def _traces(args: argparse.Namespace) -> int:
    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation import Judging, bundle
    from hiercodec.evaluation.photos.samples import sample, samples
    from hiercodec.evaluation.ship import STEPS, ship
    from hiercodec.taxonomy import load_hierarchy

    rows = [sample(name) for name in args.names] or samples()
    codec, judging = models.load(args.model), Judging(load_classifier(args.classifier), load_hierarchy(args.hierarchy))
    total = 0
    for row in rows:
        path = ship(row, codec, judging, steps=args.steps or STEPS, folder=args.out)
        total += path.stat().st_size
        found = bundle.read(path).trace
        last = found.steps[-1]
        answers = " › ".join(f"{top[0][1]} {top[0][2]:.0%}" for top in last.top.values())
        note(f"{path.name}: {found.file_bytes} bytes, {last.bpp:.3f} bpp, {last.psnr:.2f} dB, {answers}")
    note(f"{len(rows)} traces, {total / 1e6:.2f} MB")
    return 0


def _stress_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="SAMPLE", help="all samples by default")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--classifier", action="append", help="classifier spec (default lite0); may be repeated")
    parser.add_argument("--hierarchy", default=DEFAULT_HIERARCHY)
    parser.add_argument("--cuts", type=int, default=3, metavar="N", help="shares of a file, besides its levels' ends")
    parser.add_argument("--out", type=Path, default=locate("samples", "stress.parquet"), metavar="FILE")


def _stress(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hiercodec import models
    from hiercodec.classify import load_classifier
    from hiercodec.evaluation import rows
    from hiercodec.evaluation.measure import Judging
    from hiercodec.evaluation.peers import HierPeer, shares_and_ends
    from hiercodec.evaluation.photos.samples import sample, samples
    from hiercodec.evaluation.provenance import provenance
    from hiercodec.evaluation.stress import STRESSES, stress_records
    from hiercodec.taxonomy import load_hierarchy

    check_writable(args.out)
    chosen, tree = [sample(name) for name in args.names] or samples(), load_hierarchy(args.hierarchy)
    judges = [Judging(load_classifier(spec), tree) for spec in args.classifier or ["lite0"]]
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


def _effort_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="+", help="files of rows of a model and of MODEL@PURPOSE:EFFORT, one a data set")
    parser.add_argument("--out", type=Path, default=locate("results", "effort.json"), metavar="FILE")


def _effort(args: argparse.Namespace) -> int:
    from hiercodec.cli.bench import photo
    from hiercodec.evaluation import effort, rows, run
    from hiercodec.evaluation.provenance import environment, today

    check_writable(args.out)
    run.one_thread()
    found = {data["data"]["name"]: data for data in (effort.bought(rows.read(path)) for path in args.rows)}
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
            "encode_cpu_s": effort.seconds(steered, rgb),
        },
        "data": found,
    }
    write_json(args.out, result)
    print(effort.table(result))
    return 0


COMMANDS = (
    Group(
        "assets",
        "make again what ships with hiercodec",
        (
            Command("taxonomy", "class list, WordNet graph, hierarchies and maps", _taxonomy_arguments, _taxonomy),
            Command("traces", "what every prefix of the sample photographs gives", _traces_arguments, _traces),
            Command("effort", "what an encoder's effort buys, from rows of `evaluate`", _effort_arguments, _effort),
            Command(
                "stress", "the samples cropped, turned, blurred, noisy, dark, occluded", _stress_arguments, _stress
            ),
            *labels.COMMANDS,
        ),
    ),
)
