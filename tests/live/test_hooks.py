# SPDX-License-Identifier: GPL-2.0-or-later
"""A hook that is attached need not be complete: hooks fire, and no event passes without a program."""
import ctypes
import os
import pathlib
import re
import struct
import subprocess
import sys

import pytest

import recorder

# Reads for two seconds, but not at full speed: a loss would hide what is tested here.
READER = """
import os, sys, time
fd, n, end = os.open(sys.argv[1], os.O_RDONLY), 0, time.monotonic() + 2
while time.monotonic() < end:
    for i in range(97):
        os.pread(fd, 4096, 0)
        for j in range(300):
            pass
    n += 97
print(n)
"""
# The hooks that these readers and a sync trigger; the others have tests of their own.
EXERCISED = {"sched_process_fork", "sched_process_exit", "block_rq_issue", "block_rq_complete"}


# The kernels that support each way (docs/kernels.md).
HERE = {
    "auto": True,
    "raw": recorder.RELEASE < (7, 1),
    "classic": recorder.RELEASE >= (6, 1),
    # Not all kernels have CONFIG_FPROBE.
    "functions": recorder.RELEASE >= (6, 14) and "fprobe" in pathlib.Path("/proc/kallsyms").read_text(),
}
HOOKS = {
    "raw": {"tp_btf/sys_enter", "tp_btf/sys_exit"},
    "classic": {"tp/raw_syscalls/sys_enter", "tp/raw_syscalls/sys_exit"},
    "functions": {"kprobe.multi/sys_*", "kretprobe.multi/sys_*"},
}


def system_call_hooks(manifest):
    return {h["name"] for h in manifest["diagnostics"]["hooks"] if "/sys_" in h["name"]
            or "/raw_syscalls/" in h["name"]}


@pytest.mark.parametrize("way", ["auto", "raw", "classic", "functions"])
def test_system_calls_are_hooked_as_requested(tmp_path, way):
    """The manifest says which kind of hook is used; a kind that would miss calls or do harm is refused."""
    if not HERE[way]:
        done = recorder.run("-o", str(tmp_path / "traces"), "--attach", way)
        assert done.returncode == 1 and f"--attach {way}: " in done.stderr, done
        return
    with recorder.Recording(tmp_path, "--attach", way, *recorder.OWN) as r:
        os.stat(tmp_path)
    if way != "auto":
        possible = [way]
    elif HERE["raw"]:
        possible = ["raw"]
    else: # whichever costs less at that moment
        possible = ["classic", "functions"] if HERE["functions"] else ["classic"]
    assert system_call_hooks(r.manifest) in [HOOKS[way] for way in possible]
    rows = r.rows("fs")
    assert ((rows["operation"] == "getattr") & (rows["filename"] == str(tmp_path))).sum() == 1


@pytest.mark.alone # more threads than CPUs
def test_every_hook_fires_and_none_is_missed(tmp_path):
    """With more readers than CPUs, so that they are preempted wherever the kernel allows it: a thread that is preempted
    inside a program keeps the kernel from running that program for other threads."""
    data = tmp_path / "data"
    data.write_bytes(b"x" * 4096)
    with recorder.Recording(tmp_path, "-v") as r:
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", READER, str(data)], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2 * os.cpu_count() + 1)
        ]
        said = {str(reader.pid): int(reader.communicate()[0]) for reader in readers}
        os.sync()
    hooks = r.manifest["diagnostics"]["hooks"]
    # A hook that is not attached does not exist in this kernel, or is a function to which no program can attach.
    symbols = {line.split()[2] for line in open("/proc/kallsyms")}
    assert "__traceiter_sys_enter" in symbols
    for hook in hooks:
        kind, _, target = hook["name"].partition("/")
        assert hook["attached"] or kind == "fentry" or "__traceiter_" + target not in symbols, hook
    # On 7.2, programs on the raw tracepoints of block can be preempted (docs/kernels.md), and everywhere those on functions.
    missed = {h["name"]: h["missed"] for h in hooks
              if h["missed"] and "/block_" not in h["name"] and h["name"].rpartition("/")[2] not in DETAIL}
    assert missed == {}
    fired = {hook["name"] for hook in hooks if hook["fired"]}
    assert system_call_hooks(r.manifest) <= fired, hooks
    assert EXERCISED <= {name.rpartition("/")[2] for name in fired}, hooks
    rows = r.session.tally("fs", "operation", "filename", "pid")
    assert {pid: n for (operation, name, pid), n in rows.items() if (operation, name) == ("read", str(data))} == said
    assert r.session.lost() == {}


