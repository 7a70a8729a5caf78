"""Whole documents, as they are read."""

import json
import re
from pathlib import Path

import goldens
import pytest
from networks import random_network

import miya

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDINGS = {"text": "txt", "markdown": "md", "latex": "tex"}


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_the_original_story(form):
    goldens.check(f"original.{ENDINGS[form]}", getattr(miya.explain(), form)())


def test_the_original_story_as_data():
    goldens.check_json("original.json", miya.explain().json())


def test_the_original_story_in_japanese():
    goldens.check("original.ja.txt", miya.explain(language="ja").text())


def test_the_original_story_by_hand():
    goldens.check("original.rounded.txt", miya.explain(carry="rounded", digits=4).text())


@pytest.mark.parametrize(
    "name",
    ["adam_batch.toml", "frozen_shared_biases.toml", "relu_classifier.json", "xor_tanh.toml"],
)
def test_the_stories_of_the_examples(name):
    goldens.check(f"{Path(name).stem}.txt", miya.explain(EXAMPLES / name).text())


def test_a_ranking():
    from miya.render.blame import blame_text

    made = [blame_text(miya.blame(measure=m), 5) for m in ("pressure", "step", "credit", "removal")]
    goldens.check("original.blame.txt", "\n".join(made))


@pytest.mark.parametrize("seed", range(12))
def test_every_format_shows_the_same_digits(seed):
    told = miya.explain(random_network(seed, sizes=[2, 3, 2]), digits=4)
    results = [c.closed.result for c in told.story.calculations]
    assert [s["result"] for s in json.loads(told.json())["steps"]] == results
    text = told.text(width=10_000)
    last = [re.split(r" [=≈] ", line)[-1] for line in text.splitlines() if line.startswith("  ")]
    assert [v for v in last if v in results][: len(results)] == results or all(
        f" {r}\n" in text for r in results
    )
    for form in (told.markdown(), told.latex()):
        rows = re.findall(r"(?:=|\\approx) (\S+(?: \\cdot 10\^\{-?\d+\})?)(?: \\\\)?\n", form)
        shown = [re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", row) for row in rows]
        for result in results:
            assert result in shown


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_line_of_prose_is_wider_than_asked(language):
    from miya.render.text import columns

    for width in (60, 88, 120):
        for line in miya.explain(language=language).text(width=width).splitlines():
            if not line.startswith("    "):  # formulas, tables
                assert columns(line) <= width, line


def test_wrapped_calculations_read_the_same():
    wide, narrow = miya.explain().text(width=10_000), miya.explain().text(width=60)
    squeeze = re.compile(r"\s+")
    assert squeeze.sub(" ", wide) == squeeze.sub(" ", narrow)


def test_latex_environments_are_balanced():
    for seed in range(8):
        made = miya.explain(random_network(seed)).latex()
        begun, ended = (
            re.findall(r"\\begin\{(\w+\*?)\}", made),
            re.findall(r"\\end\{(\w+\*?)\}", made),
        )
        assert sorted(begun) == sorted(ended)
        depth = 0
        for mark in re.findall(r"(?<!\\)[{}]", made):
            depth += 1 if mark == "{" else -1
            assert depth >= 0
        assert depth == 0


def test_long_sums_break_over_rows():
    net = random_network(3, sizes=[30, 2, 1], loss="squared_error", masks=False)
    for form in ("markdown", "latex"):
        made = getattr(miya.explain(net), form)()
        rows = [r for r in made.splitlines() if r"\cdot" in r]
        assert any(r.startswith(r"&\quad {} + ") for r in rows)
        assert max(len(re.sub(r"\\[A-Za-z]+|[{}^_]", "", r)) for r in rows) < 140
