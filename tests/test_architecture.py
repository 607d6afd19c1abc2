"""The house's laws, read off the code: who may import whom, and what nobody may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hiercodec"
FILES = sorted(PACKAGE.rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
SCRIPTS = [*FILES, *PAGES]

# room → rooms it may import. `images`, `taxonomy` and `classify` stand beside `models`, not above it.
LOWER = {"levels", "errors", "protocols", "fsio"}
MEASURING = {*LOWER, "images", "stream", "models", "taxonomy", "classify"}
ALLOWED = {
    "levels": set(),
    "protocols": {"levels"},
    "errors": set(),
    "fsio": {"errors"},
    "images": {"errors"},
    "stream": {*LOWER},
    "taxonomy": {*LOWER},
    "classify": {*LOWER, "images", "stream", "taxonomy"},
    "models": {*LOWER, "images", "stream"},
    "evaluation": MEASURING,
    "workers": {*MEASURING, "evaluation"},
    "training": {*MEASURING, "evaluation"},
    "figures": {*LOWER, "taxonomy", "evaluation"},
    "cli": {*MEASURING, "api", "evaluation", "training", "figures", "ui"},
    "ui": {*MEASURING, "evaluation", "figures", "workers"},
    "api": {*MEASURING, "evaluation"},
    "__init__": {"errors", "api", "classify", "models", "stream"},
    "__main__": {"cli"},
    "pages": {"levels", "errors", "fsio", "taxonomy", "classify", "evaluation", "figures", "ui"},
}

# Sub-rooms: what each may import of its sisters.
INSIDE = {
    "ui": {
        "frame": set(),
        "explore": {"frame", "learn", "results", "taxonomy"},
        "failures": {"frame", "results"},
        "taxonomy": {"frame"},
        "results": {"frame"},
        "evaluate": {"frame", "explore", "results", "taxonomy"},
        "learn": {"frame"},
        "vote": {"frame", "explore", "taxonomy"},
    },
    "training": {"codec": set(), "ablation": {"codec"}},
}

# A package that only some may import: rooms, or single modules.
ONLY = {
    "streamlit": {"ui", "pages"},
    "plotly": {"ui", "figures"},
    "argparse": {"cli"},
    "compressai": {"training", "cli/bench.py"},
}


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """(module, line, at import time) of every import of a file; TYPE_CHECKING blocks do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for parent in ast.walk(tree)
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(parent)
    }
    typing_only = {
        id(node)
        for parent in ast.walk(tree)
        if isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.dump(parent.test)
        for node in ast.walk(parent)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node.lineno, id(node) not in inside))
            if node.module == "hiercodec":
                found += [(f"hiercodec.{alias.name}", node.lineno, id(node) not in inside) for alias in node.names]
    return found


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "hiercodec" and len(parts) > 1 else None


def room_at(path: Path) -> str:
    return "pages" if path in PAGES else path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_room_is_under_the_law():
    assert {room_at(path) for path in SCRIPTS} == set(ALLOWED)
    for room, inside in INSIDE.items():
        assert {path.name for path in (PACKAGE / room).iterdir() if (path / "__init__.py").is_file()} == set(inside)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_what_lies_below_them(path):
    room = room_at(path)
    for module, line, _ in imports(path):
        other = room_of(module)
        if other and other != room and not other.startswith("__"):
            assert other in ALLOWED[room], f"{path.name}:{line} imports {module}"
    assert not [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if getattr(n, "level", 0)], "relative"


@pytest.mark.parametrize("path", [p for p in FILES if room_at(p) in INSIDE], ids=lambda p: str(p.relative_to(ROOT)))
def test_sub_rooms_import_only_what_lies_below_them(path):
    room, own = path.relative_to(PACKAGE).parts[:2]
    for module, line, _ in imports(path):
        parts = module.split(".")
        if parts[:2] == ["hiercodec", room] and len(parts) > 2 and own in INSIDE[room] and parts[2] in INSIDE[room]:
            assert parts[2] in {own, *INSIDE[room][own]}, f"{path.name}:{line} imports {module}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_some_packages_stay_in_their_rooms(path):
    where = {room_at(path), str(path.relative_to(ROOT)).removeprefix("hiercodec/")}
    for module, line, _ in imports(path):
        allowed = ONLY.get(module.split(".")[0], where)
        assert allowed & where, f"{path.name}:{line} imports {module}"


@pytest.mark.parametrize(
    "path", [p for p in SCRIPTS if p.name != "__main__.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_module_is_a_command_of_its_own(path):
    assert "__main__" not in path.read_text(encoding="utf-8")


def test_no_circles_between_rooms():
    edges = defaultdict(set)
    for path in SCRIPTS:
        for module, _, _ in imports(path):
            other = room_of(module)
            if other and other != room_at(path) and not other.startswith("__"):
                edges[room_at(path)].add(other)

    def visit(room, trail):
        assert room not in trail, f"a circle: {' → '.join([*trail, room])}"
        for other in edges[room]:
            visit(other, [*trail, room])

    for room in list(edges):
        visit(room, [])


@pytest.mark.parametrize(
    "module",
    [
        "hiercodec",
        "hiercodec.levels",
        "hiercodec.stream",
        "hiercodec.cli.main",
        "hiercodec.taxonomy",
        "hiercodec.evaluation",
        "hiercodec.ui.evaluate.views",
    ],
)
def test_these_start_without_torch(module):
    code = f"import {module}, sys; sys.exit('torch' in sys.modules or 'compressai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_psnr_has_one_formula():
    assert [p.relative_to(PACKAGE).as_posix() for p in FILES if "log10" in p.read_text()] == ["evaluation/metrics.py"]


def test_inference_needs_no_compressai():
    code = "import hiercodec.models, sys; sys.exit('compressai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_unpickles_or_swallows(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert not name.startswith(("pickle.", "joblib.")), f"{path.name}:{node.lineno}"
            keywords = {k.arg: k.value for k in node.keywords}
            if name in {"torch.load", "load_state_dict_from_url"}:  # pinned by SHA-256 there, see tests/classify
                assert path == PACKAGE / "classify" / "packaged.py", f"{path.name}:{node.lineno}"
                assert ast.unparse(keywords["weights_only"]) == "True", f"{path.name}:{node.lineno}"
            assert "use_container_width" not in keywords, f"{path.name}:{node.lineno}"
            allow = keywords.get("allow_pickle")
            assert not (isinstance(allow, ast.Constant) and allow.value), f"{path.name}:{node.lineno}"
            if name == "st.image":
                form = keywords.get("output_format")
                assert isinstance(form, ast.Constant), f"{path.name}:{node.lineno}: st.image re-encodes to JPEG"
                assert form.value == "PNG", f"{path.name}:{node.lineno}"
                assert "alt" in keywords, f"{path.name}:{node.lineno}: no alt text"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path.name}:{node.lineno}: a bare except"


def test_rooms_stay_small():
    long = {str(p.relative_to(ROOT)): n for p in FILES if (n := len(p.read_text().splitlines())) > 330}
    assert not long, f"these want a second room: {long}"
    pages = {p.name: n for p in (ROOT / "pages").glob("*.py") if (n := len(p.read_text().splitlines())) > 120}
    assert not pages, f"pages are inputs, a call, a drawing: {pages}"


def test_nothing_names_a_machine():
    """No path of a developer's machine in anything that ships."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    names = tracked if any(tracked) else [str(p.relative_to(ROOT)) for p in SCRIPTS]
    words = ("/" + "root/", "/" + "work/", "/" + "home/")
    for name in names:
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".json", ".js", ".css", ".html", ".txt"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in words), name
