"""Data → plotly figures, one file a subject. No Streamlit, no torch: a figure can be drawn, saved or tested anywhere."""
