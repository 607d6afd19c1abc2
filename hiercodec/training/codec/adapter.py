"""The codec in CompressAI's language, for code that is written for its models: losses, scripts, benches.

model = CompressAIModel(PRESETS["lite"]).start_from("lite").eval()
RateDistortionLoss()(model(x), x);  model.update();  model.decompress(**model.compress(x))["x_hat"]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hiercodec.models import Codec
from hiercodec.models.channels.config import HYPER_STRIDE, STRIDE
from hiercodec.models.store import build, pack
from hiercodec.training.codec.model import TrainableCodec


class CompressAIModel(TrainableCodec):
    """A `TrainableCodec` with the interface of CompressAI's models. Pictures x are (B, 3, H, W) in 0…1, of any size."""

    codec: Codec | None = None

    def forward(self, x: Tensor) -> dict[str, Any]:
        """What `RateDistortionLoss` reads: the whole stream's `x_hat`, of x's shape, `likelihoods` y (B, M, h, w) and z."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        out = super().forward(padded, levels=(len(self.plan) - 1,))
        likelihoods = {"y": torch.cat(out["likelihoods"]["y"], 1), "z": out["likelihoods"]["z"]}
        return {"x_hat": out["x_hat"][0, ..., :height, :width], "likelihoods": likelihoods}

    def update(self, scale_table: Any = None, force: bool = False, update_quantiles: bool = False) -> bool:
        """Make the coder of the weights as they are now, in half precision as files keep them; True if there was none yet.

        As with CompressAI, `compress` and `decompress` want this first, and again (`force`) after training.
        """
        if self.codec is not None and not force:
            return False
        device = str(next(self.parameters()).device)
        self.codec = build(self.preset, pack(self.network, *self.z_pmfs()), name=self.preset.name)
        self.codec.to(device)
        return True

    def compress(self, x: Tensor) -> dict[str, Any]:
        """x, rounded to 8 bits → `strings`, one list with a complete `.hc` stream a picture, and `shape`, z's (hz, wz)."""
        pictures = (x.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        side = STRIDE * HYPER_STRIDE
        shape = torch.Size((-(-x.shape[-2] // side), -(-x.shape[-1] // side)))
        return {"strings": [[self._coder.encode(picture) for picture in pictures]], "shape": shape}

    def decompress(self, strings: list[list[bytes]], shape: Any = None) -> dict[str, Tensor]:
        """`x_hat` (B, 3, H, W) of streams of one size, whole or cut; `shape` is taken and not needed."""
        pictures = torch.from_numpy(np.stack([self._coder.decode(data).image for data in strings[0]]))
        return {"x_hat": pictures.permute(0, 3, 1, 2).to(self._coder.device).float() / 255}

    @property
    def _coder(self) -> Codec:
        if self.codec is None:
            raise ValueError("this model has no coder yet: call update() first")
        return self.codec
