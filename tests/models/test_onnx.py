"""ONNX models give what onnx's own evaluator gives, and are refused with the reason."""

from __future__ import annotations

import contextlib

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import miya
from miya.read.torch.files import model_trace
from miya.read.torch.onnx_model import OnnxModel
from miya.read.torch.onnx_operators import OPERATORS

RANDOM = np.random.default_rng(7)
X = (2, 3, 6, 7)


def numbers(*shape):
    return RANDOM.normal(0, 1, shape)


def save(path, nodes, shape, arrays=(), *, opset=20, outputs=("y",), kind=np.float64):
    """An ONNX file of nodes from "x" to `outputs`; `arrays` are its initializers."""
    held = [
        numpy_helper.from_array(
            np.asarray(a, kind) if np.asarray(a).dtype.kind == "f" else np.asarray(a), name
        )
        for name, a in dict(arrays).items()
    ]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info(o, element, ("any",)) for o in outputs],
        held,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 9
    onnx.save(made, path)
    return made


ROUGH = {"Gelu", "Selu", "HardSwish", "Erf"}  # the evaluator's constants are float32


def agrees(path, made, x):
    """The module that has what the evaluator has at x."""
    rough = any(n.op_type in ROUGH for n in made.graph.node)
    evaluator = ReferenceEvaluator(made)
    model = OnnxModel(path)
    given = torch.tensor(x, requires_grad=True)
    found = model(given)
    expected = evaluator.run(None, {"x": x})
    for ours, theirs in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs, rtol=1e-5 if rough else 1e-9, atol=1e-10
        )
    return model


def one(kind, arrays=(), inputs=(), *, shape=X, opset=20, **attributes):
    names = ["x", *inputs, *dict(arrays)]
    return (
        [helper.make_node(kind, names, ["y"], name=f"{kind.lower()}1", **attributes)],
        shape,
        dict(arrays),
        opset,
    )


def whole(*values):
    return np.array(values, dtype=np.int64)


