# SPDX-License-Identifier: GPL-2.0-or-later
"""An anonymised session of a real workload contains no name in clear, and a planted string is found."""
import json
import os
import pathlib
import re
import socket
import stat
import subprocess

import pytest

import recorder

# Each is part of a name that the workload uses, and of nothing else.
PLANTED = ["zorbadir", "zorbafile", "zorbalink", "zorbatarget", "zorbasock", "zorbaabstract", "zorbaargv",
           "zorbacomm", "zorbamissing", "zorbamemfd", "zorbarenamed", "zorbadeep", "zorbastays", "zorbaout",
           "ünïzorb", 'zorb"quote', "zorb,comma"]

WORKLOAD = r"""
import ctypes, os, socket, sys, time
ctypes.CDLL(None).prctl(15, b"zorbacomm")
os.mkdir("zorbadir")
for name in "zorbafile.txt", "zorbastays.txt", "ünïzorb", 'zorb"quote', "zorb,comma":
    with open("zorbadir/" + name, "w") as f:
        f.write("x" * 1000)
os.symlink("/somewhere/zorbatarget", "zorbalink")
os.rename("zorbadir/zorbafile.txt", "zorbadir/zorbarenamed.txt")
for name in "zorbamissing", "/nowhere/zorbamissing/x", "zorbadir/../zorbamissing":
    try:
        os.stat(name)
    except OSError:
        pass
for address in "zorbasock", "\0zorbaabstract":
    s = socket.socket(socket.AF_UNIX)
    s.bind(address)
    s.listen()
    socket.socket(socket.AF_UNIX).connect(address)
s = socket.socket()
s.bind((sys.argv[1], 0))
s.listen()
socket.create_connection(s.getsockname()).close()
os.write(os.memfd_create("zorbamemfd"), b"x")
os.makedirs("zorbadeep/" * 60)
os.system("true zorbaargv --name=zorbaargv /home/zorbaargv/x")
print("done", flush=True)
sys.stdin.read()
"""

TOKEN = re.compile(r"[0-9a-f]{16}(\.[A-Za-z0-9]+)?")


def own_address():
    """An address that is not loopback's, if there is one."""
    links = json.loads(subprocess.run(["ip", "-j", "addr"], capture_output=True, check=True).stdout)
    found = [a["local"] for link in links for a in link.get("addr_info", [])
             if a["family"] == "inet" and not a["local"].startswith("127.")]
    return found[0] if found else "127.0.0.1"


def snapshots_of(session):
    """Finished snapshots of processes and of files."""
    return [len(list(session.glob(f"{stream}/*.zst"))) for stream in ("process", "filesystem_snapshot")]


