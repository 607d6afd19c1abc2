"""The linear path: a layered KLT of 16×16 patches.

    x ──patches──(−m)──Wa──DCT──► p (P components)       p̂ ──DCTᵀ──Wsᵀ──(+m)──► x̂_lin
                                  │                       ▲
              block j:  r_j = g_j·(p[c_j] − p̂[c_j])       │  p̂[c_j] += ŷ_j / g_j

Each block codes what the blocks before it left of its components. That makes the coarse block a coarse picture and
costs nothing at full rate: with a step ratio of 3 a refinement has three equally likely symbols (successive refinement,
cf. PLONQ, arXiv 2102.02913). The DCT runs over neighbouring patches, for the few components that `LinearPath.spatial` names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hiercodec.levels import LevelPlan
from hiercodec.models.channels.config import HYPER_STRIDE, STRIDE, LinearPath


class LayeredKLT(nn.Module):
    """Patch transform with P components, shared out over the blocks of `plan` as `path` says.

    Every component has one gain, whatever block it stands in, so that the steps of its layers keep their ratio. Starts as
    a random orthonormal basis; `set_basis` puts a KLT in (design §2).
    """

    spatial: Tensor

    def __init__(self, path: LinearPath, plan: LevelPlan) -> None:
        super().__init__()
        size = 3 * STRIDE * STRIDE
        basis = torch.linalg.qr(torch.randn(size, path.components)).Q.T.contiguous()
        self.analysis = nn.Parameter(basis.clone())  # (P, 768)
        self.synthesis = nn.Parameter(basis.clone())  # (P, 768)
        self.mean = nn.Parameter(torch.full((size,), 0.5))  # (768,)
        self.log_gain = nn.Parameter(torch.zeros(path.components))  # (P,)
        self.steps = [block.step for block in path.blocks]
        self.register_buffer("spatial", torch.tensor(path.spatial, dtype=torch.long), persistent=False)
        for j, (block, level) in enumerate(zip(path.blocks, plan, strict=True)):
            if len(block.components) > level.width:
                raise ValueError(
                    f"{len(block.components)} components do not fit into the {level.width} channels of {level.name!r}"
                )
            self.register_buffer(f"components_{j}", torch.tensor(block.components), persistent=False)
        self.plan = plan

    def _span(self, j: int) -> tuple[Tensor, Tensor]:
        """Block j's component numbers (n,) and their gains (1, n, 1, 1)."""
        components = getattr(self, f"components_{j}")
        return components, (self.log_gain[components].exp() / self.steps[j]).view(1, -1, 1, 1)

    @torch.no_grad()
    def set_basis(self, basis: np.ndarray, mean: np.ndarray) -> None:
        """Take the first P rows of an orthonormal `basis` (768, 768), most variance first, and the patch `mean` (768,)."""
        rows = torch.from_numpy(np.ascontiguousarray(basis[: self.analysis.shape[0]], dtype=np.float32))
        self.analysis.copy_(rows)
        self.synthesis.copy_(rows)
        self.mean.copy_(torch.from_numpy(np.asarray(mean, dtype=np.float32)))

    def project(self, x: Tensor) -> Tensor:
        """(B, 3, 16h, 16w) → components p (B, P, h, w)."""
        weight = self.analysis.view(-1, 3, STRIDE, STRIDE)
        p = F.conv2d(x, weight, bias=-(self.analysis @ self.mean), stride=STRIDE)
        return self._across_patches(p, inverse=False)

    def _across_patches(self, p: Tensor, *, inverse: bool) -> Tensor:
        """p (B, P, h, w) with the spatial components in the other domain: DCT coefficients, or patches again."""
        if not len(self.spatial):
            return p
        rows, columns = (block_dct(n).to(p) for n in p.shape[-2:])
        part = p.index_select(1, self.spatial)
        return p.index_copy(1, self.spatial, rows.T @ part @ columns if inverse else rows @ part @ columns.T)

    def residual(self, j: int, p: Tensor, approximation: Tensor) -> Tensor:
        """What block j has to code: (B, width_j, h, w), zero in the channels that belong to the learned paths."""
        components, gain = self._span(j)
        r = (p - approximation).index_select(1, components) * gain
        return F.pad(r, (0, 0, 0, 0, 0, self.plan[j].width - r.shape[1]))

    def refine(self, j: int, approximation: Tensor, y_hat: Tensor) -> Tensor:
        """Add block j's decoded latents (B, width_j, h, w) to the approximation p̂ (B, P, h, w)."""
        components, gain = self._span(j)
        return approximation.index_add(1, components, y_hat[:, : len(components)] / gain)

    def approximate(self, y_hat: Tensor) -> Tensor:
        """p̂ (B, P, h, w) from all latents ŷ (B, M, h, w); blocks that are missing hold zeros."""
        b, _, h, w = y_hat.shape
        approximation = y_hat.new_zeros(b, self.analysis.shape[0], h, w)
        for j, level in enumerate(self.plan):
            approximation = self.refine(j, approximation, y_hat[:, level.channels])
        return approximation

    def reconstruct(self, approximation: Tensor) -> Tensor:
        """p̂ (B, P, h, w) → x̂_lin (B, 3, 16h, 16w)."""
        approximation = self._across_patches(approximation, inverse=True)
        b, p, h, w = approximation.shape
        # A transposed convolution whose stride is its kernel is a product per patch, and much faster as one on a CPU.
        patches = approximation.permute(0, 2, 3, 1).reshape(-1, p) @ self.synthesis + self.mean
        patches = patches.view(b, h, w, 3, STRIDE, STRIDE).permute(0, 3, 1, 4, 2, 5)
        return patches.reshape(b, 3, h * STRIDE, w * STRIDE)