STATISTICS = {
    "scale": numbers(3), "bias": numbers(3), "mean": numbers(3), "var": numbers(3) ** 2 + 0.5
}  # fmt: skip
CASES = {
    "gemm": one("Gemm", {"w": numbers(5, 4), "b": numbers(5)}, shape=(3, 4), transB=1),
    "gemm untransposed": one("Gemm", {"w": numbers(4, 5), "b": numbers(5)}, shape=(3, 4)),
    "gemm scaled": one(
        "Gemm", {"w": numbers(3, 5), "b": numbers(4, 5)}, shape=(3, 4), transA=1, alpha=0.5, beta=2.0
    ),
    "gemm without bias": one("Gemm", {"w": numbers(5, 4)}, shape=(3, 4), transB=1),
    "gemm with a bias of one number": one(
        "Gemm", {"w": numbers(5, 4), "b": numbers(1)}, shape=(3, 4), transB=1
    ),
    "matmul": one("MatMul", {"w": numbers(7, 2)}),
    "conv": one("Conv", {"w": numbers(4, 3, 3, 3), "b": numbers(4)}),
    "conv with all": one(
        "Conv", {"w": numbers(6, 1, 2, 3)}, group=3, strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2]
    ),
    "conv same upper": one(
        "Conv", {"w": numbers(2, 3, 3, 2)}, auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 2]
    ),
    "conv same lower": one(
        "Conv", {"w": numbers(2, 3, 4, 2)}, auto_pad="SAME_LOWER", kernel_shape=[4, 2]
    ),
    "conv valid": one("Conv", {"w": numbers(2, 3, 3, 3)}, auto_pad="VALID"),
    "conv1d": one("Conv", {"w": numbers(4, 3, 3)}, shape=(2, 3, 8), pads=[1, 1]),
    "maxpool": one("MaxPool", kernel_shape=[2, 3], strides=[2, 1]),
    "maxpool padded": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "maxpool uneven": one("MaxPool", kernel_shape=[2, 2], pads=[0, 1, 1, 0]),
    "maxpool ceil": one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    "averagepool": one("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "averagepool padded": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "averagepool counted": one(
        "AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
    ),
    "averagepool uneven": one("AveragePool", kernel_shape=[2, 2], pads=[0, 1, 1, 0]),
    "averagepool uneven counted": one(
        "AveragePool", kernel_shape=[2, 2], pads=[0, 1, 1, 0], count_include_pad=1
    ),
    "globalaveragepool": one("GlobalAveragePool"),
    "leakyrelu": one("LeakyRelu", alpha=0.2),
    "elu": one("Elu", alpha=0.7),
    "selu own": one("Selu", alpha=1.5, gamma=0.9),
    "softmax": one("Softmax", axis=1),
    "logsoftmax": one("LogSoftmax", axis=-1),
    "gelu": one("Gelu"),
    "gelu tanh": one("Gelu", approximate="tanh"),
    "hardsigmoid": one("HardSigmoid", alpha=0.3, beta=0.4),
    "clip": one("Clip", {"low": np.array(-0.5), "high": np.array(0.8)}),
    "clip of old": one("Clip", min=-0.5, max=0.8, opset=10),
    "flatten": one("Flatten"),
    "flatten 2": one("Flatten", axis=2),
    "flatten 0": one("Flatten", axis=0),
    "reshape": one("Reshape", {"s": whole(0, -1, 7)}),
    "transpose": one("Transpose", perm=[0, 2, 3, 1]),
    "transpose all": one("Transpose"),
    "add": one("Add", {"b": numbers(3, 1, 1)}),
    "sub": one("Sub", {"b": numbers(7)}),
    "mul": one("Mul", {"b": numbers(6, 1)}),
    "div": one("Div", {"b": numbers(2, 3, 6, 7)}),
    "pow": one("Pow", {"b": np.array(2.0)}),
    "batchnorm": one("BatchNormalization", STATISTICS, epsilon=1e-3),
    "dropout": one("Dropout"),
    "squeeze": one("Squeeze", {"a": whole(1, 3)}, shape=(2, 1, 3, 1)),
    "squeeze of old": one("Squeeze", shape=(2, 1, 3, 1), axes=[1], opset=11),
    "squeeze all": one("Squeeze", shape=(2, 1, 3, 1)),
    "unsqueeze": one("Unsqueeze", {"a": whole(-1, 1)}),
    "unsqueeze of old": one("Unsqueeze", axes=[0, 2], opset=11),
    "reducemean": one("ReduceMean", {"a": whole(2, -1)}, keepdims=0),
    "reducemean of old": one("ReduceMean", axes=[1], opset=13),
    "reducemean all": one("ReduceMean", keepdims=1),
    "reducesum": one("ReduceSum", {"a": whole(1)}),
    "pad": one("Pad", {"p": whole(0, 0, 1, 2, 0, 0, 0, 3), "v": np.array(0.5)}),
    "pad reflect": one("Pad", {"p": whole(0, 0, 1, 2, 0, 0, 0, 3)}, mode="reflect"),
    "pad edge": one("Pad", {"p": whole(0, 0, 1, 2, 0, 0, 2, 0)}, mode="edge"),
    "pad of old": one("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.25, opset=10),
    "pad of channels": one("Pad", {"p": whole(0, 1, 0, 0, 0, 2, 0, 0)}),
    "layernorm": one(
        "LayerNormalization", {"scale": numbers(6, 7), "bias": numbers(6, 7)}, axis=2, epsilon=1e-3
    ),
    "layernorm without bias": one("LayerNormalization", {"scale": numbers(7)}),
    "gather": one("Gather", {"i": whole(2, -1)}, axis=1),
    **{
        k.lower(): one(k)
        for k in ["Relu", "Sigmoid", "Tanh", "Selu", "HardSwish", "Identity", "Softplus", "Abs", "Neg", "Exp", "Erf"]
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_operator_gives_what_onnx_gives(case, tmp_path):
    nodes, shape, arrays, opset = CASES[case]
    made = save(tmp_path / "m.onnx", nodes, shape, arrays, opset=opset)
    model = agrees(tmp_path / "m.onnx", made, numbers(*shape))
    (operator,) = [m for m in model.modules() if type(m).__name__ == nodes[0].op_type]
    assert all(f"{a.name}=" in operator.extra_repr() for a in nodes[0].attribute)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_softmax_of_old_goes_over_the_rest(kind, axis, tmp_path):
    """https://github.com/onnx/onnx/blob/main/docs/Changelog.md#Softmax-11: made a matrix first."""
    nodes, shape, arrays, opset = one(kind, axis=axis, opset=11)
    save(tmp_path / "m.onnx", nodes, shape, arrays, opset=opset)
    x = torch.tensor(numbers(*shape))
    rows = getattr(torch, {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[kind])(
        x.reshape(int(np.prod(shape[:axis])), -1), 1
    )
    assert torch.equal(OnnxModel(tmp_path / "m.onnx")(x), rows.reshape(shape))


def test_what_stands_in_no_case_is_tested_elsewhere():
    told = {nodes[0].op_type for nodes, *_ in CASES.values()}
    assert set(OPERATORS) - told == {"Concat", "Log", "Sqrt", "Shape"}  # in the CNN below


def cnn():
    """A CNN as exporters write it: the shape of a reshape is worked out from that of its input."""
    node = helper.make_node
    nodes = [
        node("Constant", [], ["one"], value=numpy_helper.from_array(np.array([-1]))),
        node("Constant", [], ["zero"], value_int=0),
        node("Constant", [], ["small"], value=numpy_helper.from_array(np.array(0.25))),
        node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], "/conv/Conv", pads=[1, 1, 1, 1]),
        node(
            "BatchNormalization", ["c", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["n"], "/bn"
        ),
        node("Relu", ["n"], ["r"], "/relu"),
        node("Concat", ["r", "x"], ["j"], axis=1),
        node("MaxPool", ["j"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["g"], axis=0),
        node("Unsqueeze", ["g", "axis"], ["u"]),
        node("Concat", ["u", "one"], ["t"], axis=0),
        node("Reshape", ["p", "t"], ["f"]),
        node("MatMul", ["f", "onnx::MatMul_12"], ["m"], "/fc/MatMul"),
        node("Add", ["fc.bias", "m"], ["a"], "/fc/Add"),
        node("Mul", ["a", "a"], ["q"]),
        node("Add", ["q", "small"], ["e"]),
        node("Sqrt", ["e"], ["w"]),
        node("Log", ["w"], ["y"]),
    ]
    arrays = {
        "conv.weight": numbers(4, 3, 3, 3), "conv.bias": numbers(4), "bn.weight": numbers(4),
        "bn.bias": numbers(4), "bn.mean": numbers(4), "bn.var": numbers(4) ** 2 + 1,
        "onnx::MatMul_12": numbers(7 * 3 * 3, 5), "fc.bias": numbers(5), "axis": whole(0),
    }  # fmt: skip
    return nodes, arrays


def test_a_cnn_keeps_the_names_of_its_weights(tmp_path):
    nodes, arrays = cnn()
    made = save(tmp_path / "m.onnx", nodes, ("n", 3, 6, 6), arrays)
    model = agrees(tmp_path / "m.onnx", made, numbers(2, 3, 6, 6))
    trained = {"conv.weight", "conv.bias", "bn.weight", "bn.bias", "onnx::MatMul_12", "fc.bias"}
    assert set(dict(model.named_parameters())) == trained
    assert {"bn.mean", "bn.var", "small"} == set(dict(model.named_buffers()))
    kinds = {path: type(m).__name__ for path, m in model.named_modules()}
    assert kinds["conv"] == "Conv" and kinds["bn"] == "BatchNormalization"
    assert kinds["relu"] == "Relu" and kinds["fc_MatMul"] == "MatMul"


def test_a_step_of_a_cnn_is_traced_by_name(tmp_path):
    nodes, arrays = cnn()
    save(tmp_path / "m.onnx", nodes, ("n", 3, 6, 6), arrays)
    np.savez(tmp_path / "b.npz", input=numbers(4, 3, 6, 6), target=np.array([0, 1, 2, 4]))
    trace = model_trace(
        tmp_path / "m.onnx",
        data=tmp_path / "b.npz",
        loss="cross_entropy",
        optimizer="adam",
        learning_rate=0.01,
    )
    assert trace.dtype == "float64" and trace.loss_after < trace.loss
    step = trace.parameters["conv.weight"]
    np.testing.assert_allclose(np.abs(step.change[step.gradient != 0]), 0.01, rtol=1e-3)
    # against the evaluator itself: the loss a little further along the gradient
    h, along = 1e-6, trace.gradients["fc.bias"]
    losses = []
    for sign in (1, -1):
        save(
            tmp_path / "n.onnx",
            nodes,
            ("n", 3, 6, 6),
            {**arrays, "fc.bias": arrays["fc.bias"] + sign * h * along},
        )
        x = np.load(tmp_path / "b.npz")["input"]
        (y,) = ReferenceEvaluator(onnx.load(tmp_path / "n.onnx")).run(None, {"x": x})
        p = np.exp(y) / np.exp(y).sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(4), [0, 1, 2, 4]]).mean())
    assert (losses[0] - losses[1]) / (2 * h) == pytest.approx((along**2).sum(), rel=1e-6)


