"""What ships as an example runs, is right, and ends where it should."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from arithmetic import check

import miya

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted([*EXAMPLES.glob("*.toml"), *EXAMPLES.glob("*.json")])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
@pytest.mark.parametrize("carry", ["exact", "rounded"])
def test_every_example_tells_its_story_and_closes(path, carry):
    told = miya.explain(path, carry=carry)
    for step in json.loads(told.json())["steps"]:
        check(step)
    assert told.text() and told.markdown() and told.latex()
    if carry == "exact":
        assert abs(told.credit.residual) <= 1e-9 * abs(told.credit.real_change)


def test_the_original_is_exact_where_the_first_telling_slips():
    text = miya.explain().text()
    # the first telling said 0.13, 0.023 and 0.244
    assert "z1[0] = 0.1 * 0.5 + 0.2 * 0.2 + (-0.1) * 0.1 + 0 = 0.08\n" in text
    assert "≈ 0.028143\n" in text and "C = (0.50704 - 1)**2 ≈ 0.24301\n" in text
    assert "0.13 " not in text and "0.244 " not in text


def test_the_2_2_2_net_with_frozen_shared_biases():
    """Its figures are well known: outputs 0.7514 and 0.7729, loss 0.298371, w 0.40 to 0.358916."""
    told = miya.explain(EXAMPLES / "frozen_shared_biases.toml")
    first, last = told.trace.layers
    np.testing.assert_allclose(last.a[0], [0.75136507, 0.772928465], atol=1e-8)
    assert told.trace.loss == pytest.approx(0.298371109, abs=1e-9)
    after = [[0.35891648, 0.408666186], [0.511301270, 0.561370121]]
    np.testing.assert_allclose(last.weight.after, after, atol=1e-8)
    after = [[0.149780716, 0.19956143], [0.24975114, 0.29950229]]
    np.testing.assert_allclose(first.weight.after, after, atol=1e-8)
    assert (first.bias.after.tolist(), last.bias.after.tolist()) == ([0.35], [0.6])
    assert last.bias.gradient == pytest.approx(last.delta.sum())


def test_xor_is_learned():
    traces = list(miya.train(EXAMPLES / "xor_tanh.toml", steps=300))
    assert traces[-1].loss_after < 0.01 < traces[0].loss
    outputs = traces[-1].layers[-1].a[:, 0]
    assert (np.sign(outputs) == [-1, 1, 1, -1]).all()


def test_the_classifier_shares_out_probability():
    trace = miya.explain(EXAMPLES / "relu_classifier.json").trace
    p = trace.root.saved["p"][0]
    assert p.sum() == pytest.approx(1)
    np.testing.assert_allclose(trace.layers[-1].delta[0], p - [0, 1, 0])
    assert trace.loss == pytest.approx(-np.log(p[1]))


def test_the_batch_with_adam_moves_each_entry_by_about_lr():
    trace = miya.explain(EXAMPLES / "adam_batch.toml").trace
    assert trace.network.examples == 3
    for update in trace.updates.values():
        sizes = np.abs(update.change[update.gradient != 0])
        np.testing.assert_allclose(sizes, trace.network.learning_rate, rtol=1e-3)


def test_the_digits_are_learned(capsys):
    spec = importlib.util.spec_from_file_location("digits", EXAMPLES / "digits_classifier.py")
    digits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(digits)
    trace, right = digits.main()
    assert trace.number == 300 and right > 0.9
    assert "right on 9" in capsys.readouterr().out
    credit = miya.Explanation(trace).credit
    assert abs(credit.residual) <= 1e-9 * abs(credit.real_change)
    lines = miya.Explanation(trace).text().splitlines()
    assert len(lines) < 1200 and any("Told: the top" in line for line in lines)
