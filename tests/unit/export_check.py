"""Reads a store and its three exports without limrisk and compares every bit: export_check.py STORE CSV JSON NPZ FORMATS.

Only the standard library is needed. NumPy, pandas and PyArrow, where they are installed, must read the same: pandas and PyArrow by the lines
that FORMATS, the page docs/formats.md, gives.
"""
import csv
import json
import re
import sqlite3
import struct
import sys
import zipfile

VERDICTS = ["budget", "converged", "oscillating", "diverged"]
INT32 = {"verdict", "inactive_initial", "constant_initial", "inactive_final", "inactive_maximum", "died", "revived",
         "inactive_on_data", "constant", "linear", "kinked"}
INT64 = {"best_step", "nonfinite_step"}


def code(name):
    return "i" if name in INT32 else "q" if name in INT64 else "Q" if name == "fingerprint" else "d"


def bits(name, value):
    """The bytes that are stored for a value read from text."""
    if name == "verdict" and value in VERDICTS:
        value = VERDICTS.index(value)
    elif name == "fingerprint":
        value = int(value, 16) if isinstance(value, str) else value
    elif code(name) == "d":
        value = float(value)
    return struct.pack("<" + code(name), int(value) if code(name) != "d" else value)


def from_blocks(path):
    connection = sqlite3.connect(path)
    names = [row[1] for row in connection.execute("PRAGMA table_info(blocks)")][4:]
    rows = []
    for cell, first, count, _, *columns in connection.execute("SELECT * FROM blocks ORDER BY cell, first_trial"):
        values = [[blob[k:k + len(blob) // count] for k in range(0, len(blob), len(blob) // count)] for blob in columns]
        rows += [(cell, first + k, *row) for k, row in enumerate(zip(*values))]
    return names, rows


def from_view(path, names):
    rows = sqlite3.connect(path).execute(f"SELECT cell, trial, {', '.join(names)} FROM trials ORDER BY cell, trial")
    return [(row[0], row[1], *(bits(n, v) for n, v in zip(names, row[2:]))) for row in rows]


def from_csv(path, names):
    with open(path, newline="") as file:
        return [(int(r["cell"]), int(r["trial"]), *(bits(n, r[n]) for n in names)) for r in csv.DictReader(file)]


def from_json(path, names):
    with open(path) as file:
        document = json.load(file, parse_constant=lambda text: sys.exit(f"not JSON: {text}"))
    assert list(document["fields"]) == names
    return [(r["cell"], r["trial"], *(bits(n, r[n]) for n in names)) for r in document["trials"]]


def from_npz(path, names):
    columns = []
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in ["cell", "trial", *names]:
            raw = archive.read(name + ".npy")
            assert raw[:8] == b"\x93NUMPY\x01\x00"
            start = 10 + struct.unpack("<H", raw[8:10])[0]
            assert start % 64 == 0
            header = eval(raw[10:start])
            size = int(header["descr"][2:])
            assert header["descr"][:2] == {"d": "<f", "q": "<i", "i": "<i", "Q": "<u"}[code(name) if name in names else "q"]
            elements = [raw[k:k + size] for k in range(start, len(raw), size)]
            assert header["shape"] == (len(elements),)
            columns.append([int.from_bytes(e, "little") for e in elements] if name in ("cell", "trial") else elements)
    return list(zip(*columns))


def fenced(page, marker):
    """The first fenced block of a page that contains the marker."""
    with open(page) as file:
        return next(block for block in re.findall(r"```\w*\n(.*?)```", file.read(), re.DOTALL) if marker in block)


def check_numpy(npz_path, names, truth):
    import numpy
    with numpy.load(npz_path) as arrays:
        descriptions = [json.loads(text) for text in arrays["cell_description"]]
        assert [d["network"]["width"] for d in descriptions] == arrays["cell_width"].tolist()
        for k, name in enumerate(names):
            assert [value.tobytes() for value in arrays[name]] == [row[k + 2] for row in truth], name


def check_pandas(store, page, names, truth):
    import pandas
    scope = {}
    exec(fenced(page, "pandas").replace("campaign.db", store), scope)
    trials = scope["trials"]
    for k, name in enumerate(["cell", "trial", *names]):
        column = trials[name].to_numpy()
        assert (column.tolist() if k < 2 else [value.tobytes() for value in column]) == [row[k] for row in truth], name
    query = fenced(page, "SELECT optimizer").split('"')[1]
    assert len(pandas.read_sql(query, scope["db"])) == trials["cell"].nunique()


def check_parquet(store, page, names, truth):
    import pyarrow.parquet
    written = store + ".parquet"
    exec(fenced(page, "pyarrow").replace("campaign.parquet", written).replace("campaign.db", store), {})
    table = pyarrow.parquet.read_table(written)
    assert table.column_names == ["cell", "trial", *names]
    for k, name in enumerate(table.column_names):
        column = table[name].to_numpy()
        assert (column.tolist() if k < 2 else [value.tobytes() for value in column]) == [row[k] for row in truth], name


def main(store, csv_path, json_path, npz_path, page):
    names, truth = from_blocks(store)
    for what, rows in [("view", from_view(store, names)), ("csv", from_csv(csv_path, names)),
                       ("json", from_json(json_path, names)), ("npz", from_npz(npz_path, names))]:
        assert len(rows) == len(truth) > 0, f"{what}: {len(rows)} rows, not {len(truth)}"
        for row, right in zip(rows, truth):
            assert row == right, f"{what}: {row} is not {right}"
    print(len(truth), "trials agree in blocks, view, csv, json, npz")
    for what, check in [("numpy", lambda: check_numpy(npz_path, names, truth)), ("pandas", lambda: check_pandas(store, page, names, truth)),
                        ("pyarrow", lambda: check_parquet(store, page, names, truth))]:
        try:
            check()
            print(what, "agrees")
        except ImportError:
            print(what, "is not installed")


main(*sys.argv[1:])
