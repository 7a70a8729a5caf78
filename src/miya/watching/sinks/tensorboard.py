"""TensorBoard: one event a step with every number of every layer; findings as text.

TensorBoard keeps float32, so these are for looking at; a run folder keeps the numbers whole.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ...errors import MiyaOutputError
from ...read.need import need
from ..records import Finding, StepRecord
from ..words import told
from .scalars import scalars

PREFIX = "miya/"


class TensorBoardSink:
    """Writes an event file into `folder`. language: of the findings.

    Raises MiyaInputError E640 without tensorboard, MiyaOutputError E741 for a folder that cannot
    be written.
    """

    def __init__(self, folder: str | Path, *, language: str = "en") -> None:
        need("tensorboard", "tensorboard", "this sink needs")
        from tensorboard.summary.writer.event_file_writer import EventFileWriter  # type: ignore[import-untyped]

        self.language = language
        try:
            self.writer: Any = EventFileWriter(str(folder), flush_secs=1)
        except OSError as fault:
            raise MiyaOutputError(
                "E741",
                f"cannot write the folder {folder}: {fault.strerror or fault}",
                hint="choose a folder that may be written",
            ) from fault

    def step(self, record: StepRecord) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]

        values = [Summary.Value(tag=PREFIX + n, simple_value=v) for n, v in scalars(record)]
        self._add(Summary(value=values), record.step)

    def finding(self, finding: Finding) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text.metadata import create_summary_metadata  # type: ignore[import-untyped]
        from tensorboard.util.tensor_util import make_tensor_proto  # type: ignore[import-untyped]

        said = told(finding, self.language)
        text = make_tensor_proto([f"{said.statement} {said.remedy}".strip()])
        value = Summary.Value(
            tag=f"{PREFIX}findings/{finding.rule}",
            metadata=create_summary_metadata("", ""),
            tensor=text,
        )
        self._add(Summary(value=[value]), finding.step)

    def close(self) -> None:
        self.writer.close()

    def _add(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]

        self.writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
