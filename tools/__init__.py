"""Maintainers' tools: what measures, hammers and makes what ships. Outside the wheel; CONTRIBUTING says how to run them."""
