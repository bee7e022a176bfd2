# SPDX-License-Identifier: GPL-2.0-or-later
"""The content of a report in Chromium, compared with pandas on the same session."""
import json
import os
import pathlib
import pty
import re
import subprocess
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from conftest import HOSTILE, IOTRC, browse, report

import craft
import iotrc

CLASSES = {"fs_read": ["read"], "fs_write": ["write"], "fs_open": ["open", "close"],
           "fs_sync": ["fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync"],
           "fs_process": ["process_fork", "process_exec", "process_exit"]}


@pytest.fixture(scope="session")
def page(recorded, tmp_path_factory):
    """The report of the recorded session, and what the browser made of it."""
    file = tmp_path_factory.mktemp("page") / "report.html"
    reported = report(recorded[0], "-o", file)
    assert re.search(r"report.html: \d+ rows, ", reported), reported
    return file, browse(file)


@pytest.fixture(scope="session")
def fs(recorded):
    return iotrc.load(recorded[0], "fs")


def number(text):
    return int(text.replace(",", ""))


def test_console_is_silent_and_nothing_is_fetched(page):
    file, seen = page
    assert seen["said"] == []
    assert seen["asked"] == [pathlib.Path(file).as_uri(), "data:,"] or seen["asked"] == [pathlib.Path(file).as_uri()]
    assert file.stat().st_size < 5_000_000


def test_all_charts_are_drawn(page):
    charts = page[1]["charts"]
    assert {"File operations", "Bytes of files", "Latency of file operations", "Sizes of reads and writes",
            "Lives of processes", "Where in a file", "Connections", "Page cache", "Hit ratio of the page cache"} <= set(charts)
    for name, chart in charts.items():
        assert chart["colors"] > 3, name # the axes alone have two colours, and those of smoothing
        assert chart["focusable"], name


def test_rows_and_bytes_are_those_of_pandas(page, fs):
    seen = page[1]
    for name, operations in CLASSES.items():
        assert seen["channels"].get(name, 0) == fs.operation.isin(operations).sum(), name
    moved = fs[fs.bytes_completed.notna()]
    for name, operation in ("fs_bytes_read", "read"), ("fs_bytes_written", "write"):
        assert seen["channels"][name] == moved.bytes_completed[moved.operation == operation].sum()
    assert seen["channels"]["fs_failed"] == fs.errno.notna().sum()
    assert sum(v for k, v in seen["channels"].items() if re.fullmatch("fs_(read|write|open|meta|sync|map|copy|process)", k)) == len(fs)


def test_time_spans_are_those_of_pandas(page, fs):
    seen = page[1]
    bins = (fs.mono_ns.astype("int64") - seen["time"]["origin_ns"]) // seen["time"]["width_ns"]
    for name, operations in CLASSES.items():
        want = bins[fs.operation.isin(operations)].value_counts()
        got = {i: n for i, n in enumerate(seen["bins"].get(name, [])) if n}
        assert got == want.to_dict(), name


def test_sizes_are_those_of_pandas(page, fs):
    for operation in "read", "write":
        moved = fs.bytes_completed[(fs.operation == operation) & fs.bytes_completed.notna()].astype("int64")
        want = np.bincount([n.bit_length() for n in moved], minlength=65)
        assert page[1]["sizes"][operation] == want.tolist()


def test_latencies_are_those_of_pandas(page, fs):
    rows = {r["name"]: r for r in page[1]["data"]["operations"]["rows"] if r["stream"] == "fs"}
    for operation, durations in fs[fs.duration_ns.notna()].groupby("operation", observed=True).duration_ns:
        took = np.sort(durations.to_numpy(dtype="float64"))
        row = rows[operation]
        assert row["max"] == took[-1]
        for key, q in ("p50", .5), ("p90", .9), ("p99", .99), ("p999", .999):
            exact = took[int(np.ceil(q * len(took))) - 1]
            assert abs(row[key] - exact) <= .01 * exact + .5, (operation, key)
    assert sum(n for name, n in page[1]["grids"].items() if name.startswith("fs_")) == fs.duration_ns.notna().sum()


