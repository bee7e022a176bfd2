# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/analysis.md: every block is run with a recording of one program whose accesses are known, and each of the twelve
answers is what that program says, or what strace or a simulation of its accesses says."""
import collections
import json
import os
import re
import signal
import subprocess
import sys

import pytest

import record

PAGE = (record.TOP / "docs/analysis.md").read_text()
MB = 1 << 20
PAGE_BYTES = 4096
BIG, READ, RANDOM, SYNCS, CONNECTIONS = 24 * MB, 64 << 10, 997, 11, 7
# It waits for a line, and then prints what it did: pids, times of its fsyncs, inode numbers of its files. Each part has
# a name.
WORK = f"""
import encodings.idna, json, os, random, socket, subprocess, sys, time # idna: create_connection() would read it later
def called(name):
    with open("/proc/self/comm", "w") as f:
        f.write("known-" + name)
sys.stdin.readline()
os.chdir(sys.argv[1])
called("write")
f = os.open("big", os.O_RDWR | os.O_CREAT)
for _ in range({BIG // MB}):
    os.write(f, bytes({MB}))
called("read")
os.lseek(f, 0, 0)
for _ in range({BIG // READ}):
    os.read(f, {READ})
called("sync")
s = os.open("storm", os.O_RDWR | os.O_CREAT)
took = []
for i in range({SYNCS}):
    os.pwrite(s, bytes({PAGE_BYTES}), {PAGE_BYTES} * i)
    began = time.monotonic_ns()
    os.fsync(s)
    took.append(time.monotonic_ns() - began)
called("random")
chance = random.Random(7)
offsets = [{PAGE_BYTES} * chance.randrange({SYNCS}) for _ in range({RANDOM})]
for offset in offsets:
    os.pread(s, 512, offset)
called("cold")
os.fsync(f)
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)
os.lseek(f, 0, 0)
os.read(f, {MB})
called("net")
server = socket.create_server(("127.0.0.1", 0))
for i in range({CONNECTIONS}):
    client = socket.create_connection(server.getsockname(), 60 if i % 2 else None) # with a timeout it does not block
    server.accept()[0].close()
    client.close()
called("start")
cat = subprocess.Popen(["/bin/cat", "started"], stdout=subprocess.DEVNULL)
cat.wait()
print(json.dumps({{"pid": os.getpid(), "cat": cat.pid, "took": took, "offsets": offsets, "big": os.fstat(f).st_ino,
                  "port": server.getsockname()[1]}}))
"""
# Rows of the program's parts only, without the start of cat. After a block: what it computes but does not print.
ONLY = """
fs = fs[fs.command.astype(str).str.startswith("known-") | (fs.pid == {cat})]
moved = moved[moved.command.isin(["known-" + n for n in ("write", "read", "sync", "random")])]
"""
TELL = {
    4: "print(counts.to_json(orient='index'))",
    6: "print(so_far.iloc[-1], each.sum() >= so_far.iloc[-1])",
    8: "print(cache[(cache.inode == {big})].groupby('event_type', observed=False)['count'].sum().to_json())",
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """What the program says about itself, the answers by number, and the directory."""
    directory = tmp_path_factory.mktemp("analysis")
    place = directory / "work"
    place.mkdir()
    (place / "started").write_bytes(b"x" * 5000)
    program = subprocess.Popen([sys.executable, "-c", WORK, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    recorder = subprocess.Popen([record.IOTRC, "-o", directory / "iotrc-traces", "--no-snapshots", "--cache", "--network",
                                 "--pid", str(program.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    recorder.stdout.readline()
    facts = json.loads(program.communicate("go\n", timeout=120)[0])
    recorder.send_signal(signal.SIGINT)
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, said

    sections = re.findall(r"^## (\d+)\. .*?$(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert [int(number) for number, _ in sections] == list(range(1, 13))
    first = re.search(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)[1]
    lines = ["import matplotlib", "matplotlib.use('Agg')", "import pandas",
             "pandas.set_option('display.width', 400, 'display.max_columns', 50, 'display.max_colwidth', 300, "
             "'display.max_rows', 10000)", first, ONLY.format(**facts)]
    for number, text in sections:
        blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
        assert blocks, number
        lines += [f"print('## {number}')", *(b.replace(".head(10)", "").replace(".tail(10)", "") for b in blocks),
                  TELL.get(int(number), "").format(**facts)]
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join(lines)], cwd=directory, text=True,
                          capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(record.TOP / "python"), "MPLCONFIGDIR": str(directory)})
    assert done.returncode == 0, done.stderr
    return facts, dict(re.findall(r"^## (\d+)\n(.*?)(?=^## |\Z)", done.stdout, re.M | re.S)), directory


def accesses(facts):
    """What the parts of the program transferred, in order: part, file, offset, bytes."""
    yield from (("write", "big", i * MB, MB) for i in range(BIG // MB))
    yield from (("read", "big", i * READ, READ) for i in range(BIG // READ))
    yield from (("sync", "storm", i * PAGE_BYTES, PAGE_BYTES) for i in range(SYNCS))
    yield from (("random", "storm", offset, 512) for offset in facts["offsets"])


def pages(facts):
    for _, file, offset, n in accesses(facts):
        yield from ((file, page) for page in range(offset // PAGE_BYTES, (offset + n - 1) // PAGE_BYTES + 1))


def test_pictures(answered):
    """Each question has a figure, which its code draws."""
    kept = record.TOP / "docs/analysis"
    all_ = set()
    for section in re.split(r"^## ", PAGE, flags=re.M)[1:]:
        pictures = re.findall(r"!\[[^]]+\]\(analysis/(.*?)\)", section)
        assert pictures and pictures == re.findall(r'savefig\("(.*?)"', section), section
        for picture in pictures:
            assert (answered[2] / picture).stat().st_size > 5000, picture
            assert 5000 < (kept / picture).stat().st_size < 80_000, picture
        all_.update(pictures)
    assert all_ == {picture.name for picture in kept.iterdir()}


def test_1_who(answered):
    found = {who: (float(r), float(w)) for who, r, w in re.findall(r"^known-(\w+) +([\d.]+) +([\d.]+)", answered[1]["1"], re.M)}
    assert found == {"write": (0, BIG), "read": (BIG, 0), "sync": (0, SYNCS * PAGE_BYTES), "random": (RANDOM * 512, 0)}


def test_2_hot_files(answered):
    work = answered[2] / "work"
    assert re.search(rf" {work}/big +{BIG // MB + BIG // READ} +{2 * BIG}$", answered[1]["2"], re.M), answered[1]["2"]
    assert re.search(rf" {work}/storm +{SYNCS + RANDOM} +{SYNCS * PAGE_BYTES + RANDOM * 512}$", answered[1]["2"], re.M)


def test_3_sequential(answered):
    ends, wanted = {}, collections.defaultdict(list)
    for part, file, offset, n in accesses(answered[0]):
        if file in ends:
            wanted[part].append(ends[file] == offset)
        ends[file] = offset + n
    found = re.findall(r"^known-(\w+) +(\S+) +(\d+)$", answered[1]["3"], re.M)
    assert {p: (round(float(mean), 6), int(n)) for p, mean, n in found} == {
        p: (round(sum(w) / len(w), 6), len(w)) for p, w in wanted.items()}


def test_4_sizes(answered):
    found = json.loads(answered[1]["4"])
    assert {(size, op): n for size, row in found.items() for op, n in row.items() if n} == {
        ("512", "read"): RANDOM, ("4,096", "write"): SYNCS, ("65,536", "read"): BIG // READ, ("1,048,576", "write"): BIG // MB}


def test_5_latency(answered):
    """The program reads the clock before and after a call, so its times are a little longer. One fsync is not in the
    storm."""
    median = float(re.search(r"^fsync +([\d.]+)", answered[1]["5"], re.M)[1]) * 1000
    assert 0.2 * sorted(answered[0]["took"])[SYNCS // 2] < median < max(answered[0]["took"])


def test_6_working_set(answered):
    megabytes, sum_is_more = answered[1]["6"].split()
    assert float(megabytes) == pytest.approx(len(set(pages(answered[0]))) * PAGE_BYTES / 1e6) and sum_is_more == "True"


def test_7_reuse(answered):
    """A simulated cache of so many pages."""
    for megabytes in 1, 16, 256:
        cache, hits, all_ = collections.OrderedDict(), 0, 0
        for page in pages(answered[0]):
            hits, all_ = hits + (page in cache), all_ + 1
            cache[page] = True
            cache.move_to_end(page)
            if len(cache) > -(-megabytes * 10**6 // PAGE_BYTES):
                cache.popitem(last=False)
        assert f"{megabytes} MB of LRU: {hits / all_:.1%} of accesses hit" in answered[1]["7"]


def test_8_hit_ratio(answered):
    """The big file is written, read from memory, dropped, and its first megabyte is read again."""
    counts = json.loads(answered[1]["8"].splitlines()[-1])
    assert counts["MISS_WRITE"] == BIG // PAGE_BYTES
    assert counts["HIT"] + counts["MISS"] == (BIG + MB) // PAGE_BYTES and counts["MISS"] >= 1
    assert 0 < float(re.search(r"([\d.]+)% of the pages", answered[1]["8"])[1]) <= 100


def test_9_storm(answered):
    assert sum(int(n) for n in re.findall(r" known-sync +(\d+) ", answered[1]["9"])) == SYNCS
    assert sum(int(n) for n in re.findall(r" known-cold +(\d+) ", answered[1]["9"])) == 1


def test_10_start(answered):
    """Files and bytes according to strace."""
    log = answered[2] / "cat.strace"
    subprocess.run(["strace", "-y", "-e", "trace=read,pread64,mmap", "-o", log, "/bin/cat", answered[2] / "work/started"],
                   check=True, stdout=subprocess.DEVNULL)
    calls = re.findall(r"^(\w+)\(.*?\d+<(/[^>]*)>.* = (\w+)$", log.read_text(), re.M)
    moved = sum(int(n) for call, _, n in calls if call != "mmap")
    assert re.search(rf"^(/usr)?/bin/cat +{len({file for _, file, _ in calls})} +{moved} +1$", answered[1]["10"], re.M), answered[1]["10"]


def test_11_block_requests(answered):
    """Pages read after the file was dropped from memory, and those that read-ahead added."""
    big = re.escape(str(answered[2] / "work" / "big"))
    count, total = re.search(rf"^{big} +(\d+) +(\d+)$", answered[1]["11"], re.M).groups()
    assert int(count) >= 1 and MB <= int(total) <= 3 * MB


def test_12_peers_and_processes(answered):
    facts, answers, _ = answered
    assert re.search(rf"CONNECT +127\.0\.0\.1 +{facts['port']} +{CONNECTIONS} ", answers["12"], re.M), answers["12"]
    table = answers["12"].splitlines()
    first = next(i for i, line in enumerate(table) if line.startswith("known-net ACCEPT"))
    assert all(re.search(r" \d+ +1 +\d+$", line) for line in table[first:first + CONNECTIONS]), table
    bytes_ = BIG * 2 + SYNCS * PAGE_BYTES + RANDOM * 512 + MB
    assert re.search(rf" {facts['pid']} +known-start +\d+ +{bytes_}$", answers["12"], re.M), answers["12"]
    assert re.search(rf" {facts['pid']} +{facts['cat']} +cat ", answers["12"], re.M)