def record(tmp_path, name, *args, state="state", snapshots=True):
    place = tmp_path / name
    place.mkdir()
    with recorder.Recording(
            tmp_path, "-a", "--state", str(tmp_path / state), "--scope", "all",
            "--path", str(place), "--fs-interval", "2s", "--process-interval", "2s",
            "--fs-busy", "100", *recorder.OWN, *args, snapshots=True, output=tmp_path / "zorbaout") as r:
        work = subprocess.Popen(["/usr/bin/python3", "-c", WORKLOAD, own_address()], cwd=place, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        assert work.stdout.readline() == b"done\n"
        if snapshots: # two of each, so that the second one began after everything that the program did
            processes, files = snapshots_of(r.session_directory)
            def have_been_taken():
                recorder.hurry(r.process.pid, "snapshots")
                now = snapshots_of(r.session_directory)
                return now[0] >= processes + 2 and now[1] >= files + 2

            recorder.wait_for(have_been_taken, "snapshots of it")
        work.communicate()
        assert work.returncode == 0
    return r.session


def search(directory, *args):
    return recorder.run("verify", "--anonymous", str(directory), *args)


def forbidden(tmp_path, place):
    path = tmp_path / "list"
    host = [socket.gethostname()] if len(socket.gethostname()) > 4 else []
    address = [own_address()] if not own_address().startswith("127.") else []
    path.write_text("\n".join(PLANTED + host + address + [tmp_path.name, f"/{place}", "python3"]))
    return str(path)


def column(session, stream, name):
    return set(session.rows(stream)[name])


@pytest.mark.slow
def test_nothing_is_clear(tmp_path):
    session = record(tmp_path, "work")
    clear = forbidden(tmp_path, "work")
    (tmp_path / "devtmpfs").touch() # as in the kernel's sources: a type, and what is passed as a mount's source
    for args in ("--against", clear), ("--live",):
        done = search(session.directory, *args)
        assert done.returncode == 0, done.stdout
    # The session that was searched is not empty.
    rows = {s: session.rows(s) for s in ("fs", "nw_conn", "process", "filesystem_snapshot")}
    assert all(len(r) for r in rows.values()), {s: len(r) for s, r in rows.items()}
    assert {"AF_UNIX", "AF_INET"} <= set(rows["nw_conn"]["domain"])
    assert session.manifest["session"]["anonymized"] is True

    # Depth and common extensions are kept, and each name has the same token everywhere.
    paths = {p for p in rows["fs"]["filename"] if p.endswith(".txt") and " -> " not in p}
    depth = len((tmp_path / "work/zorbadir/x").parts) - 1
    assert paths and {p.count("/") for p in paths} == {depth}
    assert all(TOKEN.fullmatch(part) for p in paths for part in p[1:].split("/"))
    assert paths & set(rows["filesystem_snapshot"]["file_path"])
    work = {p for p in rows["filesystem_snapshot"]["file_path"] if p.count("/") == depth - 2}
    assert len(work) == 1
    mine = rows["fs"][rows["fs"]["filename"].isin(paths)].iloc[0]
    assert mine["command"] in set(rows["process"]["name"])
    assert mine["cmdline"] in set(rows["process"]["cmdline"])
    host = {json.loads((session.directory / f"system_spec/{name}_info.json").read_text())["hostname"]
            for name in ("os", "network")}
    assert len(host) == 1 and TOKEN.fullmatch(host.pop())

    # A planted string is found, wherever it is.
    clean = {path: path.read_bytes() for path in session.directory.rglob("*") if path.is_file()}
    for path, data in clean.items():
        if path.name == ".lock":
            assert not data # it is only locked
            continue
        if path.suffix == ".zst":
            text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
            cut = text.index(b"\n") + 1
            planted = subprocess.run(["zstd", "-c", "--check"], capture_output=True, check=True,
                                     input=text[:cut] + b"a,b,zorbadir\n" + text[cut:]).stdout
        else:
            planted = data.replace(b": [", b': [ "zorbadir", ', 1).replace(
                b'"machine": "', b'"machine": "zorbadir', 1)
            planted = planted if planted != data else data.replace(b'"', b'"zorbadir', 1)
        path.write_bytes(planted)
    done = search(session.directory, "--against", clear)
    assert done.returncode == 1
    found = [line for line in done.stdout.splitlines() if "'zorbadir'" in line]
    for path, data in clean.items():
        assert path.name == ".lock" or [line for line in found if f"{path.name}: " in line], (path, done.stdout)
        path.write_bytes(data)
    manifest = session.directory / "manifest.json"
    manifest.write_text(manifest.read_text().replace(
        '"platform": "Linux"', f'"platform": "{socket.gethostname()}"'))
    done = search(session.directory, "--live")
    assert done.returncode == 1 and f"'{socket.gethostname()}'" in done.stdout


def test_tokens_are_this_installs(tmp_path):
    key = tmp_path / "state/anonymize.key"

    def tokens(session):
        return {p for p in session.rows("fs")["filename"] if p.endswith(".txt")}

    first = tokens(record(tmp_path, "work", "--no-snapshots", snapshots=False))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and key.stat().st_size == 32
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    subprocess.run(["rm", "-rf", tmp_path / "work"], check=True)
    again = tokens(record(tmp_path, "work", "--no-snapshots", snapshots=False))
    subprocess.run(["rm", "-rf", tmp_path / "work"], check=True)
    other = tokens(record(tmp_path, "work", "--no-snapshots", snapshots=False, state="state2"))
    assert first == again and first and not first & other
    assert not [p for p in pathlib.Path(tmp_path / "zorbaout").rglob("*") if "key" in p.name]


def test_usage(tmp_path):
    for args in (["--anonymous"], ["--live"], ["--against", os.devnull]):
        assert recorder.run("verify", *args, str(tmp_path)).returncode == 2, args
    assert search(tmp_path, "--against", os.devnull).returncode == 1
    assert search(tmp_path, "--against", str(tmp_path / "none")).returncode == 1