@pytest.mark.parametrize("table, column", [("files", "filename"), ("programs", "command")])
def test_tables_are_those_of_pandas(page, fs, table, column):
    rows = {r["name"]: r for r in page[1]["data"][table]["rows"]}
    groups = fs.astype({column: object}).groupby(column)
    assert page[1]["data"][table]["groups"] == len(groups)
    assert len(rows) == min(len(groups), 400)
    for name, group in groups:
        if name not in rows:
            continue
        row, moved = rows[name], group[group.bytes_completed.notna()]
        assert row["rows"] == len(group)
        assert row["failed"] == group.errno.notna().sum()
        assert row["bytes_read"] == moved.bytes_completed[moved.operation == "read"].sum()
        assert row["bytes_written"] == moved.bytes_completed[moved.operation == "write"].sum()
        assert row["ns"] == group.duration_ns.sum()
        assert row["first_ns"] == group.mono_ns.min()


def test_processes_are_those_of_pandas(page, fs):
    seen = {r["pid"]: r for r in page[1]["data"]["processes"]["rows"]}
    for pid, group in fs.groupby("pid"):
        assert seen[pid]["rows"] == len(group)
        born = fs.mono_ns[(fs.operation == "process_fork") & (fs.return_value == pid)]
        assert seen[pid]["forked_ns"] == (born.iloc[0] if len(born) else 0)
        died = group.mono_ns[group.operation == "process_exit"]
        assert seen[pid]["exited_ns"] == (died.max() if len(died) else 0)


def test_errors_and_peers_are_those_of_pandas(page, recorded, fs):
    errors = {(r["operation"], r["name"]): r["rows"] for r in page[1]["data"]["errors"]["rows"]}
    want = fs[fs.errno.notna()].groupby(["operation", "errno"], observed=True).size()
    assert {k: v for k, v in errors.items() if k in want.index} == want.to_dict()
    assert "no such file or directory" in page[1]["text"]
    conn = iotrc.load(recorded[0], "nw_conn")
    connects = conn[conn.event_type == "CONNECT"]
    assert sum(r["rows"] for r in page[1]["data"]["peers"]["rows"] if r["type"] == "CONNECT") == len(connects)


def test_hit_ratio_is_that_of_pandas(page, recorded):
    cache = iotrc.load(recorded[0], "cache")
    pages = cache.groupby("event_type", observed=True)["count"].sum()
    want = pages["HIT"] / (pages["HIT"] + pages.get("MISS", 0))
    shown = re.search(r"Hit ratio of the page cache: ([\d.]+) %", page[1]["text"])
    assert abs(float(shown[1]) - 100 * want) <= .05


def test_integrity_is_that_of_the_manifest(page, recorded):
    manifest = json.loads((recorded[0] / "manifest.json").read_text())
    for row in page[1]["tables"]["Integrity"]:
        counts = manifest["diagnostics"]["streams"][row["name"]]
        assert number(row["read"]) == number(row["written"]) == counts["written"]
        assert number(row["filtered"]) == counts["filtered"]
        assert number(row["lost"]) == sum(counts["lost"].values())


def test_filter_shows_the_rows_of_one_process_or_file(page, fs):
    cat = fs[fs.command == "cat"]
    pid = int(cat.pid.iloc[0])
    one = browse(page[0], ["click", f'tr:has(td:text-is("{pid}")) button.link'])
    assert one["said"] == []
    assert one["chips"].startswith("process: cat") and "all counted" in one["chips"]
    rows = fs[fs.pid == pid]
    for name, operations in CLASSES.items():
        assert one["channels"].get(name, 0) == rows.operation.isin(operations).sum(), name
    assert sum(n for name, n in one["grids"].items() if name.startswith("fs_")) == rows.duration_ns.notna().sum()
    hottest = max(page[1]["data"]["files"]["rows"], key=lambda r: r["rows"])
    both = browse(page[0], ["click", '#table-files button.link'], ["click", f'tr:has(td:text-is("{pid}")) button.link'])
    want = rows[rows.filename == hottest["name"]]
    assert sum(v for k, v in both["channels"].items() if re.fullmatch("fs_(read|write|open|meta|sync|map|copy|process)", k)) == len(want)


def test_one_axis_of_time_for_all_charts(page):
    plain = {name: c for name, c in page[1]["charts"].items() if not name.startswith("Sizes")}
    assert len({(c["min"], c["max"]) for c in plain.values()}) == 1
    zoomed = browse(page[0], ["drag", '[data-chart="File operations"] .u-over', .4, .6])
    spans = {(c["min"], c["max"]) for name, c in zoomed["charts"].items() if not name.startswith("Sizes")}
    assert len(spans) == 1
    (low, high), whole = spans.pop(), plain["File operations"]["max"] - plain["File operations"]["min"]
    assert .15 < (high - low) / whole < .25
    assert zoomed["span"] != page[1]["span"]


