"""The ranking as it is shown: text, Markdown, HTML, JSON, in a notebook, and by the command."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import nn

import miya
from miya.cli import main
from miya.per_example.show_html import png

CROSS = nn.CrossEntropyLoss()


class Named(nn.Module):
    """Layers whose names are code in some output."""

    def __init__(self):
        super().__init__()
        self.flat = nn.Flatten()
        self.add_module("<img src=x>", nn.Linear(16, 6))
        self.add_module("a|`b`", nn.Linear(6, 3))

    def forward(self, x):
        return self._modules["a|`b`"](torch.relu(self._modules["<img src=x>"](self.flat(x))))


def setting(count=12):
    torch.manual_seed(0)
    return Named(), torch.rand(count, 1, 4, 4), torch.randint(0, 3, (count,))


def found(**options):
    model, x, y = setting()
    return miya.blame_examples(model, (x, y), CROSS, **options), x


def test_text_tells_each_example_with_its_picture():
    result, _ = found()
    row, lines = result.top(1)[0], result.text(2).splitlines()
    assert lines[0] == "12 examples, ranked by the norm of their gradient"
    head = next(line for line in lines if line.startswith("   1  "))
    assert (
        f"example {row.example} " in head and f"target {row.target}, taken for {row.answer}" in head
    )
    assert any(line.strip().startswith("weights  ") for line in lines)
    drawn = lines[lines.index(head) + 4 : lines.index(head) + 8]
    assert all(len(line) <= 6 + 8 for line in drawn) and any("█" in line for line in drawn)
    assert lines[-1] == "The first 2 of 12 examples."
    assert str(result) == result.text() and "12 examples by gradient" in repr(result)


def test_a_ranking_is_by_the_measure_that_it_names():
    result, _ = found()
    for by in ("gradient", "loss", "<img src=x>", "a|`b`.bias"):
        values = result.values(by)
        rows = result.top(12, by)
        assert [r.example for r in rows] == np.argsort(-values, kind="stable").tolist()
        assert sum(r.share for r in rows) == pytest.approx(1)
        assert [r.rank for r in rows] == list(range(1, 13))
    squares = sum(v**2 for _, v in rows[0].layers)
    assert rows[0].gradient == pytest.approx(squares**0.5, rel=1e-6)


def test_the_same_value_has_the_same_rank():
    model, x, y = setting(2)
    result = miya.blame_examples(model, (x.repeat(3, 1, 1, 1), y.repeat(3)), CROSS)
    values = [r.value for r in result.top(6)]
    ranks = [1 + sum(v > w for v in values) for w in values]
    assert [r.rank for r in result.top(6)] == ranks and len(set(ranks)) < 6


def test_markdown_and_html_take_no_name_for_code():
    result, _ = found(optimizer="sgd", by="credit")
    assert "<img src=x>" not in result.markdown() and "a\\|\\`b\\`" in result.markdown()
    page = result.html()
    assert "<img src=x>" not in page and "&lt;img src=x&gt;" in page
    assert page.count("<section>") == 10 and page.startswith("<!doctype html>")
    assert not re.search(r"https?://|<script", page)
    assert result._repr_html_().count("<section>") == 10


def test_the_pictures_are_the_inputs():
    result, x = found()
    row = result.top(1)[0]
    source = re.findall(r"data:image/png;base64,([^\"]+)", result.html(1))
    assert len(source) == 1
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(source[0]))))
    own = x[row.example, 0].numpy()
    scaled = (own - own.min()) / (own.max() - own.min())
    assert shown.shape == (4, 4) and np.abs(shown / 255 - scaled).max() < 0.003


@pytest.mark.parametrize("shape", [(3, 5), (6, 4, 3)])
def test_a_png_is_what_pillow_reads(shape):
    image = np.random.default_rng(0).random(shape)
    read = np.asarray(Image.open(io.BytesIO(png(image))))
    assert (read == np.rint(image * 255)).all()


def test_json_holds_all_digits():
    result, _ = found(optimizer="sgd", by="credit")
    data = json.loads(result.json(3))
    assert data["measure"] == "credit" and data["examples"] == 12 and len(data["top"]) == 3
    first, row = data["top"][0], result.top(1)[0]
    assert first["value"] == row.value == row.credit and first["example"] == row.example
    assert first["neurons"] == [{"name": n, "value": v} for n, v in row.neurons]
    assert data["residual"] == result.residual and data["real_change"] == result.real_change


@pytest.mark.parametrize("form", ["txt", "md", "html", "json"])
def test_it_is_saved_by_the_ending_of_its_name(form, tmp_path):
    result, _ = found()
    result.save(tmp_path / f"blamed.{form}", 3)
    text = (tmp_path / f"blamed.{form}").read_text("utf-8")
    right = {"txt": result.text, "md": result.markdown, "html": result.html, "json": result.json}
    assert text == right[form](3)


def test_another_ending_is_refused(tmp_path):
    result, _ = found()
    with pytest.raises(miya.MiyaInputError) as caught:
        result.save(tmp_path / "blamed.xlsx")
    said = f"E771 {tmp_path}/blamed.xlsx has the ending '.xlsx'. Choose .txt, .md, .json or .html"
    assert str(caught.value) == said


def test_it_is_told_in_japanese():
    result, _ = found(optimizer="sgd")
    told = result.text(1, language="ja")
    assert told.startswith("12 個の例（勾配のノルムの順）") and "ニューロン" in told
    assert 'lang="ja"' in result.html(language="ja")


MAKE = """
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 6), nn.Tanh(), nn.Linear(6, 3)).double(), nn.CrossEntropyLoss()
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(MAKE)
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "batch.npz", input=draw.random((9, 16)), target=draw.integers(0, 3, 9))
    return ["blame-examples", "own.py:make", "--data", "batch.npz"]


def test_the_command_ranks_a_batch(code, tmp_path):
    text = CliRunner().invoke(main, [*code, "--top", "2", "--image", "4x4"])
    assert text.exit_code == 0 and text.output.startswith("9 examples, ranked by the norm")
    assert text.output.count("example ") == 2 and "█" in text.output
    more = [*code, "--optimizer", "SGD", "--learning-rate", "0.5", "--by", "credit"]
    told = CliRunner().invoke(main, [*more, "--format", "json", "--out", "run"])
    data = json.loads(told.output)
    assert data["measure"] == "credit" and abs(data["residual"]) < 1e-9 * abs(data["real_change"])
    assert (tmp_path / "run" / "_manifest.json").exists()
    page = CliRunner().invoke(main, [*code, "--format", "html", "-o", "blamed.html"])
    assert page.exit_code == 0 and (tmp_path / "blamed.html").read_text().startswith("<!doctype")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--image", "axb"], "E771 --image is 'axb'. Give height x width: --image 28x28"),
        (["--by", "losss"], "E772 by is 'losss'. Did you mean 'loss'? known: gradient, loss, and"),
    ],
)
def test_bad_options_are_one_message(code, more, message):
    run = CliRunner().invoke(main, [*code, *more])
    assert run.exit_code == 2 and run.output.startswith(f"miya: {message}")


def test_a_command_without_examples(code):
    run = CliRunner().invoke(main, code[:2])
    assert run.output == (
        "miya: E761 own.py:make gives no examples. Name them with --data, or let it give (model, "
        "loss, optimizer, inputs, target)\n"
    )
    run = CliRunner().invoke(main, ["blame-examples", "net.toml"])
    assert run.exit_code == 2 and "E771 net.toml names no code" in run.output
