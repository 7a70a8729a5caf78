"""Several processes that work together, started from a server that has torch loaded already."""

import multiprocessing
import os
import pickle
import tempfile
import traceback
from pathlib import Path

import torch
import torch.distributed as dist

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["torch", "torch.distributed.fsdp", "miya.watching.starting"])
SECONDS = 120


class Lost:
    """What a process that was lost gave."""


def work_together(world, target, *args):
    """What `target(rank, world, *args)` gave in each of `world` processes: its result, the
    exception it raised as (type's name, text), or Lost."""
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            CONTEXT.Process(target=_one, args=(rank, world, folder, target, args))
            for rank in range(world)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(SECONDS)
            assert process.exitcode is not None, "a process hangs"
        files = [Path(folder, f"{rank}.pickle") for rank in range(world)]
        return [pickle.loads(f.read_bytes()) if f.exists() else Lost() for f in files]


def _one(rank, world, folder, target, args):
    torch.set_num_threads(1)
    if world > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world
        )
    raised = False
    try:
        result = target(rank, world, *args)
    except Exception as fault:
        raised = True
        traceback.print_exc()
        result = (type(fault).__name__, str(fault))
    file = Path(folder, f"{rank}.pickle")
    file.with_suffix(".tmp").write_bytes(pickle.dumps(result))
    os.replace(file.with_suffix(".tmp"), file)
    if world > 1 and not raised:
        dist.destroy_process_group()
