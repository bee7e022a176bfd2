# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines as tracers of macOS write them; nothing of the parsers' is used. DTrace's for the scripts of dtrace/, made
from dtrace/README.md and what the D language's documentation says of %S; eslogger's, as the headers of Endpoint
Security name the members; fs_usage's, by the printf formats of Apple's fs_usage.c."""
import datetime
import json
import random

LETTERS = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 0x22: '"', 0x5c: "\\"}
OURS = 1 << 20 # process ids that no process has


def escape(raw, nul=False):
    """%S of RAW, bytes. NUL: as DTrace on Linux, which shows the NUL that ends a text."""
    out = []
    for byte in raw:
        if byte in LETTERS:
            out.append("\\" + LETTERS[byte])
        elif 0x20 <= byte <= 0x7e:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return "".join(out) + ("\\0" if nul else "")


def text(raw, nul=False):
    return f"{len(raw)}:{escape(raw, nul)}"


def line(name, ns, *numbers, cpu=0, pid=OURS, tid=None, duration=1000, ret=0, error=0, texts=(), nul=False):
    words = [name, cpu, pid, pid if tid is None else tid, ns, duration, ret, error, *numbers]
    return " ".join([*map(str, words), *(text(raw, nul) for raw in texts)]) + "\n"


def random_path(chance, most=200):
    """Any bytes but NUL, difficult ones in particular."""
    hard = b'\n"\\ :/\t\r\x01\x7f\xff\xc3\xa90'
    body = bytes(chance.choice(hard) if chance.random() < 0.5 else chance.randrange(1, 256)
                 for _ in range(chance.randrange(1, most)))
    return b"/" + body.strip(b"/").replace(b"/.", b"/x").replace(b"//", b"/x") + b"."


class Clock:
    """DTrace's clock: ascending nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, now):
        self.now = now

    def tick(self, ns=1000):
        self.now += ns
        return self.now


def seeded(seed):
    return random.Random(seed)


# ---- eslogger ----

def es_time(ns):
    at = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09}Z"


def es_file(path, mode=0o100644, cut=False):
    return {"path": path, "path_truncated": cut, "stat": {"st_mode": mode, "st_ino": 7, "st_size": 1}}


def es_process(pid, ppid, program):
    return {"audit_token": {"pid": pid, "pidversion": 1, "euid": 501}, "ppid": ppid, "original_ppid": ppid,
            "executable": es_file(program, 0o100755), "signing_id": "x", "is_platform_binary": False}


def es(name, event, pid="\x01pid;", ppid=1, program="/bin/worker", time="\x01now;", seq="\x01seq;", thread=77):
    """A line. A text stands for a number that the test fills in later."""
    line = json.dumps({"schema_version": 1, "version": 9, "event_type": 10, "mach_time": 1, "action_type": 1,
                       "time": time, "seq_num": 0, "global_seq_num": seq, "thread": {"thread_id": thread},
                       "action": {"result": {"result_type": 0, "result": {"auth": 0}}},
                       "process": es_process(pid, ppid, program), "event": {name: event}})
    for word in ("\\u0001pid;", "\\u0001seq;"):
        line = line.replace(f'"{word}"', f"\x01{word[6:]}")
    return line.replace("\\u0001", "\x01")


# ---- fs_usage -w ----

COLUMN = 230 # where the seconds begin: fixed by the width that fs_usage takes


def at(offset):
    """Whole bytes of an offset, four at least, in 16 columns."""
    digits = max(8, len(f"{offset:x}") + 1 & ~1)
    return f"O=0x{offset:0{digits}x}" + " " * (16 - digits)


def fs_usage(call, path="", fd=None, error=0, bytes=None, flags=None, dir=None, fd2=None, offset=None, words=None,
             seconds=0.000123, waited=False, command="worker", thread="\x01pid;", time="\x01now;"):
    out = f"{'HH:MM:SS.uuuuuu' if time.startswith(chr(1)) else time}  {call:<17.17}"
    padded = True
    mark = f"[{error:3}]" if error else ""
    if flags is not None:
        out += f"      {mark} ({flags}) " if error else f" F={fd:<3}      ({flags}) "
        padded = False
    elif offset is not None and fd is not None:
        out += f" F={fd:<3}" + (f"{mark}  " if error else f"  B=0x{bytes:<8x} " if bytes is not None else "  ")
        out += at(offset)
    elif offset is not None:
        out += f"      {mark}  {at(offset)}"
        padded = False
    elif fd is not None:
        out += f" F={fd:<3}{mark}"
        if fd2 is not None and not error:
            out += f"  F={fd2:<3}"
        if bytes is not None and not error:
            out += f"  B=0x{bytes:<6x}"
        if words:
            out += f" <{words}>"
    else:
        out += f"      {mark}       " if error else " " * 18
    return ended(out, f" [{dir}]/{path} " if dir is not None else f" {path} " if path else "", padded, seconds, waited, command, thread)


def disk(kind, path, sector=1 << 20, bytes=4096, device="/dev/disk3s5", seconds=0.000123, command="worker", thread="\x01pid;"):
    """A request to a disk, as it appears between the calls: WrData[AT1], RdMeta[S], ..."""
    out = f"HH:MM:SS.uuuuuu    {kind:<15} D=0x{sector:08x}  B=0x{bytes:<6x} {device} "
    return ended(out, f" {path} ", False, seconds, True, command, thread)


def ended(out, shown, padded, seconds, waited, command, thread):
    """The line: the path cut or filled up to its column, the time that the call took, and whose it is."""
    room = COLUMN - 1 - len(out.encode("utf-8", "surrogateescape")) - (3 if padded else 0)
    raw = shown.encode("utf-8", "surrogateescape")
    raw = raw + b" " * (room - len(raw)) if len(raw) <= room else b" " + raw[len(raw) - room + 1:]
    out += ("   " if padded else "") + raw.decode("utf-8", "surrogateescape")
    whole, us = divmod(round(seconds * 10**6), 10**6)
    out += f" {whole:3}.{us:06}{' W' if waited else '  '} {command}.{thread}"
    return out.replace("HH:MM:SS.uuuuuu", "\x01now;")
