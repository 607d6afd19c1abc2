"""A device that is none: tensors on it compute on the processor, and fail like a GPU's where they meet one that is here.

    with Elsewhere():              # "meta" stands for the device
        codec.to("meta").encode(photo)

What works here puts every tensor where it should be, and does so with the figures of the processor.
"""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "meta"


class There(torch.Tensor):
    """A tensor that says it is on the device; `inner` holds its values."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> There:
        with torch.inference_mode(False):  # as a view of a parameter has to be
            found = torch.Tensor._make_wrapper_subclass(
                cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
                device=NAME, requires_grad=inner.requires_grad,
            )  # fmt: skip
        found.inner = inner
        return found

    def __repr__(self, *, tensor_contents=None) -> str:
        return f"There({self.inner!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return dispatch(func, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """While it is entered, tensors may be made on the device and copied to it; `ran` counts what was computed there."""

    def __init__(self) -> None:
        super().__init__()
        self.ran = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = dispatch(func, args, kwargs or {})
        self.ran += isinstance(found, There)
        return found


def dispatch(func, args, kwargs):
    """Run an operation on the processor and put its results where a device would have them."""
    leaves = tree_flatten((args, kwargs))[0]
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    there = [t for t in tensors if isinstance(t, There)]
    # As on CUDA: only a single number may come from the processor, and an index, and what is copied over.
    copies = func is torch.ops.aten.copy_.default
    made_empty = func is torch.ops.aten.empty.memory_format and 0 not in args[0]
    if made_empty and torch.device(kwargs.get("device") or "cpu").type == NAME:
        raise NotImplementedError("torch.tensor(…, device=…) leaves its values out here: write torch.tensor(…).to(…)")
    may_differ = copies or func.overloadpacket in (
        torch.ops.aten._to_copy, torch.ops.aten.to, torch.ops.aten.index, torch.ops.aten.index_put_
    )  # fmt: skip
    if there and not may_differ and any(not isinstance(t, There) and t.dim() for t in tensors):
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, found {NAME} and cpu")
    devices = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
    on_device = devices[0].type == NAME if devices else isinstance(args[0], There) if copies else bool(there)
    if func is torch.ops.aten.to.other:
        on_device = isinstance(args[1], There)

    def here(leaf):
        return (
            leaf.inner if isinstance(leaf, There) else torch.device("cpu") if isinstance(leaf, torch.device) else leaf
        )

    args_here, kwargs_here = tree_map(here, (args, kwargs))
    found = func(*args_here, **kwargs_here)
    if func._schema.name.endswith("_"):
        return args[0]  # in place
    return tree_map(lambda t: There(t) if isinstance(t, torch.Tensor) and on_device else t, found)
