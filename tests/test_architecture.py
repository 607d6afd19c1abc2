"""The house's laws, read off the code: who may import whom, and what nobody may do. A broken law lists all offenders."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hiercodec"

# room → rooms it may import. `images`, `taxonomy` and `classify` stand beside `models`, not above it.
LOWER = {"device", "plugins", "levels", "errors", "protocols", "fsio", "arguments", "values", "installed", "_version"}
MEASURING = {*LOWER, "images", "stream", "models", "taxonomy", "classify", "tasks"}
ALLOWED = {
    "_version": set(),
    "levels": set(),
    "protocols": set(),
    "errors": set(),
    "device": {"arguments", "errors"},
    "plugins": {"errors"},
    "fsio": {"errors", "values"},
    "values": {"errors"},
    "arguments": {"errors", "fsio"},
    "installed": {"errors", "fsio", "levels", "values"},
    "images": {"errors", "fsio"},
    "stream": {*LOWER},
    "taxonomy": {*LOWER},
    "classify": {*LOWER, "images", "stream", "taxonomy"},
    "models": {*LOWER, "images", "stream"},
    "tasks": {*LOWER, "taxonomy", "classify"},
    "evaluation": MEASURING,
    "workers": {*MEASURING, "evaluation"},
    "training": {*MEASURING, "evaluation"},
    "figures": {*LOWER, "taxonomy", "evaluation"},
    "report": {*LOWER, "images", "taxonomy", "classify", "evaluation", "figures"},
    "cli": {*MEASURING, "api", "evaluation", "training", "figures", "report"},
    "ui": {*MEASURING, "evaluation", "figures", "report", "workers"},
    "api": {*MEASURING, "evaluation"},
    "__init__": {"_version", "errors", "api", "classify", "models", "stream"},
    "__main__": {"cli"},
    "pages": {"levels", "errors", "fsio", "taxonomy", "classify", "evaluation", "figures", "report", "ui"},
}

# Sub-rooms: what each may import of its sisters.
INSIDE = {
    "ui": {
        "frame": set(),
        "explore": {"frame", "learn", "results", "vote"},
        "failures": {"frame", "results"},
        "groups": {"frame"},
        "results": {"frame", "groups"},
        "learn": {"frame"},
        "vote": {"frame"},
    },
    "evaluation": {
        "photos": set(),
        "codecs": {"photos"},
        "traces": {"photos", "codecs"},
        "results": {"photos", "codecs", "traces"},
    },
    "training": {"codec": set(), "wave": {"codec"}},
    "models": {"channels": set(), "wave": set()},
}

# A package that only some may import: rooms, or single modules.
ONLY = {
    "tests": set(),
    "tools": set(),
    "streamlit": {"ui", "pages"},
    "plotly": {"ui", "figures", "report"},
    "argparse": set(),
    "click": {"cli"},
    "compressai": {"training", "evaluation/codecs/rivals/zoo.py"},
}

MOST_LINES, MOST_LINES_OF_A_PAGE = 400, 120


@dataclass(frozen=True)
class Import:
    """A module that a file imports, where."""

    module: str
    line: int


@dataclass(frozen=True)
class Source:
    """A file of the house: its text, its tree, and what it imports (TYPE_CHECKING blocks do not count)."""

    path: Path
    text: str = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    @property
    def room(self) -> str:
        inside = self.path.is_relative_to(PACKAGE)
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py") if inside else "pages"

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[Import]:
        typing_only = {
            id(node)
            for parent in self.nodes
            if isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.dump(parent.test)
            for node in ast.walk(parent)
        }
        found = []
        for node in self.nodes:
            if id(node) in typing_only:
                continue
            if isinstance(node, ast.Import):
                found += [Import(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                found += [Import(name if name in MODULES else node.module, node.lineno) for name in names]
        return found


def read(paths: list[Path]) -> list[Source]:
    return [Source(path, path.read_text(encoding="utf-8")) for path in paths]


MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in PACKAGE.rglob("*.py")}
PAGES = read([ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))])
FILES = read(sorted(PACKAGE.rglob("*.py")))
SCRIPTS = [*FILES, *PAGES]


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "hiercodec" and len(parts) > 1 and not parts[1].startswith("__") else None


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """The sets of nodes that reach each other (two or more)."""

    def reached(start: str) -> set[str]:
        seen, left = set(), [start]
        while left:
            for other in edges.get(left.pop(), set()) - seen:
                seen.add(other)
                left.append(other)
        return seen

    all_reached = {name: reached(name) for name in edges}
    found = {frozenset(n for n in all_reached[name] if name in all_reached.get(n, ())) for name in edges}
    return sorted((set(group) for group in found if len(group) > 1), key=sorted)


def test_every_room_is_under_the_law():
    assert {source.room for source in SCRIPTS} == set(ALLOWED)
    for room, inside in INSIDE.items():
        assert {path.name for path in (PACKAGE / room).iterdir() if (path / "__init__.py").is_file()} == set(inside)


def test_rooms_import_only_what_lies_below_them():
    offenders = {
        f"{source.name}:{found.line} imports {found.module}"
        for source in SCRIPTS
        for found in source.imports
        if (other := room_of(found.module)) and other != source.room and other in ALLOWED
        if other not in ALLOWED[source.room]
    }
    offenders |= {
        f"{source.name}:{node.lineno} is a relative import"
        for source in SCRIPTS
        for node in source.nodes
        if isinstance(node, ast.ImportFrom) and node.level
    }
    assert not offenders, "\n".join(sorted(offenders))


def test_sub_rooms_import_only_what_lies_below_them():
    offenders = set()
    for source in FILES:
        sisters = INSIDE.get(source.room, {})
        own = source.path.relative_to(PACKAGE / source.room).parts[0] if sisters else ""
        for found in source.imports if own in sisters else ():
            parts = found.module.split(".")
            inside = parts[:2] == ["hiercodec", source.room] and len(parts) > 2 and parts[2] in sisters
            if inside and parts[2] not in {own, *sisters[own]}:
                offenders.add(f"{source.name}:{found.line} imports {found.module}")
    assert not offenders, "\n".join(sorted(offenders))


def test_some_packages_stay_in_their_rooms():
    offenders = [
        f"{source.name}:{found.line} imports {found.module}"
        for source in SCRIPTS
        for found in source.imports
        if (allowed := ONLY.get(found.module.split(".")[0])) is not None
        if not allowed & {source.room, source.name.removeprefix("hiercodec/")}
    ]
    assert not offenders, "\n".join(offenders)


def test_nothing_imports_itself_in_a_circle():
    """Neither rooms nor, inside them, modules."""
    rooms, edges = defaultdict(set), defaultdict(set)
    for source in SCRIPTS:
        for found in source.imports:
            if (other := room_of(found.module)) and other != source.room:
                rooms[source.room].add(other)
            if found.module in MODULES - {source.module, "hiercodec"}:
                edges[source.module].add(found.module)
    assert circles(rooms) == []
    assert circles(edges) == []


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_what_is_slow_to_load_is_loaded_late():
    """One process imports these in turn: only the last may load torch, none CompressAI."""
    names = "stream levels cli.main taxonomy evaluation ui.results.curves models"
    code = f"""