@lru_cache(maxsize=64)
def block_dct(n: int) -> Tensor:
    """Orthonormal (n, n) matrix: DCT-II of every 4 neighbours in a line of n, and of the rest where 4 does not divide n.

    The blocks are those that one hyper-latent position covers, so that it can tell their coefficients apart.
    """
    out = torch.zeros(n, n, dtype=torch.float64)
    for start in range(0, n, HYPER_STRIDE):
        size = min(HYPER_STRIDE, n - start)
        k, i = torch.arange(size, dtype=torch.float64)[:, None], torch.arange(size, dtype=torch.float64)[None]
        block = torch.cos(torch.pi * k * (2 * i + 1) / (2 * size)) * (2 / size) ** 0.5
        block[0] /= 2**0.5
        out[start : start + size, start : start + size] = block
    return out


def patch_klt(photos: Iterable[np.ndarray], *, patches_per_photo: int = 60, seed: int = 0
              ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """KLT of random 16×16 RGB patches of uint8 `photos`: (basis (768, 768) by falling variance, mean (768,)), range 0…1."""
    rng = np.random.default_rng(seed)
    rows = []
    for photo in photos:
        height, width = photo.shape[:2]
        if min(height, width) < STRIDE:
            continue
        for _ in range(patches_per_photo):
            top, left = rng.integers(0, height - STRIDE + 1), rng.integers(0, width - STRIDE + 1)
            rows.append(photo[top : top + STRIDE, left : left + STRIDE].transpose(2, 0, 1).reshape(-1))
    if len(rows) < 2:
        raise ValueError("no photograph is at least 16×16 pixels")
    data = np.stack(rows).astype(np.float64) / 255.0
    mean = data.mean(0)
    _, vectors = np.linalg.eigh(np.cov((data - mean).T))
    basis = vectors[:, ::-1].T
    signs = np.sign(basis[np.arange(len(basis)), np.abs(basis).argmax(1)])  # one of two equal answers, always the same
    return (basis * signs[:, None]).astype(np.float32), mean.astype(np.float32)