def test_keyboard(page):
    first = page[1]["charts"]["File operations"]
    whole = first["max"] - first["min"]
    focus = ["focus", '[data-chart="File operations"]']
    near = browse(page[0], focus, ["press", "+"], ["press", "+"], ["press", "ArrowRight"])
    chart = near["charts"]["Lives of processes"]
    assert near["focused"] == "File operations"
    assert abs((chart["max"] - chart["min"]) - whole / 4) < whole / 1000
    assert abs(chart["min"] - (first["min"] + whole * 3 / 8 + whole / 16)) < whole / 1000
    back = browse(page[0], focus, ["press", "+"], ["press", "0"])
    assert back["charts"]["File operations"] == first
    # In tables, a column's head is a button, and so is a name.
    by_name = browse(page[0], ["focus", '#table-programs th[data-key="name"] button'], ["press", "Enter"])
    names = [r["name"] for r in by_name["tables"]["Programs"]]
    assert len(names) > 1 and names == sorted(names, key=str.lower)
    chosen = browse(page[0], ["focus", '#table-programs button.link'], ["press", "Enter"])
    assert chosen["chips"].startswith("program: ")


@pytest.mark.parametrize("width", [400, 1280, 2560])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_widths_and_themes(page, tmp_path, width, scheme):
    seen = browse(page[0], width=width, scheme=scheme, screenshot=tmp_path / "page.png")
    assert seen["said"] == []
    assert seen["overflow"] <= 0
    assert seen["hidden"] == [] and seen["bar"] < 100
    assert all(c["colors"] > 3 for c in seen["charts"].values())
    levels = [int(n) for n in re.findall(r"\d+", seen["background"])[:3]]
    assert max(levels) < 64 if scheme == "dark" else min(levels) > 192


@pytest.mark.parametrize("seconds", [[0], [0, 10], [0, 3, 10]], ids=str)
def test_values_without_neighbours_are_drawn(tmp_path, session, seconds):
    """No line leads to a point whose neighbours have no value, as in the share of reads, nor to the only one of a chart."""
    session.add("fs", [{"operation": "read", "filename": "/f", "pid": "7", "tid": "7", "size": "8192", "bytes_completed": "8192",
                        "return_value": "8192", "offset": "0", "mono_ns": str(craft.START + at * 10**9)} for at in seconds])
    report(session.write(), "-o", tmp_path / "r.html")
    charts = browse(tmp_path / "r.html")["charts"]
    share = next(chart for name, chart in charts.items() if name.startswith("Share of reads"))
    # A point has about twenty coloured pixels, the edges of a chart's letters less than that together.
    assert share["coloured"] > 10 + 12 * len(seconds)
    if len(seconds) == 1:
        assert charts["File operations"]["coloured"] > 22


def test_print_is_light_and_fits_the_paper(page):
    seen = browse(page[0], ["media", {"media": "print"}], scheme="dark", width=720) # of a sheet of A4 within margins
    assert seen["overflow"] <= 0
    assert seen["background"] == "rgb(255, 255, 255)"
    assert seen["paper"] == ["rgb(255, 255, 255)"] # of cards and tiles
    assert max(int(n) for n in re.findall(r"\d+", seen["ink"])) < 64


def test_hostile_names_are_only_names(page, recorded):
    seen = page[1]
    assert seen["title"].startswith("iotrc report 2") and seen["images"] == 0
    assert seen["scripts"] == 3 # the data, uPlot, ours
    names = {pathlib.PurePosixPath(r["name"]).name for r in seen["data"]["files"]["rows"]}
    for name in HOSTILE:
        assert name.replace("\\", "\\\\") in names, name
    assert "\u202e" not in seen["text"] and "\u2028" not in seen["text"]
    assert "\\u{202e}gnp.exe" in "".join(r["name"] for r in seen["tables"]["Files"])
    text = page[0].read_text()
    assert text.count("</script>") == 3 and "<img" not in text
    # Each of them can be a filter.
    for name in HOSTILE[:2]:
        shown = name.replace('"', '\\"')
        one = browse(page[0], ["click", "#table-files .more"], ["click", f'#table-files button.link:has-text("{shown}")'])
        assert one["said"] == [] and one["title"] == seen["title"] and one["chips"].startswith("file: ")


