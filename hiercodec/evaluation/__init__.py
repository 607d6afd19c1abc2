"""What one picture or a data set gives under a codec: traces, metrics, results. Names here import no torch."""

from __future__ import annotations

from hiercodec.evaluation.measure import Judging
from hiercodec.evaluation.metrics import psnr
from hiercodec.evaluation.traces.trace import Step, Trace, byte_budgets
from hiercodec.evaluation.traces.tracing import refine, trace, trace_stream

__all__ = ["Judging", "Step", "Trace", "byte_budgets", "psnr", "refine", "trace", "trace_stream"]
