"""Validation by real files: what held-out photographs cost and how they look and classify at every level."""

from __future__ import annotations

import numpy as np
import torch

from hiercodec import stream
from hiercodec.evaluation.dataset import Photos
from hiercodec.images import centre_crop
from hiercodec.models import Codec
from hiercodec.training.codec.loss import SemanticLoss


def validate(codec: Codec, photos: Photos, semantic: SemanticLoss | None, *, limit: int, side: int = 224) -> dict:
    """Encode the centre of up to `limit` photographs and decode every complete prefix.

    Returns per level `bpp` (file bytes, header and z included), `psnr` (dB, mean over photographs) and, with a classifier,
    `agreement`: how often the level's winner is the target's; `z_share` is z's part of the coarse prefix.
    """
    names = codec.plan.names
    sums = {name: {"bpp": [], "psnr": [], "agreement": []} for name in names}
    z_share = []
    photos = photos.spread(limit)
    for rgb, known in zip(photos.pixels, photos.labels, strict=True):
        rgb = centre_crop(rgb, side)
        data = codec.encode(rgb)
        parsed = stream.parse(data, codec.plan)
        cuts = parsed.cuts()
        z_share.append(parsed.parts()["z"] / cuts[names[0]])
        original = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
        if semantic is not None:
            device = next(semantic.buffers()).device
            label = torch.as_tensor([known], device=device)
            targets, _ = semantic.originals(original.to(device), label)
        for k, name in enumerate(names):
            picture = codec.decode(data[: cuts[name]]).image
            mse = np.mean((picture.astype(np.float64) - rgb) ** 2)
            sums[name]["bpp"].append(8 * cuts[name] / (rgb.shape[0] * rgb.shape[1]))
            sums[name]["psnr"].append(10 * np.log10(255**2 / max(mse, 1e-9)))
            if semantic is not None:
                x_hat = torch.from_numpy(picture).permute(2, 0, 1)[None].float().to(device) / 255
                with torch.inference_mode():
                    sums[name]["agreement"].append(semantic(x_hat, targets[k], k)[1].item())
    levels = {name: {k: round(float(np.mean(v)), 4) for k, v in row.items() if v} for name, row in sums.items()}
    return {"levels": levels, "z_share": round(float(np.mean(z_share)), 4), "photos": len(photos)}