def test_bytes_on_disks_are_those_of_pandas(session, tmp_path):
    """The stream extent: by file with what programs wrote, by owner, over time."""
    files = ["/a/log", "/a/data", "/b/<", ""]
    kinds = ["data", "direct", "metadata", "journal", "swap", "readahead", "unknown"]
    random = np.random.default_rng(7)
    at = [craft.START + int(n) for n in np.sort(random.integers(0, 10**10, 900))]
    session.add("extent", [{"operation": str(random.choice(["read", "write", "discard"])), "kind": str(random.choice(kinds)),
                            "size": str(4096 * random.integers(1, 99)), "filename": str(random.choice(files)),
                            "overlay_filename": str(random.choice(["", "", "/merged/x"])), "command": str(random.choice(["pg", "k/1:2"])),
                            "cause": str(random.choice(["fsync", "dirty_expiry", ""])), "age_ms": f"{random.integers(0, 9000)}.000000",
                            "mono_ns": str(n)} for n in at])
    session.add("fs", [{"operation": "write", "pid": "7", "tid": "7", "command": "pg", "filename": "/a/log", "bytes_completed": "1000",
                        "duration_ns": "1", "mono_ns": str(n)} for n in at])
    directory = session.write()
    report(directory, "-o", tmp_path / "r.html")
    seen, extent = browse(tmp_path / "r.html"), iotrc.load(directory, "extent")
    assert seen["said"] == []
    extent["name"] = extent.overlay_filename.astype(object).where(extent.overlay_filename.notna(), extent.filename.astype(object))
    sums = {}
    for name, part in extent[extent.name.notna()].groupby("name"):
        wrote, read = part[part.operation == "write"]["size"].sum(), part[part.operation == "read"]["size"].sum()
        sums[name] = wrote, read, part[part.kind == "readahead"]["size"].sum(), round(part.age_ms.max() * 1e6), len(part)
    assert {r["name"]: (r["written"], r["read"], r["ahead"], r["oldest_ns"], r["parts"])
            for r in seen["data"]["disk_files"]["rows"]} == sums
    log, = (r for r in seen["tables"]["Files on disks"] if r["name"] == "/a/log")
    assert log["amplification"] == f"{sums['/a/log'][0] / (1000 * len(at)):.2f}"
    extent = extent.astype({"kind": object, "cause": object, "command": object}).fillna({"cause": ""})
    owners = {(r["kind"], r["cause"], r["command"]): (r["written"], r["parts"]) for r in seen["data"]["disk_owners"]["rows"]}
    assert owners == {key: (part[part.operation == "write"]["size"].sum(), len(part))
                      for key, part in extent.groupby(["kind", "cause", "command"])}
    written = extent[extent.operation == "write"].groupby("kind")["size"].sum()
    for kind in "data", "direct", "metadata", "journal", "swap":
        assert seen["channels"][f"extent_{kind}"] == written[kind]
    assert seen["channels"]["extent_unknown"] == written["unknown"] + written["readahead"]
    assert seen["charts"]["What is written to disks"]["colors"] > 3


def test_places_in_directories_and_on_disks(session, tmp_path):
    """Boxes are as large as the bytes that were moved below them; a click on one filters to it."""
    moved = {"a": 1 << 20, "b": 3 << 20, "c": 4 << 20}
    session.add("fs", [{"operation": "read", "pid": "7", "tid": "7", "command": "c", "filename": f"/top/{name}/file", "offset": "0",
                        "bytes_completed": str(n), "duration_ns": "1000", "mono_ns": str(craft.START + i)} for i, (name, n) in enumerate(moved.items())])
    session.add("block", [{"operation": "read", "pid": "7", "device": "8:0", "sector": str(i * 4096), "size": "512", "latency_ms": "1.5",
                           "mono_ns": str(craft.START + i * 10**6)} for i in range(40)])
    report(session.write(), "-o", tmp_path / "r.html")
    seen = browse(tmp_path / "r.html")
    boxes = {name: seen["boxes"][f"/top/{name}: {n >> 20}.00 MiB"] for name, n in moved.items()}
    for name, n in moved.items():
        assert abs(boxes[name] / sum(boxes.values()) - n / sum(moved.values())) < .02, boxes
    assert seen["charts"]["Where on a disk"]["colors"] > 3 and "read (40)" in seen["text"]
    one = browse(tmp_path / "r.html", ["click", '#treemap button[title^="/top/b: "]'])
    assert one["chips"].startswith("directory: /top/b") and one["channels"]["fs_bytes_read"] == moved["b"]