def said(path):
    with pytest.raises(miya.MiyaInputError) as caught:
        OnnxModel(path)
    return str(caught.value)


def test_every_operator_that_is_not_read_is_listed(tmp_path):
    path = tmp_path / "m.onnx"
    node = helper.make_node
    nodes = [
        node("Det", ["x"], ["a"]),
        node("Det", ["x"], ["b"]),
        node("Relu", ["a"], ["c"]),
        node("AveragePool", ["c"], ["y"], kernel_shape=[2, 2], dilations=[2, 2]),
    ]
    save(path, nodes, X)
    assert said(path) == (
        f"E517 {path} has operators that are not read: Det (2 times), AveragePool (with dilations). "
        "Explain the model that it was exported from"
    )


@pytest.mark.parametrize("kind", ["BatchNormalization", "Dropout", "MaxPool", "LayerNormalization"])
def test_a_second_output_is_refused(kind, tmp_path):
    nodes, shape, arrays, _ = CASES[
        {"BatchNormalization": "batchnorm", "LayerNormalization": "layernorm"}.get(
            kind, kind.lower()
        )
    ]
    nodes[0].output.append("z")
    if kind == "BatchNormalization":
        nodes[0].output.append("v")
        nodes[0].attribute.append(helper.make_attribute("training_mode", 1))
    save(tmp_path / "m.onnx", nodes, shape, arrays)
    assert f"not read: {kind} (" in said(tmp_path / "m.onnx")


