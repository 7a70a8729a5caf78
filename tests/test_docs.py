"""The documents: every example runs and prints what they show, and nothing in them is stale."""

from __future__ import annotations

import doctest
import json
import re
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from documents import PAGES, ROOT, console, made, name, pieces
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

import miya
from miya.analysis import flow, removal
from miya.analysis.blame import Blame, BlameRow
from miya.analysis.credit import Credit
from miya.cli import main
from miya.core import activations
from miya.core.network import Layer, Network
from miya.core.trace import LayerTrace, ParameterUpdate, Trace
from miya.read import file, parse
from miya.render.blame import blame_json
from miya.render.steps import record
from miya.story import remarks, teller
from miya.story.words import load

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCES = re.compile(r"^(?P<mark>`{3,}).*?^(?P=mark)[ \t]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")


def read(page):
    return (ROOT / page).read_text("utf-8")


def section(page, heading):
    """The text under a heading, up to the next one of its level."""
    level = heading.split(" ")[0]
    start = read(page).index(f"\n{heading}\n")
    return re.split(rf"\n{level} ", read(page)[start + 2 :])[0]


def check_console(example):
    wrong = []
    for shown in console.parse(example.parsed):
        printed = console.run(shown.command, Path.cwd())
        if not console.agrees(shown.lines, printed):
            now = console.Shown(shown.command, console.refreshed(shown.lines, printed))
            wrong.append(f"{shown}\n\nprints now (scripts/refresh-docs rewrites it)\n\n{now}")
    return "\n".join(wrong) or None


def check_network(form):
    def check(example):
        miya.explain(pieces.whole(example.parsed, form)).json()

    return check


