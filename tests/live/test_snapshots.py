# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots of processes, files and the system, compared with ps, /proc, stat, lsblk, findmnt and ip."""
import contextlib
import datetime
import json
import os
import pathlib
import platform
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import recorder
from treefs import TreeFS

ODD_NAMES = [
    b"plain", b"with blank", b'quo"te', b"com,ma", b"new\nline", b"tab\t", b"back\\slash", b"\xff\xfe",
    "ünï—☃".encode(), b"a -> b", b"-> ", b"\x01\x7f", b"'", b"x" * 255, b".hidden", b"...", b"\\x41",
]
LEVELS = 5000
REST_S = 3


def stamp(ns, zone):
    return (datetime.datetime(1970, 1, 1) + zone +
            datetime.timedelta(microseconds=ns // 1000)).strftime("%Y-%m-%d %H:%M:%S.%f")


def zone_of(manifest):
    text = manifest["clock"]["utc_offset"]
    sign = -1 if text[0] == "-" else 1
    return sign * datetime.timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))


# ---- processes ----

def ps():
    """pid: (name, cmdline, state) of all processes."""
    out = subprocess.run(["ps", "-eo", "pid=,stat=,vsz="], capture_output=True, check=True, text=True)
    found = {}
    for line in out.stdout.splitlines():
        pid, state, vsz = line.split()
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{pid}/comm").read_bytes()[:-1][:15]
            args = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
            args = args if len(args) <= 512 else args[:512] + b"..."
            started = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
            found[int(pid)] = (name, args, int(vsz), started, state[0])
    return found


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_processes(tmp_path):
    sleeper = subprocess.Popen(["sleep", "1000"])
    stopped = subprocess.Popen(["sleep", "1001"])
    stopped.send_signal(signal.SIGSTOP)
    zombie = subprocess.Popen(["true"])
    busy = subprocess.Popen(["bash", "-c", "exec -a 'na,me \"q' bash -c 'while :; do :; done'"])
    try:
        with recorder.Recording(tmp_path, "--process-interval", "6s", "--fs-interval", "off",
                                "--streams", "block", *recorder.OWN, snapshots=True) as r:
            time.sleep(1)
            before = ps()
            used = [] # when, and the CPU time so far by the kernel's own count
            def two_snapshots():
                recorder.hurry(r.process.pid, "snapshots")
                used.append((time.monotonic(), cpu_seconds(busy.pid)))
                return len(list(r.session_directory.glob("process/*.zst"))) >= 2
            recorder.wait_for(two_snapshots, "two snapshots")
            # What is the same before and after the snapshot was the same in it.
            after = ps()
    finally:
        for p in sleeper, stopped, busy:
            p.kill()
            p.wait()
        zombie.wait()

    files = r.session.files("process")
    assert len(files) == 2
    first, second = (recorder.read_file(r.session.directory / f["path"]).set_index("pid")
                     for f in files)
    assert first.index.is_unique and second.index.is_unique
    seconds_apart = (int(second["mono_ns"].iloc[0]) - int(first["mono_ns"].iloc[0])) / 1e9
    assert seconds_apart > 4 # a busy machine takes longer

    words = {"R": "running", "S": "sleeping", "D": "disk-sleep", "T": "stopped", "Z": "zombie", "I": "idle"}
    boot = time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    zone = zone_of(r.manifest)
    tick = os.sysconf("SC_CLK_TCK")
    compared = 0
    for pid, seen in before.items():
        if pid not in after or (after[pid][:2], after[pid][3]) != (seen[:2], seen[3]):
            continue # ended, or changed meanwhile
        if seen[0].startswith(b"kworker/"):
            continue # their names say what they are doing
        row = second.loc[str(pid)]
        assert (recorder.unescape(row["name"]), recorder.unescape(row["cmdline"])) == seen[:2], pid
        started = datetime.datetime.strptime(row["creation_time"], "%Y-%m-%d %H:%M:%S.%f")
        expected = datetime.datetime.strptime(stamp(boot + seen[3] * 1000000000 // tick, zone),
                                              "%Y-%m-%d %H:%M:%S.%f")
        assert abs((started - expected).total_seconds()) < 0.1, pid
        compared += 1
    assert compared > 10
    for p, state in (sleeper, "S"), (stopped, "T"), (zombie, "Z"):
        assert second.loc[str(p.pid), "status"] == words[state]
        assert int(second.loc[str(p.pid), "vms_kb"]) == before[p.pid][2]
    # The first snapshot knows nothing of the time before it.
    assert set(first["cpu_5s"]) <= {"", "0.00"}
    assert float(second.loc[str(sleeper.pid), "cpu_5s"]) == 0
    until = int(second.loc[str(busy.pid), "mono_ns"]) / 1e9
    window = [sample for sample in used if until - 5 <= sample[0] <= until]
    (began, idle), (ended, busy_seconds) = window[0], window[-1]
    assert abs(float(second.loc[str(busy.pid), "cpu_5s"]) - 100 * (busy_seconds - idle) / (ended - began)) < 35
    assert 0 <= float(second.loc[str(busy.pid), "cpu_1h"]) <= 101
    rss = int(pathlib.Path("/proc/1/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024
    assert abs(int(second.loc["1", "rss_kb"]) - rss) <= max(0.2 * rss, 1024)


# ---- system_spec ----

def run_json(*command):
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.alone # mounts and interfaces must not change meanwhile
def test_system_spec(tmp_path):
    with recorder.Recording(tmp_path, "--process-interval", "off", "--fs-interval", "off", "--streams", "block",
                            snapshots=True) as r:
        pass
    session = r.session
    spec = {name: json.loads((session.directory / "system_spec" / f"{name}_info.json").read_text())
            for name in ("cpu", "memory", "disk", "network", "os")}
    assert [f["path"] for f in session.manifest["system_spec"]] == [
        f"system_spec/{name}_info.json" for name in spec]
    for name, keys in {
        "cpu": "brand cores_logical cores_physical frequency_mhz frequency_min_mhz frequency_max_mhz",
        "memory": "total_bytes available_bytes used_bytes percent_used total_gb available_gb "
                  "swap_total_bytes swap_used_bytes swap_free_bytes",
        "disk": "storage_devices partitions gpus", "network": "interfaces hostname",
        "os": "system release version machine hostname distribution",
    }.items():
        assert set(keys.split()) <= set(spec[name]), name

    assert spec["cpu"]["cores_logical"] == os.cpu_count()
    lines = run_json("lscpu", "-J")["lscpu"]
    lscpu = {line["field"].rstrip(":"): line["data"] for line in lines}
    assert spec["cpu"]["brand"] == lscpu["Model name"]
    assert spec["cpu"]["cores_physical"] == int(lscpu["Core(s) per socket"]) * int(lscpu["Socket(s)"])

    meminfo = {line.split(":")[0]: int(line.split()[1])
               for line in pathlib.Path("/proc/meminfo").read_text().splitlines()}
    memory = spec["memory"]
    assert memory["total_bytes"] == meminfo["MemTotal"] * 1024
    assert memory["swap_total_bytes"] == meminfo["SwapTotal"] * 1024
    assert memory["used_bytes"] == memory["total_bytes"] - memory["available_bytes"]
    for name in "swappiness", "dirty_ratio", "dirty_background_bytes", "dirty_expire_centisecs":
        assert memory["sysctl_vm"][name] == int(pathlib.Path(f"/proc/sys/vm/{name}").read_text()), name

    uname = platform.uname()
    assert [spec["os"][k] for k in ("system", "release", "version", "machine", "hostname")] == [
        uname.system, uname.release, uname.version, uname.machine, uname.node]
    assert f'PRETTY_NAME="{spec["os"]["distribution"]}"' in pathlib.Path("/etc/os-release").read_text()

    check_disks(spec["disk"])
    check_mounts(spec["disk"])
    check_network(spec["network"])


def check_disks(disk):
    columns = {
        "MAJ:MIN": "major_minor", "SIZE": "size_bytes", "RO": "read_only", "RM": "removable",
        "ROTA": "rotational", "SCHED": "scheduler", "RQ-SIZE": "nr_requests", "RA": "read_ahead_kb",
        "LOG-SEC": "logical_block_size", "PHY-SEC": "physical_block_size",
        "MIN-IO": "minimum_io_size", "OPT-IO": "optimal_io_size",
        "DISC-GRAN": "discard_granularity", "DISC-MAX": "discard_max_bytes", "MODEL": "model",
    }
    ours = {d["name"]: d for d in disk["storage_devices"]}
    theirs = run_json("lsblk", "-J", "-b", "-o", "NAME," + ",".join(columns))["blockdevices"]
    assert theirs
    for device in theirs:
        for column, key in columns.items():
            value = device[column.lower()]
            value = value.strip() if isinstance(value, str) else value
            assert ours[device["name"]][key] == value, (device["name"], key)
        children = [(c["name"], c["maj:min"], c["size"]) for c in device.get("children", [])
                    if pathlib.Path(f"/sys/class/block/{c['name']}/partition").exists()]
        assert children == [(p["name"], p["major_minor"], p["size_bytes"])
                            for p in ours[device["name"]]["partitions"]]


def check_mounts(disk):
    def flatten(mounts):
        for m in mounts:
            yield m
            yield from flatten(m.get("children", []))

    found = list(flatten(run_json("findmnt", "-J", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS,MAJ:MIN")
                         ["filesystems"]))
    ours = [(m["mountpoint"], m["fstype"], m["dev_major_minor"], frozenset(m["opts"].split(",")))
            for m in disk["mounts"]]
    theirs = [(m["target"], m["fstype"], m["maj:min"], frozenset(m["options"].split(",")))
              for m in found]
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    root = next(p for p in disk["partitions"] if p["mountpoint"] == "/")
    stat = os.statvfs("/")
    assert root["total_bytes"] == stat.f_blocks * stat.f_frsize
    assert root["total_inodes"] == stat.f_files
    assert root["device"] == next(m["source"] for m in found if m["target"] == "/")


def check_network(network):
    assert network["hostname"] == socket.gethostname()
    links = run_json("ip", "-j", "addr")
    assert set(network["interfaces"]) == {link["ifname"] for link in links}
    for link in links:
        ours = network["interfaces"][link["ifname"]]
        assert ours["mtu"] == link["mtu"] and ours["is_up"] == ("UP" in link["flags"])
        theirs = {(a["local"], a["prefixlen"]) for a in link.get("addr_info", [])}
        assert {(a["address"], a["prefix_len"]) for a in ours["addresses"]
                if a["family"] != "AF_PACKET"} == theirs
        macs = [a["address"] for a in ours["addresses"] if a["family"] == "AF_PACKET"]
        if link.get("link_type") in ("ether", "loopback"):
            assert macs == [link["address"]]


# ---- files ----

TYPES = {0o100000: "S_IFREG", 0o040000: "S_IFDIR", 0o120000: "S_IFLNK", 0o140000: "S_IFSOCK",
         0o010000: "S_IFIFO", 0o020000: "S_IFCHR", 0o060000: "S_IFBLK"}


def expected_rows(tree, zone, mounted=()):
    """path: what stat says, without the access times of directories, which looking changes."""
    found = {}

    def look(path, st):
        kind = TYPES[st.st_mode & 0o170000]
        found[path] = (
            str(st.st_size), stamp(st.st_mtime_ns, zone),
            None if kind == "S_IFDIR" else stamp(st.st_atime_ns, zone), str(st.st_blocks * 512),
            str(st.st_ino), f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}", str(st.st_nlink), kind)

    # By descriptors: the paths become longer than any system call accepts.
    root = os.open(tree, os.O_RDONLY)
    look(tree, os.fstat(root))
    stack = [(root, tree)]
    while stack:
        fd, path = stack.pop()
        for name in os.listdir(fd):
            name = os.fsencode(name)
            st = os.stat(name, dir_fd=fd, follow_symlinks=False)
            below = path + b"/" + name
            if below in mounted:
                continue
            look(below, st)
            if TYPES[st.st_mode & 0o170000] == "S_IFDIR":
                stack.append((os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd), below))
        os.close(fd)
    return found


def rows_by_path(session):
    found = {}
    for row in session.rows("filesystem_snapshot").to_dict("records"):
        path = recorder.unescape(row["file_path"])
        assert path not in found, f"twice: {path!r}"
        found[path] = row
    return found


def as_expected(row):
    kind = row["flags"].split("|")[0]
    return (row["size"], row["modification_time"],
            None if kind == "S_IFDIR" else row["access_time"], row["physical_size"], row["inode"],
            row["device"], row["nlinks"], kind)


def make_tree(tree):
    tree.mkdir()
    raw = os.fsencode(tree)
    os.mkdir(raw + b"/odd")
    for i, name in enumerate(ODD_NAMES):
        with open(raw + b"/odd/" + name, "wb") as f:
            f.write(b"x" * i * 1000)
        os.mkdir(raw + b"/odd/" + name[:254] + b"d")
        (pathlib.Path(os.fsdecode(raw + b"/odd/" + name[:254] + b"d")) / "in").touch()
    os.utime(tree / "odd/plain", ns=(-1500000000, 1234567890123456789)) # before 1970
    os.link(tree / "odd/plain", tree / "odd/second")
    os.link(tree / "odd/plain", tree / "third")
    os.symlink("no/where", tree / "link")
    os.mkfifo(tree / "fifo")
    os.mknod(tree / "null", 0o20600, os.makedev(1, 3))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tree / "sock"))
    with open(tree / "sparse", "wb") as f:
        f.truncate(1 << 30)
        f.seek(1 << 29)
        f.write(b"x")
    for i in range(300):
        (tree / f"many{i % 10}").mkdir(exist_ok=True)
        (tree / f"many{i % 10}" / f"f{i}").write_bytes(b"y" * i)


def make_deep(tree):
    tree.mkdir()
    fd = os.open(tree, os.O_RDONLY)
    for level in range(LEVELS):
        name = f"level{level}"
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)


