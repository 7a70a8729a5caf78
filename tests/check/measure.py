"""How well mistakes are found: python tests/check/measure.py [--count 1000] [--seed 1] [--notation N]"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]

import fresh  # noqa: E402
import generator  # noqa: E402
import heldout  # noqa: E402
import notations  # noqa: E402
import unseen  # noqa: E402
import wild_one  # noqa: E402
import wild_three  # noqa: E402
import wild_two  # noqa: E402

from miya import check  # noqa: E402
from miya.errors import MiyaInputError  # noqa: E402

SETS = {
    "tuned": notations.NOTATIONS,
    "heldout": heldout.HELDOUT,
    "unseen": unseen.UNSEEN,
    "fresh": fresh.FRESH,
    "final": fresh.FINAL,
    "last": fresh.LAST,
    "wild_one": wild_one.WILD_ONE,
    "wild_two": wild_two.WILD_TWO,
    "wild_three": wild_three.WILD_THREE,
}
ALL = {name: write for found in SETS.values() for name, write in found.items()}


def symbol(key):
    head, layer, index = key
    letter, _, mark = head.partition("_")
    return f"{letter}{layer or ''}{'_' + mark if mark else ''}", list(index)


def one(seed, notation, kind, folder):
    """(place named, kind named, false slips, stated, marked, the page's file)."""
    page, r = generator.worked(seed, kind)
    text, suffix = ALL[notation](page, r)
    path = Path(folder) / f"{notation}-{seed}-{kind or 'clean'}{suffix}"
    path.write_text(text, "utf-8")
    try:
        made = check(path)
    except MiyaInputError:  # nothing was read
        return not kind, False, {}, len(page.steps), 0, path
    data = made.data()
    slips = {(s["symbol"], tuple(s["index"])): s for s in data["first_slips"]}
    if not kind:
        return not slips, None, slips, len(page.steps), len(data["items"]), path
    want = symbol(page.planted)
    found = slips.get((want[0], tuple(want[1])))
    named = found is not None and kind in found["diagnosis"]
    return found is not None, named, slips, len(page.steps), len(data["items"]), path


def measure(count, seed, names, verbose=False):
    place = kinds = clean = total = marked = stated = extra = 0
    missed = Counter()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for n in range(count):
            notation = names[n % len(names)]
            kind = generator.KINDS[(n // len(names)) % len(generator.KINDS)]
            good, named, slips, steps, items, path = one(seed * 100_003 + n, notation, kind, folder)
            total += 1
            place += good
            kinds += bool(named)
            stated += steps
            marked += min(items, steps)
            extra += good and len(slips) > 1
            if not (good and named):
                missed[notation, kind, "place" if not good else "kind"] += 1
                if verbose:
                    print("missed", path.name, "place" if not good else "kind", list(slips)[:4])
            ok, _, slips, *_ = one(seed * 100_003 + n, notation, "", folder)
            clean += ok
            if not ok and verbose:
                print(
                    "false slip",
                    notation,
                    n,
                    {k: (v["stated"], v["exact"]) for k, v in list(slips.items())[:2]},
                )
    return {
        "pages": total, "place": place / total, "kind": kinds / total, "clean without slip": clean / total,
        "numbers marked": marked / stated, "pages with further slips": extra / total,
        "seconds": time.perf_counter() - start, "missed": missed,
    }  # fmt: skip


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--notation", action="append")
    options.add_argument("--set", choices=list(SETS), default="tuned", help="of notations")
    options.add_argument("-v", action="store_true")
    given = options.parse_args()
    names = given.notation or list(SETS[given.set])
    found = measure(given.count, given.seed, names, given.v)
    missed = found.pop("missed")
    for name, value in found.items():
        print(f"{name}: {value:.4g}")
    for what, times in missed.most_common(25):
        print(times, *what)


if __name__ == "__main__":
    main()
