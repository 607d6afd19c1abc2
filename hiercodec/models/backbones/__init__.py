"""Transforms with their hyper-networks, one file a backbone."""