@contextlib.contextmanager
def bind_mount(source, target):
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)


def snapshot(tmp_path, *args, during=None, tree=None, within=()):
    """A session with one snapshot of the tree; all sessions have the same dataset and state directory. WITHIN: a command
    that runs the recorder."""
    r = recorder.Recording(
        tmp_path, "--path", str(tree or tmp_path / "tree"), "--ops", "mount",
        "--state", str(tmp_path / "state"),
        "--process-interval", "off", "--fs-busy", "100", *args, snapshots=True,
        output=tmp_path / "traces")
    r.command = [*within, *r.command]
    with r:
        if during:
            during()
        recorder.wait_for_snapshots(r)
    assert len(r.manifest["snapshots"]) == 1
    verified = recorder.run("verify", str(r.session.directory))
    assert verified.returncode == 0, verified.stdout
    return r.session


@pytest.mark.slow
def test_files_and_their_changes(tmp_path):
    tree = tmp_path / "tree"
    make_tree(tree)
    (tree / "bound").mkdir()
    with bind_mount(str(tree / "odd"), str(tree / "bound")):
        session = snapshot(tmp_path)
        zone = zone_of(session.manifest)
        expected = expected_rows(os.fsencode(tree), zone, {os.fsencode(tree / "bound")})
    rows = rows_by_path(session)
    assert set(rows) == set(expected)
    for path, row in rows.items():
        assert as_expected(row) == expected[path], path
    about = session.manifest["snapshots"][0]
    assert (about["kind"], about["complete"], about["parts"]) == ("full", True, 1)
    assert about["files_seen"] == len(rows) and about["unreadable"] == 0
    names = [os.path.basename(f["path"]) for f in session.files("filesystem_snapshot")]
    assert names[0].endswith("_0001_complete_parts1.csv.zst")
    for name in "third", "sparse", "link":
        birth = subprocess.run(["stat", "-c", "%w", tree / name], capture_output=True, check=True,
                               text=True, env={"TZ": "UTC", "PATH": os.environ["PATH"]}).stdout
        if not birth.startswith("-"): # a filesystem without times of birth
            birth = datetime.datetime.strptime(birth[:26], "%Y-%m-%d %H:%M:%S.%f") + zone
            assert rows[os.fsencode(tree / name)]["creation_time"] == f"{birth:%Y-%m-%d %H:%M:%S.%f}"

    os.listdir(tree / "bound")
    # Our own look has changed access times of directories, and the filesystem was unmounted: its mount point
    # is a directory again.
    session = snapshot(tmp_path)
    about = session.manifest["snapshots"][0]
    assert (about["kind"], about["complete"]) == ("changes", True)
    rows = rows_by_path(session)
    assert os.fsencode(tree / "bound") in rows
    assert {row["flags"] for row in rows.values()} == {"S_IFDIR"}
    session = snapshot(tmp_path)
    assert rows_by_path(session) == {}

    os.unlink(tree / "link")
    os.rename(tree / "many3", tree / "moved")
    os.utime(tree / "many4/f4", ns=(10**18, 10**18))
    (tree / "new").write_bytes(b"1")
    os.unlink(tree / "odd/second") # the other files' nlink, and odd itself
    with open(tree / "sparse", "r+b") as f:
        f.truncate(5)
    expected = expected_rows(os.fsencode(tree), zone)
    session = snapshot(tmp_path)
    rows = rows_by_path(session)
    raw = os.fsencode(tree)
    gone = {p for p, row in rows.items() if row["size"] == "-1"}
    moved = [f"f{i}" for i in range(300) if i % 10 == 3]
    assert gone == {raw + b"/" + os.fsencode(p) for p in
                    ["link", "odd/second", "many3", *(f"many3/{f}" for f in moved)]}
    assert set(rows) - gone == {raw + b"/" + os.fsencode(p) if p else raw for p in
                                ["", "moved", *(f"moved/{f}" for f in moved), "many4/f4", "new", "odd",
                                 "odd/plain", "third", "sparse"]}
    for path in set(rows) - gone:
        assert as_expected(rows[path]) == expected[path], path

    # A damaged baseline is not used: all files again.
    baseline = next((tmp_path / "state").glob("baseline-*"))
    with open(baseline, "r+b") as f:
        f.seek(baseline.stat().st_size // 2)
        byte = f.read(1)
        f.seek(-1, 1)
        f.write(bytes([byte[0] ^ 1]))
    session = snapshot(tmp_path)
    assert session.manifest["snapshots"][0]["kind"] == "full"
    assert set(rows_by_path(session)) == set(expected)
    session = snapshot(tmp_path, "--fs-full")
    assert session.manifest["snapshots"][0]["kind"] == "full"


# MOUNTS DIRECTORY TREE COMMAND...: runs COMMAND with a tmpfs and a file at TREE/late, which is mounted after MOUNTS others.
MANY_MOUNTS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags):
    if libc.mount(source.encode(), target.encode(), kind, flags, None):
        raise OSError(ctypes.get_errno(), target)
