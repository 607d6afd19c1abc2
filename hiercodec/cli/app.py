"""`hiercodec app`: the Streamlit app, from a repository or an installed package."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys

from hiercodec.cli.base import Command
from hiercodec.errors import InputError
from hiercodec.fsio import APP


def _app_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="where it listens (default: Streamlit's, 8501)")
    parser.add_argument("--address", help="which interface it listens on")
    parser.add_argument("--headless", action="store_true", help="open no browser")


def _app(args: argparse.Namespace) -> int:
    if importlib.util.find_spec("streamlit") is None:
        raise InputError("the app needs Streamlit: pip install 'hiercodec[app]'")
    options = {"port": args.port, "address": args.address, "headless": args.headless or None}
    flags = [f"--server.{name}={value}" for name, value in options.items() if value is not None]
    os.chdir(APP)  # Streamlit reads .streamlit/config.toml in the current folder
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *flags])


COMMANDS = (Command("app", "run the app in a browser", _app_arguments, _app),)
