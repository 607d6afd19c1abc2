"""Hierarchy files of a visitor's own, which join the choices of the session."""

from __future__ import annotations

import functools

import streamlit as st

from hiercodec import taxonomy
from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import Hierarchy
from hiercodec.ui.frame import chrome, work
from hiercodec.ui.groups.shared import own, title
from hiercodec.workers import tasks

BUILD = """python -m hiercodec hierarchy build --embedding FILE.npy --out mine.json   # cluster vectors, one row a class
python -m hiercodec hierarchy build --wordnet-depth 3 6 --out mine.json     # cut WordNet"""


def draw() -> None:
    """Open a hierarchy file; below, those of this session."""
    upload = st.file_uploader(
        "Open a hierarchy file (.json), of any classes", type=["json"], max_upload_size=12, key="live_file"
    )
    if upload is not None:
        try:
            opened = _opened(upload.name, upload.file_id, upload.getvalue())
            known = own().get(_name_of(opened))
            if known is None or taxonomy.dump_hierarchy(known) != taxonomy.dump_hierarchy(opened):
                _show(opened)
        except HierarchyError as error:
            chrome.notice("error", f"This cannot be used: {error}")
    st.caption("How such a file is made:")
    st.code(BUILD, language=None)
    for name, hierarchy in own().items():
        levels = ", ".join(f"{level.name} {level.k}" for level in hierarchy.levels)
        st.markdown(f"{title(name)}: {levels}; {'a tree' if hierarchy.nested else 'not a tree'}")
    chrome.footer()


@st.cache_resource(max_entries=8, show_spinner=False)
def _opened(name: str, file_id: str, _data: bytes) -> Hierarchy:
    """A stranger's file, read by a worker and once."""
    return work.run(tasks.call, functools.partial(taxonomy.parse_hierarchy, source=name), (_data,))


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
