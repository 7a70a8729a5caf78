"""Records of a training that never was, with numbers that a reader can recognise."""

import math
import random
from dataclasses import asdict

import numpy as np

from miya.watching.records import Finding, GroupRecord, LayerRecord, NeuronRecord, StepRecord

LAYERS = (("conv1", "Conv2d"), ("conv2", "Conv2d"), ("fc1", "Linear"), ("fc2", "Linear"))


def record(step, *, layers=LAYERS, neurons=4, rank=0, seed=0, **changes):
    """A step of a loss that falls; every field is filled and differs from every other."""
    pick = random.Random(f"{seed} {step} {rank}")
    loss = 2.3 * math.exp(-step / 300) + 0.1 + 0.02 * pick.random()
    found = [_layer(k, path, kind, step, pick) for k, (path, kind) in enumerate(layers)]
    values = {
        "step": step,
        "seconds": step / 10,
        "loss": loss,
        "predicted": math.fsum(layer.predicted for layer in found),
        "real": -0.01 * pick.random(),
        "examples": 32,
        "skipped": False,
        "layers": tuple(found),
        "groups": (GroupRecord(0, 0, 0.01, pick.random(), pick.random(), 10 + pick.random()),),
        "neurons": tuple(
            NeuronRecord(
                path, *(np.array([pick.gauss(0, 1) for _ in range(neurons)]) for _ in range(5))
            )
            for path, _ in layers
        ),
        "rank": rank,
    }
    return StepRecord(**(values | changes))


def _layer(k, path, kind, step, pick):
    weight, moved = 5 + k + pick.random(), 0.004 * (k + 1) * (0.5 + pick.random())
    return LayerRecord(
        path,
        kind,
        gradient=0.3 * (k + 1) * math.exp(-step / 500) * (0.8 + 0.4 * pick.random()),
        weight=weight,
        step=moved,
        relative_step=moved / weight,
        delta=0.1 * (k + 1) * (0.8 + 0.4 * pick.random()),
        predicted=-0.002 * (k + 1) * pick.random(),
        credit=-0.001 * pick.random(),
        activation_mean=pick.random(),
        activation_deviation=pick.random(),
        input_mean=pick.gauss(0, 1),
        dead=0.01 * k,
        saturated=0.02 * k,
        greedy=0.03 * k,
        bias_mean=pick.gauss(0, 0.1),
        bias_step=pick.gauss(0, 0.001),
        noise=pick.random(),
    )


FINDING = Finding(
    "dead_neurons",
    "fc1",
    300,
    280,
    {"dead": 0.41, "input_mean": -2.1, "relative_step": 3.1, "what": 'a "text", 死'},
)


def same(one, other):
    """Whether two records hold the same numbers; a NaN is one."""
    return _plain(one) == _plain(other)


def _plain(record):
    whole = asdict(record)
    whole["neurons"] = [{k: repr_of(v) for k, v in n.items()} for n in whole["neurons"]]
    return repr(whole)


def repr_of(value):
    return value.tolist() if isinstance(value, np.ndarray) else value