def external(path, location):
    made = save(path, *CASES["matmul"][:3])
    (tensor,) = made.graph.initializer
    data = tensor.raw_data
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    path.write_bytes(made.SerializeToString())
    return data


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/passwd", "C:/w", "\\\\host\\w", "a/../../w"]
)
def test_data_outside_the_folder_is_refused(location, tmp_path):
    path = tmp_path / "m.onnx"
    external(path, location)
    assert said(path).startswith(
        f"E506 {path}: the data of w lie outside its folder, in {location!r}"
    )


def test_data_through_a_link_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "m.onnx"
    data = external(path, "w.data")
    (tmp_path / "w.data").write_bytes(data)
    (tmp_path / "in" / "w.data").symlink_to(tmp_path / "w.data")
    assert said(path).startswith("E506")


def test_data_beside_the_model_are_read(tmp_path):
    path = tmp_path / "m.onnx"
    (tmp_path / "w.data").write_bytes(external(path, "w.data"))
    np.testing.assert_array_equal(OnnxModel(path).w.detach().numpy(), CASES["matmul"][2]["w"])
    (tmp_path / "w.data").unlink()
    assert said(path).startswith("E220")


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"\x08\x09", b"\x00" * 99])
def test_what_is_no_model_is_said(content, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert said(path).startswith(f"E220 {path} is no ONNX model")


def test_a_damaged_model_never_gives_a_traceback(tmp_path):
    path = tmp_path / "m.onnx"
    nodes, arrays = cnn()
    save(path, nodes, X, arrays)
    whole_file = path.read_bytes()
    for _ in range(150):
        content = bytearray(whole_file)
        for at in RANDOM.integers(0, len(content), 3):
            content[at] = RANDOM.integers(256)
        path.write_bytes(content)
        with contextlib.suppress(miya.MiyaInputError):
            OnnxModel(path)


def test_an_old_operator_set_is_refused(tmp_path):
    save(tmp_path / "m.onnx", *CASES["relu"][:3], opset=6)
    assert said(tmp_path / "m.onnx").startswith("E515")


def test_several_inputs_and_outputs(tmp_path):
    node, info = helper.make_node, helper.make_tensor_value_info
    nodes = [
        node("Add", ["a", "b.c"], ["s"]),
        node("Mul", ["s", "a"], ["p"]),
    ]
    ins = [info(n, TensorProto.FLOAT, [2]) for n in ("a", "b.c")]
    outs = [info(n, TensorProto.FLOAT, [2]) for n in ("s", "p")]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ins, outs)), tmp_path / "m.onnx")
    model = OnnxModel(tmp_path / "m.onnx")
    a, b = torch.tensor([1.0, 2]), torch.tensor([3.0, 5])
    for found in (model(a, b), model(**{"a": a, "b.c": b})):
        assert [f.tolist() for f in found] == [[4, 7], [4, 14]]
    with pytest.raises(
        miya.MiyaInputError, match=r"^E516 the model takes a, b\.c, given are 1 inputs"
    ):
        model(a)
