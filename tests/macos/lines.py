# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines as DTrace writes them for the scripts of dtrace/, made from dtrace/README.md and what the D
language's documentation says of %S: nothing of the parser's is used."""
import random

LETTERS = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 0x22: '"', 0x5c: "\\"}
OURS = 1 << 20 # process ids of nobody's


def escape(raw, nul=False):
    """%S of RAW, bytes. NUL: as Linux's DTrace, which shows the end of a text."""
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
    """Any bytes but NUL, hard ones above all."""
    hard = b'\n"\\ :/\t\r\x01\x7f\xff\xc3\xa90'
    body = bytes(chance.choice(hard) if chance.random() < 0.5 else chance.randrange(1, 256)
                 for _ in range(chance.randrange(1, most)))
    return b"/" + body.strip(b"/").replace(b"/.", b"/x").replace(b"//", b"/x") + b"."


class Clock:
    """DTrace's: nanoseconds of CLOCK_MONOTONIC, each later than the last."""

    def __init__(self, now):
        self.now = now

    def tick(self, ns=1000):
        self.now += ns
        return self.now


def seeded(seed):
    return random.Random(seed)
