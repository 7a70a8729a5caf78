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
