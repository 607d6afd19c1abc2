"""`hiercodec app`: the Streamlit app, from a repository or an installed package."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from hiercodec import device, plugins
from hiercodec.cli.base import DEVICE, Arguments, command, flag, option
from hiercodec.errors import InputError, how_to_install
from hiercodec.fsio import APP
from hiercodec.installed import absolute

COURSES = "HIERCODEC_COURSES"
"""Environment variable by which the app learns of further courses (see `ui.learn.courses`)."""

FOLDERS = (COURSES, *(f"HIERCODEC_{name}" for name in ("MODELS", "HIERARCHIES", "PHOTOS", "EMBEDDINGS")))
"""Variables that name folders and files; the app runs in a folder of its own."""


@command(
    "app", "run the app in a browser",
    option("--port", type=int, help="where it listens (default: Streamlit's, 8501)"),
    option("--address", help="which interface it listens on"),
    option("--courses", multiple=True, metavar="DIR", help="a folder of courses for Learn; may be repeated"),
    DEVICE,
    flag("--headless", help="open no browser"),
)  # fmt: skip
def app(args: Arguments) -> int:
    if importlib.util.find_spec("streamlit") is None:
        raise InputError(f"the app needs Streamlit; {how_to_install('app')}")
    options = {"port": args.port, "address": args.address, "headless": args.headless or None}
    flags = [f"--server.{name}={value}" for name, value in options.items() if value is not None]
    for name in FOLDERS:
        os.environ[name] = absolute(os.environ.get(name, ""))
    if args.courses:
        missing = [folder for folder in args.courses if not Path(folder).is_dir()]
        if missing:
            raise InputError(f"there is no folder {missing[0]}")
        known = filter(None, [os.environ.get(COURSES), *(str(Path(folder).resolve()) for folder in args.courses)])
        os.environ[COURSES] = os.pathsep.join(known)
    if device.chosen() != "cpu":
        device.resolve()  # one that is not there shows here and not in a browser
    if os.environ.get(plugins.PLUGINS):  # they may lie where this was typed
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    os.chdir(APP)  # Streamlit reads .streamlit/config.toml in the current folder
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *flags])
