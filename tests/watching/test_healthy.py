"""Eight trainings of different kinds that go well: the rules have nothing to say."""

import pytest
from watching.trainings import HEALTHY, made, one_thread

__all__ = ["one_thread"]

STEPS = {"transformer": 70, "residual": 70}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("kind", HEALTHY)
def test_silent_on_a_healthy_training(kind, every):
    training = made(HEALTHY[kind], seed=every)
    found, losses, records = training.watched(STEPS.get(kind, 130), every)
    assert found == []
    assert len(records) == -(-STEPS.get(kind, 130) // every)
    assert sum(losses[-10:]) < 0.75 * sum(losses[:10])  # it does learn


def test_there_are_eight_kinds():
    assert len(HEALTHY) == 8
