"""Panels drawn by Matplotlib, which is imported when something is drawn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.rounding import Array
from ..errors import MiyaInputError, MiyaWarning

# Okabe and Ito's colours, told apart by colour-blind readers (jfly.uni-koeln.de/color)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (1, 1.4)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
WIDE_FONTS = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic",
              "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic")  # fmt: skip
GLYPH = "missing from font"  # what Matplotlib says of a character
NO_FONT = (
    "W641 no font here has every character of the plot; it shows empty boxes instead. Install "
    "one that has them, such as fonts-noto-cjk (Debian, Ubuntu)"
)
LOOK = {
    "svg.hashsalt": "miya",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "savefig.dpi": 160,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.title_fontsize": 8.5,
    "legend.handlelength": 3.2,
}


@dataclass(frozen=True)
class Line:
    """One line of a panel: y (k,) over x (k,). layer: from 1, 0 for none; place: within it."""

    label: str
    x: Array
    y: Array
    layer: int = 0
    place: int = 0


@dataclass(frozen=True)
class Panel:
    """Axes with their lines. note: what was left out, "" for nothing."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log: bool
    note: str = ""


def draw(panels: Sequence[Panel]) -> Any:
    """A Matplotlib figure, a panel below the other."""
    with settings():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.2, 2.9 * len(panels) + 0.3), layout="constrained")
        for axes, panel in zip(np.ravel(figure.subplots(len(panels), 1)), panels, strict=True):
            _draw(axes, panel)
    return figure


def _draw(axes: Any, panel: Panel) -> None:
    for line in panel.lines:
        steps = len(line.x)
        axes.plot(
            line.x,
            line.y,
            label=_literal(line.label),
            color=COLOURS[(line.layer - 1) % len(COLOURS)] if line.layer else COLOURS[0],
            linestyle=DASHES[(line.layer - 1) % len(DASHES)] if line.layer else "-",
            marker=MARKERS[line.place % len(MARKERS)] if line.layer or steps == 1 else "",
            markevery=(min(line.place * max(1, steps // 40), steps - 1), max(1, steps // 10)),
        )
    axes.set_title(_literal(panel.title), loc="left")
    axes.set_xlabel(_literal(panel.x_label))
    axes.set_ylabel(_literal(panel.y_label))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if panel.log:
        axes.set_yscale("log")
    elif min(line.y.min() for line in panel.lines) < 0:
        axes.axhline(0, color="#808080", linewidth=0.8, zorder=0)
    if len(panel.lines) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title=panel.note or None)


def _literal(text: str) -> str:
    """Text of which Matplotlib reads nothing as mathematics."""
    return text.replace("$", r"\$")


@contextmanager
def settings() -> Iterator[None]:
    """Matplotlib's own defaults with Miya's on top, whatever the reader has set; put back after.

    Characters that no font has become one warning, W641, that says what to install.
    Raises MiyaInputError E640 without Matplotlib.
    """
    try:
        import matplotlib
    except ImportError:
        raise MiyaInputError(
            "E640", "plots need Matplotlib", hint='install it with: pip install "miya[plot]"'
        ) from None
    look: Any = {**_defaults(matplotlib), **LOOK, **_font()}
    with warnings.catch_warnings(record=True) as found, matplotlib.rc_context(look):
        warnings.simplefilter("always")
        yield
    others = [w for w in found if GLYPH not in str(w.message)]
    for other in others:
        warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if len(others) < len(found):
        warnings.warn(MiyaWarning(NO_FONT), stacklevel=4)


def _defaults(matplotlib: Any) -> dict[str, Any]:
    kept = ("backend", "interactive", "toolbar", "webagg", "tk", "docstring", "date.epoch")
    return {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith(kept)}


def _font() -> dict[str, Any]:
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return {"font.family": ["DejaVu Sans", *(f for f in WIDE_FONTS if f in there)]}
