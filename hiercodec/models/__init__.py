"""Codec models: transforms, the prefix entropy model, the codec, and the weights on disk."""

from hiercodec.models.codec import Codec
from hiercodec.models.config import LITE, PRESETS, TIC, LinearBlock, LinearPath, Preset
from hiercodec.models.network import HierNetwork
from hiercodec.models.prefixes import Decoded, PrefixDecoder
from hiercodec.models.store import find, load, shipped

__all__ = [
    "LITE",
    "PRESETS",
    "TIC",
    "Codec",
    "Decoded",
    "HierNetwork",
    "LinearBlock",
    "LinearPath",
    "PrefixDecoder",
    "Preset",
    "find",
    "load",
    "shipped",
]
