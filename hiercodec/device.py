"""Where networks run. The one place that decides it, and that checks a device before anything is put there.

    device=… (Python) · --device (commands, for as long as they run) · HIERCODEC_DEVICE (whoever starts a program) · cpu

What is said first counts. Processes that a program starts inherit the variable, so that its workers run where it does.
torch loads when a device is looked for, not before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hiercodec.arguments import shown
from hiercodec.errors import InputError

if TYPE_CHECKING:
    import torch

DEVICE = "HIERCODEC_DEVICE"
"""Environment variable: the device of whoever names none."""

KNOWN = "cpu, cuda, cuda:N, mps and auto"
BATCH_PIXELS = 2**22
"""Pixels that go through a network together on a device that is not the processor."""


def chosen() -> str:
    """The name of the device of whoever names none; it may not be there."""
    return os.environ.get(DEVICE) or "cpu"


def resolve(name: str | torch.device | None = None) -> torch.device:
    """The device `name`, `chosen()` for None, "auto" being the fastest there is.

    `InputError` where this machine or this torch has none such.

    >>> resolve("cpu")
    device(type='cpu')
    """
    import torch

    name, counts = chosen() if name is None else name, _counts()
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
    if device.type == "cuda":  # its default for convolutions keeps 10 bits of a factor; a latent's symbols need more
        torch.backends.cudnn.allow_tf32 = False
    return device


def shared(workers: int) -> list[str]:
    """The device of each of so many processes, those of the kind of `chosen()` taking turns; raises as `resolve`.

    A device with a number is that of all.
    """
    if chosen() == "cpu":  # without loading torch
        return ["cpu"] * workers
    device = resolve()
    if device.index is not None or device.type == "cpu":
        return [str(device)] * workers
    return [f"{device.type}:{number % _counts()[device.type]}" for number in range(workers)]


def count() -> int | None:
    """How many devices of the kind of `chosen()` there are; None for the processor, whose cores count; as `resolve`."""
    device = resolve() if chosen() != "cpu" else None
    return None if device is None or device.type == "cpu" else 1 if device.index is not None else _counts()[device.type]


def batch(device: torch.device, pixels: int) -> int:
    """How many pictures of so many pixels go through a network together.

    On the processor one by one: several take no less time in all, and sums in another order would make a picture depend on
    its neighbours.
    """
    return 1 if device.type == "cpu" else max(1, BATCH_PIXELS // pixels)


def _counts() -> dict[str, int]:
    """How many devices of every kind there are."""
    import torch

    return {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
