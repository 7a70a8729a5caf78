"""Where FSDP2 has split a model, running it again harms no training and gives one process's."""

import numpy as np
import pytest
import torch
from distributed.processes import work_together
from distributed.reruns import run

KINDS = ("fsdp", "outermost")


@pytest.fixture(scope="module")
def plain():
    """By kind, each rank's parameters after a training that nobody watches."""
    return {kind: [found[0] for found in work_together(2, run, kind, None)] for kind in KINDS}


@pytest.fixture(scope="module")
def whole():
    """What one process tells: real changes, and credits by layer."""
    ((_, told, said),) = work_together(1, run, "one", "credit")
    assert not said
    return told


@pytest.mark.parametrize("kind, how", [(k, h) for k in KINDS for h in ("module", "closure")])
def test_it_trains_the_same_and_tells_the_real_change_of_one_process(kind, how, plain, whole):
    found = work_together(2, run, kind, how)
    for (parts, told, said), expected in zip(found, plain[kind], strict=True):
        assert all(map(torch.equal, parts, expected)) and not said
        assert [step for step, _, _ in told] == [step for step, _, _ in whole]
    means = np.mean([[real for _, real, _ in told] for _, told, _ in found], axis=0)
    np.testing.assert_allclose(means, [real for _, real, _ in whole], rtol=1e-10, atol=1e-14)


def test_credits_are_those_of_one_process(plain, whole):
    found = work_together(2, run, "fsdp", "credit")
    for (parts, _, said), expected in zip(found, plain["fsdp"], strict=True):
        assert all(map(torch.equal, parts, expected)) and not said
    means = np.mean([[credits for _, _, credits in told] for _, told, _ in found], axis=0)
    np.testing.assert_allclose(means, [credits for _, _, credits in whole], rtol=1e-7, atol=1e-12)


def test_a_rank_whose_watch_is_off_keeps_nobody_waiting(plain):
    """The others vote once in vain, say so, and train on."""
    found = work_together(2, run, "fsdp", "module", (0, 1))
    assert [said for _, _, said in found] == [{"W701"}, {"W706"}]
    for (parts, _, _), expected in zip(found, plain["fsdp"], strict=True):
        assert all(map(torch.equal, parts, expected))
    told = [(step, real is not None) for step, real, _ in found[1][1]]
    assert told == [(k, k == 1) for k in range(1, 8)]
