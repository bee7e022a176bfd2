# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc summary` equals what pandas computes from the same rows, to the last count."""
import collections
import io
import json
import math
import os
import pathlib
import re
import subprocess

import numpy as np
import pandas as pd
import pytest

import craft
import record

ERROR = 1 / 128 # error of a quantile, relative to the one found by sorting
START = craft.START
pytestmark = pytest.mark.calm


def summary(*args, code=0, **options):
    done = subprocess.run([record.IOTRC, "summary", *map(str, args)], capture_output=True, text=True, check=False,
                          **options)
    assert done.returncode == code, done.stderr
    return done


def read(text):
    return pd.read_csv(io.StringIO(text), dtype=str, na_values=[""], keep_default_na=False)


def table(*args):
    """The output of --csv, by group."""
    return read(summary(*args, "--csv").stdout)


def rows(session, stream):
    """The rows of a stream; each field is text."""
    files = sorted(session.glob(f"{stream}/*.csv.zst"))
    return pd.concat([read(subprocess.run(["zstd", "-dcq", f], check=True, capture_output=True).stdout.decode())
                      for f in files], ignore_index=True)


def whole(column):
    """Numbers of any length."""
    return [0 if v is None or v is pd.NA or (isinstance(v, float) and math.isnan(v)) else int(v) for v in column]


# ---- a recording of this process's descendants, with something of everything ----