mounts, directory, tree, *command = sys.argv[1:]
for i in range(int(mounts)):
    os.close(os.open(f"{directory}/{i}", os.O_CREAT | os.O_WRONLY))
    mount("/proc/version", f"{directory}/{i}", None, 4096) # MS_BIND
mount("tmpfs", tree + "/late", b"tmpfs", 0)
os.close(os.open(tree + "/late/file", os.O_CREAT | os.O_WRONLY))
os.execv(command[0], command)
"""


@pytest.mark.native # thousands of mounts take minutes under emulation
def test_more_mounts_than_are_listed(tmp_path, memory_path):
    """The files of one beyond the list's 8,192 are not seen, and are not reported as gone either."""
    tree = tmp_path / "tree"
    (tree / "late").mkdir(parents=True)
    (tree / "removed").touch()
    file, removed = os.fsencode(tree / "late/file"), os.fsencode(tree / "removed")

    def within(mounts):
        return ["unshare", "--mount", sys.executable, "-c", MANY_MOUNTS, str(mounts), str(memory_path), str(tree)]

    session = snapshot(tmp_path, within=within(1))
    assert {file, removed} <= set(rows_by_path(session))
    assert session.manifest["snapshots"][0]["unreadable"] == 0
    (tree / "removed").unlink()
    session = snapshot(tmp_path, within=within(8192))
    about = session.manifest["snapshots"][0]
    assert (about["kind"], about["complete"], about["unreadable"]) == ("changes", True, 1)
    assert {path for path, row in rows_by_path(session).items() if row["size"] == "-1"} == {removed}
    # Its files are known still: the one that is there again differs only in what a new tmpfs makes different.
    (tree / "removed").touch()
    session = snapshot(tmp_path, within=within(1))
    assert {path for path, row in rows_by_path(session).items() if row["size"] == "-1"} == set()
    assert removed in rows_by_path(session)


