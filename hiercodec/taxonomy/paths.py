"""Where the shipped assets of the taxonomy lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hiercodec.errors import HierarchyError, OutputError
from hiercodec.fsio import locate, write_bytes

ASSETS = locate()


def read_asset(path: Path, what: str, made_by: str) -> Any:
    """Parse a shipped JSON asset; `HierarchyError` names the file and the command that makes it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HierarchyError(f"{what} is missing ({path}); make it with: {made_by}") from None
    except (ValueError, RecursionError) as error:
        raise HierarchyError(f"{what} cannot be read ({path}: {error}); make it anew with: {made_by}") from None


def write_asset(path: Path, data: bytes | str) -> None:
    """Write a file whole or not at all, making its folder first; `OutputError` where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    write_bytes(path, data.encode("utf-8") if isinstance(data, str) else data)
