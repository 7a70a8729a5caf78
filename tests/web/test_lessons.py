"""Lessons: every task has an answer that the core gives, in both languages, and says no to others."""

import copy

import numpy as np
import pytest
from web import states

import miya
from miya.web.actions import act

LESSONS = {lesson["name"]: lesson for lesson in act({"action": "lessons"})["lessons"]}


def marked(state, lesson, task, answer=None, language="en"):
    request = {"action": "mark", "state": state, "lesson": lesson, "task": task}
    answered = act({**request, "answer": answer, "language": language})
    assert "error" not in answered, answered
    return answered["right"], answered["said"]


def trace_of(state):
    return miya.explain(state["network"]).trace


def test_there_are_six_in_both_languages():
    others = act({"action": "lessons", "language": "ja"})["lessons"]
    assert list(LESSONS) == ["story", "bias", "paths", "saturation", "credit", "overshoot"]
    for lesson, other in zip(LESSONS.values(), others, strict=True):
        assert len(lesson["text"]) == len(other["text"])
        assert [t["name"] for t in lesson["tasks"]] == [t["name"] for t in other["tasks"]]
        assert all(
            a["text"] != b["text"] for a, b in zip(lesson["tasks"], other["tasks"], strict=True)
        )


# worked out by hand from the lesson's own numbers, or read off the trace's arrays
ANSWERS = [
    ("story", "output", lambda t: t.layers[1].a[0, 0]),
    ("story", "delta", lambda t: 2 * (t.layers[1].a[0, 0] - 1) * t.layers[1].a[0, 0] * (1 - t.layers[1].a[0, 0])),
    ("bias", "gradient", lambda t: (t.layers[0].a[0, 0] - 1) * t.layers[0].a[0, 0] * (1 - t.layers[0].a[0, 0])),
    ("bias", "compare", lambda t: 2 * t.layers[0].delta[0, 0]),
    ("bias", "after", lambda t: 0.1 - 0.5 * t.layers[0].delta[0, 0]),
    ("paths", "one", lambda t: t.layers[1].a[0, 0] - 1),
    ("paths", "sum", lambda t: (0.8 * t.layers[1].delta[0, 0] + 0.3 * t.layers[1].delta[0, 1]) * t.layers[0].a[0, 0] * (1 - t.layers[0].a[0, 0])),
    ("saturation", "slope", lambda t: t.layers[0].a[0, 0] * (1 - t.layers[0].a[0, 0])),
    ("credit", "whole", lambda t: t.loss_after - t.loss),
    ("overshoot", "gradient", lambda t: (0.5 * 2 - 3) * 2),
]  # fmt: skip


@pytest.mark.parametrize(("lesson", "task", "right"), ANSWERS)
def test_numbers_are_marked(lesson, task, right):
    state = LESSONS[lesson]["state"]
    value = float(right(trace_of(state)))
    for answer in (value, f"{value:.6g}", f"{value:.4g}".replace(".", ",")):
        assert marked(state, lesson, task, answer) == (True, "Right."), (answer, value)
    assert marked(state, lesson, task, -value)[1] == "The sign is the other one."
    assert marked(state, lesson, task, 2 * value)[1] == "It is smaller in size."
    assert marked(state, lesson, task, value / 2)[1] == "It is larger in size."
    assert marked(state, lesson, task, "abc")[0] is False
    assert marked(state, lesson, task, "", "ja")[1].startswith("数ではありません")


@pytest.mark.parametrize(
    ("lesson", "task", "measure", "among"),
    [("story", "greedy", "pressure", "neurons"), ("credit", "steepest", "pressure", "parameters"),
     ("credit", "credited", "credit", "parameters")],
)  # fmt: skip
def test_parts_are_marked(lesson, task, measure, among):
    state = LESSONS[lesson]["state"]
    request = {"action": "blame", "state": state, "measure": measure}
    rows = act(request)["neurons" if among == "neurons" else "rows"]
    first, other = rows[0]["ref"], rows[-1]["ref"]
    assert marked(state, lesson, task, first) == (True, "Right.")
    assert marked(state, lesson, task, first.lower().replace("][", ", "))[0]
    assert marked(state, lesson, task, other)[1].startswith("Not that one")
    for nothing in ("", None, "W9[9][9]", 3):
        right, said = marked(state, lesson, task, nothing)
        assert not right and said.startswith("Tap a part") and first not in said.split("such as")[0]


def after(state, *edits):
    for edit in edits:
        answer = states.edit(state, **edit)
        assert "error" not in answer, answer
        state = answer["state"]
    return state


def number(path, value):
    return {"kind": "set", "path": path, "value": value}


GOALS = [
    ("paths", "cancel", [number(["layers", 1, "weight", 0, 0], 0), number(["layers", 1, "weight", 1, 0], 0)]),
    ("saturation", "flat", [number(["layers", 0, "bias", 0], 9)]),
    ("saturation", "sleep", [{"kind": "activation", "layer": 0, "name": "relu"}, number(["layers", 0, "bias", 1], -3)]),
    ("credit", "plain", [number(["learning_rate"], 5)]),
    ("overshoot", "high", [number(["learning_rate"], 0.5)]),
    ("overshoot", "low", [number(["learning_rate"], 0.1)]),
]  # fmt: skip


@pytest.mark.parametrize(("lesson", "task", "edits"), GOALS)
def test_goals_are_reached_by_what_the_task_says(lesson, task, edits):
    state = LESSONS[lesson]["state"]
    kept = copy.deepcopy(state)
    if (lesson, task) != ("overshoot", "low"):
        assert marked(state, lesson, task)[0] is False
    assert marked(after(state, *edits), lesson, task) == (True, "Right.")
    assert state == kept


def test_what_the_lessons_say_is_so():
    """Overshoot: 1/5 lands in the valley, 2/5 comes back to the same height. Credit: under Adam
    each parameter moves by 0.5, and the largest gradient is not the largest contribution."""
    state = LESSONS["overshoot"]["state"]
    for rate, then in ((0.2, 0.0), (0.4, 2.0)):
        trace = trace_of(after(state, number(["learning_rate"], rate)))
        assert trace.loss == 2.0 and trace.loss_after == pytest.approx(then, abs=1e-12)
    assert marked(
        act({"action": "step", "state": after(state, number(["learning_rate"], 0.2))})["state"],
        "overshoot",
        "reach",
    )[0]
    trace = trace_of(LESSONS["credit"]["state"])
    for layer in trace.layers:
        for update in (layer.weight, layer.bias):
            assert np.allclose(np.abs(update.change), 0.5, atol=1e-6)
    rows = {m: miya.blame(trace.network, measure=m).parameters[0] for m in ("pressure", "credit")}
    assert (rows["pressure"].kind, rows["pressure"].index) != (
        rows["credit"].kind,
        rows["credit"].index,
    ) or (rows["pressure"].layer != rows["credit"].layer)


def test_the_story_is_solved_by_training():
    state = LESSONS["story"]["state"]
    for _ in range(20):
        state = act({"action": "step", "state": state, "steps": 200})["state"]
        if marked(state, "story", "lower")[0]:
            return
    raise AssertionError("the task takes too long")


def test_an_unknown_task_is_refused():
    state = LESSONS["story"]["state"]
    for lesson, task in (("story", "none"), ("../bias", "gradient")):
        request = {"action": "mark", "state": state, "lesson": lesson, "task": task, "answer": 1}
        assert act(request)["error"]["code"] == "E815"
