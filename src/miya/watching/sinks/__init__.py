"""Where a watched run goes. A sink has `step(record)`, `finding(finding)` and `close()`."""

from __future__ import annotations

from .live import LiveSink
from .memory import MemorySink
from .parquet import ParquetSink
from .tensorboard import TensorBoardSink
from .wandb import WandbSink

__all__ = ["LiveSink", "MemorySink", "ParquetSink", "TensorBoardSink", "WandbSink"]
