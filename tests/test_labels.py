"""A label is text in every output: no markup, no command, no link, no control code."""

import json
import re

import bad_inputs as table
import pytest
from markdown_it import MarkdownIt

import miya
from miya.render.escape import latex, markdown, printable

EVIL = [
    "<img src=x onerror=alert(1)>",
    "</svg><script>alert(1)</script>",
    r"\input{/etc/passwd}",
    r"\write18{ls} $x$ % ^^M ~ # & _",
    "=cmd|'/C calc'!A0",
    "| a | b |",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "<http://evil.example>",
    "http://evil.example www.evil.example",
    "`x` *y* __z__ ~~w~~ $$v$$ &lt;",
    "- item",
    "1. one",
    "1) one",
    "# heading",
    "    code",
    "> quote",
    "[option] *",
    "\x1b[31mred\x1b]0;title\x07\r\n\t",
    "\u202egnp.exe\u202c \u200b\u2028",
    "猫 é 😀",
]  # fmt: skip


def network(label):
    layer = {"name": label, "neurons": [label], "bias": [0.1], "activation": "relu"}
    return {
        "title": label,
        "learning_rate": 0.1,
        "loss": "squared_error",
        "inputs": [label, label],
        "layers": [{**layer, "weight": [[0.1, 0.2]]}, {**layer, "weight": [[0.3]]}],
        "examples": [
            {"name": label, "input": [1, 2], "target": [1]},
            {"name": label, "input": [2, 1], "target": [0]},
        ],
    }


def tags(text):
    """What a Markdown reader that allows HTML and links makes of the text, without the words."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = []
    for token in reader.parse(text):
        found += [token.type, *(child.type for child in token.children or ())]
        found += [str(value) for value in token.attrs.values() if token.type == "image"]
    return [t for t in found if t not in ("text", "softbreak", "text_special", "inline")]


@pytest.mark.parametrize("label", EVIL)
def test_markdown_has_the_same_structure_whatever_the_label(label):
    plain, evil = (miya.explain(network(n)).markdown() for n in ("name", label))
    assert tags(evil) == tags(plain)
    assert not re.search(r"https?:/|www\.", evil)  # GitHub would make a link of it


@pytest.mark.parametrize("label", EVIL)
def test_markdown_shows_the_label(label):
    token = MarkdownIt("commonmark").parse(f"{markdown(label)}\n")
    assert [t.type for t in token] == ["paragraph_open", "inline", "paragraph_close"]
    shown = "".join(child.content for child in token[1].children)
    assert shown == printable(label).strip()


@pytest.mark.parametrize("label", EVIL)
def test_latex_holds_no_command_of_the_label(label):
    plain, evil = (miya.explain(network(n)).latex() for n in ("name", label))

    def commands(text):
        # those that stand for one character are what a label may bring
        text = re.sub(r"\\text[a-z]+\{\}|\\ensuremath\{[^}]*\}|\\[{}$&#%_]", "", text)
        return re.findall(r"\\[a-zA-Z]+|[%$^~]", text)

    assert commands(evil) == commands(plain)
    written = latex(label)
    assert written.count("{") - written.count(r"\{") == written.count("}") - written.count(r"\}")


@pytest.mark.parametrize("label", EVIL)
def test_no_output_holds_a_control_character(label):
    told = miya.explain(network(label))
    ranked = miya.blame(network(label))
    for text in (told.text(), told.markdown(), told.latex(), told.json(), str(ranked)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text)
    for text in (told.text(), told.markdown(), told.latex()):
        assert not re.search("[\u200b\u2028\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("label", EVIL)
def test_json_gives_the_label_back_as_it_was(label):
    data = json.loads(miya.explain(network(label)).json())
    assert data["title"] == label
    assert data["layers"][0]["name"] == label and data["layers"][1]["neurons"] == [label]


def test_what_the_terminal_shows():
    told = miya.explain(network("\x1b[31m\u202e")).text()
    assert told.startswith("\\x1b[31mU+202E\n")


def test_half_a_character_is_refused_before_it_breaks_an_output():
    with pytest.raises(miya.MiyaInputError, match=r"E216 title holds U\+DC00, half of a character"):
        miya.explain(table.python(title="a\udc00"))