import importlib, sys
for name in {names.split()}:
    importlib.import_module("hiercodec." + name)
    print(name, *(slow for slow in ("torch", "compressai") if slow in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*names.split()[:-1], "models torch"]


def test_psnr_has_one_formula():
    assert [source.name for source in FILES if "log10" in source.text] == ["hiercodec/evaluation/metrics.py"]


def unsafe(source: Source) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) of what nobody may do."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "a bare except"
        if not isinstance(node, ast.Call):
            continue
        name, keywords = ast.unparse(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords}
        if name.startswith(("pickle.", "joblib.")) or keywords.get("allow_pickle") == "True":
            yield node.lineno, "unpickles"
        # The one pins what it loads by SHA-256 (tests/classify), the other loads what CompressAI's authors publish.
        loaders = {"hiercodec/classify/loading.py", "hiercodec/evaluation/codecs/rivals/zoo.py"}
        safe = source.name in loaders and keywords.get("weights_only") == "True"
        if name in {"torch.load", "load_state_dict_from_url"} and not safe:
            yield node.lineno, "loads weights that may be pickles"
        if (name == "torch.device" or name.endswith(".cuda")) and source.name != "hiercodec/device.py":
            yield node.lineno, "decides on a device"
        if "use_container_width" in keywords:
            yield node.lineno, "an option that Streamlit no longer has"
        if name.endswith(".image") and source.name != "hiercodec/ui/frame/chrome.py":
            yield node.lineno, "a picture that the browser has to fetch, and a later run may take away: chrome.picture"


def test_nobody_unpickles_or_swallows():
    offenders = [f"{source.name}:{line}: {what}" for source in SCRIPTS for line, what in unsafe(source)]
    offenders += [
        f"{source.name} is a command of its own"
        for source in SCRIPTS
        if "__main__" in source.text and source.path.name != "__main__.py"
    ]
    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    "line",
    [
        "pickle.load(file)", "np.load(path, allow_pickle=True)", "torch.load(path, weights_only=True)",
        "st.image(picture)", "slot.image(picture, alt='A cat')", "st.dataframe(x, use_container_width=1)",
        "try:\n    pass\nexcept:\n    pass", "x.to(torch.device('cuda'))", "network.cuda()",
    ],
)  # fmt: skip
def test_what_nobody_may_do_is_seen(line):
    assert list(unsafe(Source(PACKAGE / "x.py", line)))


def test_rooms_stay_small():
    long = {s.name: n for s in FILES if (n := len(s.text.splitlines())) > MOST_LINES}
    assert not long, f"these want a second room: {long}"
    pages = {s.name: n for s in PAGES if (n := len(s.text.splitlines())) > MOST_LINES_OF_A_PAGE}
    assert not pages, f"pages are inputs, a call, a drawing: {pages}"


def test_nothing_names_a_machine():
    """No path of a developer's machine in anything that ships."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    names = tracked if any(tracked) else [source.name for source in SCRIPTS]
    words = ("/" + "root/", "/" + "work/", "/" + "home/")
    kinds = {".py", ".toml", ".md", ".json", ".js", ".css", ".html", ".txt"}
    paths = [ROOT / name for name in names if Path(name).suffix in kinds and (ROOT / name).is_file()]
    offenders = [path for path in paths if any(word in path.read_text(encoding="utf-8") for word in words)]
    assert not offenders
