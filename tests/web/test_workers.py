"""A computation has bounded time, memory and company."""

import asyncio
import time

import pytest
from web import apart

from miya.web import workers as module
from miya.web.workers import QUEUE, Busy, Failed, Leaving, Workers


def sleeping(request):
    time.sleep(request["seconds"])
    return {"slept": True}


def hungry(request):
    kept = bytearray(request["bytes"])
    return {"size": len(kept)}


@pytest.fixture
def pool(monkeypatch):
    made = []

    def make(action, **bounds):
        monkeypatch.setattr(module, "_act", action)
        made.append(Workers(2, **bounds))
        return made[-1]

    yield make
    for workers in made:
        workers.close()


def test_out_of_time(pool):
    workers = pool(sleeping, seconds=1.0)

    async def ask():
        await workers.ask({"seconds": 0})
        with pytest.raises(Failed) as failed:
            await workers.ask({"seconds": 60})
        assert failed.value.code == "E810"
        return await workers.ask({"seconds": 0})

    assert apart.run(ask()) == {"slept": True}


def test_out_of_memory(pool):
    workers = pool(hungry, memory=256 * 2**20)

    async def ask():
        assert (await workers.ask({"bytes": 2**20}))["size"] == 2**20
        with pytest.raises(Failed) as failed:
            await workers.ask({"bytes": 2**30})
        assert failed.value.code == "E811"
        return await workers.ask({"bytes": 2**20})

    assert apart.run(ask())["size"] == 2**20


def test_the_queue_is_bounded(pool):
    workers = pool(sleeping, seconds=20)

    async def ask():
        asked = [asyncio.ensure_future(workers.ask({"seconds": 0.2})) for _ in range(QUEUE)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workers.ask({"seconds": 0})
        return await asyncio.gather(*asked)

    assert len(apart.run(ask())) == QUEUE
    assert workers.waiting == 0


def test_leaving_finishes_what_runs_and_begins_nothing_more(pool):
    workers = pool(sleeping, seconds=20)

    async def ask():
        asked = [asyncio.ensure_future(workers.ask({"seconds": 1.0})) for _ in range(QUEUE)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        before = sum(a.done() for a in asked)
        workers.leave()
        with pytest.raises(Leaving):
            await workers.ask({"seconds": 0})
        return before, await asyncio.gather(*asked, return_exceptions=True)

    before, answers = apart.run(ask())
    done = [a for a in answers if a == {"slept": True}]
    assert before <= len(done) <= before + 2 < QUEUE, "two run at once"
    assert all(isinstance(a, Leaving) for a in answers if a not in done)
    assert workers.waiting == 0