def test_progress_on_a_terminal_only(session, tmp_path):
    session.add("fs", [{"operation": "close", "pid": "7", "mono_ns": str(craft.START + i)} for i in range(40_000)])
    command = [IOTRC, "report", session.write(), "-o", tmp_path / "r.html", "--force"]
    ours, its = pty.openpty()
    subprocess.run(command, stderr=its, check=True)
    os.close(its)
    said = b""
    while b"40000 rows" not in said:
        said += os.read(ours, 65536)
    os.close(ours)
    assert re.search(rb"\x1b\[Kreading \[[#.]{24}\] \S+B of \S+B\r", said), said
    # The bar is erased before the result is printed.
    assert re.search(rb"\r\x1b\[K\S+r\.html: 40000 rows", said), said
    assert b"reading" not in subprocess.run(command, stderr=subprocess.PIPE, check=True).stderr


def test_anonymous_page_has_no_names(recorded, tmp_path):
    file = tmp_path / "a.html"
    report(recorded[0], "-a", "-o", file)
    seen = browse(file)
    assert seen["said"] == [] and "tokens in place of" in seen["contains"]
    text = file.read_text()
    for name in (str(recorded[1]), recorded[1].name + "/", "/bin/cat", "missing3", "owned", "libc.so"):
        assert name not in text, name
    plain = tmp_path / "plain.html"
    report(recorded[0], "-o", plain)
    same = browse(plain)
    assert seen["channels"] == same["channels"] and seen["sizes"] == same["sizes"]
    assert "missing3" in plain.read_text()


def test_jobs_make_no_difference(recorded, tmp_path):
    pages = []
    for jobs in 1, 2, 5:
        report(recorded[0], "-j", jobs, "-o", tmp_path / f"{jobs}.html")
        data = json.loads(re.search('id="data">(.*?)</script>', (tmp_path / f"{jobs}.html").read_text())[1])
        del data["made_at"]
        pages.append(data)
    assert pages[0] == pages[1] == pages[2]


