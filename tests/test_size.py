"""What is kept, what is imported and what is told only when asked for."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from networks import description

import miya
from miya.core.build import network
from miya.core.graph import Node
from miya.core.step import take_step
from miya.core.trace import Update

WIDE = {"sizes": [200, 150, 80, 10], "activation": "relu", "loss": "squared_error", "examples": 16}


def arrays(trace):
    """The distinct arrays that a reader of the trace reaches and the step made, by owner."""
    found = []
    for layer in trace.layers:
        found += [layer.z, layer.a, layer.slope, layer.grad_a, layer.delta]
        found += [*layer.affine.saved.values(), *layer.activation.saved.values()]
        for update in (layer.weight, layer.bias):
            found += [update.gradient, update.change, update.after, *update.results.values()]
    found += [v for v in trace.root.saved.values() if isinstance(v, np.ndarray)]
    parts = {(a.__array_interface__["data"][0], a.nbytes): a.nbytes for a in found if a is not None}
    return sum(parts.values())


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_trace_holds_little_more_than_its_arrays(optimizer):
    net = network(description(3, **WIDE, optimizer={"name": optimizer}))
    take_step(net)
    tracemalloc.start()
    try:
        trace = take_step(net)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    kept = arrays(trace)
    assert held <= 1.3 * kept
    assert peak <= 2 * kept


def test_a_trained_network_does_not_keep_the_step_before():
    net = network(description(3, **WIDE, optimizer={"name": "adam"}))
    list(miya.train(net, steps=2))
    tracemalloc.start()
    try:
        for trace in miya.train(net, steps=4):
            last = trace
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    parameters = sum(p.nbytes for p in last.network.parameters().values())
    assert held <= 1.15 * (arrays(last) + 3 * parameters)  # θ, m and v of the step before


def test_the_update_is_computed_once_and_viewed():
    trace = take_step(network(description(3, **WIDE)))
    for update in trace.updates.values():
        assert np.shares_memory(update.change, update.update.results["change"])
        assert update.results is update.results
        np.testing.assert_array_equal(update.after, update.before + update.change)
    assert isinstance(trace.layers[0].weight.update, Update)
    assert isinstance(trace.root, Node)


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_import_miya_loads_nothing_heavy():
    assert not loaded_by("import miya") & {"numpy", "click", "rich", "torch", "miya.api"}


def test_the_version_is_told_without_numpy():
    code = (
        "from miya.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as end: assert not end.code"
    )
    assert not loaded_by(code) & {"numpy", "rich", "torch", "miya.api", "miya.core"}


def test_an_original_story_loads_no_torch_and_no_rich():
    loaded = loaded_by("import miya; miya.explain().text()")
    assert not loaded & {"torch", "rich", "click"}


def test_the_story_is_told_when_a_format_is_asked_for(monkeypatch):
    told = []
    tell = miya.api.explanation.tell
    monkeypatch.setattr(
        "miya.api.explanation.tell", lambda *a, **k: told.append(1) or tell(*a, **k)
    )
    explanation = miya.explain()
    assert not told
    explanation.text()
    explanation.markdown()
    assert told == [1]
