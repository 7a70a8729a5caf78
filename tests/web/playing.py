"""An open playground in a browser, and what tests do with it."""

import pytest
from browsing import ROOT
from playwright.sync_api import expect
from web.serving import played

import miya
from miya.web.actions import act
from miya.web.state import encode

AXE = ROOT / "page" / "node_modules" / "axe-core" / "axe.min.js"
# of the smallest lesson: axe goes through every element of a page each time that it is asked
SMALL = "#" + encode(act({"action": "lessons"})["lessons"][1]["state"])
PANELS = ("edit", "data", "blame", "lessons", "mark", "file")


@pytest.fixture(scope="module")
def server():
    with played() as found:
        yield found


@pytest.fixture
def play(browser, server):
    """play(**context) gives an open playground; what goes wrong on it fails the test."""
    contexts, troubles = [], []

    def opened(*, at="", address=None, **options):
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda e: troubles.append(f"error: {e}"))
        page.on("console", lambda m: troubles.append(m.text) if odd(m.text) else None)
        page.on("request", lambda r: troubles.append(r.url) if leaves(r.url, server) else None)
        page.goto((address or server.address) + at)
        settled(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles, troubles


def odd(text):
    """Not what the browser writes by itself of a refused edit (422), of a cookie that is not
    known (403) and of a line that is down."""
    return not any(known in text for known in ("422", "403", "ERR_FAILED"))


def leaves(url, server):
    return not url.startswith((server.origin, "data:", "blob:"))


def rest(page):
    """Until nothing is under way, as the page itself says."""
    for _ in range(2):
        page.wait_for_timeout(30)
        page.wait_for_selector("html:not([data-busy])", state="attached")


def settled(page):
    page.wait_for_selector("section.step")
    expect(page.locator("#loss-now")).not_to_have_text("…")
    rest(page)


def state_of(page):
    return page.evaluate(
        """async () => {
          const text = location.hash.slice(1).replaceAll("-", "+").replaceAll("_", "/");
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const by = new DecompressionStream("deflate-raw");
          return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(by)).text());
        }"""
    )


def trace_of(page):
    return miya.explain(miya.load(state_of(page)["network"])).trace


def shown(page, ref):
    texts = page.locator(f'g.neuron[data-ref="{ref}"] > text').all_text_contents()
    return dict(t.split(" = ") for t in texts if " = " in t)


def number(text):
    return float(text.replace("−", "-"))


def field(page, caption):
    return page.get_by_label(caption, exact=True)


def pick(page, ref):
    page.locator(f'g.neuron[data-ref="{ref}"] > .t-delta').click()
