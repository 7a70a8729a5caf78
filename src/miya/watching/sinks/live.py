"""A live view in the terminal: the loss, every layer's numbers as bars, what was found.

It is drawn in the training's own thread and at most twice a second, so that the training is held
up by what two drawings take; the records between are seen, and not drawn.
"""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...render.escape import printable
from ...render.faces import FACES
from ...story.blocks import Mood
from ...story.words import load
from ..records import Finding, LayerRecord, StepRecord
from ..shown import short
from ..words import told

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

INTERVAL = 0.5  # seconds between two drawings
KEPT = 3  # findings shown, the newest
CURVE = 240  # losses kept for the curve
TICKS = "▁▂▃▄▅▆▇█"
BAR = 10  # characters
SMALLEST, LARGEST = -6.0, 0.0  # powers of ten of the relative step, where its bar begins and ends


class LiveSink:
    """Shows the newest record. layers: at most so many rows, those of the largest relative step.

    Where the console is no terminal, it is shown once, at the end.
    """

    def __init__(
        self, *, layers: int = 12, language: str = "en", console: Console | None = None
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self.words = load(language)["watch_live"]
        self.most, self.language = layers, language
        self.losses: deque[float] = deque(maxlen=CURVE)
        self.found: deque[Finding] = deque(maxlen=KEPT)
        self.count = 0
        self.newest: StepRecord | None = None
        self.drawn = -math.inf
        self.console = console or Console(stderr=True)
        # what the training prints goes above the view, unless it goes elsewhere, which it then may
        self.live: Any = Live(
            console=self.console,
            auto_refresh=False,
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self.begun = False

    def step(self, record: StepRecord) -> None:
        self.newest = record
        if record.loss is not None:
            self.losses.append(record.loss)
        now = time.monotonic()
        if self.console.is_terminal and now - self.drawn >= INTERVAL:
            self._draw()
            self.drawn = time.monotonic()

    def finding(self, finding: Finding) -> None:
        self.found.append(finding)
        self.count += 1

    def close(self) -> None:
        if self.newest is not None:
            self._draw()
        if self.begun:
            self.live.stop()
            self.begun = False

    def _draw(self) -> None:
        if not self.begun:
            self.live.start()
            self.begun = True
        self.live.update(self.view(), refresh=True)

    def view(self) -> RenderableType:
        """What is shown of the newest record."""
        from rich.console import Group
        from rich.text import Text

        assert self.newest is not None
        record = self.newest
        mood: Mood = "alarm" if self.found else "calm"
        loss = self.words["no_loss"] if record.loss is None else short(record.loss)
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append(FACES[mood] + " ", "magenta")
        head.append(self.words["head"].format(step=record.step, loss=loss), "bold")
        parts: list[RenderableType] = [head]
        if len(self.losses) > 1:
            parts.append(Text(curve(self.losses, self.console.width - 2), "cyan", no_wrap=True))
        parts.append(self._layers(record))
        parts += [
            Text.assemble(("! ", "bold yellow"), printable(told(f, self.language).statement))
            for f in self.found
        ]
        if self.count > len(self.found):
            parts.append(Text(self.words["more"].format(count=self.count - len(self.found))))
        return Group(*parts)

    def _layers(self, record: StepRecord) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        table.add_column(self.words["layer"], no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column(self.words["relative_step"], no_wrap=True)
        columns = [name for name, least in COLUMNS.items() if self.console.width >= least]
        for name in columns:
            table.add_column(self.words[name], justify="right", no_wrap=True)
        shown = sorted(record.layers, key=_size, reverse=True)[: self.most]
        names = {layer.layer for layer in shown}
        for layer in (v for v in record.layers if v.layer in names):
            path = Text(printable(layer.layer or layer.kind))
            table.add_row(path, _bar(layer), *_cells(layer, columns))
        left = len(record.layers) - len(shown)
        if left:
            table.add_row(self.words["more_layers"].format(count=left))
        return table


COLUMNS = {"gradient": 50, "delta": 60, "dead": 70, "saturated": 80}  # from how wide a terminal


def _cells(layer: LayerRecord, columns: Sequence[str]) -> list[str]:
    shares = ("dead", "saturated")
    return [
        ""
        if (value := getattr(layer, name)) is None
        else f"{value:.0%}"
        if name in shares
        else short(value)
        for name in columns
    ]


def _size(layer: LayerRecord) -> float:
    value = layer.relative_step
    if value is None:
        return -1.0
    return math.inf if math.isnan(value) else value


def _bar(layer: LayerRecord) -> str:
    """On a log scale from 1e-6 to 1, with the number."""
    value = layer.relative_step
    if value is None:
        return ""
    power = math.log10(value) if value > 0 and math.isfinite(value) else LARGEST
    share = (power - SMALLEST) / (LARGEST - SMALLEST) if value != 0 else 0.0
    full = round(min(max(share, 0.0), 1.0) * BAR)
    return f"{'█' * full}{'░' * (BAR - full)} {short(value)}"


def curve(values: deque[float] | list[float], width: int) -> str:
    """The values as a line of bars, the newest `width`; "×" for what is not finite."""
    kept = list(values)[-max(width, 1) :]
    finite = [v for v in kept if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    span = high - low
    return "".join(
        TICKS[round((v - low) / span * (len(TICKS) - 1)) if span > 0 else 0]
        if math.isfinite(v)
        else "×"
        for v in kept
    )