WORK = r"""
cd "$1"
for i in 1 2 3 4 5 6 7; do dd if=/dev/zero of=big.$i bs=64k count=$((i * 5)) conv=fsync 2>/dev/null; done
mkdir -p d/e; for i in 1 2 3 4 5 6 7 8 9 10 11; do echo $i >d/e/f$i.txt; cat d/e/f$i.txt d/none.c 2>/dev/null; done
mv d/e/f1.txt d/g.txt; ln -s g.txt d/link; cat d/link; touch 'a,"b'; rm -r d/e
sync; cat big.* >/dev/null
/usr/bin/python3 -c '
import mmap, select, socket
server = socket.create_server(("127.0.0.1", 0))
epoll = select.epoll()
epoll.register(server.fileno(), select.EPOLLIN)
for i in range(23):
    with socket.create_connection(server.getsockname()) as s:
        epoll.poll()
        server.accept()[0].close()
for i in range(7):
    try:
        socket.create_connection(("127.0.0.1", 1))
    except ConnectionRefusedError:
        pass
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.sendto(b"x" * 71, udp.getsockname())
udp.sendto(b"y" * 31, udp.recvfrom(100)[1])
unix = socket.socket(socket.AF_UNIX)
unix.bind("jobs")
unix.listen()
with socket.socket(socket.AF_UNIX) as s:
    s.connect("jobs")
    s.send(b"x" * 51)
    unix.accept()[0].recv(100)
with socket.create_connection(server.getsockname()) as s, server.accept()[0] as t:
    s.sendall(b"x" * 100003)
    while len(t.recv(1 << 20, socket.MSG_PEEK)) < 100003:
        pass
    __import__("time").sleep(1.5) # a look at it meanwhile
with open("big.7", "rb") as f:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    sum(m[i] for i in range(0, len(m), 4096))
'
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    output, work = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("work")
    with record.recording(output, "-q", "--pid", str(os.getpid()), "--cache", "--network", "--rotate-age", "1s") as r:
        subprocess.run(["sh", "-c", WORK, "sh", work], check=True, timeout=120, stdout=subprocess.DEVNULL)
    return pathlib.Path(r.session)


# ---- what pandas makes of it ----

def first_path(filename):
    """The first of two paths, or the second if the first is unknown."""
    paths = filename.str.split(" -> ", n=1)
    return paths.str[0].where(paths.str[0] != "", paths.str[-1]).replace("", np.nan)


def extension(filename):
    name = first_path(filename).str.rsplit("/", n=1).str[-1]
    found = name.str.extract(r"^.+\.([^.]+)$", expand=False)
    return found


def power_of_two(size):
    numbers = pd.to_numeric(size, errors="coerce")
    return numbers.map(lambda n: np.nan if math.isnan(n) or n < 0 else str(1 << (int(n).bit_length() - 1) if n else 0))


def dotted(device):
    numbers = pd.to_numeric(device)
    return numbers.map(lambda n: np.nan if math.isnan(n) else f"{int(n) >> 20}:{int(n) & 0xfffff}")


def ends(address, port):
    """A unix socket has no port, an end that is not known or has no name is *."""
    return (address + port.map(lambda p: "" if pd.isna(p) else ":" + p)).fillna("*")


EVENTS = {"fs": "operation", "block": "operation", "pagefault": "severity"}
GROUPS = {
    "operation": lambda s, r: r[EVENTS.get(s, "event_type")],
    "file": lambda s, r: first_path(r.filename),
    "directory": lambda s, r: first_path(r.filename).str.extract("^(.*)/[^/]*$", expand=False).replace("", "/"),
    "extension": lambda s, r: extension(r.filename),
    "process": lambda s, r: r.pid,
    "command": lambda s, r: r.command,
    "container": lambda s, r: r.container_id,
    "device": lambda s, r: dotted(r.device_id) if s in ("cache", "pagefault") else r.device,
    "fs_type": lambda s, r: r.fs_type,
    "errno": lambda s, r: failed(s, r),
    "size": lambda s, r: power_of_two(r.skb_len if s == "nw_drop" else r["size"]),
    "minute": lambda s, r: r.timestamp.str[:16],
    "remote": lambda s, r: r.remote_addr + r.dport.map(lambda p: "" if pd.isna(p) else ":" + p),
    "connection": lambda s, r: ends(r.local_addr, r.sport) + " - " + ends(r.remote_addr, r.dport),
}


def failed(stream, r):
    """The name of the error of each row, or nothing."""
    import errno # pylint: disable=import-outside-toplevel
    if stream == "block":
        return r["flags"].str.extract(r"error=(\w+)", expand=False)
    if stream == "nw_conn":
        return pd.to_numeric(r.return_value).map(lambda v: errno.errorcode[int(-v)] if v < 0 else np.nan)
    return r.errno if "errno" in r else pd.Series(np.nan, index=r.index)


def nanoseconds(column):
    """Milliseconds with six decimals, exactly."""
    return column.map(lambda v: v if pd.isna(v) else v.replace(".", ""))


TIMES = {"fs": lambda r: r.duration_ns, "block": lambda r: nanoseconds(r.latency_ms), "nw_conn": lambda r: r.latency_ns,
         "nw_epoll": lambda r: r.latency_ns, "nw_flow": lambda r: r.duration_ns}
AMOUNTS = {"fs": ("bytes", "bytes_completed"), "block": ("bytes", "size"), "cache": ("pages", "count"),
           "nw_drop": ("bytes", "skb_len")}


def quantile(values, q):
    values = sorted(values)
    return values[max(0, math.ceil(q * len(values) - 1e-9) - 1)]


def same(got, session_rows, stream, by):
    """Is GOT the result of grouping by pandas?"""
    keys = [GROUPS[b](stream, session_rows).fillna("-") for b in by]
    groups = dict(tuple(session_rows.groupby(keys if len(by) > 1 else keys[0])))
    assert len(got) == len(groups) > 0
    assert got.lacks.astype(int).max() == 0
    for _, g in got.iterrows():
        r = groups[tuple(g[b] for b in by) if len(by) > 1 else g[by[0]]]
        assert int(g.calls) == len(r)
        if "errors" in g:
            assert int(g.errors) == failed(stream, r).notna().sum()
        if stream in AMOUNTS:
            name, column = AMOUNTS[stream]
            assert int(g[name]) == sum(whole(r[column]))
        if stream in TIMES:
            times = [int(t) for t in TIMES[stream](r).dropna()]
            assert int(g.total_ns) == sum(times)
            for name, q in ("p50_ns", 0.5), ("p95_ns", 0.95), ("p99_ns", 0.99):
                exact = quantile(times, q) if times else 0
                assert abs(int(g[name]) - exact) <= exact * ERROR, (name, exact)
            assert int(g.max_ns) == max(times, default=0)
        if stream == "nw_flow":
            sent, received = sum(whole(r.bytes_sent)), sum(whole(r.bytes_received))
            assert (int(g.bytes), int(g.sent), int(g.received)) == (sent + received, sent, received)
            assert int(g.retransmits) == sum(whole(r.retransmits))
        if stream == "cache":
            hits = sum(whole(r["count"][r.event_type == "HIT"]))
            misses = sum(whole(r["count"][r.event_type == "MISS"]))
            assert (int(g.hits), int(g.misses)) == (hits, misses)
            assert pd.isna(g.hit_ratio) if not hits + misses else abs(float(g.hit_ratio) - hits / (hits + misses)) < 1e-5


CASES = [("fs", by) for by in ("operation", "file", "directory", "extension", "process", "command", "container", "device",
                               "fs_type", "errno", "size", "minute", "command,operation", "operation,errno")]
CASES += [(s, by) for s in ("block", "nw_conn", "nw_epoll", "nw_sockopt", "nw_flow", "cache", "pagefault")
          for by in ("operation", "process", "command", "minute")]
CASES += [("block", "device,command"), ("block", "errno"), ("block", "size"), ("nw_conn", "errno"), ("nw_conn", "remote"),
          ("nw_flow", "remote"), ("nw_flow", "connection"), ("nw_flow", "container"),
          ("cache", "device"), ("pagefault", "device")]


@pytest.mark.parametrize("stream, by", CASES)
def test_it_is_what_pandas_groups(recorded, stream, by):
    found = rows(recorded, stream)
    if stream == "nw_flow": # a later row has all that these have
        assert (found.event_type == "ROTATION").any()
        found = found[found.event_type != "ROTATION"]
    same(table(recorded, "--stream", stream, "--by", by), found, stream, by.split(","))


def test_words_and_numbers_beyond_doubles(special):
    got = table(special, "--by", "file")
    same(got, rows(special, "fs"), "fs", ["file"])
    got = table(special, "--stream", "block")
    assert dict(zip(got.operation, got.total_ns)) == {"read": "100001", "flush": "123456789000003"}


def test_two_empty_paths_are_no_file(tmp_path, template):
    session = craft.Session(tmp_path, template)
    session.add("fs", [{"operation": "mount", "pid": "1", "command": "a", "filename": name, "errno": "EPERM",
                        "mono_ns": str(START + i)} for i, name in enumerate([" -> ", "", "/a -> ", " -> /a"])])
    session.write()
    for by in "file", "directory", "extension":
        got = table(session.directory, "--by", by)
        same(got, rows(session.directory, "fs"), "fs", [by])
        assert "-" in got[by].tolist()


def test_users_and_containers_are_the_manifest_s(session):
    """Rows have neither user nor container: the manifest says to which a process belonged, and when that changed."""
    session.manifest["users"] = {
        "names": {"0": "root", "1000": "ada"}, "left_out": 0,
        "processes": [[1, 9, 0], [10, 10, 1000], [12, 20, 0], [-1, 5, 3], [1, "x"], 7, [90, 95, 2**40]],
        "changes": [[12, START + 20, 1001], [12, START + 10, 1000], [15, START + 5, 1000]],
    }
    session.manifest["containers"] = {"7": {"name": "web", "id": "ab" * 32}, "8": {"name": "web"}, "9": {"id": "cd" * 32}, "10": {}}
    calls = [ # pid, from START, its user
        (1, 0, "root"), (9, 99, "root"), (10, 3, "ada"), (11, 3, "-"), (12, 9, "root"), (12, 10, "ada"), (12, 19, "ada"),
        (12, 20, "1001"), (13, 50, "root"), (15, 4, "root"), (15, 5, "ada"), (20, 7, "root"), (21, 7, "-"), (92, 1, "-"),
    ]
    groups = {"7": "web", "8": "web", "9": "cd" * 32, "10": "10", "11": "11", "": "-"}
    session.add("fs", [{"operation": "close", "pid": str(pid), "container_id": list(groups)[i % len(groups)],
                        "duration_ns": "1", "mono_ns": str(START + at)} for i, (pid, at, _) in enumerate(calls)])
    directory = session.write()
    got = table(directory, "--by", "user")
    assert dict(zip(got.user, got.calls.astype(int))) == dict(collections.Counter(user for _, _, user in calls))
    got = table(directory, "--by", "container")
    want = collections.Counter(list(groups.values())[i % len(groups)] for i in range(len(calls)))
    assert dict(zip(got.container, got.calls.astype(int))) == dict(want)


def test_a_file_of_the_cache_has_the_name_that_fs_knows(recorded):
    got = table(recorded, "--stream", "cache", "--by", "file")
    named = got[got.file.str.endswith("/big.7")]
    fs = rows(recorded, "fs")
    big = fs[fs.filename.fillna("").str.endswith("/big.7") & fs.inode.notna()].iloc[0]
    cache = rows(recorded, "cache")
    mine = cache[(cache.inode == big.inode) & (dotted(cache.device_id) == big.device)]
    assert len(named) == 1 and int(named.calls.iloc[0]) == len(mine) > 0


# ---- filters ----

FILTERS = [
    (["--slow", "100us"], lambda r: pd.to_numeric(r.duration_ns) >= 100000),
    (["--errors"], lambda r: r.errno.notna()),
    (["--ops", "read,write"], lambda r: r.operation.isin(["read", "write"])),
    (["--command", "dd,cat"], lambda r: r.command.isin(["dd", "cat"])),
    (["--path", "/usr/lib"], lambda r: r.filename.fillna("").str.contains(r"(?:^|-> )/usr/lib(?:/|$)")),
    (["--where", "bytes_completed > 4000"], lambda r: pd.to_numeric(r.bytes_completed) > 4000),
    (["--ops", "!open,getattr"], lambda r: ~r.operation.isin(["open", "getattr"])),
    (["--exclude-command", "dd,cat"], lambda r: ~r.command.isin(["dd", "cat"])),
    (["--exclude-path", "/usr/lib", "--exclude-path", "/usr/share"],
     lambda r: ~r.filename.fillna("").str.fullmatch(r"(?:/usr/(?:lib|share)(?:/.*)?(?: -> (?!$)|$))+")),
    (["--path", os.path.relpath("/usr/lib")],
     lambda r: r.filename.fillna("").str.contains(r"(?:^|-> )/usr/lib(?:/|$)")),
    (["--errors", "--ops", "open"], lambda r: r.errno.notna() & (r.operation == "open")),
]


@pytest.mark.parametrize("args, keeps", FILTERS, ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_filters_keep_what_pandas_keeps(recorded, args, keeps):
    fs = rows(recorded, "fs")
    same(table(recorded, *args), fs[keeps(fs)], "fs", ["operation"])


@pytest.mark.parametrize("args, keeps", FILTERS, ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_cat_keeps_what_pandas_keeps(recorded, args, keeps):
    done = subprocess.run([record.IOTRC, "cat", "fs", recorded, "-c", "mono_ns,tid,operation", *args], capture_output=True,
                          text=True, check=True)
    fs = rows(recorded, "fs")
    kept = fs[keeps(fs)]
    assert sorted(done.stdout.splitlines()[1:]) == sorted((kept.mono_ns + "," + kept.tid + "," + kept.operation).tolist())


@pytest.mark.parametrize("args, message", [
    (["block", "--path", "/usr"], "rows of block have no paths to filter by"), (["fs", "--slow", "x"], "'x' is not a time"),
    (["cache", "--errors"], "rows of cache have no errors to filter by"),
])
def test_cat_says_what_it_cannot_filter_by(recorded, args, message):
    done = subprocess.run([record.IOTRC, "cat", args[0], recorded, *args[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and message in done.stderr


@pytest.mark.parametrize("args, message", [
    (["block", "--path", "/usr"], "rows of block have no paths to filter by"),
    (["cache", "--errors"], "rows of cache have no errors to filter by"),
])
def test_watch_says_what_it_cannot_filter_by(recorded, args, message):
    done = subprocess.run([record.IOTRC, "watch", "-e", *args, recorded], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and message in done.stderr


@pytest.mark.parametrize("args, sectors", [
    (["--path", "/srv/a"], {2, 4, 5}), (["--exclude-path", "/srv/a"], {1, 3, 6, 7}),
    (["--path", "/layer"], {3}), (["--path", "/srv", "--exclude-path", "/srv/a/deep"], {2, 4, 6}),
], ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_parts_of_requests_have_paths(tmp_path, template, args, sectors):
    """Of a file on overlayfs the name that the process saw counts, as in a recording (docs/lineage.md)."""
    session = craft.Session(tmp_path / "traces", template)
    names = [("", ""), ("/srv/a", ""), ("/layer/srv/a", ""), ("/layer/1", "/srv/a/1"), ("/layer/2", "/srv/a/deep/2"),
             ("/srv/a/3", "/srv/ab"), ("/layer/4", "/other")]
    session.add("extent", [{"kind": "data", "size": "4096", "pid": "7", "command": "c", "operation": "write", "device": "8:0",
                            "sector": str(sector), "filename": name, "overlay_filename": seen,
                            "mono_ns": str(craft.START + sector)} for sector, (name, seen) in enumerate(names, 1)])
    session.write()
    cat = subprocess.run([record.IOTRC, "cat", "extent", tmp_path / "traces", "-c", "sector", *args], capture_output=True,
                         text=True, check=True)
    assert set(map(int, cat.stdout.split()[1:])) == sectors
    watch = subprocess.run([record.IOTRC, "watch", "-e", "extent", "--format", "sector", tmp_path / "traces", *args],
                           capture_output=True, text=True, check=True)
    assert set(map(int, watch.stdout.split())) == sectors
    got = read(summary(tmp_path / "traces", "--stream", "extent", "--by", "device", "--csv", *args).stdout)
    assert got["calls"].tolist() == [str(len(sectors))]


def test_a_process_has_its_descendants(recorded):
    fs = rows(recorded, "fs")
    shell = fs[(fs.operation == "process_exec") & fs.cmdline.fillna("").str.contains("sh -c .*big", regex=True)].iloc[-1]
    mine, before = {shell.pid}, 0
    while len(mine) > before:
        before = len(mine)
        mine |= set(fs.pid[fs.ppid.isin(mine)])
    assert before > 20
    got = table(recorded, "--pid", shell.pid, "--by", "process")
    assert set(got.process) == mine
    same(got, fs[fs.pid.isin(mine)], "fs", ["process"])


def test_descendants_among_half_a_million_processes(session):
    """More processes than fit into 20 bits, each of which is seen before the descendants of the listed one: these pass still."""
    columns = session.columns("fs")
    at = {name: i for i, name in enumerate(columns)}
    parents = {pid: 1 for pid in range(1000, 600_000)} # none descends from 7
    parents |= {7: 1, 600_001: 7, 600_002: 600_001, 4_194_303: 600_002, 600_004: 5000}
    lines = []
    for i, (pid, ppid) in enumerate(parents.items()):
        row = [""] * len(columns)
        row[at["timestamp"]] = "2026-03-29 01:59:59.000000"
        row[at["operation"]], row[at["pid"]], row[at["ppid"]] = "read", str(pid), str(ppid)
        row[at["duration_ns"]], row[at["mono_ns"]] = "1000", str(START + i)
        lines.append(",".join(row))
    session.add_text("fs", (",".join(columns) + "\n" + "\n".join(lines) + "\n").encode(), len(lines), START, START + len(lines) - 1)
    directory = session.write()
    got = table(directory, "--pid", "7", "--by", "process")
    assert {int(pid): int(calls) for pid, calls in zip(got.process, got.calls)} == {7: 1, 600_001: 1, 600_002: 1, 4_194_303: 1}
    done = subprocess.run([record.IOTRC, "cat", "fs", directory, "--pid", "7"], capture_output=True, text=True, check=True)
    assert [int(pid) for pid in read(done.stdout).pid] == [7, 600_001, 600_002, 4_194_303]


# ---- forms ----

def test_files_directories_and_sessions_are_the_same(recorded):
    files = sorted(recorded.glob("fs/*.csv.zst"))
    assert summary(recorded, "--csv").stdout == summary(*files, "--csv").stdout == summary(recorded.parent, "--csv").stdout


def test_a_file_that_is_not_finished_is_read(session, tmp_path):
    session.add("fs", [{"operation": "close", "pid": "7", "duration_ns": "5", "mono_ns": str(START)}] * 11, part=True)
    part, = session.write().glob("fs/*.part")
    assert list(table(part).calls) == ["11"]


def test_json_is_the_csv(recorded):
    reported = json.loads(summary(recorded, "--json", "--by", "process,operation").stdout)
    one, = reported["summaries"]
    assert one["stream"] == "fs" and one["by"] == ["process", "operation"] and one["quantile_error"] == ERROR
    csv = table(recorded, "--by", "process,operation")
    assert len(one["groups"]) == len(csv)
    for g, (_, c) in zip(one["groups"], csv.iterrows()):
        for name in ("process", "process_command", "operation"):
            assert g[name] == c[name]
        for name in ("calls", "errors", "total_ns", "p50_ns", "p95_ns", "p99_ns", "max_ns", "bytes"):
            assert g[name] == int(c[name])
    assert one["total"]["calls"] == len(rows(recorded, "fs")) and reported["lost"] == {"fs": 0}


def test_top_others_and_total_add_up(recorded):
    one, = json.loads(summary(recorded, "--json", "--by", "file", "--top", 5).stdout)["summaries"]
    assert len(one["groups"]) == 5
    for name in "calls", "errors", "total_ns", "bytes":
        assert sum(g[name] for g in one["groups"]) + one["others"][name] == one["total"][name]
    lines = summary(recorded, "--by", "file", "-n", 5).stdout.splitlines()
    assert len(lines) == 8 and "others)" in lines[6] and lines[7].endswith(" total")
    all_groups = table(recorded, "--by", "file")
    assert not all_groups.file.str.startswith("(").any()
    for by in "file", "process", "operation,process":
        all_groups = table(recorded, "--by", by)
        got = table(recorded, "--by", by, "--top", 5)
        assert got[:5].equals(all_groups[:5]) and len(got) == 6
        assert got.iloc[5][by.split(",")[0]] == f"({len(all_groups) - 5} others)"
        for name in "calls", "errors", "total_ns", "bytes":
            assert sum(whole(got[name])) == sum(whole(all_groups[name])) == one["total"][name]


@pytest.mark.parametrize("column", ["calls", "errors", "total", "mean", "p50", "p95", "p99", "max", "bytes"])
def test_it_is_sorted_by_any_column(recorded, column):
    got = table(recorded, "--by", "command", "--sort", column)
    name = column if column in got else column + "_ns"
    values = got[name].astype(float)
    assert list(values) == sorted(values, reverse=True)


def test_several_streams_have_a_table_each(recorded):
    out = summary(recorded, "--stream", "fs,block,network").stdout
    assert [block.splitlines()[0] for block in out.split("\n\n")] == ["fs", "block", "nw_conn"]


def test_lost_rows_are_reported(session):
    session.add("fs", [{"operation": "close", "pid": "7", "mono_ns": str(START)}])
    session.manifest["diagnostics"]["streams"]["fs"]["lost"]["ring"] = 7
    assert "fs: 7 rows were lost" in summary(session.write()).stderr


@pytest.mark.parametrize("args, why", [
    (["--by", "colour"], "--by: 'colour'"), (["--by", "file,command,pid"], "--by:"),
    (["--stream", "process"], "--stream: 'process'"), (["--stream", "block", "--by", "file"], "rows of block have no file"),
    (["--sort", "beauty"], "--sort: fs has no 'beauty'"), (["--top", "many"], "--top: 'many'"),
    (["--slow", "5"], "--slow: '5'"), (["--stream", "cache", "--slow", "5ms"], "rows of cache have no times"),
    (["--json", "--csv"], "not both"), (["--where", "colour = 5"], "--where: no column"), (["--ops", ""], "--ops:"),
    (["--ops", "wrtie"], "--ops: no stream shown has 'wrtie'"), (["--pid", "7,x"], "--pid: 'x'"),
])
def test_what_makes_no_sense_is_refused(special, args, why):
    assert why in summary(special, *args, code=2).stderr


def test_what_cannot_be_read_is_said(tmp_path, session):
    assert "no session" in summary(tmp_path, code=1).stderr
    (tmp_path / "rows.csv.zst").write_bytes(b"no frame")
    assert "no Zstandard frame" in summary(tmp_path / "rows.csv.zst", code=1).stderr
    session.add("fs", [{"operation": "close", "pid": "7", "duration_ns": "x", "mono_ns": str(START)}])
    assert "a row does not match the schema" in summary(session.write(), code=1).stderr


# ---- bounds ----

def test_many_groups_are_bounded(session):
    """150,000 files, of which 50 are heavy: the heavy ones are listed, with what they may lack."""
    n = 300_000
    columns = session.columns("fs")
    at = {name: i for i, name in enumerate(columns)}
    truth = {}
    lines = []
    for i in range(n):
        name = f"/heavy{i % 100}" if i % 2 else f"/light{i // 2}"
        row = [""] * len(columns)
        row[at["timestamp"]] = "2026-03-29 01:59:59.000000"
        row[at["operation"]], row[at["pid"]], row[at["filename"]] = "read", "1", name
        row[at["duration_ns"]], row[at["mono_ns"]] = str(1000 + i % 77), str(START + i)
        truth[name] = truth.get(name, 0) + 1000 + i % 77
        lines.append(",".join(row))
    raw = (",".join(columns) + "\n" + "\n".join(lines) + "\n").encode()
    session.add_text("fs", raw, len(lines), START, START + len(lines) - 1)
    directory = session.write()

    # While it waits for its reader, it has its maximum of memory.
    process = subprocess.Popen([record.IOTRC, "summary", directory, "--by", "file", "--csv"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    assert int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)[1]) < 150 << 10
    got = read(line + process.stdout.read())
    assert "too many groups" in process.stderr.read()
    assert process.wait() == 0
    assert got.file.iloc[-1] == "(others)"
    assert got.calls.astype(int).sum() == n and got.total_ns.astype("int64").sum() == sum(truth.values())
    got = got[:-1]
    assert len(got) <= 100_000
    assert set(got.file[:100]) >= {f"/heavy{i}" for i in range(1, 100, 2)}
    reported, lacks, true = got.total_ns.astype("int64"), got.lacks.astype("int64"), got.file.map(truth)
    assert (reported <= true).all() and (true <= reported + lacks).all()
    one, = json.loads(summary(directory, "--by", "file", "--json").stdout)["summaries"]
    assert one["total"]["calls"] == n and one["total"]["total_ns"] == sum(truth.values())
    assert sum(g["calls"] for g in one["groups"]) + one["others"]["calls"] == n


def test_a_first_path_that_is_unknown(tmp_path, template):
    """The first of two paths names the file, or the second if the first is unknown; if both are unknown, the row counts
    without a file."""
    session = craft.Session(tmp_path / "traces", template)
    session.add("fs", [{"operation": "rename", "filename": name, "mono_ns": str(craft.START + i)}
                       for i, name in enumerate(("/a/x -> /b/y", " -> /b/y", "/b/y", "/a/x -> ", " -> "))])
    session.write()
    got = read(summary(tmp_path / "traces", "--by", "file", "--csv").stdout)
    assert dict(zip(got["file"].fillna("-"), got["calls"])) == {"/a/x": "2", "/b/y": "2", "-": "1"}
