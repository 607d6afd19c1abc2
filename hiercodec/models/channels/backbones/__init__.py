"""Transforms with their hyper-networks, one file a backbone."""

from hiercodec.models.channels.backbones import lite, tic
from hiercodec.models.registry import Backbone
from hiercodec.plugins import Registry

BACKBONES: Registry[Backbone] = Registry("transform", {"lite": lite.BACKBONE, "tic": tic.BACKBONE})
"""What `Preset.transform` can name."""
