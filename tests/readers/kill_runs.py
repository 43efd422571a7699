# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills runs at random moments and looks at what they leave.

kill_runs.py kill|interrupt COUNT XFERLAB FOLDER run-arguments..
"""
import os
import random
import signal
import subprocess
import sys
import time

import h5py

how, count, xferlab, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
rest = sys.argv[5:]
random.seed(1)
path = os.path.join(folder, "k.h5")


def rows(p):
    with h5py.File(p, "r") as f:
        assert f.attrs["complete"] == 0, "not marked incomplete"
        return {k: len(f[k]) for k in f if isinstance(f[k], h5py.Dataset) and f[k].dtype.names}


opened = with_rows = ended = 0
while opened < count:
    for p in (path, path + ".spool", path + ".run.json"):
        if os.path.exists(p):
            os.unlink(p)
    run = subprocess.Popen([xferlab, "run", *rest, "-o", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.time() + 10
    while not os.path.exists(path) and time.time() < deadline:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 2.5))
    # What had reached the spool two seconds before the end has to be there.
    run.send_signal(signal.SIGKILL if how == "kill" else signal.SIGINT)
    err = run.stderr.read().decode()
    code = run.wait()
    if code == 0:
        ended += 1
        assert ended < count + 20, "runs end before they can be killed: use a longer one"
        continue
    with h5py.File(path, "r") as f:
        sealed = f.attrs["complete"] == 1 and not os.path.exists(path + ".spool")
    if how == "kill" and sealed:  # it was over when the signal came
        ended += 1
        assert ended < count + 20, "runs end before they can be killed: use a longer one"
        continue
    if how == "interrupt":
        assert code == 1, (code, err)
        assert "interrupted" in err and len(err.strip().splitlines()) == 1, err
        assert not os.path.exists(path + ".spool"), "the spool is left behind"
    before = rows(path)
    shown = subprocess.run([xferlab, "show", path], capture_output=True, text=True)
    assert "INCOMPLETE" in shown.stdout, shown
    if how == "kill" and os.path.exists(path + ".spool"):
        subprocess.run([xferlab, "recover", path], check=True, capture_output=True)
        assert not os.path.exists(path + ".spool")
        after = rows(path)
        assert sum(after.values()) >= sum(before.values())
        with_rows += sum(after.values()) > 0
    opened += 1
print(f"{how}: {opened} traces opened and said incomplete, {with_rows} had rows, {ended} runs ended first")
