#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""seeds.py SESSION PART KEPT CORPUS: makes small inputs for the fuzz targets from real files: a finished session, a
.part file of a killed recorder, and a file of --keep-records. (The inputs for `records` were found by the fuzzer.)"""
import json
import pathlib
import struct
import sys

import zstandard

session, part, kept, corpus = map(pathlib.Path, sys.argv[1:])
# enum stream, schema/streams.h
STREAMS = ("fs block nw_conn nw_epoll nw_sockopt nw_drop nw_flow cache pagefault extent lost process "
           "filesystem_snapshot").split()
ROWS = 3


def put(target, name, data):
    directory = corpus / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


manifest = json.loads((session / "manifest.json").read_text())
for f in manifest["files"]:
    number = bytes([STREAMS.index(f["stream"])])
    with zstandard.open(session / f["path"], "rb") as file:
        lines = file.read().splitlines(True)[: 1 + ROWS]
    put("rows", f["stream"], number + b"".join(lines[1:]))
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(b"".join(lines))
    put("trace", f["stream"], number + whole)
    put("anonymous", f["stream"], number + b"".join(lines[1:]))
# Some entries after the head; sizeof(struct kept_head) and KEPT_ALIGN, src/engine/kept.h.
data, at, end, kinds = kept.read_bytes(), 8 + 4 + 4 + 16 * 4 + 2 * (256 + 32) * 24, 0, {}
entries = []
while at + 8 <= len(data) and len(entries) < 40:
    size, kind = struct.unpack_from("=II", data, at)
    end = at + 8 + size + -size % 8
    key = (kind, data[at + 8] if kind != 3 else 0)
    kinds[key] = kinds.get(key, 0) + 1
    if kinds[key] <= 4:
        entries.append(data[at:end])
    at = end
put("kept", "entries", b"\0" + b"".join(entries))
# The first blocks, as on the disk.
put("repair", "part", b"\0" + part.read_bytes()[:2000])
manifest["files"] = manifest["files"][:2]
for stream in manifest["streams"].values():
    for column in stream["columns"]:
        column["description"] = ""
manifest["streams"] = {k: v for k, v in manifest["streams"].items() if k in ("fs", "lost")}
for state in ("complete", "running"):
    manifest["session"]["state"] = state
    put("manifest", state, json.dumps(manifest).encode())
put("anonymous", "manifest", bytes([len(STREAMS)]) + json.dumps(manifest).encode())
# The format that tests/fuzz/walk.c reads: a node's type and name ending, its directory, how many bytes precede the
# ending.
def node(kind, end, parent=0, length=0, fill=b"a", content=b""):
    return bytes([end << 4 | kind, parent]) + struct.pack(">H", length) + fill + struct.pack(">H", len(content)) + content


DIRECTORY, FILE, LINK, FIFO, DEVICE = 0, 1, 4, 5, 6
dataset = node(DIRECTORY, 3) + node(DIRECTORY, 4, 1) + node(DIRECTORY, 5, 2)
session_of = node(FILE, 1, 3, content=json.dumps(manifest).encode()) + node(DIRECTORY, 2, 3) + node(FILE, 12, 5)
for who, name in enumerate(("verify", "anonymous", "recover", "snapshot")):
    put("walk", name, bytes([who]) + dataset + session_of + node(FIFO, 7, 5, 20) + node(LINK, 6, 5, 900, content=b"/"))
    put("walk", name + "-long", bytes([who]) + node(DIRECTORY, 0, 0, 4095) + node(DIRECTORY, 0, 1, 4095)
        + node(DEVICE, 1, 2) + node(FILE, 6, 1, 4000))
# The formats that src/dataset/journal.c and snappers/run.c write.
line = {"target": "0123456789abcdef", "file": "fs/a.csv.zst", "sha256": "0" * 64}
put("journal", "some", b"".join(json.dumps({**line, **more}).encode() + b"\n" for more in (
    {"progress": "2~x 1 etag"}, {"bytes": 7}, {"progress": None})))
records = b"".join(struct.pack("<I", n) + bytes(n) for n in (0, 1, 100)) + b"\xff\xff\xff\xff"
put("run", "three", zstandard.ZstdCompressor(write_checksum=True).compress(records))
put("mountinfo", "this", b"".join(open("/proc/self/mountinfo", "rb").readlines()[:8]))
put("options", "some", b"--streams\nfs,block\n--path\n/home\n-d\n5m\n--rotate-size=64M\n--pid\n1,2\n-qv")
put("config", "some", b"# comment\nstreams = fs,block\npath = /home\nduration = 5m\n\nrotate-size = 64M\n")
put("answer", "error", b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>a &amp; b</Message></Error>')
put("answer", "upload", b"<InitiateMultipartUploadResult><UploadId>2~x</UploadId></InitiateMultipartUploadResult>")
put("credentials", "keys", b"[default]\naws_access_key_id = A\naws_secret_access_key = B\n")

# Lines of macOS' tracers; the first byte selects the tracer (tests/fuzz/fs_usage.c). Process 1 is one that exists.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "macos"))
import lines as macos # noqa: E402


def shown(call, **fields):
    return macos.fs_usage(call, time="12:00:00.000001", thread=1, **fields)


FILE = macos.es_file("/d/in")
NEW = {"destination_type": 1, "destination": {"new_path": {"dir": macos.es_file("/d", 0o40755), "filename": "new"}}}
put("fs_usage", "fs_usage", b" " + "\n".join([
    shown("open", fd=3, flags="RWCATENLFSVXf__", path="/d/in"), shown("openat", fd=4, dir=3, flags="_W__________", path="x y"),
    shown("read", fd=3, bytes=16), shown("pwrite", fd=4, bytes=8, offset=8 << 32), shown("dup2", fd=3, fd2=9),
    shown("mmap", fd=3, bytes=4096, words="READ|WRITE"), shown("fcntl", fd=3, words="FULLFSYNC", waited=True),
    shown("truncate", error=2, offset=4, path="/d/gone"), shown("unlinkat", error=2, dir=-2, path="old"),
    shown("rename", path="/d/in"), shown("symlink", error=17, path="/d/s"), shown("stat64", path="/d/" + "w" * 300),
    shown("chdir", path="/d"), shown("pthread_fchdir", fd=3), shown("posix_spawn", path="/bin/sh"), shown("getattrlistat", dir=3, path="[  2] F=3"),
    macos.disk("WrData[AT1]", "/d/in", thread=1).replace("\x01now;", "12:00:00.000001"), shown("a_new_call", path="/d/in"),
    shown("close", fd=3), shown("exit", error=1)]).encode())
put("fs_usage", "eslogger", b"!" + "\n".join(
    macos.es(name, event, pid=7, time="2026-11-30T12:00:00.000000001Z", seq=seq) for seq, (name, event) in enumerate({
        "open": {"fflag": 3, "file": FILE}, "create": NEW, "write": {"target": FILE}, "rename": {"source": FILE, **NEW},
        "link": {"source": FILE, "target_dir": macos.es_file("/d"), "target_filename": "l"}, "exchangedata": {"file1": FILE, "file2": FILE},
        "fork": {"child": macos.es_process(8, 7, "/bin/sh")}, "mmap": {"protection": 3, "flags": 1, "source": FILE},
        "exec": {"target": macos.es_process(7, 1, "/bin/x"), "args": ["x", "-y"], "cwd": FILE},
        "unlink": {"target": macos.es_file("/d/cut", cut=True)}, "exit": {"stat": 256}}.items(), 5)).encode())
