"""Clustering embeddings while the visitor waits, and opening hierarchy files; results join the session's choices."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import streamlit as st

from hiercodec import taxonomy
from hiercodec.errors import HierarchyError, HiercodecError
from hiercodec.taxonomy import Hierarchy
from hiercodec.taxonomy.embeddings import ENV, Embedding, from_bytes, from_folder
from hiercodec.ui.frame import chrome, work
from hiercodec.ui.groups.shared import model_title, own, title
from hiercodec.workers import tasks

LIVE_COMMAND = f"export {ENV}=DIR   # a folder of .npy files, one row a class\nstreamlit run app.py"
METHODS = {
    "nested": "nested k-means (a tree)",
    "flat": "flat k-means (as in the paper)",
    "ward": "Ward linkage (a tree, no seed)",
    "average": "average linkage (a tree, no seed)",
    "complete": "complete linkage (a tree, no seed)",
}


def draw() -> None:
    """Cluster embeddings now, or open a hierarchy file; the result joins the choices of this session."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Cluster embeddings**")
        embedding = _source()
        method = st.selectbox("Method", list(METHODS), format_func=METHODS.__getitem__, key="live_method")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            coarse = st.number_input("Coarse K", 2, 900, 10, key="live_coarse", width=140)
            fine = st.number_input("Fine K", 3, 999, 100, key="live_fine", width=140)
            seed = st.number_input("Seed", 0, 10_000, 0, key="live_seed", width=140)
        if st.button("Cluster", type="primary", disabled=embedding is None, key="live_go") and embedding is not None:
            _cluster(embedding, method or "nested", (int(coarse), int(fine)), int(seed))
    with right:
        st.markdown("**Open a hierarchy file**")
        upload = st.file_uploader("A JSON file, of any classes", type=["json"], max_upload_size=12, key="live_file")
        if upload is not None:
            try:
                opened = _opened(upload.name, upload.file_id, upload.getvalue())
                known = own().get(_name_of(opened))
                if known is None or taxonomy.dump_hierarchy(known) != taxonomy.dump_hierarchy(opened):
                    _show(opened)
            except HierarchyError as error:
                chrome.notice("error", f"This cannot be used: {error}")
        st.caption(
            "How such a file looks: `python -m hiercodec hierarchy build --wordnet-depth 3 6 --out mine.json` writes one."
        )
    for name, hierarchy in own().items():
        text = taxonomy.dump_hierarchy(hierarchy)
        with st.container(horizontal=True, vertical_alignment="center"):
            levels = ", ".join(f"{level.name} {level.k}" for level in hierarchy.levels)
            st.markdown(f"{title(name)}: {levels}; {'a tree' if hierarchy.nested else 'not a tree'}")
            st.download_button(
                "Download", text, f"{name}.json", "application/json", on_click="ignore", key=f"get {name}"
            )


@st.cache_resource(max_entries=8, show_spinner=False)
def _opened(name: str, file_id: str, _data: bytes) -> Hierarchy:
    """A stranger's file, read by a worker and once."""
    return work.run(tasks.call, functools.partial(taxonomy.parse_hierarchy, source=name), (_data,))


@st.cache_resource(max_entries=4, show_spinner=False)
def _embedding(name: str, file_id: str, _data: bytes) -> Embedding:
    """A stranger's matrix, read by a worker and once."""
    return work.run(tasks.call, functools.partial(from_bytes, name=name), (_data,))


def _source() -> Embedding | None:
    """The embedding to cluster: from the local folder or an upload; None (with words) while there is none."""
    folder = os.environ.get(ENV, "")
    kinds = ["local folder", "upload"] if folder and Path(folder).is_dir() else ["upload"]
    kind = st.segmented_control("Embeddings from", kinds, default=kinds[0], required=True, key="live_kind")
    try:
        if kind == "local folder":
            found = _folder(folder)
            if not found:
                chrome.empty("The folder holds no .npy file.", how=LIVE_COMMAND)
                return None
            chosen = st.selectbox("Embedding", list(found), format_func=model_title, key="live_local")
            return found.get(chosen or "")
        upload = st.file_uploader("A .npy file with 1000 rows", type=["npy"], max_upload_size=12, key="live_npy")
        if upload is not None:
            return _embedding(Path(upload.name).stem, upload.file_id, upload.getvalue())
        st.caption(
            f"The app ships no embeddings. Upload a matrix, or start the app with `{ENV}` naming a folder of them."
        )
    except HierarchyError as error:
        chrome.notice("error", f"This cannot be used: {error}")
    return None


@st.cache_resource(max_entries=1, show_spinner="Reading embeddings …")
def _folder(folder: str) -> dict[str, Embedding]:
    return from_folder(folder)


def _cluster(embedding: Embedding, method: str, ks: tuple[int, int], seed: int) -> None:
    if ks[0] >= ks[1]:
        chrome.notice("error", f"Coarse K ({ks[0]}) must be smaller than fine K ({ks[1]}).")
        return
    seeded = f" seed {seed}" if method in ("flat", "nested") else ""
    name = f"yours {embedding.name} {method} {ks[0]}-{ks[1]}{seeded}"
    with st.spinner("Clustering …"):
        try:
            made = work.run(tasks.cluster, embedding, ks, method, seed, name)
        except HiercodecError as error:
            chrome.notice("error", f"This cannot be clustered: {error}")
            return
    _show(made)


def _name_of(hierarchy: Hierarchy) -> str:
    return hierarchy.name if hierarchy.name.startswith("yours ") else f"yours {hierarchy.name}"


def _show(hierarchy: Hierarchy) -> None:
    """Remember a hierarchy for this session (the last eight stay), choose it, and draw the page anew."""
    name, mine = _name_of(hierarchy), own()
    mine.pop(name, None)
    mine[name] = hierarchy
    while len(mine) > 8:
        mine.pop(next(iter(mine)))
    st.session_state["tree_fresh"] = name
    st.rerun(scope="app")
