"""Weights & Biases, offline unless told otherwise: nothing is sent before `wandb sync`."""

from __future__ import annotations

from typing import Any

from ...read.need import need
from ..records import Finding, StepRecord
from ..words import told
from .scalars import scalars

PREFIX = "miya/"
STEP = f"{PREFIX}step"  # what the plots run over, since a run of the user's counts its own steps


class WandbSink:
    """Logs to `run`, a run of the user's own that is left open, or to a new offline one.

    project, folder: of a new run. language: of the findings. Raises MiyaInputError E640 without
    wandb.
    """

    def __init__(
        self,
        run: Any = None,
        *,
        project: str = "miya",
        folder: str | None = None,
        language: str = "en",
    ) -> None:
        self.language = language
        self.own = run is None
        if run is None:
            need("wandb", "wandb", "this sink needs")
            import wandb  # type: ignore[import-not-found,unused-ignore]

            run = wandb.init(project=project, dir=folder, mode="offline")
        self.run = run
        self.found: list[str] = []
        run.define_metric(STEP)
        run.define_metric(f"{PREFIX}*", step_metric=STEP)

    def step(self, record: StepRecord) -> None:
        self.run.log({STEP: record.step, **{PREFIX + n: v for n, v in scalars(record)}})

    def finding(self, finding: Finding) -> None:
        said = told(finding, self.language)
        self.found.append(f"{said.statement} {said.remedy}".strip())
        self.run.summary[f"{PREFIX}findings"] = list(self.found)

    def close(self) -> None:
        if self.own:
            self.run.finish()
