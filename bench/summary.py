#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""summary.py IOTRC RECORDS.zst [ROWS [ROUNDS]]: compares `iotrc summary` of a session of ROWS (10 million) rows with
the same aggregation by DuckDB on the same files, in turns, each on one CPU. Fails if the results differ, if a quantile
of a group is more than 1 % from the exact one, or if iotrc takes more than 1.5 times DuckDB's time, or more memory.

The session is that of report.py. Memory is the maximum resident set size (getrusage).
"""
import json
import os
import pathlib
import sys
import tempfile
import time

import report

COLUMNS = {"operation": "operation", "file": "coalesce(nullif(split_part(filename, ' -> ', 1), ''), split_part(filename, ' -> ', 2))", "process": "pid"}
SLOWER = 1.5
ERROR = 0.01 # of a quantile


def types(session):
    """DuckDB's column list for fs, with the manifest's types, as far as needed."""
    columns = json.loads((session / "manifest.json").read_text())["streams"]["fs"]["columns"]
    numbers = {"duration_ns", "bytes_completed"}
    return ", ".join(f"'{c['name']}': '{'BIGINT' if c['name'] in numbers else 'VARCHAR'}'" for c in columns)


def measured(command, output, **options):
    """Runs COMMAND on one CPU; returns seconds, bytes of memory and its output."""
    cpu = {max(os.sched_getaffinity(0))}
    begun = time.monotonic()
    pid = os.fork()
    if not pid:
        os.sched_setaffinity(0, cpu)
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.chdir(options["cwd"])
        os.execvpe(str(command[0]), list(map(str, command)), {**os.environ, **options.get("env", {})})
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{command}: {status}")
    return time.monotonic() - begun, usage.ru_maxrss * 1024, json.loads(output.read_text())


def of_iotrc(answer):
    """The groups of `iotrc summary --json`, in the form that summary.mjs prints."""
    (one,) = answer["summaries"]
    (by,) = one["by"]
    return {g[by]: (g["calls"], g["errors"], g["total_ns"], g["bytes"]) for g in one["groups"]}


def largest_error(answer, exact):
    """Of the quantiles of all groups of `iotrc summary --json`, and how many there are."""
    (one,) = answer["summaries"]
    (by,) = one["by"]
    errors = [abs(got - want) / max(want, 1) for g in one["groups"] if exact[g[by]]
              for got, want in zip((g["p50_ns"], g["p95_ns"], g["p99_ns"]), exact[g[by]], strict=True)]
    return max(errors), len(errors)


def main():
    iotrc, records = sys.argv[1:3]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    failed = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        work = pathlib.Path(directory)
        session = work / "session"
        made, raw, _ = report.multiply(report.replay(iotrc, records, work), session, rows)
        files = sorted((session / "fs").glob("*.csv.zst"))
        print(f"{made:,} rows, {raw / 1e6:,.0f} MB of CSV; load {os.getloadavg()[0]:.1f}", flush=True)
        (work / "node_modules").symlink_to(report.MODULES)
        (work / "summary.mjs").write_text((report.TOP / "bench/summary.mjs").read_text())
        env = {"COLUMNS": types(session)}
        for by, column in COLUMNS.items():
            best = {}
            for _ in range(rounds):
                for name, command in (("iotrc", [iotrc, "summary", session, "--by", by, "--json"]),
                                      ("DuckDB", ["node", "summary.mjs", column, *files])):
                    seconds, memory, answer = measured(command, work / "answer", cwd=work, env=env)
                    least = best.get(name, (1e9, 0, None))
                    best[name] = min(least[0], seconds), max(least[1], memory), answer
            ours, theirs = of_iotrc(best["iotrc"][2]), {k: tuple(v) for k, v in best["DuckDB"][2]["groups"].items()}
            print(f"  by {by:10} {len(ours):7,} groups: " + ", ".join(
                f"{name} {seconds:.1f} s, {memory / 1e6:.0f} MB" for name, (seconds, memory, _) in best.items()), flush=True)
            _, _, answer = measured(["node", "summary.mjs", "--exact", column, *files], work / "answer", cwd=work, env=env)
            error, quantiles = largest_error(best["iotrc"][2], answer["quantiles"])
            print(f"     of {quantiles:,} quantiles the largest error is {error:.3%}", flush=True)
            if error > ERROR:
                failed.append(f"by {by} a quantile is {error:.2%} from the exact one")
            if ours != theirs:
                failed.append(f"by {by} the two differ: {[k for k in ours if ours[k] != theirs.get(k)][:3]}")
            if best["iotrc"][0] > SLOWER * best["DuckDB"][0] or best["iotrc"][1] > best["DuckDB"][1]:
                failed.append(f"by {by} iotrc takes longer, or more memory")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
