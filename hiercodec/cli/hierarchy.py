"""`hiercodec hierarchy table | build | compare | stability | show`.

Results go to stdout (JSON with `--json`, the same bytes on every run), progress and errors to stderr.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from hiercodec.cli.base import (
    DEVICE,
    FILE,
    JSON,
    Arguments,
    argument,
    at_most_one,
    command,
    flag,
    group,
    option,
    print_json,
    records,
)
from hiercodec.errors import HierarchyError
from hiercodec.taxonomy.classes import classes
from hiercodec.taxonomy.embeddings import TEMPLATE
from hiercodec.taxonomy.hierarchy_file import available_hierarchies, load_hierarchy, save_hierarchy


@command(
    "table", "WUP inside and between groups, balance, nesting (the paper's Table 1)",
    argument("hierarchies", many=True, required=False, metavar="[HIERARCHY…]"),
    flag("--all", help="every hierarchy there is"),
    option("--measure", type=click.Choice(["nltk", "eq1"]), default="nltk", help="WUP as NLTK computes it, or Eq. 1"),
    option("--paper", type=FILE, metavar="DIR", help="folder with the authors' cluster CSV files"),
    JSON,
    details="HIERARCHY is a name or a JSON file (default: one of each kind).",
)  # fmt: skip
def table(args: Arguments) -> int:
    from hiercodec.taxonomy import table

    there = available_hierarchies(imagenet_only=True)
    names = args.hierarchies or [n for n in there if args.all or not re.search(r"-s\d+$", n)]
    hierarchies = [load_hierarchy(name) for name in names]
    paper = table.paper_groupings(args.paper) if args.paper else {}
    groupings = {**({"paper (authors' files)": paper} if paper else {}), **table.groupings_of(hierarchies)}
    rows = table.level_rows(groupings, measure=args.measure)
    result = {
        "measure": args.measure,
        "levels": rows,
        "nesting": table.nesting_rows(hierarchies),
        "golden": table.golden_rows(),
        "published": table.PUBLISHED,
    }
    if args.json:
        print_json(result)
        return 0
    print(f"WUP as {args.measure}, mean over pairs.\n")
    print(records(rows))
    print("Published in the paper (Table 1):\n")
    print(records([{"scheme": name, **row} for name, row in table.PUBLISHED.items()]))
    print("Groups inside one group of the level above:\n")
    print(records(result["nesting"]))
    print("WUP of Fig. 6:\n")
    print(records(result["golden"]), end="")
    return 0


SOURCES = (
    option("--embedding", type=FILE, metavar="FILE.npy", help="cluster these: one row a class"),
    option("--clip", metavar="MODEL/TAG", help="open_clip model and pretrained tag, e.g. ViT-B-16/openai"),
    option("--wordnet-depth", several=True, type=int, metavar="D…", help="cut WordNet at these depths"),
    option("--wordnet-k", several=True, type=int, metavar="K…", help="cut WordNet at the depths nearest to K"),
)


@command(
    "build", "cluster embeddings, or cut WordNet, into a hierarchy file",
    option("--out", type=FILE, required=True, metavar="FILE.json", help="hierarchy file to write"),
    option("--name", help="the hierarchy's name (default: the file's)"),
    *SOURCES,
    option("--template", default=TEMPLATE, help="text for --clip"),
    option("--classes", type=FILE, metavar="FILE", help="your own class names, one a line (default: ImageNet)"),
    option("--k", several=True, type=int, default=[10, 100], metavar="K…", help="groups per level"),
    option("--names", several=True, metavar="NAME…",
           help="what the levels are called, coarse first; one more names that of the classes"),
    option("--method", default="nested", help="flat, nested, average, complete or ward"),
    option("--seed", type=int, default=0, help="of k-means"),
    option("--n-init", type=int, default=10, help="k-means starts"),
    DEVICE, JSON,
)  # fmt: skip
def build(args: Arguments) -> int:
    at_most_one(args, *(str(source.name) for source in SOURCES), required=True)
    from hiercodec.taxonomy import build, cuts
    from hiercodec.taxonomy import embeddings as em

    name = args.name or args.out.stem
    own = _class_names(args.classes) if args.classes else None
    count = len(own or classes())
    if args.wordnet_depth or args.wordnet_k:
        if own:
            raise HierarchyError("WordNet cuts are for the ImageNet classes; leave out --classes")
        depths = args.wordnet_depth or [cuts.depth_near(k) for k in args.wordnet_k]
        hierarchy = cuts.cut_hierarchy(sorted(set(depths)), name=name, level_names=args.names)
    else:
        if args.clip:
            model, _, tag = args.clip.partition("/")
            names = own or tuple(c.name for c in classes())
            embedding = em.from_open_clip(model, tag, names, template=args.template)
        else:
            embedding = em.from_file(args.embedding, n=count)
        hierarchy = build.cluster_hierarchy(
            embedding, args.k, method=args.method, seed=args.seed, n_init=args.n_init, name=name, class_names=own,
            level_names=args.names,
        )  # fmt: skip
    save_hierarchy(hierarchy, args.out)
    summary = {"file": str(args.out), "levels": dict(zip(hierarchy.names, hierarchy.ks, strict=True))}
    summary |= {"tree": hierarchy.nested, "largest": [int(v.sizes.max()) for v in hierarchy.levels]}
    if args.json:
        print_json(summary)
        return 0
    levels = ", ".join(f"{level} {k}" for level, k in summary["levels"].items())
    print(f"wrote {args.out}: {levels}; {'a tree' if hierarchy.nested else 'not a tree'}")
    return 0


@command(
    "stability", "agreement over seeds and models, and what the consensus gains",
    option("--fragile", type=int, default=10, metavar="N", help="how many fragile classes to list"),
    JSON,
)  # fmt: skip
def stability(args: Arguments) -> int:
    from hiercodec.taxonomy import shipped

    result = shipped.load_stability()
    if args.json:
        print_json(result)
        return 0
    for k, level in result["levels"].items():
        print(f"K = {k}: ARI to {len(level['runs'])} independent k-means runs ({', '.join(result['models'])})\n")
        rows = [
            {"between": n, "mean": s["mean"], "low": s["interval"][0], "high": s["interval"][1]}
            for n, s in level["summary"].items()
        ]
        print(records(rows))
        left = [{"model left out": m, **v} for m, v in level["left_out"].items()]
        if left:
            print(records(left))
        order = shipped.fragile(level, args.fragile)
        print("Most fragile classes:", ", ".join(f"{classes()[i].name} {v:.2f}" for i, v in order), "\n")
    return 0


@command(
    "compare", "how far two hierarchies group the classes alike: ARI and AMI, level by level",
    argument("a", metavar="A"), argument("b", metavar="B"), JSON,
    details="A and B are names or JSON files of the same classes.",
)  # fmt: skip
def compare(args: Arguments) -> int:
    from hiercodec.taxonomy import table

    a, b = load_hierarchy(args.a), load_hierarchy(args.b)
    rows = table.agreement_rows(a, b)
    if args.json:
        print_json({"a": a.name, "b": b.name, "classes": a.n_classes, "levels": rows})
        return 0
    print(
        f"A: {a.name}. B: {b.name}. 0 at chance, 1 where they are equal; over all n classes, so without an interval.\n"
    )
    print(records(rows), end="")
    return 0


@command(
    "show", "groups of a hierarchy with their classes",
    argument("hierarchy", metavar="HIERARCHY"),
    option("--level", help="only this level, with all members"),
    details=f"HIERARCHY is a JSON file, or one of: {', '.join(available_hierarchies())}.",
)  # fmt: skip
def show(args: Arguments) -> int:
    hierarchy = load_hierarchy(args.hierarchy)
    levels = [hierarchy.level(args.level)] if args.level else hierarchy.levels[:-1]
    print(f"{hierarchy.name}: {hierarchy.description} {'A tree.' if hierarchy.nested else 'Not a tree.'}")
    fine = hierarchy.levels[-1].labels
    for level in levels:
        print(f"\n{level.name} ({level.k})")
        for g, label in enumerate(level.labels):
            members = [fine[i] for i in level.members(g)]
            listed = members if args.level else members[:6] + (["…"] if len(members) > 6 else [])
            print(f"  {g:3d} {label} [{len(members)}]: {', '.join(listed)}")
    return 0


def _class_names(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HierarchyError(f"cannot read {path}: {error}") from None
    return tuple(line.strip() for line in lines if line.strip())


hierarchy = group(
    "hierarchy", "make, measure and question semantic hierarchies", table, build, compare, stability, show
)
