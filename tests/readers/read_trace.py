#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a trace with h5py and NumPy alone, knowing of it what docs/trace.md and
docs/metrics.md say.

    read_trace.py [--shape] FILE...
    read_trace.py FILE --print TABLE

Checks the shape of the file against docs/trace.md, the sums that must hold
between its tables, and computes every metric of /summary again. Integers must
be equal, other numbers within 1e-9. Exit status 1 when anything differs.
--shape checks the shape alone.
"""
import math
import os
import re
import sys
from collections import defaultdict

import h5py
import numpy as np

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                   "docs", "trace.md")
UNLIMITED = 2**64 - 1
problems = []


def problem(what):
    problems.append(what)
    print("DIFFERS  " + what)


def text(f, name):
    return f.attrs[name].decode()


# ---- shape ----------------------------------------------------------------


def documented():
    """{table: [(column, type text)]} and {enum: [member]} of docs/trace.md."""
    tables, enums, rows = {}, {}, None
    for line in open(DOC, encoding="utf-8"):
        heading = re.match(r"### (/?)(\w+)$", line)
        if heading:
            rows = (tables if heading[1] else enums).setdefault(heading[2], [])
        elif rows is not None and line.startswith("| ") and "`" in line:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            rows.append((cells[0].strip("`"), cells[1]))
    return tables, {e: [m.strip("`") for _, m in r] for e, r in enums.items()}


def type_text(dtype):
    if dtype.kind == "S":
        return "string, %d" % dtype.itemsize
    kind = {"u": "uint", "i": "int", "f": "float"}[dtype.kind]
    return "%s%d" % (kind, 8 * dtype.itemsize)


def check_columns(name, data, columns, enums):
    if [c for c, _ in columns] != list(data.dtype.names):
        problem("/%s: columns are not those of docs/trace.md" % name)
        return
    for column, kind in columns:
        dtype = data.dtype[column]
        members = h5py.check_enum_dtype(dtype)
        enum = re.match(r"enum \[(\w+)\]", kind)
        if enum:
            want = {m: i for i, m in enumerate(enums[enum[1]])}
            if members != want:
                problem("/%s %s: members %s" % (name, column, members))
            if len(data) and data[column][:].max() >= len(want):
                problem("/%s %s: a value without a member" % (name, column))
        elif members is not None or type_text(dtype) != kind:
            problem("/%s %s: %s, documented as %s" %
                    (name, column, type_text(dtype), kind))
        if not data.attrs.get(column):
            problem("/%s %s: no text" % (name, column))


def check_shape(f):
    tables, enums = documented()
    for name, data in f.items():
        if name == "scenario_text":
            continue
        if name not in tables:
            problem("/%s is not documented" % name)
        else:
            check_columns(name, data, tables[name], enums)
        if data.chunks is None or not data.shuffle or data.compression_opts != 1:
            problem("/%s: not chunked, shuffled and deflated" % name)
    for name in ("format", "schema", "complete", "level", "scenario_name",
                 "scenario_hash", "policy", "params", "network",
                 "network_params", "seed", "version", "command"):
        if name not in f.attrs:
            problem("no root attribute %s" % name)
    if text(f, "format") != "xferlab trace":
        problem("format %s" % text(f, "format"))


# ---- sums that must hold -----------------------------------------------------

USEFUL = ("origin", "peer_subnet", "peer_site", "peer_group", "peer_internet",
          "cache")


def total(column):
    return sum(int(v) for v in column)


def check_sums(t):
    world = t["world"][0] if "world" in t and len(t["world"]) else None
    if world is not None:
        got = int(world["received"]) + int(world["in_flight"]) + int(
            world["lost"])
        if int(world["sent"]) != got:
            problem("/world: %d bytes sent, %d received, in flight or lost" %
                    (world["sent"], got))
    if "files" in t:
        for row in t["files"]:
            first = sum(int(row[c]) for c in USEFUL)
            if first != int(row["transferred"]):
                problem("/files: device %d job %d: %d first copies, %d "
                        "transferred" % (row["device"], row["job"], first,
                                         row["transferred"]))
    if world is not None and "devices" in t:
        if total(t["devices"]["received"]) != int(world["received"]):
            problem("/devices: received does not sum to /world")
        sent = total(t["devices"]["sent"]) + total(t["origins"]["egress"])
        if sent != int(world["sent"]):
            problem("/devices and /origins: sent does not sum to /world: "
                    "%d, %d" % (sent, world["sent"]))
    if "link_rates" in t:
        bins = defaultdict(int)
        for row in t["link_rates"]:
            bins[int(row["what"]), int(row["index"])] += int(row["bytes"])
        for row in t["links"]:
            key = int(row["what"]), int(row["index"])
            if bins[key] != int(row["bytes"]):
                problem("/link_rates: link %s has %d bytes, /links %d" %
                        (key, bins[key], row["bytes"]))
    if "transfers" in t and len(t["transfers"]):
        if (t["transfers"]["useful"] > t["transfers"]["delivered"]).any():
            problem("/transfers: more useful than delivered")


# ---- metrics -------------------------------------------------------------------


def quantile(x, q):
    """Type 7; a step towards infinity is infinite."""
    x = np.sort(np.asarray(x, dtype=float))
    if len(x) == 0:
        return math.nan
    rank = (len(x) - 1) * q
    low = int(math.floor(rank))
    part = rank - low
    if part == 0 or low + 1 == len(x):
        return x[low]
    if math.isinf(x[low + 1]):
        return math.inf
    return x[low] * (1 - part) + x[low + 1] * part


def spread(prefix, x):
    x = np.asarray(x, dtype=float)
    some = len(x) > 0
    out = {prefix + "_mean_s": math.fsum(x) / len(x)
           if some and np.isfinite(x).all() else math.inf if some else math.nan,
           prefix + "_max_s": x.max() if some else math.nan}
    for p in (50, 90, 95, 99):
        out["%s_p%d_s" % (prefix, p)] = quantile(x, p / 100)
    return out


def over(a, b):
    return a / b if b > 0 else math.nan


def rate(Bps):
    return math.inf if int(Bps) == UNLIMITED else float(Bps)


def arrived_jobs(t):
    jobs, end = t["jobs"], int(t["world"][0]["ended_ns"])
    return jobs[(jobs["arrival_ns"] >= 0) & (jobs["arrival_ns"] <= end)]


def since(jobs, column):
    ns = (jobs["end_ns"] - jobs[column]).astype(float)
    return np.where(jobs["end_ns"] < 0, math.inf, ns / 1e9)


def job_metrics(t):
    jobs = arrived_jobs(t)
    done = jobs[jobs["end_ns"] >= 0]
    every = len(jobs) > 0 and len(done) == len(jobs)
    out = {"jobs": len(jobs), "completed": len(done),
           "makespan_s": (int(done["end_ns"].max()) -
                          int(jobs["release_ns"].min())) / 1e9
           if every else math.nan,
           "stalled_mean_s": over(total(jobs["stalled_ns"]) / 1e9, len(jobs))}
    out.update(spread("completion", since(jobs, "arrival_ns")))
    out.update(spread("done_at", since(jobs, "release_ns")))
    return out


def stretch_metrics(t):
    """Completion over bytes / the least of the rates on the way from the best
    origin; jobs of no bytes have none."""
    origin = max([rate(o["rate_Bps"]) for o in t["origins"]], default=0.0)
    jobs, x = arrived_jobs(t), []
    for job, took in zip(jobs, since(jobs, "arrival_ns")):
        device = t["devices"][job["device"]]
        site = t["sites"][device["site"]]
        alone = min(origin, rate(device["down_Bps"]), rate(device["cap_Bps"]),
                    rate(site["wan_down_Bps"]))
        if 0 < int(job["bytes"]) < UNLIMITED and 0 < alone < math.inf:
            x.append(took / (int(job["bytes"]) / alone))
    return {"stretch_p50": quantile(x, 0.50), "stretch_p95": quantile(x, 0.95)}


def file_metrics(t):
    files = t["files"]
    origin, cache = total(files["origin"]), total(files["cache"])
    peer = sum(total(files[c]) for c in USEFUL if c.startswith("peer"))
    useful = origin + peer + cache
    egress = total(t["origins"]["egress"])
    return {"bytes_origin": origin, "bytes_cache": cache, "bytes_peer": peer,
            "bytes_useful": useful, "offload": 1 - over(egress, useful),
            "share_peer": over(peer, useful),
            "share_cache": over(cache, useful),
            "share_origin": over(origin, useful),
            "switches": total(files["switches"]),
            "restarts": int((files["restarts"] > 0).sum())}


def network_metrics(t):
    return {"origin_egress": total(t["origins"]["egress"]),
            "bytes_control": int(t["world"][0]["control"]),
            "shortfall": float(t["world"][0]["shortfall"]),
            "bytes_cross_site": total(t["sites"]["bytes_down"])}


def device_metrics(t):
    sent = [int(v) for v in t["devices"]["sent"]]
    n = len(sent)
    return {"devices": n, "bytes_wasted": total(t["devices"]["wasted"]),
            "upload_mean": over(sum(sent), n),
            "upload_max": max(sent) if n else math.nan,
            "jain_upload": over(sum(sent)**2, n * sum(v * v for v in sent))}


def rate_metrics(t):
    jobs = arrived_jobs(t)
    end = int(t["world"][0]["ended_ns"])
    if len(jobs) and (jobs["end_ns"] >= 0).all():
        end = int(jobs["end_ns"].max())
    five_minutes = 300 * 10**9
    bins = np.zeros(-(-end // five_minutes))
    for row in t["link_rates"]:
        if enum_name(t, "link_rates", "what", row) == "origin-up":
            at = int(row["at_ns"])
            if at < end:
                bins[at // five_minutes] += float(row["bytes"])
    series = t["series"]["origin"]
    return {"origin_rate_mean_Bps":
            over(total(t["origins"]["egress"]), end / 1e9),
            "origin_rate_p95_Bps": quantile(bins, 0.95) / 300,
            "origin_rate_peak_Bps":
            float(series.max()) / 60 if len(series) else math.nan}


def enum_name(t, table, column, row):
    members = h5py.check_enum_dtype(t[table].dtype[column])
    return {v: k for k, v in members.items()}[int(row[column])]


# ---- lower bound ---------------------------------------------------------------
# Bytes nobody asks for before an instant, that must cross a cut, take at least
# bytes / capacity from then on.


def cut(events, capacity):
    """The largest at_s + bytes asked for from then on / capacity."""
    best, later = 0.0, 0
    by_instant = defaultdict(int)
    for at, size in events:
        by_instant[at] += size
    for at in sorted(by_instant, reverse=True):
        later += by_instant[at]
        crossing = later / capacity if capacity > 0 else math.inf
        best = max(best, at / 1e9 + (crossing if later else 0))
    return best


def file_arrivals(t):
    """When each file was asked for: files follow their jobs row by row."""
    row, at = 0, []
    for job in t["jobs"]:
        for _ in range(int(job["files"])):
            f = t["files"][row]
            assert (f["device"], f["job"]) == (job["device"], job["job"])
            at.append(int(job["arrival_ns"]))
            row += 1
    assert row == len(t["files"])
    return at


def collect_needs(t, held):
    """{(device, content): (first instant, bytes)}, what is not held."""
    end, needs = int(t["world"][0]["ended_ns"]), {}
    for f, at in zip(t["files"], file_arrivals(t)):
        key = int(f["device"]), int(f["content"])
        size = min(int(f["size"]), int(t["contents"][key[1]]["size"]))
        if 0 <= at <= end and size > 0 and key not in held:
            was = needs.get(key, (at, size))
            needs[key] = min(was[0], at), max(was[1], size)
    return needs


def copies_of(needs, place_of, held_at):
    """{(place, content): (first instant, bytes)} where nobody has it."""
    copies = {}
    for (device, content), (at, size) in needs.items():
        key = place_of(device), content
        if key not in held_at:
            was = copies.get(key, (at, size))
            copies[key] = min(was[0], at), max(was[1], size)
    return copies


def bound_terms(t):
    held = {(int(h["device"]), int(h["content"])) for h in t["held"]}
    jobs = arrived_jobs(t)
    if len(jobs) == 0:
        return {"none": 0.0}
    start = int(jobs["release_ns"].min())
    needs = {k: (at - start, size)
             for k, (at, size) in collect_needs(t, held).items()}
    site = [int(s) for s in t["devices"]["site"]]
    up = [rate(v) for v in t["devices"]["up_Bps"]]
    down = [rate(v) for v in t["devices"]["down_Bps"]]
    wan = [rate(v) for v in t["sites"]["wan_down_Bps"]]
    wan_up = [rate(v) for v in t["sites"]["wan_up_Bps"]]
    origins = sum(rate(v) for v in t["origins"]["rate_Bps"])
    senders = {d for d, _ in held} | {d for d, _ in needs}
    inside = defaultdict(float)
    for d in sorted(senders):
        inside[site[d]] += up[d]

    def of(place):
        events = defaultdict(list)
        for (d, _), event in needs.items():
            events[place(d)].append(event)
        return events

    by_device, by_site = of(lambda d: d), of(lambda d: site[d])
    terms = {"none": 0.0}
    terms["device-down"] = max(
        [(int(jobs["arrival_ns"].max()) - start) / 1e9] +
        [cut(e, down[d]) for d, e in by_device.items()])

    def others(d):
        return sum(up[k] for k in senders if site[k] == site[d] and k != d)

    terms["site-total"] = max(
        [cut(e, wan[s] + inside[s]) for s, e in by_site.items()] +
        [cut(e, wan[site[d]] + others(d)) for d, e in by_device.items()],
        default=0.0)
    terms["total-upload"] = cut(list(needs.values()),
                                origins + sum(up[d] for d in senders))
    site_copies = copies_of(needs, lambda d: site[d],
                            {(site[d], c) for d, c in held})
    terms["site-copy"] = max(
        [cut([e for (p, _), e in site_copies.items() if p == s], wan[s])
         for s in {p for p, _ in site_copies}], default=0.0)
    terms["origin-sites"] = cut(
        list(site_copies.values()),
        origins + sum(min(wan_up[s], inside[s]) for s in range(len(wan))))
    terms["origin"] = first_copies(needs, held, origins, up)
    return terms


def first_copies(needs, held, origins, up):
    """A content leaves the origins and its holders; so do all that are first
    asked for from some instant on, their holders taken together; and those
    that nobody holds leave the origins."""
    copies = {c: e for (_, c), e in
              copies_of(needs, lambda d: None, set()).items()}
    holders = defaultdict(set)
    for d, c in held:
        holders[c].add(d)

    def capacity(contents):
        union = set().union(*(holders[c] for c in contents))
        return origins + sum(up[d] for d in union)

    best = max([cut([e], capacity([c])) for c, e in copies.items()],
               default=0.0)
    for at in {e[0] for e in copies.values()}:
        later = {c: e for c, e in copies.items() if e[0] >= at}
        best = max(best, at / 1e9 + sum(e[1] for e in later.values()) /
                   capacity(later))
    return max(best, cut([e for c, e in copies.items() if not holders[c]],
                         origins))


# ---- all -----------------------------------------------------------------------


def compute(t):
    """{metric: value}; the metrics whose tables the level has."""
    families = ((network_metrics, ()), (device_metrics, ("devices",)),
                (job_metrics, ("jobs",)), (file_metrics, ("files",)),
                (stretch_metrics, ("jobs", "devices")),
                (rate_metrics, ("jobs", "series", "link_rates")))
    out = {}
    for family, needed in families:
        if all(name in t for name in needed):
            out.update(family(t))
    return out


def close(got, want):
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    return got == want or abs(got - want) <= 1e-9 * max(abs(got), abs(want))


def check_bound(t, summary):
    terms = bound_terms(t)
    best = max(terms.values())
    if not close(best, float(summary["lower_bound_s"])):
        problem("lower_bound_s: %r here, %r in the trace (%s)" %
                (best, float(summary["lower_bound_s"]), terms))
    term = enum_name(t, "summary", "binding_bound", summary)
    named = terms["total-upload" if term == "arrivals" else term]
    if not close(named, best):
        problem("binding_bound: %s gives %r of %r" % (term, named, best))
    makespan = float(summary["makespan_s"])
    if not close(over(best, makespan), float(summary["efficiency"])):
        problem("efficiency: %r here, %r in the trace" %
                (over(best, makespan), float(summary["efficiency"])))
    if makespan < best * (1 - 1e-9):
        problem("makespan_s %r is below the lower bound %r" % (makespan, best))


def check_summary(t):
    summary = t["summary"][0]
    values = compute(t)
    checked = len(values)
    for name, got in values.items():
        want = summary[name]
        exact = t["summary"].dtype[name].kind == "u"
        if int(got) != int(want) if exact else not close(got, float(want)):
            problem("%s: %r here, %r in the trace" % (name, got, want))
    if "files" in t:
        check_bound(t, summary)
        checked += 3
    left = len(t["summary"].dtype.names) - checked
    print("%d metrics recomputed%s" % (checked, ", %d need a deeper trace" %
                                       left if left else ""))
    if left and "files" in t:
        problem("%d metrics have no definition here" % left)


def print_table(path, name):
    with h5py.File(path, "r") as f:
        print("\t".join(f[name].dtype.names))
        for row in f[name][:]:
            print("\t".join(str(v) for v in row))


def check_file(path, shape_alone):
    with h5py.File(path, "r") as f:
        check_shape(f)
        if shape_alone:
            return
        t = {name: data[:] for name, data in f.items()
             if name != "scenario_text"}
        print("%s: %s, %s on %s, seed %d, %s" %
              (path, text(f, "scenario_name"), text(f, "policy"),
               text(f, "network"), f.attrs["seed"],
               "complete" if f.attrs["complete"] else "incomplete"))
        print(", ".join("%s %d" % (n, len(r)) for n, r in t.items()))
        check_sums(t)
        if len(t["summary"]):
            check_summary(t)
        elif f.attrs["complete"]:
            problem("complete, but without a summary")


def main(args):
    shape_alone = args[:1] == ["--shape"]
    args = args[shape_alone:]
    if not args or args[0].startswith("-"):
        sys.exit(__doc__)
    if args[1:2] == ["--print"]:
        print_table(args[0], args[2])
        return 0
    for path in args:
        check_file(path, shape_alone)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
