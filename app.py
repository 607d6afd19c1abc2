"""Entry of the app: `streamlit run app.py`. Pages are listed here; a page whose file is missing is not listed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent

# file, title, icon, address, tooltip
PAGES = (
    ("explore.py", "Explore", ":material/tune:", "explore", "Slide the byte budget; watch picture and meaning"),
    ("clusters.py", "Clusters", ":material/scatter_plot:", "clusters", "Where the hierarchy comes from"),
    ("clip_vs_wordnet.py", "CLIP vs WordNet", ":material/account_tree:", "clip-vs-wordnet", "Two ways to group"),
    ("robustness.py", "Robustness", ":material/science:", "robustness", "How stable the groups are"),
    ("failures.py", "Failures", ":material/report:", "failures", "Where and how it goes wrong"),
    ("evaluate.py", "Evaluate", ":material/monitoring:", "evaluate", "Rate against accuracy, measured"),
    ("models.py", "Models", ":material/deployed_code:", "models", "What is shipped and what it measured"),
    ("learn.py", "Learn", ":material/school:", "learn", "The idea in five minutes"),
)

st.set_page_config(
    page_title="hiercodec",
    page_icon=str(ROOT / "assets" / "logo.svg"),
    layout="wide",
    initial_sidebar_state="collapsed",
    menu_items={"About": "An image codec whose one bitstream means more the more of it arrives."},
)
st.logo(str(ROOT / "assets" / "wordmark.svg"), size="medium")

pages = [
    st.Page(ROOT / "pages" / file, title=title, icon=icon, url_path=address, help=tip, default=file == "explore.py")
    for file, title, icon, address, tip in PAGES
    if (ROOT / "pages" / file).is_file()
]
st.navigation(pages, position="top").run()
