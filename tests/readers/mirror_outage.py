# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks a trace of scenarios/mirror-outage.yaml.

same:    both mirrors have equal validators
differs: the second has another time stamp
"""
import sys

import h5py
import numpy as np

case, path = sys.argv[1:]
with h5py.File(path, "r") as f:
    files = f["files"][:]
    tr = f["transfers"][:]
    ev = f["events"][:]
    kinds = h5py.check_enum_dtype(f["events"].dtype["kind"])
    source = h5py.check_enum_dtype(f["transfers"].dtype["kind"])
    names = [n.decode().rstrip("\0") for n in f["origins"]["name"]]

assert len(files) > 0 and (files["end_ns"] >= 0).all(), "files are not all done"
switched = files[files["switches"] > 0]
assert len(switched) > 0, "no file switched its remote name"
remote = ev[ev["kind"] == kinds["remote-name"]]
assert len(remote) == files["switches"].sum(), "events do not match switches"

# After its switch a file asks the other origin.
origin = tr[tr["kind"] == source["origin"]]
for e in remote:
    later = origin[
        (origin["device"] == e["device"])
        & (origin["job"] == e["job"])
        & (origin["file"] == e["file"])
        & (origin["asked_ns"] > e["at_ns"])
        & (origin["delivered"] > 0)
    ]
    others = remote[
        (remote["device"] == e["device"])
        & (remote["job"] == e["job"])
        & (remote["at_ns"] > e["at_ns"])
    ]
    if len(others) == 0 and len(later) > 0:
        assert (later["source"] == e["b"]).all(), "asked the old mirror again"

def covered(rows):
    """Useful bytes of a file's requests, and the length of their union."""
    spans = sorted((r["offset"], r["offset"] + r["useful"]) for r in rows if r["useful"])
    union, at = 0, 0
    for b, e in spans:
        union += max(0, int(e) - max(int(b), at))
        at = max(at, int(e))
    return sum(int(r["useful"]) for r in rows), union

twice = 0
for row in files:
    mine = tr[(tr["device"] == row["device"]) & (tr["job"] == row["job"]) & (tr["content"] == row["content"])]
    total, union = covered(mine)
    assert union == row["size"], "the requests do not cover the file"
    twice += total - union
    assert row["transferred"] == row["size"]

if case == "same":
    assert twice == 0, f"{twice} useful bytes were fetched twice"
    assert (files["restarts"] == 0).all() and (files["restarted"] == 0).all()
else:
    assert (files["restarts"] > 0).any(), "no file restarted"
    assert files["restarted"].sum() > 0, "no dropped bytes are booked"
    # Bytes booked useful and dropped later are exactly the restarted ones.
    assert twice == files["restarted"].sum(), (twice, files["restarted"].sum())
print(f"{case}: {len(switched)} of {len(files)} files switched {names}, {twice} bytes twice")