def test_nothing_is_overwritten(recorded, tmp_path):
    file = tmp_path / "r.html"
    file.write_text("mine")
    done = subprocess.run([IOTRC, "report", recorded[0], "-o", file], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "--force" in done.stderr and file.read_text() == "mine"
    report(recorded[0], "-o", file, "--force")
    assert file.read_text().startswith("<!DOCTYPE html>")


def test_running_session_shows_what_is_written(session, tmp_path):
    rows = [{"operation": "read", "pid": "7", "tid": "7", "command": "c", "filename": "/f", "offset": "0", "bytes_completed": "10",
             "duration_ns": "1000", "mono_ns": str(craft.START + i * 10**7)} for i in range(500)]
    session.add("fs", rows[:200])
    session.add("fs", rows[200:], part=True)
    session.manifest["session"].update(state="running", stopped_at=None)
    directory = session.write()
    reported = report(directory, "-o", tmp_path / "r.html")
    assert "500 rows of a session that is still being recorded" in reported
    seen = browse(tmp_path / "r.html")
    assert seen["said"] == [] and "still being recorded" in seen["warnings"]
    assert seen["channels"]["fs_read"] == 500


def test_broken_file_is_reported_and_the_rest_is_shown(session, tmp_path):
    row = {"operation": "read", "pid": "7", "mono_ns": str(craft.START)}
    session.add("fs", [row] * 5)
    session.add("fs", [row] * 3)
    path = sorted(session.files)[1]
    session.files[path] = session.files[path][:20]
    reported = report(session.write(), "-o", tmp_path / "r.html")
    assert "1 files could not be read whole" in reported
    seen = browse(tmp_path / "r.html")
    assert path in seen["warnings"] and seen["channels"]["fs_read"] >= 5


def test_empty_session(session, tmp_path):
    report(session.write(), "-o", tmp_path / "r.html")
    seen = browse(tmp_path / "r.html")
    assert seen["said"] == [] and seen["tiles"]["rows"] == "0"


def test_page_has_at_most_five_megabytes(session, tmp_path):
    """Names whose bytes take six bytes each in JSON, and more than 60,000 rows."""
    rows = [{"operation": "read", "pid": str(i % 5000), "tid": "7", "command": "<" * 15, "filename": f"/{'<' * 250}" * 15 + f"/{i % 5000}",
             "offset": str(i), "bytes_completed": "1", "duration_ns": str(i), "cmdline": "&" * 500, "errno": "EIO", "mono_ns": str(craft.START + i * 999)}
            for i in range(70_000)]
    session.add("fs", rows)
    report(session.write(), "-o", tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size <= 5_000_000
    seen = browse(tmp_path / "r.html")
    assert seen["said"] == [] and seen["channels"]["fs_read"] == 70_000


def test_filtered_charts_say_what_is_estimated(session, tmp_path):
    """More rows of fs than the sample has, of two processes, and fewer of block."""
    def row(i):
        read = i % 3 == 0
        return {"operation": "read" if read else "open", "pid": "7" if i % 4 else "8", "tid": "7", "command": "c", "filename": f"/{i % 5}",
                "duration_ns": "1000", "mono_ns": str(craft.START + i * 1000), **({"offset": "0", "bytes_completed": str(i % 7)} if read else {})}
    rows = [row(i) for i in range(90_000)]
    session.add("fs", rows)
    session.add("block", [{"operation": "read", "pid": "8", "device": "8:0", "sector": "8", "size": "512", "latency_ms": "1.5",
                           "mono_ns": str(craft.START + i * 10**6)} for i in range(60)])
    report(session.write(), "-o", tmp_path / "r.html")
    seen = browse(tmp_path / "r.html", ["click", 'tr:has(td:text-is("8")) button.link'])
    of_8 = [r for r in rows if r["pid"] == "8"]
    reads = [int(r["bytes_completed"]) for r in of_8 if r["operation"] == "read"]
    found = seen["channels"]
    assert [round(found[n], 3) for n in ("fs_read", "fs_open", "fs_bytes_read")] == [len(reads), len(of_8) - len(reads), sum(reads)]
    assert round(seen["grids"]["fs_open"], 3) == len(of_8) - len(reads)
    assert found["block_read"] == 60
    about = re.findall(r"Estimated from ([\d,]+) sampled rows(; the sum is exact)?\.", seen["text"])
    # Operations, bytes, their mix, their latency, their sizes; not what block has.
    assert len(about) == 5 and all(exact for _, exact in about), about
    both = browse(tmp_path / "r.html", ["click", 'tr:has(td:text-is("8")) button.link'], ["click", "#table-files button.link"])
    assert both["said"] == [] and "sampled rows." in both["text"] and "the sum is exact" not in both["text"]


def test_values_at_the_ends(session, tmp_path, template):
    special = craft.special(tmp_path / "special", template)
    report(special.write(), "-o", tmp_path / "r.html")
    seen = browse(tmp_path / "r.html")
    assert seen["said"] == []
    assert {r["name"] for r in seen["data"]["files"]["rows"]} == {n for n, _ in craft.NAMES}


def test_served_page_follows_the_session(session, tmp_path):
    rows = [{"operation": "read", "pid": "7", "mono_ns": str(craft.START + i)} for i in range(900)]
    session.add("fs", rows[:100])
    session.manifest["session"].update(state="running", stopped_at=None)
    directory = session.write()
    server = subprocess.Popen([IOTRC, "report", directory, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        session.add("fs", rows[100:])
        before = browse(address)
        session.write()
        time.sleep(2.1)
        after = browse(address)
        assert before["said"] == after["said"] == []
        assert before["channels"]["fs_read"] == 100 and after["channels"]["fs_read"] == 900
        for headers, path, code in ({"Host": "evil.example"}, "", 421), ({}, "etc/passwd", 404):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(address + path, headers=headers), timeout=10)
            assert refused.value.code == code
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address, data=b"x", timeout=10)
        assert refused.value.code == 405
        live = browse(address, ["changed", "#facts"]) # it says when the data was read
        assert live["said"] == []
    finally:
        server.terminate()
        assert server.wait(20) == 0
