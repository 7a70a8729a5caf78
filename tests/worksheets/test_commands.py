"""miya worksheet and miya compare on the command line."""

import json
import re

import pytest
from click.testing import CliRunner

import miya
from miya.cli import main


def run(*words):
    result = CliRunner().invoke(main, list(words))
    assert "Traceback" not in result.output
    return result


def refused(*words):
    result = run(*words)
    assert result.exit_code == 2 and result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


@pytest.mark.parametrize("fade", ["full", "last", "half", "solo"])
@pytest.mark.parametrize("form", ["text", "markdown", "html", "notebook", "csv", "network"])
def test_every_form_of_every_fade(fade, form):
    words = ("worksheet", "--seed", "7", "--fade", fade, "--format", form)
    sheet, key = run(*words), run(*words, "--key")
    assert sheet.exit_code == key.exit_code == 0 and sheet.stdout == run(*words).stdout
    assert (sheet.stdout == key.stdout) == (form == "network" or (fade == "full" and form == "csv"))


def test_the_command_makes_what_python_makes():
    made = miya.worksheet("2-3-1", activation="relu", seed=9, fade="solo", digits=3)
    words = "worksheet --layers 2-3-1 --activation relu --seed 9 --fade solo --digits 3"
    assert run(*words.split()).stdout == made.text()
    assert run(*words.split(), "--key", "--format", "markdown").stdout == made.markdown(key=True)


def test_beside_writes_four_files(tmp_path):
    sheet = tmp_path / "sheet.pdf"
    result = run("worksheet", "--format", "pdf", "-o", str(sheet), "--beside")
    names = ["sheet.pdf", "sheet-key.pdf", "sheet-answers.csv", "sheet-network.json"]
    assert result.stdout.splitlines() == [str(tmp_path / n) for n in names]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert sheet.read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "sheet-network.json").read_text("utf-8"))["layers"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--layers 2", r"E680 layers is '2'\. Write the neurons from input to output: 2-2-1"),
        ("--layers 2-x-1", r"E680 layers is '2-x-1'"),
        ("--layers 2-0-1", r"E680 neurons of a layer: 0\. Choose 1 to 6"),
        ("--layers 6-6-6", r"E680 layers 6-6-6 have 84 weights and biases"),
        ("--layers 2-2-2-2-2-2-2", r"E680 layers after the input: 6\. Choose 1 to 5"),
        ("--activation sigmod", r"E304 activation 'sigmod' is unknown\. Did you mean sigmoid"),
        ("--activation relu,tanh,relu", r"E680 3 activations are given for 2 layers"),
        ("--activation softmax", r"E680 layer 2 is a softmax of one neuron"),
        ("--loss cross_entropy", r"E680 cross_entropy over one output is always 0"),
        ("--loss sqared_error", r"E304 loss 'sqared_error' is unknown"),
        ("--optimizer sdg", r"E304 optimizer 'sdg' is unknown"),
        ("--examples 0", r"E680 examples: 0\. Choose 1 to 6"),
        ("--digits 1", r"E680 digits: 1\. Choose 2 to 8"),
        ("--dead", r"E680 a dead ReLU needs a hidden relu layer"),
        ("--find-the-bug --fade solo", r"E681 fade solo is asked for where a bug"),
        ("--language xx", r"E602 language 'xx' does not ship"),
        ("--beside", r"E685 --beside writes"),
        ("--beside --key -o x.md --format markdown", r"E685 --beside writes"),
        ("--seed -1", r"E680 seed: -1"),
        ("--loss binary_cross_entropy --activation tanh,tanh", r"E315 binary_cross_entropy needs"),
    ],
)  # fmt: skip
def test_bad_options_give_one_clear_message(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert re.match(f"miya: {message}", refused("worksheet", *words.split()))
    assert list(tmp_path.iterdir()) == []


def test_a_fade_and_an_ending_that_there_are_not(tmp_path):
    with pytest.raises(miya.MiyaInputError, match=r"E681 fade is 'some'\. Choose full, last, half"):
        miya.worksheet(fade="some")
    with pytest.raises(miya.MiyaInputError, match=r"E684 sheet\.doc has no ending of a worksheet"):
        miya.worksheet().save(tmp_path / "sheet.doc")
    with pytest.raises(miya.MiyaInputError, match="E680 examples: True"):
        miya.worksheet(examples=True)


def test_numbers_that_cannot_be_pleasant():
    with pytest.raises(miya.MiyaInputError, match="E682 no pleasant numbers were found for layers"):
        miya.worksheet("4-5-3", activation="relu", examples=6)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_compare_in_every_form(form, tmp_path):
    out = tmp_path / "out"
    words = ["compare", "--loss", "squared_error, half_squared_error", "--format", form]
    shown = run(*words)
    assert shown.exit_code == 0 and "half_squared_error" in shown.stdout.replace("\\", "")
    assert run(*words, "-o", str(out)).stdout == ""
    assert out.read_text("utf-8").rstrip("\n") == shown.stdout.rstrip("\n")


def test_compare_refuses_in_one_line():
    assert refused("compare").startswith("miya: E686 there is nothing to compare")
    assert "E220" in refused("compare", "nosuch.toml", "--biases", "trained,frozen")
