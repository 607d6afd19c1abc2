"""Where the shipped assets of the taxonomy lie."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from hiercodec.errors import HierarchyError

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def read_asset(path: Path, what: str, made_by: str) -> Any:
    """Parse a shipped JSON asset; `HierarchyError` names the file and the command that makes it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HierarchyError(f"{what} is missing ({path}); make it with: {made_by}") from None
    except (ValueError, RecursionError) as error:
        raise HierarchyError(f"{what} cannot be read ({path}: {error}); make it anew with: {made_by}") from None


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file whole or not at all (temporary file beside it, then rename); `HierarchyError` where it cannot be."""
    payload = data.encode("utf-8") if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(payload)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise HierarchyError(f"cannot write {path}: {error.strerror or error}") from error