@pytest.mark.slow
def test_thousands_of_levels(tmp_path, memory_path):
    tree = memory_path / "tree"
    make_deep(tree)
    session = snapshot(tmp_path, tree=tree)
    expected = expected_rows(os.fsencode(tree), zone_of(session.manifest))
    rows = rows_by_path(session)
    assert len(rows) == LEVELS + 2
    assert {path: as_expected(row) for path, row in rows.items()} == expected


def test_files_that_come_and_go_meanwhile(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(40):
        (tree / f"d{i}").mkdir()
        for k in range(50):
            (tree / f"d{i}" / f"stays{k}").touch()
    stop = threading.Event()

    def churn():
        n = 0
        while not stop.is_set():
            n += 1
            name = tree / f"d{n % 40}" / f"goes{n % 7}"
            name.mkdir(exist_ok=True)
            (name / "x").touch()
            (name / "x").unlink()
            name.rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        session = snapshot(tmp_path)
    finally:
        stop.set()
        thread.join()
    about = session.manifest["snapshots"][0]
    assert about["complete"] and about["unreadable"] == 0
    stays = {p for p in rows_by_path(session) if b"stays" in p}
    assert stays == {os.fsencode(tree / f"d{i}" / f"stays{k}") for i in range(40) for k in range(50)}


@pytest.mark.slow
def test_an_interrupted_walk_is_not_complete(tmp_path, memory_path):
    for i in range(20000):
        os.close(os.open(f"{memory_path}/{i}", os.O_CREAT))
    with recorder.Recording(tmp_path, "--state", str(tmp_path / "state"), "--path", str(memory_path),
                            "--ops", "mount", "--process-interval", "off", "--fs-busy", "100", snapshots=True) as r:
        recorder.wait_for(lambda: list(r.session_directory.glob("filesystem_snapshot/*.part")), "a file")
    assert r.stop_seconds < recorder.STOP + recorder.STOP_MARGIN
    about = r.manifest["snapshots"][0]
    assert (about["kind"], about["complete"]) == ("full", False)
    name = r.session.files("filesystem_snapshot")[-1]["path"]
    assert "_incomplete_parts" in name and "_complete" not in name
    assert not list((tmp_path / "state").glob("baseline-*"))
    assert recorder.run("verify", str(r.session.directory)).returncode == 0
    session = snapshot(tmp_path, tree=memory_path)
    about = session.manifest["snapshots"][0]
    assert (about["kind"], about["complete"], about["files_seen"]) == ("full", True, 20001)


def test_parts_by_size(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(4000):
        (tree / f"{i:x}{os.urandom(40).hex()}").touch()
    session = snapshot(tmp_path, "--rotate-size", "64K")
    names = [os.path.basename(f["path"]) for f in session.files("filesystem_snapshot")]
    assert len(names) > 2
    for i, name in enumerate(names, 1):
        last = f"_complete_parts{len(names)}" if i == len(names) else ""
        assert name.endswith(f"_{i:04}{last}.csv.zst")
    assert len(rows_by_path(session)) == 4001


@pytest.mark.parametrize("mode, answer", [(0o755, "others"), (0o700, None)])
def test_the_state_directory_is_nobody_elses(tmp_path, mode, answer):
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    done = recorder.run("-a", "-d", "300ms", "-o", str(tmp_path / "o"), "--state", str(state),
                        "--no-snapshots", "--streams", "block")
    assert done.returncode == (1 if answer else 0), done.stderr
    assert not answer or answer in done.stderr


def is_waiting(pid):
    """Whether a thread of PID waits for the server of a FUSE filesystem."""
    return any("request_wait_answer" in (task / "wchan").read_text() for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


@pytest.mark.alone # other recorders would look at this filesystem, too
def test_a_filesystem_that_does_not_answer(tmp_path):
    """Its server is stopped, as that of a network filesystem may be. The snapshot waits; the recording goes on and ends."""
    with TreeFS(tmp_path / "fs", {b"directory": {b"file": b"x"}}) as fs:
        assert os.listdir(fs.point) == ["directory"] # it has answered until now
        fs.server.send_signal(signal.SIGSTOP)
        try:
            with recorder.Recording(tmp_path, "--path", str(tmp_path), "--state", str(tmp_path / "state"), "--streams", "fs",
                                    "--process-interval", "off", "--fs-busy", "100", *recorder.OWN, snapshots=True, code=3) as r:
                recorder.wait_for(lambda: is_waiting(r.process.pid), "the snapshot waits")
                (tmp_path / "seen").touch()
        finally:
            fs.server.send_signal(signal.SIGCONT)
    assert r.stop_seconds < recorder.STOP + recorder.STOP_MARGIN
    assert "a filesystem does not answer: its snapshot stays unfinished" in r.stderr and r.session.lost() == {}
    assert str(tmp_path / "seen") in set(r.rows("fs")["filename"])
    assert not any(s["complete"] for s in r.manifest.get("snapshots", []))


def pressure():
    """The share of the last ten seconds in which some task waited for a CPU, in percent."""
    return float(pathlib.Path("/proc/pressure/cpu").read_text().split("avg10=")[1].split()[0])


def share_of_rest(r):
    """The share in which the walk rested, of the time in which it did not wait for a CPU, as the kernel counts."""
    def now():
        """Nanoseconds since an arbitrary time, and those in which it ran and waited so far."""
        task = next(t for t in pathlib.Path(f"/proc/{r.process.pid}/task").iterdir() if (t / "comm").read_text() == "snapshots\n")
        return time.monotonic_ns(), *map(int, (task / "schedstat").read_text().split()[:2])
    begun, known = now(), 0
    while known < REST_S * 10**9:
        time.sleep(0.2)
        all_, ran, waited = (after - before for before, after in zip(begun, now()))
        known = all_ - waited
    return 1 - ran / known


@pytest.mark.slow
def test_the_walk_gives_way_to_a_busy_machine(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for i in range(500):
        (tree / f"{i}").touch()
    # They wait for a CPU, which counts as pressure, and leave the CPU to the tests that run beside this one.
    burn = ["nice", "-n", "19", "sh", "-c", "while :; do :; done"]
    burners = [subprocess.Popen(burn) for _ in range(2 * os.cpu_count())]
    try:
        with recorder.Recording(tmp_path, "--path", "/usr", "--ops", "mount", "--process-interval", "off", "--fs-busy", "99",
                                "--state", str(tmp_path / "usr"), "--fs-full", snapshots=True) as r:
            assert share_of_rest(r) > 0.3
        recorder.wait_for(lambda: pressure() >= 20, "pressure on a busy machine")
        begun = time.monotonic()
        snapshot(tmp_path, "--fs-full")
        took = time.monotonic() - begun # on the same busy machine, without pauses
        with recorder.Recording(
                tmp_path, "--path", str(tree), "--ops", "mount", "--state", str(tmp_path / "state"),
                "--process-interval", "off", "--fs-busy", "10", "--fs-full", snapshots=True) as r:
            with pytest.raises(AssertionError, match="1 snapshots in the manifest"):
                recorder.wait_for_snapshots(r, seconds=min(12, 2 * took)) # it pauses for 30 s at most
            for burner in burners:
                burner.kill()
            recorder.wait_for_snapshots(r)
        about = r.manifest["snapshots"][0]
        assert (about["complete"], about["files_seen"]) == (True, 501)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
