"""The page Groups: every view, its controls, empty states, hostile addresses, start-up."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hiercodec import taxonomy
from hiercodec.report import links
from hiercodec.taxonomy import dump_hierarchy, load_hierarchy, measures, shipped
from hiercodec.taxonomy.similarity import wup_matrix
from hiercodec.ui.frame import cached
from hiercodec.ui.groups import shared, structure
from hiercodec.ui.groups import stability as shown

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "pages" / "groups.py"
VIEWS = ("Map", "Tree", "CLIP against WordNet", "Stability", "Your own")


def open_page(view: str = "Map", **query: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=60)
    at.query_params.update({"view": view, **query})
    at.run()
    assert not at.exception, at.exception
    return at


def asked(link: str) -> dict[str, str]:
    """What an address asks for."""
    return dict(parse_qsl(urlsplit(link).query))


def words(at: AppTest) -> str:
    return " ".join(item.value for kind in (at.markdown, at.caption, at.error, at.info) for item in kind)


def decoded(values) -> list:
    """A column of a figure, which plotly sends as base64 of its bytes."""
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist() if "bdata" in values else values


def specs(at: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in at.get("plotly_chart")]


@pytest.fixture(autouse=True)
def fresh_caches():
    """What one test patches must not be cached for the next."""
    yield
    for patched in (cached.load_hierarchy, shared.layout, shared.stability):
        patched.clear()


def test_views_open_from_assets_quickly_and_without_heavy_packages():
    code = f"""
import sys, time
from streamlit.testing.v1 import AppTest
AppTest.from_string("").run()  # Streamlit looks through all installed packages once
for view in ("Map", "Tree", "CLIP against WordNet", "Stability"):
    at = AppTest.from_file({str(PAGE)!r}, default_timeout=60)
    at.query_params["view"] = view
    start = time.process_time()
    at.run()
    spent = time.process_time() - start
    assert not at.exception, at.exception
    assert at.get("plotly_chart"), "no chart"
    heavy = {{"torch", "umap", "nltk", "sklearn", "scipy", "open_clip", "timm", "numba"}} & set(sys.modules)
    assert not heavy, (view, heavy)
    assert spent < 2, (view, spent)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_says_what_it_shows_and_every_chart_has_a_text(view):
    at = open_page(view)
    for item in at.get("plotly_chart"):
        assert len(item.proto.alt) > 10
    assert "Traceback" not in words(at)
    if view not in ("Tree", "Your own"):
        assert "**What this shows.**" in words(at) or "**What you may conclude.**" in words(at)


@pytest.mark.parametrize("view", VIEWS[:-1])
def test_dark_draws_in_dark(view, monkeypatch):
    monkeypatch.setattr("hiercodec.ui.frame.chrome.mode", lambda: "dark")
    at = open_page(view)
    grounds = {spec["layout"]["template"]["layout"]["plot_bgcolor"] for spec in specs(at)}
    assert grounds == {"#0f1419"}


@pytest.mark.parametrize(
    ("view", "query"),
    [
        ("Map", {"tree": "../../etc/passwd", "level": "evil", "map": "<script>", "find": "x" * 500}),
        ("Map", {"tree": "", "level": "", "map": "", "find": "%00"}),
        ("Tree", {"tree": "x", "open": "all/99/0"}),
        ("CLIP against WordNet", {"k": "-3", "clip": "nothing"}),
        ("Stability", {"groups": "99"}),
        ("' or 1=1", {"view": "Robustness"}),
    ],
)
def test_hostile_addresses_fall_back(view, query):
    open_page(**{"view": view} | query)


def test_search_rings_both_cranes_and_lists_them():
    at = open_page(find="crane")
    found = next(trace for trace in specs(at)[0]["data"] if trace["name"] == "found")
    assert all("crane" in text.lower() for text in found["text"])
    frame = at.dataframe[0].value
    assert frame["index"].tolist()[:2] == [134, 517]
    assert at.metric[0].value == str(len(frame))


