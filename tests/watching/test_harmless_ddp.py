"""DistributedDataParallel with two processes: watched it is the same, bit for bit, and watching adds
no collective."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

STEPS = 1000


def serve(rank, count, store, every):
    """One process: trains, and prints what came out of it."""
    import torch
    import torch.distributed as dist
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    import miya
    from miya.watching.sinks import MemorySink

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=count)
    called = []
    for name in ("all_reduce", "all_gather", "broadcast", "barrier", "reduce"):
        real = getattr(dist, name)
        setattr(dist, name, lambda *a, n=name, r=real, **k: (called.append(n), r(*a, **k))[1])
    torch.manual_seed(5)
    model = DistributedDataParallel(
        nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.1), nn.Linear(6, 2))
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    sink = MemorySink(most=1)
    watch = miya.watch(model, optimizer, every=every, sinks=[sink]) if every else None
    torch.manual_seed(100 + rank)
    for _ in range(STEPS):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().mean().backward()
        optimizer.step()
    if watch is not None:
        assert watch.active
        watch.stop()
    state = optimizer.state_dict()["state"].values()
    tensors = [*model.state_dict().values(), *(t for s in state for t in s.values())]
    seen = hashlib.sha256()
    for tensor in (*tensors, torch.get_rng_state()):
        seen.update(tensor.contiguous().numpy().tobytes())
    deltas = [r.delta for r in sink.steps[-1].layers] if watch is not None else []
    dist.destroy_process_group()
    print(json.dumps({"state": seen.hexdigest(), "called": called, "deltas": deltas}))


def ran(tmp_path, every, count=2):
    store = tmp_path / f"store{every}"
    path = os.pathsep.join(sys.path)
    started = [
        subprocess.Popen(
            [sys.executable, __file__, str(rank), str(count), str(store), str(every)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for rank in range(count)
    ]
    found = []
    for process in started:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        found.append(json.loads(out.splitlines()[-1]))
    return found


def test_two_processes_train_the_same_watched_or_not(tmp_path):
    plain, watched = ran(tmp_path, 0), ran(tmp_path, 5)
    for rank in range(2):
        assert watched[rank]["state"] == plain[rank]["state"]
        assert watched[rank]["called"] == plain[rank]["called"] == []
        assert all(d > 0 for d in watched[rank]["deltas"]) and len(watched[rank]["deltas"]) == 2


if __name__ == "__main__":
    rank, count, store, every = sys.argv[1:]
    serve(int(rank), int(count), Path(store), int(every))
