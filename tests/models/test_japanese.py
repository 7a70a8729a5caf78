"""In a Japanese story the records' formulas speak Japanese."""

import re

import pytest
import torch
from torch import nn

import miya
from miya.core.records import RECORDS
from miya.story.model.notation import in_words, latex
from miya.story.words import load

pytestmark = pytest.mark.filterwarnings("ignore::miya.errors.MiyaWarning")
ENGLISH = re.compile(r"\b(the|of|where|with|is|over|that|for|no|how|there|are|each|by|as)\b")
PHRASE = re.compile(r"[A-Za-z]{3,} [A-Za-z]{2,}")


def test_no_record_s_formula_keeps_english_words():
    japanese, english = load("ja")["formula_words"], load("en")["formula_words"]
    assert len(RECORDS) > 200
    for name, record in RECORDS.items():
        for text in (record.formula, *record.gradients.values()):
            told = in_words(text, japanese)
            assert not ENGLISH.search(told), (name, told)
            assert in_words(text, english) == text
            assert latex(told)
    cases = "out = 0 if input <= -3 else input if input >= 3 else 1"
    assert in_words(cases, japanese) == cases, "the page sets these as cases"


MODELS = {
    "pools": (lambda: nn.Sequential(nn.MaxPool1d(2), nn.AvgPool1d(2)), (2, 1, 8)),
    "dropout": (lambda: nn.Dropout(0.4), (3, 4)),
    "rrelu": (lambda: nn.RReLU(), (3, 4)),
    "clamps": (lambda: nn.Sequential(nn.Hardswish(), nn.Hardtanh(), nn.GLU()), (3, 4)),
    "norms": (lambda: nn.Sequential(nn.BatchNorm1d(4), nn.LayerNorm(4)), (3, 4)),
    "softmax": (lambda: nn.LogSoftmax(-1), (3, 4)),
}


class First(nn.Module):
    """A parameter, and then the module: so that something comes back through it."""

    def __init__(self, module, shape):
        super().__init__()
        self.shift, self.module = nn.Parameter(torch.linspace(-1, 1, shape[-1])), module

    def forward(self, x):
        return self.module(x + self.shift).square().sum()


@pytest.mark.parametrize("name", MODELS)
def test_no_story_of_one_number_keeps_english_phrases(name):
    make, shape = MODELS[name]
    torch.manual_seed(0)
    told = miya.explain(First(make(), shape).double(), torch.randn(shape).double(), optimizer="sgd")
    known = [value for value in told.trace.values.values() if value.has_gradient and value.shape]
    assert len(known) > 2
    for value in known:
        for index in (value.shape[-1] // 2, 0):
            place = ",".join(["0"] * (len(value.shape) - 1) + [str(index)])
            text = told.why(f"{value.name}[{place}]", language="ja").text()
            text = re.sub(r" (if|else) ", " | ", text)  # signs of the notation
            assert not PHRASE.search(text), PHRASE.search(text)[0]
