"""Many steps: each exact, each kept, also when the run is stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import miya
from miya.core.step import take_step


def run(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "miya", "train", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **more,
    )


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "adam", "adamw"])
def test_steps_carry_parameters_and_state_on(optimizer):
    described = {
        "learning_rate": 0.01,
        "loss": "squared_error",
        "optimizer": {"name": optimizer, **({"momentum": 0.9} if optimizer == "sgd" else {})},
        "layers": [{"weight": [[0.5, -0.25]], "bias": [0.1], "activation": "tanh"}],
        "examples": [{"input": [1, 2], "target": [0.5]}],
    }
    traces = list(miya.train(described, steps=4))
    assert [t.number for t in traces] == [1, 2, 3, 4]
    net, state = miya.load(described), None
    for trace in traces:
        alone = take_step(net, number=trace.number, state=state)
        assert alone.loss == trace.loss
        for name, update in alone.updates.items():
            np.testing.assert_array_equal(update.after, trace.updates[name].after)
        net, state = alone.after, {n: u.state for n, u in alone.updates.items()}
    assert traces[3].loss < traces[0].loss


def test_it_prints_the_loss_and_who_was_blamed_most():
    done = run("--steps", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "step 1: loss 0.24301, most pressure on b2[0] (-0.24643)",
        "step 2: loss 0.23227, most pressure on b2[0] (-0.24066)",
        "step 3: loss 0.22203, most pressure on b2[0] (-0.23482)",
    ]
    assert len(run("--steps", 100).stdout.splitlines()) == 21
    assert len(run("--steps", 100, "--every", 50).stdout.splitlines()) == 3


def test_the_story_of_any_step_can_be_told():
    done = run("--steps", 5, "--story", 3)
    traces = list(miya.train(steps=3))
    story = miya.Explanation(traces[2]).text()
    assert done.stdout.endswith(story)
    assert "This is step 3" in story


def test_every_step_is_written(tmp_path):
    path = tmp_path / "run.jsonl"
    assert run("--steps", 4, "-o", path).returncode == 0
    written = lines(path)
    assert [step["step"] for step in written] == [1, 2, 3, 4]
    for step, trace in zip(written, miya.train(steps=4), strict=True):
        assert step["loss"] == trace.loss
        for layer, ours in zip(step["layers"], trace.layers, strict=True):
            assert layer["weight"]["after"] == ours.weight.after.tolist()
            assert layer["bias"]["gradient"] == ours.bias.gradient.tolist()
    for before, after in zip(written, written[1:], strict=False):
        assert before["layers"][0]["weight"]["after"] == after["layers"][0]["weight"]["before"]


def test_ctrl_c_loses_no_finished_step(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("what was there\n")
    started = subprocess.Popen(
        [sys.executable, "-m", "miya", "train", "--steps", "1000000", "-o", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert started.stdout.readline().startswith("step 1: ")
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "every finished step is kept" in errors and "Traceback" not in errors
    written = lines(path)
    assert [step["step"] for step in written] == list(range(1, len(written) + 1))
    assert len(written) > 20
    assert [p.name for p in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_run_that_fails_keeps_what_it_has(tmp_path):
    net = tmp_path / "net.json"
    net.write_text(
        json.dumps(
            {
                "learning_rate": 1e60,
                "loss": "squared_error",
                "layers": [{"weight": [[1e40]], "bias": [0]}],
                "examples": [{"input": [1], "target": [0]}],
            }
        )
    )
    path = tmp_path / "run.jsonl"
    done = run(net, "--steps", 50, "-o", path)
    assert done.returncode == 2
    assert "E311" in done.stderr and "Traceback" not in done.stderr
    assert [step["step"] for step in lines(path)] == list(range(1, len(lines(path)) + 1))


def test_a_step_count_below_1_is_refused():
    with pytest.raises(miya.MiyaInputError, match=r"E606 steps is 0\. Take at least 1 step"):
        miya.train(steps=0)