def test_loads_no_call_of_what_the_kernel_has_not(tmp_path):
    """5.13 to 5.15 refuse a program with such a call anywhere in it (src/engine/bpf/prepare.h). strace shows what
    the kernel was given, the first 4096 instructions of each program."""
    log = tmp_path / "log"
    subprocess.run(
        ["strace", "-f", "-v", "-e", "trace=bpf", "-o", log, recorder.IOTRC, "--attach", recorder.ATTACH, "--network",
         "--cache", "-d", "1s", "-o", tmp_path / "o"], capture_output=True,
    )
    calls = re.findall(
        r"code=BPF_JMP\|BPF_K\|BPF_CALL, dst_reg=BPF_REG_0, src_reg=BPF_REG_(\d), off=\w+, imm=(\w+)", log.read_text()
    )
    assert len(calls) > 1000
    assert ("2", "0") not in calls # BPF_PSEUDO_KFUNC_CALL


# Without one of these, a row has less information or is counted otherwise, but exists (src/engine/bpf/missed.c).
DETAIL = {"sched_process_fork", "block_getrq", "block_bio_frontmerge", "block_rq_insert", "block_rq_issue",
          "__io_submit_flush_completions", "io_req_complete_post", "io_wq_free_work", "do_getname", "putname",
          "security_inode_unlink", "security_inode_rmdir", "security_inode_rename"}


@pytest.mark.full_speed # more threads than CPUs
def test_what_a_hook_missed_is_reported(tmp_path):
    """Requests by many threads at once, which preempt each other inside a program on 7.2. However many are missed (on
    other kernels none): the lost stream, the exit code and a line at the end say so, and only then."""
    works = []
    with recorder.Recording(tmp_path, code=None) as r:
        for i in range(4 * os.cpu_count() + 1):
            (tmp_path / str(i)).mkdir()
            works.append(
                subprocess.Popen(
                    [recorder.workload("uring_rw")], cwd=tmp_path / str(i), stdout=subprocess.DEVNULL
                )
            )
        assert [work.wait() for work in works] == [0] * len(works)
    missed = {}
    for hook in r.manifest["diagnostics"]["hooks"]:
        name = hook["name"].rpartition("/")[2]
        stream = "block" if name.startswith(("block_", "bio_")) else "fs"
        if hook["missed"] and name not in DETAIL:
            missed[stream] = missed.get(stream, 0) + hook["missed"]
    reported = {}
    if os.path.isdir(os.path.join(r.session_directory, "lost")):
        rows = r.rows("lost")
        rows = rows[rows["cause"] == "missed"]
        reported = {stream: sum(map(int, n)) for stream, n in rows.groupby("stream")["count"]}
        reported.pop("nw_conn", None)
    assert reported == missed
    lost = any(sum(s["lost"].values()) for s in r.manifest["diagnostics"]["streams"].values())
    assert r.returncode == (3 if missed or lost else 0)
    assert ("the kernel skipped a hook" in r.stderr) == bool(missed)


BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD = 13, 15 # include/uapi/linux/bpf.h
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    result = ctypes.CDLL(None, use_errno=True).syscall(SYS_BPF, command, buffer, 128)
    assert result >= 0, os.strerror(ctypes.get_errno())
    return result


# What user space runs: once, and at each rotation.
AT_NO_HOOK = "sample_dentry", "look_at_flows", "end_gone_socket"


