"""What can be said of a file without decoding it: `info` and `verify`, as plain dicts."""

from __future__ import annotations

from typing import Any

from hiercodec.errors import IncompleteHeader, StreamError
from hiercodec.stream.container import parse
from hiercodec.stream.header import PlanOf
from hiercodec.stream.label import Label


def info(data: bytes, plan: PlanOf | None = None) -> dict[str, Any]:
    """What a stream says of itself, JSON-ready; sizes in bytes, `parts` sum to `bytes`. `plan` and errors as in `parse`."""
    stream = parse(data, plan)
    header = stream.header
    return {
        "version": header.version,
        "width": header.width,
        "height": header.height,
        "fingerprint": header.fingerprint.hex(),
        "plan": header.plan_id,
        "levels": list(header.plan.names),
        "bytes": stream.size,
        "total_bytes": stream.total_bytes,
        "bpp": 8 * stream.size / header.pixels,
        "complete": stream.complete,
        "level": stream.level,
        "parts": stream.parts(),
        "overhead_bytes": stream.overhead_bytes,
        "label": _label(stream.label),
        "cuts": stream.cuts(),
        "sections": [
            {
                "name": section.name,
                "offset": section.offset,
                "length": section.length,
                "available": section.available,
                "complete": section.complete,
            }
            for section in stream.sections
        ],
    }


def _label(label: Label | None) -> dict[str, Any] | None:
    """What a stream says of its label; whoever knows the hierarchy reads the payload."""
    return label and {
        "hierarchy": label.mark.hierarchy,
        "classifier": label.mark.classifier,
        "payload": label.payload.hex(),
        "complete": label.complete,
    }


def verify(data: bytes, plan: PlanOf | None = None) -> dict[str, Any]:
    """Whether a file is sound: {"state": "complete" | "truncated" | "damaged", "reason": …, "offset": …, …}.

    Never raises on bytes; `plan` as in `parse`. "truncated" is any non-empty prefix that agrees with the format; its open
    section ends before the CRC that would vouch for it.
    """
    try:
        stream = parse(data, plan)
    except IncompleteHeader as error:
        return {"state": "truncated", "bytes": len(data), "level": None, "offset": error.offset, "reason": str(error)}
    except StreamError as error:
        return {
            "state": "damaged",
            "bytes": len(data),
            "level": None,
            "offset": error.offset,
            "error": type(error).__name__,
            "reason": str(error),
        }
    return {
        "state": "complete" if stream.complete else "truncated",
        "bytes": stream.size,
        "total_bytes": stream.total_bytes,
        "level": stream.level,
        "offset": None,
        "reason": None,
    }