def test_search_without_a_match_says_so():
    at = open_page(find="no such thing")
    assert "No class has this name" in words(at)
    assert "draw around dots" in words(at)


def test_groups_kept_in_colour_grey_the_others_and_fill_the_table():
    at = open_page()
    at.multiselect(key="group").set_value(["dogs", "birds & monkeys"]).run()
    assert not at.exception
    names = [trace["name"] for trace in specs(at)[0]["data"]]
    assert names == ["not selected", "birds & monkeys", "dogs"]
    level = load_hierarchy().level("coarse")
    members = np.flatnonzero(
        np.isin(level.assignment, [level.labels.index("dogs"), level.labels.index("birds & monkeys")])
    )
    assert len(at.dataframe[0].value) == len(members)
    assert float(at.metric[1].value) == pytest.approx(shared.mean_wup(members), abs=0.01)


def test_another_hierarchy_level_and_map_change_the_picture():
    at = open_page()
    before = specs(at)[0]["data"]
    at.selectbox(key="tree").set_value("wordnet").run()
    assert len(specs(at)[0]["data"]) == 12
    assert "93%" in words(at)
    at.selectbox(key="map").set_value("clip-h14").run()
    assert specs(at)[0]["data"][0]["x"] != before[0]["x"]
    assert not at.exception


def test_the_tree_opens_a_group_by_menu():
    at = open_page("Tree")
    menu = next(box for box in at.selectbox if box.label == "Open")
    menu.set_value("birds & monkeys").run()
    trace = specs(at)[0]["data"][0]
    assert trace["type"] == "treemap"
    assert trace["level"].startswith("all/")
    assert "› birds & monkeys" in words(at)
    assert "says what **70 of 72** classes are. The others stand here" in words(at)


def test_a_hierarchy_that_is_no_tree_is_called_one_that_is_not():
    at = open_page("Tree")
    at.selectbox(key="tree").set_value("clip-b16-flat").run()
    assert "not a tree" in words(at)


def test_own_hierarchy_files_open_even_with_other_classes():
    pets = {
        "format": "hiercodec/hierarchy",
        "version": 1,
        "name": "pets",
        "classes": ["poodle", "beagle", "tabby"],
        "levels": [{"name": "kind", "groups": {"dog": ["poodle", "beagle"], "cat": ["tabby"]}}],
    }
    at = open_page("Your own")
    at.file_uploader(key="live_file").upload("pets.json", json.dumps(pets).encode(), "application/json").run()
    at.segmented_control(key="view").set_value("Map").run()
    assert not at.exception
    assert at.selectbox(key="tree").value == "yours pets"
    assert "only its tree can be drawn" in words(at)
    at.segmented_control(key="view").set_value("Tree").run()
    assert not at.exception
    assert specs(at)[0]["data"][0]["labels"] == ["all classes", "dog", "cat", "poodle", "beagle", "tabby"]
    at.selectbox(key="tree").set_value("consensus").run()
    assert len(specs(at)[0]["data"][0]["labels"]) == 1111


def test_a_wrong_hierarchy_file_is_told_in_words():
    at = open_page("Your own")
    at.file_uploader(key="live_file").upload("x.json", b"{}", "application/json").run()
    assert not at.exception
    assert "not a hierarchy" in words(at)


def test_a_shipped_file_uploaded_again_is_the_same_hierarchy():
    at = open_page("Your own")
    data = dump_hierarchy(load_hierarchy()).encode()
    at.file_uploader(key="live_file").upload("again.json", data, "application/json").run()
    assert at.session_state[shared.OWN]["yours consensus-mended"].digest == load_hierarchy().digest


