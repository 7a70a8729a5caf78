"""What waits is told before it could be lost: where the optimizer's groups change, and at the end
of a process that never stops its watch."""

import subprocess
import sys

import torch
from torch import nn

import miya
from miya.watching.reading import read_run
from miya.watching.sinks import MemorySink

ENDS = """
import sys, torch, miya
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
watch = miya.watch(model, optimizer, every=1, run=sys.argv[1])
for _ in range(5):
    model(torch.ones(3, 2)).sum().backward()
    optimizer.step()
"""


def test_steps_before_a_new_group_are_told_as_they_were():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
    sink = MemorySink()
    with miya.watch(model, optimizer, every=1, sinks=[sink]):
        for k in range(6):
            if k == 3:
                optimizer.add_param_group({"params": model[1].parameters(), "lr": 0.2})
            optimizer.zero_grad()
            model(torch.ones(5, 4)).pow(2).sum().backward()
            optimizer.step()
    assert [r.step for r in sink.steps] == [1, 2, 3, 4, 5, 6]
    # the groups are asked for when a step begins: the new one is watched from the next on
    assert [r.layers[1].held for r in sink.steps] == [False] * 4 + [True] * 2
    assert [len(r.groups) for r in sink.steps] == [1] * 4 + [2] * 2


def test_a_process_that_ends_without_a_word_has_written_all(tmp_path):
    folder = tmp_path / "run"
    subprocess.run([sys.executable, "-c", ENDS, str(folder)], check=True, timeout=300)
    assert [r.step for r in read_run(folder).records()] == [1, 2, 3, 4, 5]
