"""Reading a run folder: several ranks as one, starts, and what cannot be read."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from watching.synthetic import FINDING, record, same

from miya.errors import MiyaInputError, MiyaWarning
from miya.watching.merging import merge
from miya.watching.reading import read_run
from miya.watching.records import LayerRecord, NeuronRecord
from miya.watching.run_folder import META, open_run
from miya.watching.sinks import ParquetSink


def write(folder, records, findings=(), **options):
    sink = ParquetSink(folder, **options)
    for one in records:
        sink.step(one)
    for one in findings:
        sink.finding(one)
    sink.close()


def refused(folder, **options):
    with pytest.raises(MiyaInputError) as caught:
        read_run(folder, **options)
    return str(caught.value)


def test_no_run_folder(tmp_path):
    assert refused(tmp_path / "none") == (
        f"E744 {tmp_path / 'none'} is no run folder: it has no meta.json. Name the folder that "
        "miya.watch wrote"
    )


def test_no_step(tmp_path):
    open_run(tmp_path)
    assert refused(tmp_path) == (
        f"E745 {tmp_path} holds no watched step. Watch at least one step: the first, and then "
        "each of the chosen interval"
    )


def test_another_version(tmp_path):
    (tmp_path / META).write_text('{"format": 2, "starts": {}}')
    assert refused(tmp_path).startswith(f"E740 {tmp_path} is a run folder of format 2;")


def test_each_start_is_read_by_itself(tmp_path):
    for seed in range(3):
        write(tmp_path, [record(step, seed=seed) for step in (1, 2)])
    assert read_run(tmp_path).start == 2
    for seed in range(3):
        run = read_run(tmp_path, start=seed)
        assert run.starts == (0, 1, 2)
        assert same(next(run.records()), record(1, seed=seed))
    assert refused(tmp_path, start=3) == f"E747 {tmp_path} has no start 3. Choose one of 0, 1, 2"


def test_a_lost_rank_is_seen(tmp_path):
    write(tmp_path, [record(step) for step in (1, 11, 21)])
    write(tmp_path, [record(step, rank=1) for step in (1, 11)], rank=1)
    run = read_run(tmp_path)
    assert dict(run.ranks) == {0: 21, 1: 11}
    said = (
        f"W780 {tmp_path}: rank 1 has written up to step 11, others up to step 21: the steps after "
        "11 are left out"
    )
    with pytest.warns(MiyaWarning, match=re.escape(said)):
        assert [r.step for r in run.records()] == [1, 11]
    assert [r.step for r in run.of_rank(1)] == [1, 11]
    assert {r.rank for r in run.of_rank(1)} == {1}


def test_a_rank_that_wrote_nothing_is_missed(tmp_path):
    write(tmp_path, [record(1)])
    meta = json.loads((tmp_path / META).read_text())
    meta["starts"]["0"]["ranks"] = 4
    (tmp_path / META).write_text(json.dumps(meta))
    said = (
        f"W781 {tmp_path}: of the 4 ranks that trained together only rank 0 has written: losses, δ "
        "and activations are of its examples alone"
    )
    with pytest.warns(MiyaWarning, match=re.escape(said)):
        assert [r.step for r in read_run(tmp_path).records()] == [1]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_step_that_was_tried_twice_is_two_records(tmp_path, ranks):
    tries = [record(1), record(11, skipped=True, seed=1), record(11, seed=2), record(21)]
    for rank in range(ranks):
        write(tmp_path, tries, rank=rank, start=0)
    found = list(read_run(tmp_path).records())
    assert [(r.step, r.skipped) for r in found] == [(1, 0), (11, 1), (11, 0), (21, 0)]
    for one, again in zip(found, tries):
        assert [a.weight for a in one.layers] == [a.weight for a in again.layers]
        assert len(one.groups) == 1 and len(one.neurons) == 4


def test_findings_of_all_ranks_are_told_once(tmp_path):
    other = replace(FINDING, step=200, since=190, layer="conv1")
    write(tmp_path, [record(1)], [FINDING])
    write(tmp_path, [record(1, rank=1)], [FINDING, other], rank=1)
    assert read_run(tmp_path).findings() == (other, FINDING)


def of_model(x, target, ranks):
    """What is to be seen of relu(W x + b) and its mean squared loss, by plain autograd."""
    torch.manual_seed(1)
    weight = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    z = x @ weight.T - 0.8
    z.retain_grad()
    a = z.relu()
    loss = ((a - target) ** 2).sum(1).mean()
    loss.backward()
    layer = LayerRecord(
        "fc",
        "Linear",
        delta=z.grad.norm().item(),
        activation_mean=a.mean().item(),
        activation_deviation=a.std(correction=0).item(),
        input_mean=z.mean().item(),
        dead=(a == 0).all(0).double().mean().item(),
    )
    neuron = NeuronRecord(
        "fc",
        pressure=z.grad.sum(0).numpy(),
        mean=a.detach().mean(0).numpy(),
        silent=(a == 0).double().mean(0).numpy(),
    )
    return record(
        1, loss=loss.item(), examples=len(x), layers=(), neurons=0, predicted=None, real=None
    ), layer, neuron  # fmt: skip


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_together_are_the_whole_batch(ranks):
    generator = torch.Generator().manual_seed(ranks)
    x = torch.randn(8, 3, dtype=torch.float64, generator=generator)
    y = torch.randn(8, 6, dtype=torch.float64, generator=generator)
    whole, layer, neuron = of_model(x, y, 1)
    parts = []
    for rank, (part, target) in enumerate(zip(x.chunk(ranks), y.chunk(ranks))):
        one, own, numbers = of_model(part, target, ranks)
        parts.append(replace(one, rank=rank, layers=(own,), neurons=(numbers,)))
    merged = merge(parts)
    assert math.isclose(merged.loss, whole.loss, rel_tol=1e-12)
    assert merged.examples == 8 and merged.rank == 0
    for name in ("delta", "activation_mean", "activation_deviation", "input_mean", "dead"):
        found, expected = getattr(merged.layers[0], name), getattr(layer, name)
        assert math.isclose(found, expected, rel_tol=1e-10), name
    for name in ("pressure", "mean", "silent"):
        found, expected = getattr(merged.neurons[0], name), getattr(neuron, name)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15, err_msg=name)


def test_unequal_ranks_weigh_by_their_examples():
    rows = [record(1, rank=r, examples=n) for r, n in ((0, 30), (1, 10))]
    layers = [r.layers[0] for r in rows]
    merged = merge(rows).layers[0]
    expected = (30 * layers[0].activation_mean + 10 * layers[1].activation_mean) / 40
    assert math.isclose(merged.activation_mean, expected, rel_tol=1e-15)


def test_what_ranks_do_not_have_alike_is_not_made_up():
    one, other = record(1), record(1, rank=1)
    assert one.layers[0].gradient != other.layers[0].gradient
    merged = merge([one, other])
    assert merged.layers[0].gradient is None and merged.predicted is None
    assert merged.layers[0].dead == one.layers[0].dead == other.layers[0].dead
    assert merged.neurons[0].gradient.size == 0 and merged.neurons[0].pressure.size == 4
    twin = replace(one, rank=1, skipped=True)
    same_twice = merge([one, twin])
    assert same_twice.layers[0].gradient == one.layers[0].gradient
    assert same_twice.predicted == one.predicted and same_twice.skipped
    missing = replace(one, loss=None, rank=1)
    assert merge([one, missing]).loss is None


def test_what_one_rank_met_is_kept():
    one = record(1)
    odd = replace(one.layers[0], nonfinite="output", sample=8, input_most=3)
    other = replace(one, rank=1, layers=(odd, *one.layers[1:]))
    layer = merge([one, other]).layers[0]
    assert (layer.nonfinite, layer.sample, layer.input_most) == ("output", None, None)
    layer = merge([other, replace(other, rank=0)]).layers[0]
    assert (layer.nonfinite, layer.sample, layer.input_most) == ("output", 16, 3)


def test_nan_of_all_ranks_is_nan():
    one = record(1, predicted=math.nan)
    assert math.isnan(merge([one, replace(one, rank=1)]).predicted)
    assert merge([one, replace(one, rank=1, predicted=1.0)]).predicted is None
