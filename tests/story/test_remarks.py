"""Each remark where its condition holds, with its numbers and its measure, and nowhere else."""

import pytest

import miya
from miya.story.blocks import Remark


def net(weight, bias, target, activation="identity", inputs=(1.0, 2.0), **more):
    return {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"weight": weight, "bias": bias, "activation": activation}],
        "examples": [{"input": list(inputs), "target": target}],
        **more,
    }


def remarks(described, mood=None):
    blocks = miya.explain(described).story.blocks
    return [b for b in blocks if isinstance(b, Remark) and mood in (None, b.mood)]


def words(described):
    return " ".join(b.text for b in remarks(described))


def test_a_large_loss_is_side_eyed_with_its_numbers():
    far = remarks(net([[1, 0]], [0], [3]), "side-eye")
    assert [b.text for b in far] == [
        "Miya side-eyes o0: it says 1 and the target is 3. That is what makes the loss 4."
    ]
    assert not remarks(net([[1, 0]], [0], [1.1]), "side-eye")


def test_the_parameter_under_most_pressure_is_tapped():
    told = words(net([[1, 0]], [0], [3]))
    # δ = 2 (1 − 3) = −4; weights −4 and −8
    assert "Miya taps W1[0][1]: its gradient -8 is the steepest" in told
    assert "67 % of their sum" in told


def test_pressure_and_greed_name_their_measure():
    for block in remarks(None, "pointing"):
        assert block.measure == "pressure"


@pytest.mark.parametrize(("other", "greedy"), [(0.1, True), (2.5, False)])
def test_a_greedy_neuron_has_an_outsized_share(other, greedy):
    told = words(net([[1, 0], [1, 0]], [0, 0], [-2, 1 + other]))
    assert ("a greedy one" in told) is greedy


def test_half_of_a_softmax_is_not_greedy():
    described = net([[1, 0], [0, 1], [1, 1]], [0, 0, 0], 1, loss="cross_entropy")
    assert "greedy" not in words(described)


def test_dead_and_saturated_neurons():
    hidden = {"weight": [[-1, -1], [1, 1]], "bias": [0, 0], "activation": "relu"}
    described = net([[1, 1]], [0], [3])
    described["layers"].insert(0, hidden)
    assert "Miya curls up on h0: its z is never above 0 (at most -3)" in words(described)
    assert "1 of the 2 neurons" in words(described)
    flat = words(net([[3, 3]], [0], [0], "sigmoid"))
    assert "o0 is saturated: at z = 9 its slope is 0.00012338" in flat
    assert "saturated" not in words(net([[0.1, 0.1]], [0], [0], "sigmoid"))


def test_a_logit_of_1000_says_how_flat_it_is():
    told = words(net([[500, 250]], [0], [0], "sigmoid"))
    assert "at z = 1000 its slope is < 1e-300" in told


def test_a_step_that_overshot_raises_her_fur():
    described = net([[1, 0]], [0], [3], learning_rate=0.5)
    (alarm,) = remarks(described, "alarm")
    assert "the loss rose from 4 to" in alarm.text
    assert not remarks(net([[1, 0]], [0], [3], learning_rate=0.01), "alarm")
    assert remarks(net([[1, 0]], [0], [3], learning_rate=0.01), "proud")


def test_frozen_parameters_are_counted():
    frozen = net([[1, 0]], [0], [3])
    frozen["layers"][0]["trainable"] = {"weight": True, "bias": False}
    assert "Weights: 2, biases: 1, together: 3. Frozen, so out of the update's reach: 1." in words(
        frozen
    )


def test_a_kink_is_said_to_be_taken_as_pytorch_does():
    for activation, slope in (("relu", "0"), ("leaky_relu", "0.01")):
        text = miya.explain(net([[1, -0.5]], [0], [3], activation)).text()
        assert f"o0 stands exactly on the kink, z = 0: its slope is taken as {slope}" in text
    assert "kink" not in miya.explain(net([[1, -0.5]], [0], [3], "elu")).text()


def test_no_miya_means_no_remark():
    assert not [b for b in miya.explain(miya=False).story.blocks if isinstance(b, Remark)]


def batch(targets, **more):
    """Two outputs that only their bias moves, so that each δ is known: 2 (0 − target) / n."""
    return {
        "learning_rate": 0.1,
        "loss": "squared_error",
        "layers": [{"weight": [[0], [0]], "bias": [0, 0]}],
        "examples": [{"input": [1], "target": target} for target in targets],
        **more,
    }


def test_of_a_batch_she_ranks_by_what_she_says():
    # δ of o0 is +1 and −1.01, which add up to next to nothing; δ of o1 is +1 and +1
    told = words(batch([[-1, -1], [1.01, -1]]))
    assert "paws at o1" in told and "δ = +2" in told
    assert miya.blame(batch([[-1, -1], [1.01, -1]])).neurons[0].name == "o1"


def test_the_largest_part_of_a_loss_is_called_a_part_and_its_example_named():
    told = words(batch([[0, 1], [0, -3]]))
    assert "side-eyes o1 in example 1: it says 0 and the target is -3" in told
    assert "the largest single part of the loss 5: 90 %" in told


@pytest.mark.parametrize("loss", ["binary_cross_entropy_with_logits", "cross_entropy"])
def test_a_huge_logit_is_called_saturated(loss):
    target = 0 if loss == "cross_entropy" else [1, 0]
    described = net([[500, 250], [-500, -250]], [0, 0], target, loss=loss)
    assert "at the output 1000 the slope of its probability is < 1e-300" in words(described)
    described = net([[0.5, 0.25], [-0.5, 0.25]], [0, 0], target, loss=loss)
    assert "saturated" not in words(described)


def test_takeaways_of_a_step_in_which_nothing_happens():
    told = miya.explain(net([[0, 0]], [0], [0])).text(width=10_000)
    assert "Nothing is pressed: every gradient is 0." in told and "Nothing moved." in told
    assert "stands first" not in told and "has the gradient 0, and stayed at 0." in told


def test_equal_moves_are_told_as_equal():
    described = net([[0.5, 0.1]], [0.2], [3], optimizer="adam")
    text = miya.explain(described).text()
    assert "3 parameters moved most, all by 0.10000 to the digits shown" in text
