"""States and edits to test with."""

from hypothesis import strategies as st

from miya.web.actions import act


def opened(text=None, form="toml"):
    request = {"action": "open", "form": form} | ({"text": text} if text is not None else {})
    answer = act(request)
    assert "error" not in answer, answer
    return answer["state"]


def edit(state, **what):
    return act({"action": "edit", "state": state, "edit": what})


def places(network):
    """The path of every number that the page lets one edit."""
    yield ["learning_rate"]
    for k, layer in enumerate(network["layers"]):
        for i, row in enumerate(layer["weight"]):
            for j in range(len(row)):
                yield ["layers", k, "weight", i, j]
        if isinstance(layer["bias"], list):
            for i in range(len(layer["bias"])):
                yield ["layers", k, "bias", i]
        else:
            yield ["layers", k, "bias"]
    for n, example in enumerate(network["examples"]):
        for j in range(len(example["input"])):
            yield ["examples", n, "input", j]


NUMBERS = st.floats(-3, 3) | st.integers(-3, 3) | st.sampled_from(["0,5", "-0.25", "1/3", "−2"])


@st.composite
def edits(draw, state):
    """Any edit that the page offers for the state, good or refused."""
    net = state["network"]
    layer = draw(st.integers(0, len(net["layers"]) - 1))
    wide = len(net["layers"][layer]["weight"])
    activation = st.sampled_from(["identity", "sigmoid", "tanh", "relu", "softmax", "gelu"])
    loss = st.sampled_from(["squared_error", "half_squared_error", "huber", "cross_entropy"])
    optimizer = st.sampled_from(["sgd", "adam", "rmsprop", "adagrad", "adamw"])
    return draw(
        st.one_of(
            st.fixed_dictionaries(
                {
                    "kind": st.just("set"),
                    "path": st.sampled_from(list(places(net))),
                    "value": NUMBERS,
                }
            ),
            st.fixed_dictionaries({"kind": st.just("loss"), "name": loss}),
            st.fixed_dictionaries({"kind": st.just("optimizer"), "name": optimizer}),
            st.fixed_dictionaries(
                {"kind": st.just("activation"), "layer": st.just(layer), "name": activation}
            ),
            st.fixed_dictionaries(
                {
                    "kind": st.just("add_layer"),
                    "layer": st.just(layer),
                    "neurons": st.integers(1, 3),
                }
            ),
            st.fixed_dictionaries({"kind": st.just("remove_layer"), "layer": st.just(layer)}),
            st.fixed_dictionaries({"kind": st.just("add_neuron"), "layer": st.just(layer)}),
            st.fixed_dictionaries(
                {
                    "kind": st.just("remove_neuron"),
                    "layer": st.just(layer),
                    "neuron": st.integers(0, wide - 1),
                }
            ),
            st.just({"kind": "add_input"}),
            st.just({"kind": "remove_input", "input": 0}),
            st.fixed_dictionaries(
                {
                    "kind": st.just("freeze"),
                    "layer": st.just(layer),
                    "parameter": st.sampled_from(["weight", "bias"]),
                    "trainable": st.booleans(),
                }
            ),
            st.just({"kind": "freeze", "layer": layer, "parameter": "weight", "index": [0, 0],
                     "trainable": False}),
            st.just({"kind": "add_example"}),
            st.just({"kind": "remove_example", "example": 0}),
            st.just({"kind": "reseed"}),
            st.fixed_dictionaries(
                {
                    "kind": st.just("dataset"),
                    "name": st.sampled_from(["xor", "circles", "spirals", "blobs"]),
                    "count": st.integers(2, 6),
                }
            ),
        )
    )  # fmt: skip
