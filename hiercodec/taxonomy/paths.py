"""Where the shipped assets of the taxonomy lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hiercodec.errors import HierarchyError
from hiercodec.fsio import locate

ASSETS = locate()


def read_asset(path: Path, what: str, made_by: str) -> Any:
    """Parse a shipped JSON asset; `HierarchyError` names the file and the command that makes it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HierarchyError(f"{what} is missing ({path}); make it with: {made_by}") from None
    except (ValueError, RecursionError) as error:
        raise HierarchyError(f"{what} cannot be read ({path}: {error}); make it anew with: {made_by}") from None
