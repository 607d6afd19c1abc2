"""Codec models, in two families: blocks of channels, as in the paper (`channels`), and planes of a wavelet (`wave`)."""

from hiercodec.models.channels.codec import Codec, PrefixDecoder
from hiercodec.models.channels.config import LITE, PRESETS, TIC, LinearBlock, LinearPath, Preset
from hiercodec.models.channels.network import HierNetwork
from hiercodec.models.common import Decoded
from hiercodec.models.store import find, load
from hiercodec.models.wave.codec import WaveCodec
from hiercodec.models.wave.preset import WavePreset
