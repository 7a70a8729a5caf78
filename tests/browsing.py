"""A real browser on pages opened from disk; a test fails on any request, error or message."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium():
    for name in (os.environ.get("MIYA_CHROMIUM", ""), *NAMES):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise AssertionError("no Chromium: run scripts/setup-page, or set MIYA_CHROMIUM")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """open_page(html, **context) gives a page; what goes wrong on it fails the test at its end."""
    contexts, troubles = [], []

    def opened(html, *, at="", **options):
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(html, "utf-8")
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda m: troubles.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: troubles.append(f"error: {e}"))
        page.on(
            "request", lambda r: troubles.append(f"request: {r.url}") if leaves(r.url) else None
        )
        page.goto(file.as_uri() + at)
        return page

    def leaves(url):
        return not url.startswith(("file://" + str(tmp_path), "data:"))

    yield opened
    for context in contexts:
        context.close()
    assert not troubles