SYBIL = Sybil(
    [
        PythonCodeBlockParser(doctest_optionflags=FLAGS),
        CodeBlockParser("console", check_console),
        CodeBlockParser("toml", check_network("toml")),
        CodeBlockParser("json", check_network("json")),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_example_does_what_it_shows(page, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    wrong = []
    for example in SYBIL.parse(page).examples():
        try:
            example.evaluate()
        except Exception as error:
            wrong.append(f"{name(page)}:{example.line}: {error}")
    assert not wrong, "\n\n".join(wrong)


def test_the_docstring_of_the_package_runs():
    failed, tried = doctest.testmod(miya, optionflags=FLAGS)
    assert tried > 5 and not failed


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_made_parts_are_fresh(page):
    assert not list(made.stale(page.read_text("utf-8"))), "run scripts/refresh-docs"


def anchors(page):
    text = FENCES.sub("", page.read_text("utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    wrong = []
    for m in LINK.finditer(FENCES.sub("", page.read_text("utf-8"))):
        target = page.parent / m["path"] if m["path"] else page
        found = target.exists() and (not m["anchor"] or m["anchor"] in anchors(target))
        wrong += [] if found else [m[0]]
    assert not wrong


def test_the_index_leads_to_every_page():
    linked = {m["path"] for m in LINK.finditer(read("docs/index.md"))}
    pages = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    assert pages - {"index.md"} <= linked


def test_network_file_lists_every_record():
    text = read("docs/network-file.md")
    assert {m["name"] for m in made.PART.finditer(text)} == {"activations", "losses", "optimizers"}


@pytest.mark.parametrize("command", ["", *main.commands])
def test_command_line_tells_every_option(command):
    text = section("docs/command-line.md", f"## miya {command}".rstrip())
    options = (main.commands[command] if command else main).params
    told = [o for p in options for o in (*p.opts, *p.secondary_opts) if o.startswith("-")]
    assert all(f"`{o}`" in text for o in told), told


def keys(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("element", ["W1[1,0]", "a1[0,1]"])
def test_json_tells_every_key_of_a_why(element):
    data = miya.why(miya.explain().trace, element).data()
    for part in (data["made"], data["update"] or {}):
        part.pop("names", None)
    text = section("docs/json.md", "## miya why") + section("docs/json.md", "## miya explain")
    assert not [key for key in keys(data) if f"`{key}`" not in text]


def test_json_tells_every_key_of_a_model():
    from models.told import explained

    text = section("docs/json.md", "## miya explain of a model")
    text += section("docs/json.md", "## miya explain")
    data = explained("cnn").data()
    found = keys(data) - {key for group in data["optimizer"]["groups"] for key in group}
    assert not [key for key in found if f"`{key}`" not in text]


def test_json_tells_every_key():
    described = miya.load()
    found = {
        "explain": miya.explain(described).data(),
        "blame": json.loads(blame_json(miya.blame(described))),
        "train": json.loads(record(next(iter(miya.train(described, steps=1))))),
    }
    for command, value in found.items():
        text = section("docs/json.md", f"## miya {command}")
        options = set(described.optimizer.options)
        assert all(f"`{key}`" in text for key in keys(value) - options), command


@pytest.mark.parametrize(
    "kind", [miya.Explanation, Trace, LayerTrace, ParameterUpdate, Network, Layer, Credit, Blame]
)
def test_python_tells_every_field(kind):
    text = section("docs/python.md", f"### {kind.__name__}")
    shown = [f.name for f in fields(kind)] + [n for n in vars(kind) if not n.startswith("_")]
    assert all(f"`{n}" in text for n in shown), [n for n in shown if f"`{n}" not in text]


def test_python_tells_every_field_of_a_row():
    text = section("docs/python.md", "### Blame")
    assert all(f"`{f.name}`" in text for f in fields(BlameRow))


def test_story_tells_every_remark_with_its_limits():
    text = section("docs/story.md", "## When Miya speaks")
    assert all(f"`{key}`" in text for key in load("en")["remarks"])
    for limit in (
        remarks.FAR,
        remarks.UNLIKELY,
        remarks.SATURATED_SLOPE,
        flow.GREEDY_SHARE,
        flow.GREEDY_TIMES,
    ):
        assert f" {limit:g} " in text, limit


def test_limits_are_the_real_ones():
    large = section("docs/story.md", "## Large networks")
    assert f"up to {teller.MOST_ELEMENTS} entries" in large
    assert f"up to {teller.MOST_TERMS} terms" in large
    assert f"the {teller.TOP} largest entries" in large
    limits = section("docs/network-file.md", "## Limits")
    toml, json_ = (file.LARGEST[form] // 2**20 for form in ("toml", "json"))
    assert f"at most {toml} MiB, a JSON file {json_} MiB" in limits
    assert f"at most {parse.DEEPEST} deep" in limits
    assert f"above {removal.LIMIT:,} parameters" in section("docs/blame.md", "## Removal")


def test_architecture_names_the_parts_there_are():
    text = section("docs/architecture.md", "## Stages")
    source = ROOT / "src" / "miya"
    parts = {p.name + "/" for p in source.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert parts | {"errors.py"} == set(re.findall(r"^\| `(\w+(?:/|\.py))`", text, re.M))


def test_the_record_shown_can_be_added(monkeypatch):
    (block,) = re.findall(r"```text\n(_record.*?)```", read("docs/architecture.md"), re.DOTALL)
    monkeypatch.setattr(activations, "KINDS", {**activations.KINDS})
    exec(block, {**vars(activations)})
    layer = {"weight": [[2.0], [-3.0]], "bias": [0.5, 0], "activation": "softsign"}
    told = miya.explain(pieces.whole(json.dumps({"layers": [layer]}), "json"), digits=4)
    (trace,) = told.trace.layers
    assert trace.a.tolist() == [[1.5 / 2.5, -1.5 / 2.5]]
    assert trace.slope == pytest.approx(1 / 2.5**2)
    assert "a1[1] = -1.5 / (1 - (-1.5)) = -0.6" in told.text()
    assert r"\left|z\right|" in told.latex()


def test_a_wrong_output_is_seen_and_put_right():
    block = "$ echo one; echo two; echo three\none\n...\nfour\n"
    (shown,) = console.parse(block)
    printed = ("one", "two", "three")
    assert not console.agrees(shown.lines, printed)
    assert console.agrees(("one", "...", "three"), printed)
    assert console.agrees(("one", "two", "...", "three"), printed)
    assert not console.agrees(("one", "three"), printed)
    assert console.refreshed(("one", "...", "thr"), printed) == ("one", "...", "three")
    assert console.refreshed(("no",), printed) == printed


def test_a_stale_part_is_seen_and_put_right():
    text = "<!-- made: losses -->\n\n| old |\n\n<!-- made end -->\n"
    assert list(made.stale(text)) == ["losses"]
    assert not list(made.stale(made.refreshed(text)))
    assert "half_squared_error" in made.refreshed(text)