def test_sizes_at_any_k_show_the_collapse():
    at = open_page("CLIP against WordNet")
    assert "93%" in words(at)
    assert "collapsed" in words(at)
    bars = specs(at)[0]["data"]
    assert [t["type"] for t in bars] == ["bar", "bar"]
    at.select_slider(key="k").set_value(100).run()
    assert "depth **6**" in words(at)
    assert specs(at)[0]["data"][0]["type"] == "scatter"
    assert not at.exception


def test_table_1_stands_beside_ours():
    at = open_page("CLIP against WordNet")
    rows = at.dataframe[0].value.set_index("scheme")
    assert rows.loc["CLIP clusters, paper", "intra"] == 0.583
    assert rows.loc["WordNet cut, ours", "intra"] == pytest.approx(0.472, abs=0.001)


def test_stability_at_both_levels():
    at = open_page("Stability")
    report = shipped.load_stability()
    for k, level in report["levels"].items():
        at.segmented_control(key="groups").set_value(k).run()
        assert not at.exception
        assert f"{level['summary']['consensus']['mean']:.2f}" in words(at)
        rows = at.dataframe[0].value
        assert rows["company kept"].is_monotonic_increasing
        assert len(rows) == sum(value is not None for value in level["stability"]["all"])


def test_the_matrix_is_that_of_the_report():
    at = open_page("Stability")
    at.toggle(key="matrix_table").set_value(True).run()
    frame = at.dataframe[0].value
    level = shipped.load_stability()["levels"]["10"]
    assert frame.shape[1] == frame.shape[0] + 1
    mended = level["references"]["consensus-mended"]
    first = [j for j, (model, _) in zip(mended["judges"], level["runs"], strict=True) if model == level["runs"][0][0]]
    assert frame.iloc[-1, 1] == pytest.approx(np.mean(first), abs=6e-4)
    assert frame.iloc[-1, -2] == pytest.approx(mended["consensus"], abs=6e-4)
    other = [i for i, (model, _) in enumerate(level["runs"]) if model != level["runs"][0][0]]
    second = [i for i in other if level["runs"][i][0] == level["runs"][other[0]][0]]
    own = [i for i in range(len(level["runs"])) if i not in other]
    assert frame.iloc[0, 2] == pytest.approx(np.mean(np.array(level["ari"])[np.ix_(own, second)]), abs=6e-4)


def test_a_model_left_out_is_told_with_the_means_of_the_report():
    found = shipped.load_stability()["levels"]["10"]["left_out"]
    said = words(open_page("Stability"))
    assert f"ARI {np.mean([row['consensus'] for row in found.values()]):.2f} against" in said
    assert f"for **{sum(row['consensus'] > row['singles'] for row in found.values())}** of them" in said


def test_both_consensus_trees_stand_beside_the_single_runs():
    at = open_page("Stability")
    at.toggle(key="gains_table").set_value(True).run()
    level = shipped.load_stability()["levels"]["10"]
    summary, mended = level["summary"], level["references"]["consensus-mended"]["judges"]
    rows = at.dataframe[0].value
    keys = ("other model", "same model, other seed", "all single runs", "consensus")
    assert rows["mean ARI"].tolist() == pytest.approx([*(summary[key]["mean"] for key in keys), np.mean(mended)])
    assert (rows["low"] < rows["mean ARI"]).all()
    assert (rows["high"] > rows["mean ARI"]).all()
    assert "Plain or mended?" in words(at)


def test_the_bootstrap_over_seeds_is_that_of_the_report():
    level = shipped.load_stability()["levels"]["10"]
    mean, low, high = shown.over_seeds(level["consensus"], level["runs"])
    theirs = level["summary"]["consensus"]
    assert (mean, low, high) == pytest.approx((theirs["mean"], *theirs["interval"]), abs=0.002)


def test_without_maps_the_page_says_how_to_make_them(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "LAYOUTS", tmp_path)
    at = open_page()
    assert "No map is shipped." in words(at)
    assert "assets taxonomy layouts" in at.code[0].value


