"""Under torchrun itself."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from miya.watching.reading import read_run

SCRIPT = Path(__file__).with_name("script.py")


def by_hand():
    """The losses of three steps, and the one after them."""
    torch.manual_seed(0)
    x = torch.randn(16, 3, dtype=torch.float64)
    y = x.sum(1, keepdim=True)
    model = torch.nn.Linear(3, 1).double()
    losses = []
    for _ in range(4):
        model.zero_grad()
        losses.append((model(x) - y).square().mean())
        losses[-1].backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
    return [loss.item() for loss in losses]


def test_two_processes_under_torchrun(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run([*command, SCRIPT, tmp_path], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    *watched, last = by_hand()
    run = read_run(tmp_path / "run")
    assert list(run.ranks) == [0, 1]
    assert [r.loss for r in run.records()] == pytest.approx(watched, rel=1e-12)
    for rank in (0, 1):
        assert float((tmp_path / f"{rank}.txt").read_text().split("(")[-1].rstrip(")")) == (
            pytest.approx(last, rel=1e-12)
        )