def loaded(recording):
    """Names of the BPF programs that it holds; the kernel cuts them to 15 bytes."""
    names = {}
    for number in recording.programs():
        fd = bpf(BPF_PROG_GET_FD_BY_ID, struct.pack("I", number))
        info = ctypes.create_string_buffer(256)
        bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, 80, ctypes.addressof(info)))
        os.close(fd)
        # struct bpf_prog_info: name
        names[number] = info.raw[64:80].split(b"\0")[0].decode()
    return sorted(name for name in names.values() if name not in AT_NO_HOOK)


# It keeps the state of threads, whatever the stream.
TASKS = ("on_process_fork", "on_process_free")
PROGRAMS = {
    "fs": ("on_sys_", "on_shared", "on_uring_", "on_process_", "on_signal", "on_stop", "on_path_", "on_name",
           "on_unlink", "on_rmdir", "on_rename"),
    "nw_conn": ("on_sys_", "on_shared", "on_uring_", "on_sock_", "on_process_exit", "on_stop", *TASKS),
    "nw_epoll": ("on_sys_", "on_shared", "on_process_exit", "on_stop", *TASKS), # of a thread that ends while it waits
    "nw_sockopt": ("on_sys_", "on_stop", *TASKS),
    "nw_drop": ("on_skb_drop", "on_tcp_", *TASKS),
    "nw_flow": ("on_flow_", "on_socket_", "on_udp", "on_unix_", *TASKS),
    "block": ("on_block_", "on_bio_", *TASKS),
    "cache": ("on_cache_", "on_sync_ra", "on_async_ra", "on_ra", "on_fault_user", "on_fault_kernel", *TASKS),
    "pagefault": ("on_fault_", *TASKS),
    "extent": ("on_extent_", "on_sync_ra", "on_async_ra", "on_cache_fault", *TASKS),
}


def test_a_stream_that_is_off_loads_nothing(tmp_path):
    all_names = set()
    for stream, prefixes in PROGRAMS.items():
        with recorder.Recording(tmp_path, "--streams", stream, *recorder.OWN) as r:
            names = loaded(r)
        others = {name for name in names if not name.startswith(prefixes)}
        assert not others, f"{stream} alone loads {others}"
        # Loaded is what the manifest says: for each hook one program, or two where programs can be preempted; for those on
        # raw tracepoints that tell which one they are, one for all.
        attached = [h["name"] for h in r.manifest["diagnostics"]["hooks"] if h["attached"]]
        own = [name for name in attached if not name.startswith("raw_tp/")]
        shared = 1 if len(own) < len(attached) else 0
        each = 2 if recorder.RELEASE >= (7, 1) else 1
        assert 1 < len(own) + shared <= len(names) <= each * len(own) + shared, (names, attached)
        all_names |= set(names)
    # Together they record each event once.
    with recorder.Recording(tmp_path, "--streams", ",".join(PROGRAMS), *recorder.OWN) as r:
        assert set(loaded(r)) == all_names


@pytest.mark.parametrize("what", ["calls", "confined", "uring"])
def test_what_happens_while_programs_are_attached_and_detached(tmp_path, what):
    """The programs at the beginning and at the end of a call are not attached at the same moment. Whatever happens in between,
    a row is that of a read: it returned one byte, and what follows it was not part of it. Its duration is unknown only if it
    may have begun before the recording."""
    data = tmp_path / "data"
    data.write_bytes(b"x")
    load = subprocess.Popen([recorder.workload("alternate"), what, data], stdin=subprocess.PIPE)
    rows = 0
    for _ in range(1 if recorder.EMULATED else 4): # there, attaching takes far longer
        # None: rows may be lost.
        with recorder.Recording(tmp_path, "--streams", "fs", "--pid", str(load.pid), code=None) as r:
            recorder.wait_for(lambda: b",read," in r.written(), "a row of a read")
        frame = r.rows("fs")
        later = frame.duplicated("tid") # not the first row of its thread
        wrong = frame[(frame["operation"] != "read") | (frame["return_value"] != "1") | (frame["duration_ns"] == "") & later]
        assert wrong.empty, wrong.to_dict("records")
        rows += len(frame)
    load.communicate()
    assert load.returncode == 0 and rows
