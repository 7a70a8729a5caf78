"""Every bad input gets its one plain message: in a file, on the command line, in Python."""

import os
import re
import subprocess
import sys
import time
import warnings

import bad_inputs as table
import numpy as np
import pytest
from click.testing import CliRunner

import miya
from miya.cli import main


def names(rows):
    return [f"line{r[0]}-{k}" for k, r in enumerate(rows)]


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def said_by(result):
    """The one message of a refusal on the command line."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("miya: ").rstrip("\n")


@pytest.mark.parametrize("row", table.FILES, ids=names(table.FILES))
def test_file(row, tmp_path):
    path = tmp_path / f"net.{row.form}"
    path.write_text(row.text, "utf-8")
    code, _, rest = row.said.partition(" ")
    with pytest.raises(miya.MiyaInputError) as caught:
        miya.explain(path)
    assert str(caught.value) == f"{code} {path}:{row.place}: {rest}"
    assert caught.value.code == code and caught.value.place == f"{path}:{row.place}"
    # what the command line says to a person: the same
    assert said_by(run("explain", path)) == str(caught.value)


@pytest.mark.parametrize("line, given, said", table.PYTHONS, ids=names(table.PYTHONS))
def test_python(line, given, said):
    with pytest.raises(miya.MiyaInputError) as caught:
        miya.explain(given)
    message = str(caught.value)
    assert message.startswith(said)
    assert len(message) < 400 and "\n" not in message and caught.value.hint


@pytest.mark.parametrize("line, given, said", table.WARNINGS, ids=names(table.WARNINGS))
def test_warning(line, given, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        miya.explain(given)
    assert [str(w.message) for w in caught] == [said]


def test_16777217_in_float32():
    with pytest.warns(
        miya.MiyaWarning,
        match=re.escape("W210 layer 1, weight[0][1] is 16777217, stored as 16777216 in float32"),
    ):
        miya.load(table.python(weight=[[1, 16777217]]), dtype="float32")
    with pytest.raises(miya.MiyaInputError, match=r"E202 example 1, target\[0\] is 1e\+300, outs"):
        miya.load(table.python(target=[1e300]), dtype="float32")


def test_logit_of_1000_and_relu_at_0_are_no_errors():
    net = table.python(loss="binary_cross_entropy_with_logits", weight=[[1000, 0]])
    net["layers"][0]["activation"] = "identity"
    assert miya.explain(net).trace.loss == 0
    assert miya.explain(table.python(weight=[[0, 0]], bias=[0], activation="relu")).trace.loss == 1


def test_corner_of_absolute_error_is_told_with_the_first_place():
    net = table.python(loss="absolute_error", activation="identity", weight=[[0, 0]], bias=[1])
    net["examples"] = {"input": np.zeros((3, 2)), "target": [0, 1, 1]}
    with pytest.warns(miya.MiyaWarning, match=r"W310 example 2, output\[0\] .* \(so are 1 more\)"):
        miya.explain(net)
    net["examples"]["target"] = [0, 0, 0]
    miya.explain(net)


ODD_FILES = {
    "net.txt": (b"x", "E219 {} is a .txt file. Give a network as .toml or .json"),
    "net": (b"x", "E219 {} is a file without a suffix. Give a network as .toml or .json"),
    "net.pt": (
        b"x",
        "E501 {} refused: pickles can run code. "
        "Write the weights from your own process as safetensors "
        "(safetensors.torch.save_file(model.state_dict(), ...)), TOML or JSON",
    ),
    "net.pkl": (
        b"x",
        "E501 {} refused: pickles can run code. "
        "Write the weights from your own process as safetensors "
        "(safetensors.torch.save_file(model.state_dict(), ...)), TOML or JSON",
    ),
    "net.yaml": (
        b"a: !!python/object/apply:os.system ['true']",
        "E505 {} refused: YAML is not read, since its tags can run code and its aliases grow. "
        "Write the network as TOML or JSON",
    ),
    "net.yml": (
        b"a: 1",
        "E505 {} refused: YAML is not read, since its tags can run code and its aliases grow. "
        "Write the network as TOML or JSON",
    ),
    "bytes.toml": (bytes(range(256)), "E220 {} is not UTF-8: byte 128 is 0x80. Save it as UTF-8 text"),
    "wide.toml": (table.TOML.encode("utf-16"), "E220 {} is UTF-16. Save it as UTF-8 text"),
    "net.npz": (b"hello", "E220 {} is no .npz archive of arrays: File is not a zip file. "
                          "Save it again with numpy.savez"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_FILES)
def test_odd_file(name, tmp_path):
    content, said = ODD_FILES[name]
    (tmp_path / name).write_bytes(content)
    assert said_by(run("explain", tmp_path / name)) == said.format(tmp_path / name)


def test_missing_file_and_folder(tmp_path):
    (tmp_path / "net.toml").write_text(table.TOML)
    said = said_by(run("explain", tmp_path / "nett.toml"))
    assert said == (f"E220 {tmp_path}/nett.toml does not exist. Did you mean {tmp_path}/net.toml?")
    assert "check the name" in said_by(run("explain", tmp_path / "no" / "other.json")).lower()
    assert said_by(run("explain", tmp_path)) == f"E220 {tmp_path} is a folder. Name a file in it"
    assert said_by(run("explain", tmp_path / "net.toml" / "x.toml")).startswith("E220 cannot read")
    assert said_by(run("explain", tmp_path / ("x" * 300 + ".toml"))).startswith("E220 cannot read")


@pytest.mark.parametrize("given", [5, b"net.toml", 1.5, [1], "a\0.toml", ""])
def test_what_is_no_file_name(given):
    with pytest.raises(miya.MiyaInputError, match=r"E206|E220"):
        miya.explain(given)


def test_pipe_device_and_loop_of_links_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    start = time.monotonic()
    for name in ("pipe", "zero"):
        said = said_by(run("explain", tmp_path / f"{name}.toml"))
        assert said.startswith("E220") and "is a pipe or a device. Save the network as" in said
    assert said_by(run("explain", tmp_path / "loop.toml")).startswith("E220 cannot read")
    assert time.monotonic() - start < 5


def test_too_large_file(tmp_path):
    with (tmp_path / "net.toml").open("wb") as file:
        file.truncate(80 * 2**20)
    said = said_by(run("explain", tmp_path / "net.toml"))
    assert said == (
        f"E503 {tmp_path}/net.toml has 80 MiB, limit 64 MiB. Use Python: miya.load(dict)"
    )


@pytest.mark.parametrize("form", ["toml", "json"])
@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 300_000, '"""' + '"" ' * 300_000, "[" + '"",' * 99_999]
)
def test_hostile_text_is_refused_quickly(form, text, tmp_path):
    (tmp_path / f"net.{form}").write_text(("a = " if form == "toml" else "") + text)
    start = time.monotonic()
    assert said_by(run("explain", tmp_path / f"net.{form}")).startswith("E215")
    assert time.monotonic() - start < 5


def test_terminal_shows_control_characters_as_text(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(table.TOML.replace('"sigmoid"', '"\\u001b[31m\\u202e"'))
    result = run("explain", path)
    assert "\x1b" not in result.stderr and "\u202e" not in result.stderr
    said_by(result)
    odd = tmp_path / "\x1b[31m\u202e.toml"
    said = said_by(run("explain", odd))
    assert "\\x1b[31mU+202E.toml" in said
    odd.write_text(table.TOML.replace("rate = 0.1", "rate = 0"))
    result = run("explain", odd)
    assert result.exit_code == 0 and "W301" in result.stderr and "\x1b" not in result.stderr


def test_a_real_process_says_it_too(tmp_path):
    (tmp_path / "net.toml").write_text(table.TOML.replace("weight", "wieghts"))
    ran = subprocess.run(
        [sys.executable, "-m", "miya", "explain", "net.toml"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "miya: E213 net.toml:5:1: layer 1 has an unknown key 'wieghts'. Did you mean weight?\n"
    )
