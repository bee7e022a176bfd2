#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""soak.py IOTRC WORKLOADS SECONDS: records all streams and snapshots for SECONDS under a mixed load, and watches the
recorder's resources: memory, open files, threads, BPF maps and their entries.

Prints a line per interval. After the first quarter, in which tables and buffers fill up, nothing may grow: the mean of
the last third may exceed that of the third before by at most 2 % (plus a little noise: a page, a file being written).
"""
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "live"))
os.environ["IOTRC"], os.environ["WORKLOADS"] = sys.argv[1:3]
import recorder # noqa: E402

SECONDS = int(sys.argv[3])
INTERVAL = max(2, SECONDS // 120)
PRINTED = 4 # every so many samples

STREAMS = "fs,block,nw_conn,nw_epoll,nw_sockopt,nw_drop,nw_flow,cache,pagefault,extent"
KIB = 1024
# Small, so that all tables fill up soon.
MEMORY = f"{80 + os.cpu_count() // 8}M"

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
GET_NEXT_KEY, GET_FD_BY_ID, OBJ_GET_INFO = 4, 14, 15
HASHES = {1: "hash", 9: "lru_hash"} # enum bpf_map_type: maps whose entries come and go
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    return libc.syscall(SYS_BPF, command, buffer, 128), buffer


def entries(map_id, key_size, limit=1 << 20):
    """How many keys a map has, by walking it."""
    fd, _ = bpf(GET_FD_BY_ID, map_id.to_bytes(4, "little"))
    if fd < 0:
        return 0
    key, after = ctypes.create_string_buffer(key_size), ctypes.create_string_buffer(key_size)
    seen, at = set(), 0
    for _ in range(limit): # if the last key is removed meanwhile, the walk starts over
        attributes = fd.to_bytes(4, "little") + bytes(4) + at.to_bytes(8, "little")
        attributes += ctypes.addressof(after).to_bytes(8, "little")
        if bpf(GET_NEXT_KEY, attributes)[0]:
            break
        ctypes.memmove(key, after, key_size)
        at = ctypes.addressof(key)
        seen.add(key.raw)
    os.close(fd)
    return len(seen)


def map_info(fd_text):
    fields = dict(line.split(":\t", 1) for line in fd_text.splitlines() if ":\t" in line)
    return {k: int(fields[k]) for k in ("map_type", "key_size", "memlock", "map_id")}


def sample(pid):
    """The resources that the process uses now."""
    status = dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    result = {
        "anonymous KiB": int(status["RssAnon"].split()[0]),
        "RSS KiB": int(status["VmRSS"].split()[0]),
        "files": 0, "threads": int(status["Threads"]), "maps": 0, "maps KiB": 0, "entries": 0,
    }
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError:
            continue
        result["files"] += 1
        if "map_type:" not in text:
            continue
        about = map_info(text)
        result["maps"] += 1
        result["maps KiB"] += about["memlock"] // KIB
        if about["map_type"] in HASHES:
            result["entries"] += entries(about["map_id"], about["key_size"])
    return result


# ---- the load: a bit of everything, in a loop ----

def churn_files(root, stop):
    """Files are created, renamed and removed; some stay for a while."""
    for n in itertools.count():
        if stop.is_set():
            return
        name = root / f"churn{n % 500}"
        name.write_bytes(os.urandom(1 + n * 37 % 20000))
        name.rename(root / f"moved{n % 500}")
        os.stat(root / f"moved{n % 500}")
        if n % 3 == 0:
            (root / f"moved{n % 500}").unlink()
        if n % 50 == 0:
            os.listdir(root)
            time.sleep(0.01)


def churn_processes(root, stop):
    while not stop.is_set():
        subprocess.run(["/bin/sh", "-c", f"cat {root}/moved* | wc -c; ls {root}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        time.sleep(0.02)


def churn_connections(stop):
    server = socket.create_server(("127.0.0.1", 0))
    while not stop.is_set():
        with socket.create_connection(server.getsockname()) as client:
            peer, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(b"x" * 1000)
            peer.recv(1000)
            peer.close()
        time.sleep(0.005)
    server.close()


def hammer(root, stop):
    """Sometimes at full speed."""
    (root / "data").write_bytes(b"x" * 4096)
    while not stop.is_set():
        subprocess.run([recorder.workload("hammer"), str(root / "data"), "1", "1"],
                       stdout=subprocess.DEVNULL, check=False)
        stop.wait(4)


# ---- the verdict ----

ALLOWED = {"anonymous KiB": 512, "RSS KiB": 1024, "files": 3, "entries": 300} # allowed noise


def judge(samples):
    """Describes what has grown."""
    steady = samples[len(samples) // 4:]
    third = len(steady) // 3
    problems = []
    for what in samples[0]:
        before = [s[what] for s in steady[third:2 * third]]
        last = [s[what] for s in steady[2 * third:]]
        a, b = sum(before) / len(before), sum(last) / len(last)
        grown = b > a * 1.02 + ALLOWED.get(what, 0)
        print(f"{what}: {a:.0f} -> {b:.0f} ({(b / a - 1) * 100 if a else 0:+.1f} %)"
              + (" GROWN" if grown else ""), flush=True)
        if grown:
            problems.append(what)
    return problems


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-soak-"))
    root = directory / "work"
    root.mkdir()
    (directory / "state").mkdir(mode=0o700)
    stop = threading.Event()
    r = recorder.Recording(
        directory, "--streams", STREAMS, "--state", str(directory / "state"), "--path", str(root),
        "--process-interval", "10s", "--fs-interval", "30s", "--rotate-age", "60s",
        "--memory", MEMORY, snapshots=True,
    ).start().wait_ready()
    loads = [threading.Thread(target=f, args=a) for f, a in (
        (churn_files, (root, stop)), (churn_processes, (root, stop)), (churn_connections, (stop,)),
        (hammer, (root, stop)),
    )]
    for load in loads:
        load.start()
    samples = []
    begun = time.monotonic()
    end = begun + SECONDS
    try:
        while time.monotonic() < end:
            time.sleep(INTERVAL)
            samples.append(sample(r.process.pid))
            if len(samples) % PRINTED == 1:
                print(f"{time.monotonic() - begun:5.0f} s  "
                      + "  ".join(f"{k} {v}" for k, v in samples[-1].items()), flush=True)
    finally:
        stop.set()
        for load in loads:
            load.join()
    r.send(2)
    code = r.process.wait(60)
    session = recorder.Session(r.session_directory)
    session.check_identity()
    grown = judge(samples)
    verified = recorder.run("verify", str(session.directory), seconds=1200 + 3 * SECONDS)
    results = {
        "nothing has grown": not grown,
        f"it ended well (exit code {code})": code in (0, 3),
        "no thread stood still": not any(session.manifest["diagnostics"]["stalls"].values()),
        "the session is sound": verified.returncode == 0,
    }
    print(json.dumps({s: c for s, c in session.lost().items()}), "lost")
    for what, passed in results.items():
        print(("ok      " if passed else "FAILED  ") + what)
    if verified.returncode:
        print(verified.stdout[-2000:])
    shutil.rmtree(directory, ignore_errors=True)
    failed = sum(not p for p in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
