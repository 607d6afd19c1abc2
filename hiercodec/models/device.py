"""Where transforms may run: a device by name, checked before anything is put there."""

from __future__ import annotations

import torch

from hiercodec.arguments import shown
from hiercodec.errors import InputError

KNOWN = "cpu, cuda, cuda:N, mps and auto"


def device_of(name: str | torch.device) -> torch.device:
    """The device `name`, "auto" being the fastest there is; `InputError` where this machine or this torch has none such.

    >>> device_of("cpu")
    device(type='cpu')
    """
    counts = _counts()
    if not isinstance(name, (str, torch.device)):
        raise InputError(f"no device {shown(name)}; known are {KNOWN}")
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if counts[kind])
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"no device {name!r}; known are {KNOWN}") from None
    if device.type not in counts:
        raise InputError(f"no device {name!r}; known are {KNOWN}")
    if (device.index or 0) >= counts[device.type]:
        usable = ", ".join(kind for kind, count in counts.items() if count)
        why = " (this torch is built without CUDA)" if device.type == "cuda" and not torch.version.cuda else ""
        raise InputError(f"there is no device {str(device)!r} on this machine{why}; usable: {usable}")
    return device


def _counts() -> dict[str, int]:
    """How many devices of every kind there are."""
    return {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
