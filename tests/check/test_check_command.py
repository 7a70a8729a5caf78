"""miya check on the command line: formats, templates, classes of answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import miya
from miya.cli import main

PAGE = str(Path(__file__).parent / "pages" / "original.txt")
NET = str(Path(__file__).parents[2] / "examples" / "original.toml")


def run(*arguments):
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_formats(form):
    result = run(PAGE, "--format", form)
    assert result.exit_code == 0
    assert "0.0305" in result.stdout
    if form == "json":
        found = json.loads(result.stdout)
        assert {"network", "items", "first_slips"} <= found.keys()
        assert set(found["items"][0]) >= {
            "symbol", "index", "stated", "line", "verdict", "exact", "given_page", "diagnosis",
        }  # fmt: skip


def test_html_needs_nothing_from_outside_and_escapes(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("2*3 = 7\n\n<script>alert(1)</script> 0.5\n\nπ < 4\n", "utf-8")
    told = run(path, "--format", "html").stdout
    assert "<script" not in told and "http" not in told


def test_a_template_filled_in_rightly_has_no_slip(tmp_path):
    sheet = tmp_path / "sheet.csv"
    assert run("--template", NET, "-o", sheet).exit_code == 0
    rows = sheet.read_text("utf-8").splitlines()
    assert rows[0] == "symbol,value" and rows[1] == "z1[0]," and "W2_new[0][1]," in rows
    trace = miya.explain(NET).trace
    filled = rows[:1] + [f"{r}{value(trace, r[:-1]):.6g}" for r in rows[1:]]
    sheet.write_text("\n".join(filled) + "\n", "utf-8")
    made = miya.check(sheet, network=NET).marking
    assert len(made.marks) == len(rows) - 1
    assert {m.verdict for m in made.marks} <= {"right", "rounding"}


def value(trace, symbol):
    """The exact number of a symbol, read off the trace by hand."""
    from miya.read.page.sheet import quantity

    of = quantity(symbol)
    if of.head == "C":
        return trace.loss
    layer = trace.layers[of.layer - 1]
    arrays = {
        "z": layer.z[0], "a": layer.a[0], "∂C/∂a": layer.grad_a[0], "σ'": layer.slope[0], "δ": layer.delta[0],
        "∂C/∂W": layer.weight.gradient, "∂C/∂b": layer.bias.gradient,
        "W_new": layer.weight.after, "b_new": layer.bias.after,
        "ΔW": layer.weight.change, "Δb": layer.bias.change,
    }  # fmt: skip
    return arrays[of.head][of.index]


def test_a_toml_template(tmp_path):
    sheet = tmp_path / "sheet.toml"
    run("--template", NET, "-o", sheet)
    assert '"z1[0]" = ""\n' in sheet.read_text("utf-8")


def test_a_class_gets_a_report_each_and_a_table(tmp_path):
    answers = {
        "ana": "z1[0],0.08\nz1[1],0.26\n",
        "ben": "z1[0],0.13\nz1[1],0.26\n",
        "cem": "z1[0],0.13\nz1[1],0.16\n",
    }
    for name, rows in answers.items():
        (tmp_path / f"{name}.csv").write_text("symbol,value\n" + rows, "utf-8")
    out = tmp_path / "reports"
    result = run(*[tmp_path / f"{n}.csv" for n in answers], "--network", NET, "-o", out)
    assert result.exit_code == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "ana.txt",
        "ben.txt",
        "cem.txt",
        "who-slipped-where.txt",
    ]
    assert "z1[0]: 2 of 3" in result.stdout and "z1[1]: 1 of 3" in result.stdout
    assert "ana.csv: no slip" in result.stdout
    assert "0.13 is wrong; it is 0.08" in (out / "ben.txt").read_text("utf-8")


def test_one_bad_answer_does_not_stop_the_class(tmp_path):
    (tmp_path / "good.csv").write_text("symbol,value\nz1[0],0.08\n", "utf-8")
    (tmp_path / "bad.csv").write_bytes(b"")
    result = run(tmp_path / "good.csv", tmp_path / "bad.csv", "--network", NET)
    assert (
        result.exit_code == 0 and "E701" in result.stderr and "good.csv: no slip" in result.stdout
    )


def test_no_page_is_said():
    result = run()
    assert result.exit_code == 2 and "E707" in result.stderr


def test_a_missing_extra_names_the_command(monkeypatch):
    import sys

    from miya.read.page import blocks

    blocks._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(miya.MiyaInputError, match=r'pip install "miya\[check\]"'):
        miya.check(PAGE)
    blocks._parser.cache_clear()
