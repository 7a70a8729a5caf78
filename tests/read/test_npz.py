"""A .npz is looked into, never loaded."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

import miya
from miya.read.npz import members


def said(path):
    with pytest.raises(miya.MiyaInputError) as caught:
        miya.load(path)
    return str(caught.value)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_objects_are_refused_unopened(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, w=np.zeros(3), names=np.array([1, Bomb()], dtype=object))
    assert pickle.PROTO  # the archive holds a pickle that would fail this test
    assert said(path) == (
        f"E502 {path} refused: names.npy holds Python objects, and reading them can run code. "
        "Save arrays of numbers: array.astype(float)"
    )
    np.savez(path, w=np.zeros(2, dtype=[("a", float), ("b", object)]))
    assert said(path).startswith(f"E502 {path} refused: w.npy")


def test_what_expands_far_is_refused_unread(tmp_path):
    path = tmp_path / "net.npz"
    np.savez_compressed(path, w=np.zeros(200 * 2**17))
    assert path.stat().st_size < 300_000
    assert said(path) == (
        f"E503 {path} expands to 200 MiB, limit 32 MiB. "
        "Save fewer numbers, or load it in Python and give miya.load the arrays"
    )


def header(shape):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def test_a_header_that_claims_more_than_it_brings(tmp_path):
    path = tmp_path / "net.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", header((2**40,)))
    assert "expands to 8388608 MiB, limit 32 MiB" in said(path)


def test_arrays_are_no_network(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, w=np.zeros((3, 2)), b=np.zeros(3, np.float32))
    assert said(path) == (
        f"E219 {path} is a .npz file of arrays, not a network. Give a network as .toml or .json"
    )
    found = {m.name: (m.shape, str(m.dtype)) for m in members(path)}
    assert found == {"w.npy": ((3, 2), "float64"), "b.npy": ((3,), "float32")}


LONG = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{" * 20_000


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", LONG, b"x" * 99, header((2,))[:-5]]
)
def test_damaged(content, tmp_path):
    path = tmp_path / "net.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", content)
    assert said(path).startswith(f"E220 {path} is no .npz archive of arrays: ")
    path.write_bytes(path.read_bytes()[:-9])
    assert said(path).startswith(f"E220 {path} is no .npz archive of arrays: ")
