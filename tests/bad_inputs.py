"""The bad inputs of the table: a line of the list each, as a file's text and as Python."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np

TOML = """\
learning_rate = 0.1
loss = "squared_error"

[[layers]]
weight = [[0.1, 0.2]]
bias = [0.1]
activation = "sigmoid"

[[examples]]
input = [1, 2]
target = [1]
"""
JSON = """\
{"learning_rate": 0.1,
 "loss": "squared_error",
 "layers": [{"weight": [[0.1, 0.2]],
             "bias": [0.1], "activation": "sigmoid"}],
 "examples": [{"input": [1, 2], "target": [1]}]}
"""
PYTHON: dict[str, Any] = {
    "learning_rate": 0.1,
    "loss": "squared_error",
    "layers": [{"weight": [[0.1, 0.2]], "bias": [0.1], "activation": "sigmoid"}],
    "examples": [{"input": [1, 2], "target": [1]}],
}
THREE = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]  # weights of three outputs


class File(NamedTuple):
    """A fault in a file: `old` of the good text is `new`; message and place in full."""

    line: int
    old: str
    new: str
    place: str
    said: str
    form: str = "toml"

    @property
    def text(self) -> str:
        base = TOML if self.form == "toml" else JSON
        assert self.old in base
        return base.replace(self.old, self.new, 1)


def python(**changes: Any) -> dict[str, Any]:
    """The good description with some keys changed: of the network, the layer or the example."""
    made = copy.deepcopy(PYTHON)
    for key, value in changes.items():
        part = made
        if key in ("weight", "bias", "activation", "neurons", "trainable", "name"):
            part = made["layers"][0]
        elif key in ("input", "target"):
            part = made["examples"][0]
        part[key] = value
    return made


LAYERS = TOML[TOML.index("[[layers]]") : TOML.index("[[examples]]")]
EXAMPLES = TOML[TOML.index("[[examples]]") :]
KINDS = "identity, sigmoid, tanh, relu, leaky_relu, elu, softplus, silu, gelu, gelu_tanh, softmax"
ROWS = "Write rows, such as [[0.1, 0.2]]"
ONE_LIST = "Write one list of numbers, such as [0.1, 0.2]"
OUTSIDE = "which is outside float64. Use a number below 1.8e308"
CLASSES = TOML.replace("squared_error", "cross_entropy")
DIGITS = "9" * 5000

FILES = [
    File(1, "[[0.1, 0.2]]", "[[0.1, 0.2, 0.3]]", "10:1",
         "E101 layer 1: weights expect 3 inputs, x has 2 in example 1. "
         "Weights are (out, in): one column for each input"),
    File(2, "[0.1]\n", "[1, 2, 3]\n", "6:1",
         "E102 layer 1: bias has 3 values for 1 neuron. Give one bias a neuron"),
    File(3, "[[0.1, 0.2]]", "[[1, 2],\n  [3]]", "6:3",
         "E103 layer 1, weight is ragged: row 2 has 1 value, row 1 has 2. "
         "Give every row as many values"),
    File(4, "[[0.1, 0.2]]", "[]", "5:1",
         "E104 layer 1, weight is empty: []. Give at least one row"),
    File(4, "[[0.1, 0.2]]", "[[]]", "5:11",
         "E104 layer 1, weight[0] is empty. Give at least one number"),
    File(5, LAYERS, "", "1:1",
         "E105 the network has no layers. Add a [[layers]] table with a weight"),
    File(5, LAYERS, "layers = 5\n", "4:1", "E206 layers is 5, not a table. Write [[layers]]"),
    File(6, "target = [1]", "target = [1, 2]", "11:1",
         "E106 example 1, target has 2 values, the last layer has 1 output. "
         "Give one target an output; targets are never repeated to fit"),
    File(7, "input = [1, 2]", "input = [[1, 2]]", "10:1",
         f"E107 example 1, input has shape (1, 2), expected (2,). {ONE_LIST}"),
    File(7, "target = [1]", "target = [1]\n[[examples]]\ninput = [[3, 4]]\ntarget = [1]", "13:1",
         f"E107 example 2, input has shape (1, 2), expected (2,). {ONE_LIST}"),
    File(7, "[[0.1, 0.2]]", "[0.1, 0.2]", "5:1",
         f"E107 layer 1, weight has shape (2,), expected (out, in). {ROWS}"),
    File(8, EXAMPLES, "[examples]\ninput = [[1, 2], [3, 4], [5, 6], [7, 8]]\ntarget = [1, 2, 3]",
         "11:1",
         "E108 examples: input has 4 rows, target has 3. Give one target for each input"),
    File(8, EXAMPLES, "[examples]\ninput = [\n  [1, 2],\n  [3],\n]\ntarget = [1, 2]", "12:3",
         "E103 examples, input is ragged: row 2 has 1 value, row 1 has 2. "
         "Give every row as many values"),
    File(8, EXAMPLES, "[examples]\ninput = [1, 2]\ntarget = [1]", "10:1",
         "E107 examples, input has shape (2,), expected (n, 2). "
         "Give one row of numbers an example, or write [[examples]] for each"),
    File(9, "0.1, 0.2", "0.1, nan", "5:17",
         "E201 layer 1, weight[0][1] is NaN. Give it a finite number"),
    File(10, "[1, 2]", "[1, inf]", "10:13", f"E202 example 1, input[1] is inf, {OUTSIDE}"),
    File(11, "[1, 2]", "[1, 1e999]", "10:13", f"E202 example 1, input[1] is 1e999, {OUTSIDE}"),
    File(11, "[1, 2]", "[1, -1e999]", "5:29", f"E202 example 1, input[1] is -1e999, {OUTSIDE}",
         "json"),
    File(12, "[1, 2]", "[NaN, 2]", "5:26", "E203 NaN is not JSON. Give a finite number", "json"),
    File(12, "[1, 2]", "[1, -Infinity]", "5:29",
         "E203 -Infinity is not JSON. Give a finite number", "json"),
    File(13, "[1, 2]", '["0,5", 2]', "10:10",
         "E204 example 1, input[0] is '0,5'. Did you mean 0.5?"),
    File(13, "bias = [0.1]", "bias = 0,5", "6:8", "E204 0,5 is no number here. Did you mean 0.5?"),
    File(13, "0.1,", "0,1,", "1:19", "E204 0,1 is no number here. Did you mean 0.1?", "json"),
    File(14, "[1, 2]", '[1, "1/0"]', "10:13",
         "E205 example 1, input[1] is '1/0', a division by 0. Give a number"),
    File(14, "[1, 2]", '[1, "1/x"]', "10:13",
         "E205 example 1, input[1] is '1/x'. Write a fraction as \"1/3\""),
    File(14, "[1, 2]", '["1/0", 2]', "5:26",
         "E205 example 1, input[0] is '1/0', a division by 0. Give a number", "json"),
    File(15, "[1, 2]", '["abc", 2]', "10:10",
         "E206 example 1, input[0] is 'abc', not a number. Write 0.5, -2e-3 or \"1/3\""),
    File(15, "[[0.1, 0.2]]", '"abc"', "5:1", f"E206 layer 1, weight is 'abc'. {ROWS}"),
    File(15, "[[0.1, 0.2]]", "3", "5:1", f"E206 layer 1, weight is 3. {ROWS}"),
    File(15, "rate = 0.1", "rate = 2024-01-01", "1:1",
         "E206 learning_rate is a date, not a number. Give one number here"),
    File(16, "[[0.1, 0.2]]", "[[0.1, true]]", "5:17",
         "E207 layer 1, weight[0][1] is true, not a number. Write 1 or 0"),
    File(17, "[1, 2]", '["1+2j", 2]', "10:10",
         "E208 example 1, input[0] is complex: '1+2j'. Give a real number"),
    File(18, "[1, 2]", f"[1, {DIGITS}]", "10:13",
         "E209 an integer has over 4300 digits. Shorten it, or write it as 1e300"),
    File(18, "[1, 2]", f"[1, {DIGITS}]", "5:29",
         "E209 an integer has over 4300 digits. Shorten it, or write it as 1e300", "json"),
    File(21, "[1, 2]", "[null, 2]", "5:26",
         "E212 example 1, input[0] is missing (null). Give it a number", "json"),
    File(21, "target = [1]\n", "", "9:1", "E212 example 1 has no target. Add target = [...]"),
    File(21, 'loss = "squared_error"\n', "", "1:1",
         "E212 the network has no loss. Choose squared_error, half_squared_error, "
         "mean_squared_error, absolute_error, huber, binary_cross_entropy, "
         "binary_cross_entropy_with_logits, cross_entropy"),
    File(22, "weight", "wieghts", "5:1",
         "E213 layer 1 has an unknown key 'wieghts'. Did you mean weight?"),
    File(22, '"weight"', '"wieghts"', "3:14",
         "E213 layer 1 has an unknown key 'wieghts'. Did you mean weight?", "json"),
    File(23, "loss", "learning_rate = 1\nloss", "2:1",
         "E214 the key 'learning_rate' stands twice in one table. Give each key once"),
    File(23, '"loss"', '"learning_rate": 1, "loss"', "2:2",
         "E214 the key 'learning_rate' stands twice in one table. Give each key once", "json"),
    File(23, '"bias": [0.1]', '"bias": [0.1], "bias": [0.2]', "4:29",
         "E214 the key 'bias' stands twice in one table. Give each key once", "json"),
    File(25, "rate = 0.1", "rate = -0.1", "1:1",
         "E302 learning_rate is -0.1: this climbs the loss. Give a number above 0"),
    File(26, "rate = 0.1", "rate = nan", "1:1",
         "E303 learning_rate is nan. Give a finite number"),
    File(26, "rate = 0.1", "rate = 1e999", "1:1",
         "E303 learning_rate is 1e999. Give a finite number"),
    File(27, '"sigmoid"', '"relo"', "7:1",
         f"E304 layer 1, activation 'relo' is unknown. Did you mean relu? Known: {KINDS}"),
    File(27, '"sigmoid"', "5", "7:1",
         f"E304 layer 1, activation 5 is unknown. Known: {KINDS}"),
    File(27, '"sigmoid"', "{ alpha = 1 }", "7:1",
         f"E212 layer 1, activation has no name. Choose {KINDS}"),
    File(28, TOML, TOML.replace("squared_error", "binary_cross_entropy").replace(
         "target = [1]", "target = [1.2]"), "11:11",
         "E305 example 1, target[0] is 1.2; binary_cross_entropy needs targets from 0 to 1. "
         "Soft labels between 0 and 1 are allowed"),
    File(28, TOML, TOML.replace("squared_error", "binary_cross_entropy").replace(
         "target = [1]", "target = -0.1"), "11:1",
         "E305 example 1, target[0] is -0.1; binary_cross_entropy needs targets from 0 to 1. "
         "Soft labels between 0 and 1 are allowed"),
    File(49, JSON, "[" * 100_000, "1:65",
         "E504 lists or tables are nested over 64 deep. A weight needs two levels", "json"),
    File(49, TOML, "a = " + "[" * 100_000, "1:69",
         "E504 lists or tables are nested over 64 deep. A weight needs two levels"),
    File(49, TOML, ".".join("a" * 100_000) + " = 1", "1:2",
         "E504 lists or tables are nested over 64 deep. A weight needs two levels"),
    File(0, TOML, "", "1:1",
         "E215 the text is empty. Give a learning_rate, a loss, layers and examples"),
    File(0, TOML, "# nothing\n", "1:1",
         "E105 the network has no layers. Add a [[layers]] table with a weight"),
    File(0, JSON, "[1]", "1:1", "E206 the network is [1]. Give a dict or a table", "json"),
    File(0, EXAMPLES, "", "1:1",
         "E212 the network has no examples. Add an [[examples]] table with input, target"),
    File(0, "bias = [0.1]", "bias = [0.1", "7:1",
         "E215 no TOML: Unclosed array. Look at that place: numbers need a point (0.5), "
         'texts need quotes ("a")'),
    File(0, " [1, 2]", " [1, 2", "5:40",
         "E215 no JSON: Expecting ',' delimiter. Look at that place, and just before it", "json"),
]  # fmt: skip


def _classes(target: str) -> str:
    three = CLASSES.replace("[[0.1, 0.2]]", str(THREE)).replace("[0.1]\n", "[0, 0, 0]\n")
    return three.replace('activation = "sigmoid"\n', "").replace("= [1]", f"= {target}")


FILES += [
    File(29, TOML, _classes("3"), "10:1", "E306 example 1, target is class 3 of 3. Classes are 0..2"),
    File(29, TOML, _classes("1.5"), "10:1",
         "E306 example 1, target is class 1.5 of 3. Classes are 0..2"),
    File(30, TOML, _classes("[0.9, 0, 0]"), "10:1",
         "E307 example 1, target sums to 0.9, not 1. "
         "Give probabilities that sum to 1, or the class as one number"),
    File(0, TOML, _classes("[[1]]"), "10:1",
         f"E107 example 1, target has shape (1, 1), expected (3,). {ONE_LIST}"),
]  # fmt: skip


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class NoArray:
    def __array__(self, *given: object, **options: object) -> Any:
        raise RuntimeError("no")


def _itself() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


PYTHONS = [
    (1, python(weight=[[1, 2, 3]]), "E101 layer 1: weights expect 3 inputs, x has 2 in example 1"),
    (2, python(bias=[1, 2, 3]), "E102 layer 1: bias has 3 values for 1 neuron"),
    (3, python(weight=[[1, 2], [3]]), "E103 layer 1, weight is ragged: row 2 has 1 value"),
    (4, python(weight=[]), "E104 layer 1, weight is empty: []"),
    (4, python(weight=np.zeros((2, 0))), "E104 layer 1, weight[0] is empty"),
    (5, python(layers=[]), "E105 the network has no layers"),
    (6, python(target=[1, 2]), "E106 example 1, target has 2 values, the last layer has 1 output"),
    (7, python(input=np.ones((1, 2))), "E107 example 1, input has shape (1, 2), expected (2,)"),
    (7, python(weight=np.ones((1, 1, 2))), "E107 layer 1, weight has shape (1, 1, 2), expected"),
    (7, python(weight=np.array(3.0)), "E206 layer 1, weight is array(3.)"),
    (7, python(weight=_itself()), "E107 layer 1, weight has shape (1, 1, 1, 1, 1, 1, 1, 1)"),
    (8, python(examples={"input": np.ones((4, 2)), "target": np.ones(3)}),
     "E108 examples: input has 4 rows, target has 3"),
    (8, python(examples={"input": np.ones((4, 2)), "target": np.ones((4, 2))}),
     "E106 examples, target: each row has 2 values, the last layer has 1 output"),
    (8, python(examples={"input": np.ones((2, 2)), "target": np.ones(2), "name": ["a"]}),
     "E217 examples, name has 1 name for 2"),
    (8, python(examples={}), "E212 examples has no input"),
    (9, python(weight=[[0.1, float("nan")]]), "E201 layer 1, weight[0][1] is NaN"),
    (9, python(weight=np.array([[0.1, np.nan]])), "E201 layer 1, weight[0][1] is NaN"),
    (10, python(input=[1, float("inf")]), "E202 example 1, input[1] is inf, which is outside"),
    (10, python(input=np.array([1, np.longdouble("1e4000")])), "E202 example 1, input[1] is inf"),
    (13, python(input=["0,5", 2]), "E204 example 1, input[0] is '0,5'. Did you mean 0.5?"),
    (14, python(target="1/0"), "E205 example 1, target is '1/0', a division by 0. Give a number"),
    (15, python(input=["abc", 2]), "E206 example 1, input[0] is 'abc', not a number"),
    (15, python(input=["a" * 4000, 2]), "E206 example 1, input[0] is 'aaaaaaaaaa"),
    (15, python(input=[Unprintable(), 2]), "E206 example 1, input[0] is a Unprintable, not a num"),
    (15, python(weight=NoArray()), "E206 layer 1, weight is a NoArray that gives no array"),
    (16, python(weight=[[True, 1]]), "E207 layer 1, weight[0][0] is true, not a number"),
    (16, python(weight=np.array([[True, False]])), "E207 layer 1, weight[0][0] is true, not a"),
    (17, python(weight=[[1 + 2j, 1]]), "E208 layer 1, weight[0][0] is complex: (1+2j)"),
    (17, python(weight=np.array([[1j, 1]])), "E208 layer 1, weight[0][0] is complex: 1j"),
    (18, python(weight=[[10**5000, 1]]), "E209 layer 1, weight[0][0] is an integer of over 4300"),
    (11, python(weight=[[10**400, 1]]), "E202 layer 1, weight[0][0] is 10000000000"),
    (21, python(weight=[[None, 1]]), "E212 layer 1, weight[0][0] is missing (null)"),
    (21, python(weight=np.ma.array([[1.0, 2.0]], mask=[[0, 1]])),
     "E212 layer 1, weight[0][1] is missing (masked)"),
    (21, python(loss=None), "E212 the network has no loss"),
    (21, python(examples=[]), "E212 the network has no examples"),
    (22, python(wieghts=3), "E213 the network has an unknown key 'wieghts'"),
    (22, {**PYTHON, 3: 1}, "E213 the network has an unknown key 3"),
    (22, {**PYTHON, "x" * 9999: 1}, "E213 the network has an unknown key 'xxxxxx"),
    (25, python(learning_rate=-0.5), "E302 learning_rate is -0.5: this climbs the loss"),
    (26, python(learning_rate=float("inf")), "E303 learning_rate is inf. Give a finite number"),
    (27, python(activation="relo"), "E304 layer 1, activation 'relo' is unknown. Did you mean relu?"),
    (27, python(activation=["relu"]), "E304 layer 1, activation ['relu'] is unknown"),
    (27, python(loss={"name": "huber", "reduction": np.array([1])}), "E304 loss.reduction array("),
    (28, python(loss="binary_cross_entropy", target=[1.2]), "E305 example 1, target[0] is 1.2;"),
    (29, python(loss="cross_entropy", weight=THREE, bias=0, target=3),
     "E306 example 1, target is class 3 of 3. Classes are 0..2"),
    (29, python(loss="cross_entropy", weight=THREE, bias=0,
                examples={"input": np.ones((2, 2)), "target": np.array([0, 3])}),
     "E306 example 2, target is class 3 of 3. Classes are 0..2"),
    (30, python(loss="cross_entropy", weight=THREE, bias=0, target=[0.9, 0, 0]),
     "E307 example 1, target sums to 0.9, not 1"),
    (32, python(loss="binary_cross_entropy", input=[-8000, 0]),
     "E309 example 1: output[0] is exactly 0 while its target is 1, which takes log(0): "
     "loss is infinite. Use logits: activation identity with loss "
     "binary_cross_entropy_with_logits"),
    (36, python(learning_rate=1e307, activation="identity", input=[1e3, 1]),
     "E311 layer 1: weight[0][0] is 0.1 before the step and -inf after it. "
     "Use a smaller learning_rate or smaller numbers"),
    (36, python(activation="sigmoid", weight=[[1e200, 1]], input=[1e200, 1]),
     "E311 layer 1: z[0] of example 1 is inf. Its numbers are too large for float64"),
    (36, python(activation="identity", weight=[[1e150, 0]], input=[1e5, 0], loss={
        "name": "squared_error"}), "E311 example 1: the loss of output[0], 1e+155"),
    (36, python(activation="identity", weight=[[0, 0]], bias=[1e150], input=[1e200, 0],
                trainable=False), "E311 layer 1: the gradient of weight[0][0] is inf"),
    (0, python(bias=[[1]]), "E107 layer 1, bias has shape (1, 1), expected (1,)"),
    (0, python(neurons=_itself()), "E216 layer 1, neurons[0] is [[[["),
    (0, python(name="\ud800"), "E216 layer 1, name holds U+D800, half of a character"),
    (0, python(title="a" * 201), "E216 title has 201 characters. Use at most 200"),
    (0, python(inputs=["a"]), "E217 inputs has 1 name for 2. Give one name each"),
    (0, python(trainable="yes"), "E218 layer 1, trainable is 'yes'"),
    (0, python(layers={"weight": 1}), "E206 layers is {'weight': 1}, not a table"),
    (0, python(layers=[5]), "E206 layers[0] is 5, not a table"),
]  # fmt: skip

WARNINGS = [
    (20, python(weight=[[1e-320, 1e-310]]),
     "W211 layer 1, weight[0][0] is 1e-320, a subnormal number; a GPU may flush it to 0"),
    (24, python(learning_rate=0), "W301 learning_rate is 0: nothing will move"),
    (31, python(loss="cross_entropy", weight=THREE, bias=0, target=1, activation="softmax"),
     "W308 layer 1: softmax is applied twice: the last layer's, and the one in cross_entropy, "
     "which takes logits. Use activation identity"),
    (35, python(loss="absolute_error", activation="identity", weight=[[0, 0]], bias=[1]),
     "W310 example 1, output[0] is exactly its target: absolute_error has a corner there, and "
     "its slope is taken as 0"),
]  # fmt: skip
