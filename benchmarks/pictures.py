"""The diagram against Matplotlib drawing the same circles and lines, and the page's weight and
speed in a browser."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import miya
from miya.core.network import Network

from .networks import Case, description
from .rows import Row, seconds, size
from .timing import pairs, timed

REPEATS = 40
WIDE = Case((8, 12, 12, 6), 1, "tanh", "identity", "mean_squared_error")
PAGE_LIMITS = {"the original network": 102 * 1000, "8-12-12-6": 500 * 1000}  # bytes, gzip
FRAME = 0.016  # seconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STEPS = """() => {
  const times = [];
  for (let k = 0; k < 60; k++) {
    const key = k % 20 < 10 ? "ArrowRight" : "ArrowLeft";
    const start = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    document.body.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  return times;
}"""


def rows(threads: int) -> Iterator[Row]:
    yield _diagram()
    pages = {"the original network": miya.explain().html()}
    pages["8-12-12-6"] = miya.explain(description(WIDE)).html()
    for name, page in pages.items():
        weight, limit = len(gzip.compress(page.encode())), PAGE_LIMITS[name]
        what = f"HTML story of {name}, gzip / limit"
        yield Row(what, size(weight), size(limit), weight / limit, limit=1.0)
    for name, page in pages.items():
        times = _steps(page)
        took = statistics.median(times)
        low, _, high = statistics.quantiles(times, n=4)
        yield Row(
            f"a step of the page of {name}, until it is laid out / a frame",
            seconds(took),
            seconds(FRAME),
            took / FRAME,
            (low / FRAME, high / FRAME),
            min(times) / FRAME,
            limit=1.0,
        )


def _diagram() -> Row:
    trace = miya.explain().trace

    def ours() -> float:
        return timed(lambda: miya.draw(trace).svg())

    def peer() -> float:
        return timed(lambda: matplotlib_svg(trace.network))

    found = pairs(ours, peer, REPEATS)
    return Row.of_pairs("SVG of the original network / Matplotlib", found, seconds, 1.0)


def matplotlib_svg(drawn: Network) -> str:
    """The circles of inputs, biases, neurons and loss, and a line for every weight and bias."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure()
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    columns = [(k, np.linspace(0, 1, n)) for k, n in enumerate((*drawn.sizes, 1))]
    for k, places in columns:
        for y in places:
            axes.add_patch(Circle((k, y), 0.1))
    for k, layer in enumerate(drawn.layers):
        axes.add_patch(Circle((k, -0.2), 0.1))
        for i in range(layer.outputs):
            end = columns[k + 1][1][i]
            for start in (*columns[k][1], -0.2):
                axes.plot((k, k + 1), (start, end))
    written = io.StringIO()
    figure.savefig(written, format="svg")
    return written.getvalue()


def _steps(page: str) -> list[float]:
    """Seconds that each press of an arrow key takes, its layout included."""
    from playwright.sync_api import sync_playwright

    names = (os.environ.get("MIYA_CHROMIUM", ""), *BROWSERS)
    browser = next((found for n in names if n and (found := shutil.which(n))), None)
    if browser is None:
        raise SystemExit("no Chromium: run scripts/setup-page, or set MIYA_CHROMIUM")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "page.html")
        file.write_text(page, "utf-8")
        started = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        opened = started.new_page()
        opened.goto(file.as_uri())
        times = opened.evaluate(STEPS)
        started.close()
    return [t / 1000 for t in times]
