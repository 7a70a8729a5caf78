"""Mutated pages: no traceback, no hang. python tests/check/fuzz.py [--count 100000] [--seed 1]"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]

import generator  # noqa: E402
import heldout  # noqa: E402
import notations  # noqa: E402
import wild_one  # noqa: E402
import wild_three  # noqa: E402
import wild_two  # noqa: E402

from miya.api import Checked  # noqa: E402
from miya.api.checked import marked  # noqa: E402
from miya.errors import MiyaInputError  # noqa: E402
from miya.read.page.encoding import decode  # noqa: E402
from miya.read.page.read import FORMS, read_text  # noqa: E402

NASTY = [
    "{" * 60, "}" * 9, "[" * 50, "(" * 200, "$$", "$", "\\frac", "\\frac{", "\\begin{bmatrix}", "\\end{bmatrix}", "&", "\\\\",
    "1e999", "NaN", "Infinity", "-inf", "9" * 5000, "0." + "3" * 300, "2^9999999", "(-1)^0.5", "1/0", "0^0^0", "exp(99999)",
    "^{^{^{", "___", "\x00", "\ufeff", "\u202e", "🐾", "ğŸ", "Î´", "=", "≈", "= =", ":", "W1 = [[1,2],[3]]", "W_1 = []",
    "x = [1e400]", "y = 2", "η = -1", "η = 0", "relu", "softmax", "cross-entropy", "Adam", "momentum 0.9", "|a|b|\n|-|-|\n|1|2|\n",
    "<table><tr><td>", "</sup>", "<sub>", "<math><mfrac>", "# ", "- ", "+ ", "> " * 80, "```", "\t", "\r", "new ", "a_1[99999999999]",
    "w^{(99999999999999999999)}", "σ'", "∂", "d/d", "∂C/∂", "\\left(", "\\sum_{i}", "0,5", "1.2.3", "e^{-", "^T", "W_{1}^{T}",
]  # fmt: skip


def sources(seed=5):
    found = []
    wild = (wild_one.WILD_ONE, wild_two.WILD_TWO, wild_three.WILD_THREE)
    writers = [
        write for kept in (notations.NOTATIONS, heldout.HELDOUT, *wild) for write in kept.values()
    ]
    for k, write in enumerate(writers):
        for n in range(2):
            page, r = generator.worked(seed + 10 * k + n)
            text, suffix = write(page, r)
            found.append((text, FORMS.get(suffix, "markdown")))
    for path in sorted((Path(__file__).parent / "pages").iterdir()):
        if path.suffix in (".md", ".txt", ".html", ".ipynb") and path.stat().st_size < 6000:
            found.append((path.read_text("utf-8"), FORMS.get(path.suffix, "markdown")))
    found.append(("symbol,value\nz1[0],0.5\nW2_new[0][1],-0.3\n", "csv"))
    found.append(('"z1[0]" = 0.5\n"δ2[0]" = "1/3"\n', "toml"))
    return found


def mutated(text: str, other: str, r: random.Random) -> str:
    if len(text) > 1500 and r.random() < 0.8:
        start = r.randrange(len(text) - 1200)
        text = text[:500] + text[start : start + r.randint(200, 1200)]
    for _ in range(r.choice([1, 1, 2, 3, 6])):
        a = r.randrange(len(text) + 1)
        b = min(len(text), a + r.choice([1, 1, 3, 10, 60]))
        what = r.randrange(7)
        if what == 0:
            text = text[:a] + text[b:]
        elif what == 1:
            text = text[:a] + text[a:b] * r.choice([2, 3, 20]) + text[b:]
        elif what == 2:
            text = text[:a] + r.choice(NASTY) + text[a:]
        elif what == 3:
            text = (
                text[:a]
                + chr(r.choice([0, 7, 33, 92, 123, 125, 0x3B4, 0x2202, 0xFFFD, 0x1F63A]))
                + text[b:]
            )
        elif what == 4:
            c = r.randrange(len(other) + 1)
            text = text[:a] + other[c : c + r.choice([10, 80, 300])] + text[b:]
        elif what == 5:
            text = (
                text[:a]
                + "".join(r.choice("0123456789.-+*/=^_{}[]()\\$ \n") for _ in range(b - a + 2))
                + text[b:]
            )
        else:
            text = text[:a] + text[b:] + text[a:b]
    return text


def attempt(text: str, form: str, network=None) -> str:
    """What came of a page: "marked", or the code of the message."""
    try:
        content = decode(text.encode("utf-8", "replace"), "page")
        made = Checked(marked(lambda use: read_text(content, form, "page", use), network))
        made.json()
        made.text()
    except MiyaInputError as error:
        assert str(error) and "\n" not in str(error), str(error)
        return error.code
    return "marked"


def fuzz(count: int, seed: int, longest: float = 5.0):
    """Counts of what came, the slowest page's seconds, and each failure."""
    from miya.api import load

    network = load()
    pages = sources()
    came, slowest, failures = Counter(), 0.0, []
    for n in range(count):
        r = random.Random(seed * 1_000_003 + n)
        text, form = r.choice(pages)
        text = mutated(text, r.choice(pages)[0], r)
        start = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                came[
                    attempt(
                        text, form, network if form in ("csv", "toml") or r.random() < 0.1 else None
                    )
                ] += 1
        except Exception:
            failures.append((n, form, text, traceback.format_exc()))
        taken = time.process_time() - start
        slowest = max(slowest, taken)
        if taken > longest:
            failures.append((n, form, text, f"took {taken:.1f} s"))
        if len(failures) >= 5:
            break
        if n % 5000 == 4999:
            print(n + 1, f"slowest {slowest:.2f} s", len(failures), "failures", flush=True)
    return came, slowest, failures


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    start = time.perf_counter()
    came, slowest, failures = fuzz(given.count, given.seed)
    print(
        f"{sum(came.values())} pages in {time.perf_counter() - start:.0f} s, slowest {slowest:.2f} s"
    )
    print(dict(came))
    for n, form, text, what in failures:
        print("-" * 70, n, form, len(text), what[-1500:], sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
