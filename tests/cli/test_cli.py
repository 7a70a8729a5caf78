"""The command line as a person uses it: one process a call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import miya

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "miya", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONUTF8": "1"},
        **more,
    )


def told(*arguments):
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_without_a_command_she_tells_the_original_story():
    assert told() == told("explain") == miya.explain().text()


def test_the_network_that_ships_is_the_example():
    shipped = ROOT / "src" / "miya" / "networks" / "original.toml"
    assert shipped.read_text("utf-8") == (EXAMPLES / "original.toml").read_text("utf-8")


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "json"])
def test_every_format_to_the_terminal_and_to_a_file(form, tmp_path):
    net, path = EXAMPLES / "xor_tanh.toml", tmp_path / "told"
    shown = told("explain", net, "--format", form)
    assert shown == getattr(miya.explain(net), form)()
    assert told("explain", net, "--format", form, "--output", path) == ""
    assert path.read_text("utf-8") == shown
    assert [p.name for p in tmp_path.iterdir()] == ["told"]


def test_options_reach_the_story():
    net = EXAMPLES / "adam_batch.toml"
    options = ("--digits", "3", "--carry", "rounded", "--only", "update", "--language", "ja")
    assert (
        told("explain", net, *options, "--no-miya")
        == miya.explain(
            net, digits=3, carry="rounded", only="update", language="ja", miya=False
        ).text()
    )
    assert told("explain", net, "--dtype", "float32") == miya.explain(net, dtype="float32").text()
    assert told("explain", net, "--top", "3") == miya.explain(net, top=3).text()


@pytest.mark.parametrize("part", ["forward", "backward", "update", "1", "2", "hidden", "output"])
def test_only_one_part(part):
    whole, only = told("explain"), told("explain", "--only", part)
    assert len(only) < 0.7 * len(whole)
    assert all(line in whole.splitlines() for line in only.splitlines() if " = " in line)


def test_a_part_that_there_is_not_names_those_there_are():
    done = run("explain", "--only", "hiden")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "miya: E603 the story has no part or layer 'hiden'. Did you mean hidden? Choose forward, "
        "backward, update or a layer: 1 (hidden), 2 (output)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "--digits", "0"), "E604"),
        (("explain", "--digits", "16"), "E604"),
        (("explain", "--digits", "13", "--carry", "rounded"), "Choose 1 to 12"),
        (("explain", "--carry", "rounded", "--dtype", "float32"), "E612"),
        (("explain", "--language", "xx"), "Choose one of en, ja"),
        (("train", "--steps", "3", "--story", "4"), "E607"),
        (("explain", "--format", "word"), "Invalid value for '--format'"),
        (("explian",), "No such command 'explian'"),
        (("blame", "--measure", "guilt"), "Invalid value for '--measure'"),
    ],
)
def test_bad_options_exit_with_2_and_no_traceback(arguments, words):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("measure", ["pressure", "step", "credit", "removal"])
def test_blame_ranks_as_the_data_does(measure):
    data = json.loads(told("blame", "--measure", measure, "--format", "json"))
    rows = miya.blame(measure=measure).parameters
    assert [(r["kind"], r["layer"], tuple(r["index"])) for r in data["parameters"]] == [
        (r.kind, r.layer, r.index) for r in rows
    ]
    assert [r["value"] for r in data["parameters"]] == [r.value for r in rows]
    shown = told("blame", "--measure", measure, "--top", "2")
    assert f"Blame by {measure}" in shown and "the top 2 of 16" in shown


def test_help_has_examples_and_completion():
    for command in ("explain", "blame", "train"):
        shown = told(command, "--help")
        assert "Examples:" in shown and f"miya {command} net.toml" in shown
    assert "_MIYA_COMPLETE=bash_source" in told("--help")
    assert told("--version").strip() == f"miya, version {miya.__version__}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell):
    done = subprocess.run(
        [Path(sys.executable).with_name("miya")],
        capture_output=True,
        text=True,
        env={**os.environ, "_MIYA_COMPLETE": f"{shell}_source"},
    )
    assert "_MIYA_COMPLETE" in done.stdout


def test_completion_knows_the_commands():
    done = subprocess.run(
        [Path(sys.executable).with_name("miya")],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "_MIYA_COMPLETE": "bash_complete",
            "COMP_WORDS": "miya ex",
            "COMP_CWORD": "1",
        },
    )
    assert "plain,explain" in done.stdout


def test_a_closed_pipe_is_no_traceback():
    shell = f"{sys.executable} -m miya | head -1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert done.stdout == "The original story\n" and "Traceback" not in done.stderr


def test_the_schema_is_json_schema():
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(json.loads(told("schema")))


def test_a_large_network_is_told_in_summary(tmp_path):
    import numpy as np

    random = np.random.default_rng(0)
    described = {
        "learning_rate": 0.1,
        "loss": "cross_entropy",
        "layers": [
            {
                "weight": random.normal(size=(after, before)).tolist(),
                "bias": [0.0] * after,
                "activation": activation,
            }
            for before, after, activation in ((200, 300, "relu"), (300, 10, "identity"))
        ],
        "examples": [{"input": random.random(200).tolist(), "target": 3}],
    }
    path = tmp_path / "large.json"
    path.write_text(json.dumps(described))
    shown = told("explain", path)
    assert len(shown.splitlines()) < 600
    assert "Told: the top 8 of 60000 weights, by size. --top N tells more" in shown
    more = told("explain", path, "--only", "1", "--top", "12")
    assert "Told: the top 12 of 60000 weights" in more
