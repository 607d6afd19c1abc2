"""What needs no Streamlit and is more than a figure: answers in words, tables and files to take away, the HTML page."""
