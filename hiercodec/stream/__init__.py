"""The `.hc` stream: container, entropy coder, probability tables. numpy only; FORMAT.md beside it is the specification.

symbols, scale indexes ──order──► encode_symbols ──► payloads ──write──► .hc ──(cut anywhere)──► parse
symbols[:n_valid]      ◄────────── decode_symbols ◄── Section.payload ◄──────────────────────────┘
"""

from __future__ import annotations

from hiercodec.stream.coder import SymbolReader, SymbolWriter, checksum, decode_symbols, encode_symbols
from hiercodec.stream.container import Section, Stream, info, level_end, parse, truncate, verify, write
from hiercodec.stream.header import Header
from hiercodec.stream.label import Label, Mark, confidence_step
from hiercodec.stream.tables import (
    SCALE_LEVELS,
    Tables,
    gaussian_tables,
    quantize_pmf,
    scale_edges,
    scale_indexes,
    scale_table,
)

__all__ = [
    "SCALE_LEVELS",
    "Header",
    "Label",
    "Mark",
    "Section",
    "Stream",
    "SymbolReader",
    "SymbolWriter",
    "Tables",
    "checksum",
    "confidence_step",
    "decode_symbols",
    "encode_symbols",
    "gaussian_tables",
    "info",
    "level_end",
    "parse",
    "quantize_pmf",
    "scale_edges",
    "scale_indexes",
    "scale_table",
    "truncate",
    "verify",
    "write",
]
