"""The playground in Chromium: how soon a slider shows its numbers, and how steadily steps run."""

from __future__ import annotations

import gzip
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from miya.web.state import encode, new_state

from .rows import Row, seconds, size

SIZES = (8, 12, 12, 6)
MOVES, STEPS = 200, 1000
SLIDER, FRAME, FIRST_PAINT, WEIGHT = 0.050, 0.050, 1.0, 102 * 1024
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu"]

# moves the slider that is focused, and gives the milliseconds from each input to the frame after
# the one in which both the neuron's own numbers and the loss have changed
MOVE = """async ([moves, watched]) => {
  const slider = document.querySelector("#panel-edit input[type=range]");
  const texts = () => watched.map((w) => document.querySelector(w).textContent);
  const found = [];
  for (let k = 0; k < moves; k += 1) {
    const before = texts();
    const changed = new Promise((go) => {
      const seen = new MutationObserver(() => {
        if (texts().some((text, j) => text === before[j])) return;
        seen.disconnect();
        go();
      });
      seen.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    const started = performance.now();
    slider.value = String(((k * 37) % 200) / 100 - 1);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await changed;
    await new Promise((go) => requestAnimationFrame(() => setTimeout(go, 0)));
    found.push(performance.now() - started);
    await new Promise((go) => setTimeout(go, 20));
  }
  return found;
}"""
WATCHED = ['g.neuron[data-ref="n1.0"] > .t-delta', "#loss-now"]

# runs until so many steps are shown, and gives the milliseconds between frames
RUN = """async ([steps]) => {
  const shown = () => Number(document.getElementById("steps-now").textContent);
  const frames = [];
  let before = performance.now();
  document.getElementById("run").click();
  const started = before;
  await new Promise((go) => {
    const frame = (now) => {
      frames.push(now - before);
      before = now;
      if (shown() >= steps) go();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const took = performance.now() - started;
  document.getElementById("run").click();
  return { frames: frames.slice(1), took };
}"""

PAINT = """() => new Promise((go) => new PerformanceObserver((list) => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) go(found.startTime);
}).observe({ type: "paint", buffered: true }))"""


def network(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "learning_rate": 0.1,
        "loss": "half_squared_error",
        "layers": [
            {
                "weight": rng.normal(size=(b, a)).round(3).tolist(),
                "bias": rng.normal(size=b).round(3).tolist(),
                "activation": "tanh",
            }
            for a, b in pairwise(sizes)
        ],
        "examples": [{"input": rng.normal(size=sizes[0]).round(3).tolist(), "target": [0.1] * 6}],
    }


@contextmanager
def served() -> Iterator[str]:
    """The address of a playground of its own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "miya", "play", "--no-browser"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        if not found:
            raise RuntimeError("the playground did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.wait_for_selector("section.step")
    rests(page)
    yield page
    page.close()


def rests(page: Page) -> None:
    page.wait_for_timeout(100)
    page.wait_for_selector("html:not([data-busy])", state="attached")


def slider(page: Page, moves: int = MOVES) -> list[float]:
    """Seconds from each move of a bias to the painted frame, close enough to read its neuron."""
    for _ in range(4):
        page.click("#closer")
    page.locator('g.neuron[data-ref="n1.0"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel-edit input[type=range]")
    rests(page)
    return [m / 1000 for m in page.evaluate(MOVE, [moves, WATCHED])]


def running(page: Page, steps: int = STEPS) -> list[float]:
    """Seconds between frames while XOR is trained."""
    page.click("#tab-data")
    page.click("#panel-data > button")
    rests(page)
    return [f / 1000 for f in page.evaluate(RUN, [steps])["frames"]]


def weight() -> int:
    """Bytes of the page, compressed, with its script, style and font."""
    folders = {
        "miya.web.page": ("play.html", "play.js", "play.css"),
        "miya.render.page": ("maths.woff2",),
    }
    files = [
        resources.files(f).joinpath(n).read_bytes() for f, names in folders.items() for n in names
    ]
    return sum(len(gzip.compress(content)) for content in files)


def rows(threads: int) -> Iterator[Row]:
    """Times stand beside their limits: no other page does the same."""
    with served() as address, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with opened(browser, address) as page:
            first = page.evaluate(PAINT) / 1000
            frames = running(page)
        with opened(browser, f"{address}#{encode(new_state(network()))}") as page:
            moves = slider(page)
        browser.close()
    yield against("playground: first paint", first, FIRST_PAINT)
    yield against("playground: slider to painted frame, 8-12-12-6, p95", late(moves), SLIDER)
    yield against("playground: longest frame of 1,000 steps of XOR", max(frames), FRAME)
    yield against(
        "playground: frame of 1,000 steps of XOR, median", statistics.median(frames), 1 / 59
    )
    found = weight()
    yield Row("playground: page, gzip", size(found), size(WEIGHT), found / WEIGHT, limit=1.0)


def late(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def against(what: str, found: float, limit: float) -> Row:
    return Row(what, seconds(found), seconds(limit), found / limit, limit=1.0)