@pytest.mark.parametrize(
    ("name", "attribute"),
    [("Stability", "STABILITY_FILE"), ("CLIP against WordNet", "LADDER_FILE")],
)
def test_without_assets_the_pages_say_how_to_make_them(monkeypatch, tmp_path, name, attribute):
    monkeypatch.setattr(f"hiercodec.taxonomy.shipped.{attribute}", tmp_path / "missing.json")
    at = open_page(name)
    assert "is missing" in words(at)
    assert "assets taxonomy" in at.code[0].value
    assert shipped.ASSETS.is_dir()


@pytest.mark.parametrize("name", ["consensus", "consensus-mended"])
def test_a_link_to_a_group_lights_it_and_names_its_odd_members(name):
    tree = load_hierarchy(name)
    for level in tree.levels[:2]:
        odd = measures.odd_members(level.assignment, wup_matrix())
        group = odd[0].group  # of the oddest class
        at = open_page(**asked(links.group_link(name, level.name, level.labels[group])))
        assert [t["name"] for t in specs(at)[0]["data"]][1:] == [level.labels[group]]
        count = sum(row.group == group for row in odd)
        assert f"**Odd members: {count}**" in words(at)
        assert "counts as right" in words(at)
        first = at.dataframe[0].value.iloc[0]
        assert first["class"] == tree.levels[-1].labels[odd[0].index]
        assert first["nearer to"] == level.labels[odd[0].nearer]
        assert first["by (WUP)"] == pytest.approx(odd[0].margin, abs=0.006)


def test_a_link_to_a_class_shows_its_path_and_neighbours():
    tree = load_hierarchy()
    index = 281
    at = open_page(**asked(links.class_link("consensus", index)))
    assert " › ".join(tree.path(index)[:-1]) in words(at)
    row = wup_matrix()[index]
    nearest = at.dataframe[1].value
    assert nearest["WUP"].tolist() == [round(v, 2) for v in sorted(np.delete(row, index), reverse=True)[:5]]
    assert "See photos" in words(at)
    assert [(item.proto.label, item.proto.query_string) for item in at.get("page_link")] == [("Cat", "photo=Cat")]


def test_links_name_what_the_page_has():
    assert links.group_link("consensus-mended", "intermediate", "cat") == (
        "groups?tree=Consensus%2C+mended&level=family&group=cat"
    )
    assert links.class_link("consensus", 281) == "groups?tree=Consensus&find=n02123045"


def test_a_group_of_another_level_lights_nothing():
    at = open_page(level="family", group="mammal")
    assert not at.multiselect(key="group").value
    at = open_page(level="family", group="cat")
    at.segmented_control(key="level").set_value("coarse").run()
    assert not at.exception
    assert not at.multiselect(key="group").value


def test_monkeys_among_the_birds_are_not_kept_quiet():
    tree = load_hierarchy("consensus")
    level = tree.level("coarse")
    birds = level.labels.index("birds & monkeys")
    monkey = taxonomy.class_of("guenon").index
    assert level.assignment[monkey] == birds  # else the consensus has changed, and this test has lost its case
    assert monkey in [row.index for row in shared.nearer_elsewhere(tree, level, birds)]


def test_every_node_can_be_opened_by_menu_and_address():
    at = open_page("Tree", open="other mammals › cats")
    assert specs(at)[0]["data"][0]["level"].count("/") == 2
    assert "Family “cats”" in words(at)
    tree = load_hierarchy()
    assert len(structure.node_names(tree)) == 1 + 10 + 100
    at.selectbox(key="tree").set_value("wordnet").run()
    assert not at.exception


def test_titles_are_what_people_read():
    assert shared.title("clip-b16-nested-s1") == "ViT-B/16, nested, seed 1"
    assert shared.title("clip-h14-flat") == "ViT-H/14, flat"
    assert shared.title("consensus") == "Consensus"
    assert shared.title("consensus-mended") == "Consensus, mended"
    assert shared.title("something else") == "something else"
