# SPDX-License-Identifier: GPL-2.0-or-later
"""A million rows of fs: memory and time, compared with pandas.read_csv() alone."""
import json
import subprocess
import sys

import pytest

import craft
import record

ROWS = 1_000_000
MB = 300
# The best of some runs of each. Processor time is compared, because elapsed time depends on what else runs on the
# machine; it does so too, but less. `make bench-load` compares without a margin.
RUNS = 4
MARGIN = 1.15

sys.path.insert(0, str(record.TOP / "bench"))
from load import LOAD, PLAIN # noqa: E402


@pytest.fixture(scope="module")
def million(tmp_path_factory, template):
    """A session of a million rows like those of a real one: getattr, read, mmap and close of a hundred
    thousand files, 10 µs apart."""
    session = craft.Session(tmp_path_factory.mktemp("million"), template)
    text = [",".join(session.columns("fs")) + "\n"]
    seconds = [session.wall(craft.START + s * 10**9)[:-6] for s in range(ROWS // 100_000)]
    for i in range(ROWS):
        name = f"/usr/share/doc/package-{i // 1000}/of/some/name/file-{i // 10}.txt"
        wall, pid = f"{seconds[i // 100_000]}{i % 100_000 * 10:06d}", 1000 + i // 5000
        end = f"tar cf - /usr/share/doc {pid},{pid - 1},1,ext4,{craft.START + i * 10_000}\n"
        if i % 10 < 6:
            text.append(f"{wall},read,{pid},{pid},tar,{name},10240,{i % 7 * 10240},{10240 - i % 7},{i // 10},254:0,"
                        f"O_RDONLY|O_NONBLOCK|O_NOFOLLOW,{2000 + i * 7919 % 100003},{10240 - i % 7},,,,,{end}")
        elif i % 10 == 6:
            text.append(f"{wall},getattr,{pid},{pid},tar,{name},,,,,,AT_SYMLINK_NOFOLLOW,{i % 9973},-2,ENOENT,,,,{end}")
        elif i % 10 == 7:
            text.append(f"{wall},mmap,{pid},{pid},tar,{name},139264,0,,{i // 10},254:0,,{i % 9973},0,,PROT_READ,"
                        f"MAP_PRIVATE|MAP_DENYWRITE,0x{0x7f0000000000 + i * 4096:x},{end}")
        else:
            text.append(f"{wall},close,{pid},{pid},tar,{name},,,,{i // 10},254:0,O_RDONLY,{i % 9973},0,,,,,{end}")
    session.add_text("fs", "".join(text).encode(), ROWS, craft.START, craft.START + (ROWS - 1) * 10_000)
    return session


def measured(program, session):
    file = session.directory / session.manifest["files"][0]["path"]
    command = [sys.executable, "-W", "ignore", "-c", program, record.TOP / "python", session.directory, file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["rows"] == ROWS
    return result


def test_a_million_rows_are_loaded_in_little_memory_and_no_slower_than_by_read_csv(million, verify):
    million.write()
    assert verify(million.directory)
    runs = [(measured(LOAD, million), measured(PLAIN, million)) for _ in range(RUNS)]
    table = "\n".join(", ".join(f"{what} {r['seconds']:.2f} s, {r['cpu']:.2f} s of processor, {r['mb']:.0f} MB"
                               for what, r in zip(("load", "read_csv"), run)) for run in runs)
    print(table)
    assert max(load["mb"] for load, _ in runs) <= MB, table
    assert min(load["cpu"] for load, _ in runs) <= MARGIN * min(plain["cpu"] for _, plain in runs), table
