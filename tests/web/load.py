"""A class at one playground: many clients for some time, or many broken requests.

PYTHONPATH=tests python -m web.load --minutes 10
PYTHONPATH=tests python -m web.load --malformed 100000
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from web import apart
from web.broken import malformed, send
from web.serving import played

CLIENTS, RATE = 200, 20.0  # requests a second of all together


@dataclass
class Load:
    """statuses: how many answers of each. seconds: of every request. memory: bytes before and
    after, descriptors: the same, of the server and its workers together."""

    statuses: Counter = field(default_factory=Counter)
    seconds: list = field(default_factory=list)
    memory: tuple = (0, 0)
    descriptors: tuple = (0, 0)

    @property
    def late(self):
        return statistics.quantiles(self.seconds, n=20)[-1]

    def __str__(self):
        grown = (self.memory[1] - self.memory[0]) / 2**20
        return (
            f"{len(self.seconds)} requests {dict(self.statuses)}, median "
            f"{statistics.median(self.seconds) * 1000:.0f} ms, p95 {self.late * 1000:.0f} ms, memory "
            f"{grown:+.1f} MiB, descriptors {self.descriptors[0]} -> {self.descriptors[1]}"
        )


def family(pid):
    """The process and what it started."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += family(int(child))
    return found


def memory(pid):
    """Bytes that are the processes' own."""
    total = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean", "Private_Dirty")):
                total += int(line.split()[1]) * 1024
    return total


def descriptors(pid):
    return sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in family(pid))


async def ask(line, server, request):
    """(status, answer) of one request over an open connection."""
    reader, writer = line
    body = json.dumps(request).encode()
    head = (
        f"POST /api HTTP/1.1\r\nHost: {server.host}\r\nOrigin: {server.origin}\r\n"
        f"Cookie: {server.cookie}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    length = 0
    while (row := await reader.readline()).strip():
        name, _, value = row.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, json.loads(await reader.readexactly(length))


async def client(server, load, until, rng):
    """One learner: opens the page, then edits, steps and looks, every so often."""
    wait = CLIENTS / RATE
    await asyncio.sleep(min(rng.uniform(0, wait), until - time.monotonic()))
    line, state = None, None
    while time.monotonic() < until:
        started = time.monotonic()
        if line is None or line[1].is_closing() or line[0].at_eof():
            line = await asyncio.open_connection("127.0.0.1", server.port)
        status, answer = await ask(line, server, wish(state, rng))
        load.statuses[status] += 1
        load.seconds.append(time.monotonic() - started)
        state = answer.get("state", state)
        left = until - time.monotonic()
        await asyncio.sleep(max(0.0, min(wait * rng.uniform(0.5, 1.5), left)))
    if line:
        line[1].close()


def wish(state, rng):
    if state is None:
        return {"action": "open"}
    bias = ["layers", 0, "bias", rng.randrange(3)]
    value = round(rng.uniform(-1, 1), 3)
    kinds = [{"action": "edit", "edit": {"kind": "set", "path": bias, "value": value}}] * 6
    kinds += [{"action": "step", "steps": 5}, {"action": "blame", "measure": "credit"}] * 2
    kinds += [{"action": "picture"}, {"action": "story"}]
    return {"state": state, "language": "en", **rng.choice(kinds)}


async def clients(server, load, seconds):
    until = time.monotonic() + seconds
    made = [client(server, load, until, random.Random(k)) for k in range(CLIENTS)]
    await asyncio.gather(*made)


def loaded(server, seconds, warm=10.0):
    """The figures of a class that plays so long, after one that warms the server up."""
    pid = server.process.pid
    apart.run(clients(server, Load(), warm))
    load, before = Load(), (memory(pid), descriptors(pid))
    apart.run(clients(server, load, seconds))
    time.sleep(1.0)
    load.memory = (before[0], memory(pid))
    load.descriptors = (before[1], descriptors(pid))
    return load


def broken(server, count, seed=7):
    """How many answers of each status so many broken requests get; 0 is a line that was closed."""
    rng = random.Random(seed)
    return Counter(send(server.port, malformed(rng, server)) for _ in range(count))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--malformed", type=int, default=0)
    given = parser.parse_args()
    with played() as server:
        server.open()
        if given.minutes:
            print(loaded(server, 60 * given.minutes), flush=True)
        if given.malformed:
            statuses = broken(server, given.malformed)
            status, answer = server.api({"action": "open"})
            print(dict(statuses), "then", status, "state" in answer)
    print("written to the log:", server.log or "nothing")


if __name__ == "__main__":
    main()
