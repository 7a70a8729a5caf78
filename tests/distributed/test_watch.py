"""A watched training on several processes reads as one process's does."""

import warnings
from dataclasses import fields, replace

import numpy as np
import pytest
from distributed.processes import Lost, work_together
from distributed.trainings import (
    BATCH,
    EVERY,
    STEPS,
    collectives,
    starts,
    train,
    watched_by_first,
)

from miya.errors import MiyaWarning
from miya.watching.reading import read_run
from miya.watching.records import GroupRecord, LayerRecord, NeuronRecord, StepRecord

REAL = (("real", True),)
NONE = np.empty(0)
OF_RANKS = {"seconds", "layers", "groups", "neurons"}
OF_SPLIT = {"split", "input_share", "input_most", "input_lead"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every record of one process's training."""
    folder = tmp_path_factory.mktemp("whole")
    work_together(1, train, "one", folder, REAL)
    return list(read_run(folder).records())


def same(found, expected, kind, left_out):
    for name in (f.name for f in fields(kind) if f.name not in left_out):
        one, other = getattr(found, name), getattr(expected, name)
        where = f"{name} of {getattr(found, 'layer', '')}: {one} {other}"
        if isinstance(other, np.ndarray) or (isinstance(other, float) and one is not None):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14, err_msg=where)
        else:
            assert one == other, where


def all_same(run, whole, left_out=frozenset()):
    found = list(run.records())
    assert [r.step for r in found] == [r.step for r in whole] == list(range(1, STEPS + 1, EVERY))
    for one, other in zip(found, whole):
        same(one, other, StepRecord, OF_RANKS | left_out)
        for kind, name in (
            (LayerRecord, "layers"),
            (GroupRecord, "groups"),
            (NeuronRecord, "neurons"),
        ):
            for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
                same(a, b, kind, left_out)


def without_lists(whole, layers):
    """Without what is told of single neurons' parameters, of some layers."""
    return [
        replace(
            record,
            neurons=tuple(
                replace(n, gradient=NONE, step=NONE) if n.layer in layers else n
                for n in record.neurons
            ),
        )
        for record in whole
    ]


def test_one_process_measures_what_is_to_be_merged(whole):
    found = {layer.layer: layer for layer in whole[-1].layers}
    assert found["cell"].unrolled and found["cell"].examples == 5 * BATCH
    assert 0 < found["wide"].dead < 1 and 0 < found["flat"].saturated < 1
    assert found["flat"].noise and found["flat"].greedy is not None
    assert whole[-1].real and found["wide"].sample == BATCH


@pytest.mark.parametrize("world", [2, 4])
def test_ddp_reads_as_one_process(world, whole, tmp_path):
    assert work_together(world, train, "ddp", tmp_path, REAL) == [None] * world
    run = read_run(tmp_path)
    assert list(run.ranks) == list(range(world)) and run.trained == world and not run.notes()
    all_same(run, whole)


@pytest.mark.parametrize("world", [2, 4])
def test_fsdp_reads_as_one_process(world, whole, tmp_path):
    """Of 1 and 7 rows some ranks have none. A norm's bias is whole on every rank."""
    assert work_together(world, train, "fsdp", tmp_path, REAL) == [None] * world
    run = read_run(tmp_path)
    found = {layer.layer: layer.split for layer in next(run.of_rank(0)).layers}
    assert found.pop("norm") == "parts" and set(found.values()) == {"rows"}
    all_same(run, without_lists(whole, {"norm"}), OF_SPLIT)


def test_copies_of_parts_are_counted_once(whole, tmp_path):
    """Two copies of two parts each. Which neuron is whose is then not told."""
    assert work_together(4, train, "copies", tmp_path, REAL) == [None] * 4
    run = read_run(tmp_path)
    assert {layer.split for layer in next(run.of_rank(3)).layers} == {"parts"}
    all_same(run, without_lists(whole, {n.layer for n in whole[0].neurons}), OF_SPLIT)


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_no_step_has_a_collective_more(kind, tmp_path):
    for without, seen in work_together(2, collectives, kind, tmp_path):
        assert seen == without and all(sum(step.values()) for step in seen)


def test_only_the_first_rank_watches(whole, tmp_path):
    work_together(2, watched_by_first, tmp_path)
    run = read_run(tmp_path)
    with pytest.warns(MiyaWarning, match="W781 .* of the 2 ranks .* only rank 0 has written"):
        found = list(run.records())
    assert [r.step for r in found] == [r.step for r in whole]
    for one, other in zip(found, whole):
        assert one.examples == BATCH // 2 and one.loss != other.loss
        np.testing.assert_allclose(one.predicted, other.predicted, rtol=1e-10)


def test_ranks_agree_on_the_start(tmp_path):
    assert work_together(2, starts, tmp_path) == [0, 0]
    assert work_together(3, starts, tmp_path) == [1, 1, 1]
    assert list(read_run(tmp_path).ranks) == [0, 1, 2]


def test_a_lost_rank_leaves_a_run_to_go_on_with(whole, tmp_path):
    found = work_together(2, train, "ddp", tmp_path, REAL, True, (1, 6))
    assert isinstance(found[1], Lost)
    kind, said = found[0]  # the training's own: torch misses the other process
    assert kind in ("RuntimeError", "DistBackendError") and "peer" in said.lower(), said
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        steps = [r.step for r in read_run(tmp_path).records()]
    assert steps == [1, 3, 5], told
    work_together(2, train, "ddp", tmp_path, REAL)
    run = read_run(tmp_path)
    assert (run.start, run.starts, len(run.ranks)) == (1, (0, 1), 2)
    all_same(run, whole)
