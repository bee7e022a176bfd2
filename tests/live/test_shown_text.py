# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files and answers of servers never reach a terminal or a log raw: control characters, and characters that
are invisible or change the direction of text, are escaped. Unicode's own tables say which characters those are."""
import fcntl
import http.server
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import threading
import unicodedata

import pytest
import recorder

OBEYED = "".join(c for c in map(chr, range(1, 0x110000)) if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp"))
# Usable as file names: no '/', at most 255 bytes each.
PIECES = [OBEYED[i:i + 50] for i in range(0, len(OBEYED), 50)]
SAID = "\x1b]0;owned\x07\u009b31m\u202eevil\u2066\u200f"


def check(text):
    assert text
    # splitlines() would split at some of them.
    bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
    assert not bad, (bad, text)
    return text


def run(*args, **kwargs):
    done = subprocess.run([recorder.IOTRC, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=recorder.START, **kwargs)
    return check(done.stdout.decode() + done.stderr.decode())


@pytest.fixture(scope="module")
def recorded(module_path):
    with recorder.Recording(module_path, "--streams", "fs", *recorder.OWN, output=f"{module_path}/out") as r:
        os.stat(module_path)
    return r.session_directory


@pytest.mark.parametrize("piece", PIECES, ids=lambda p: f"U+{ord(p[0]):04X}")
def test_names_of_files(tmp_path, recorded, piece):
    session = tmp_path / "out" / piece / "0123456789ABCDEF" / recorded.name
    shutil.copytree(recorded, session)
    for name in f"{piece}.csv.zst", f"{piece}.part":
        (session / name).touch()
    said = run("verify", tmp_path / "out")
    assert "\\x" in said and said.count("\n") == 3
    (session / "manifest.json").write_text("{}")
    said = run("recover", tmp_path / "out")
    assert "\\x" in said and said.count("\n") == 1
    run("verify", "--anonymous", tmp_path / "out", "--against", recorded / "manifest.json")
    run("upload", tmp_path / "out", "--upload", f"file://{tmp_path}/{piece}")
    run("verify", tmp_path / piece)
    run("recover", tmp_path / piece)
    run("--config", tmp_path / piece, "--check-config")
    run("--pid", piece)
    run(piece)


def test_output_directory(tmp_path):
    """In everything that a recording prints, and in its log."""
    output = tmp_path / f"a{SAID}b"
    done = subprocess.run([recorder.IOTRC, "-o", output, "--no-snapshots", "--streams", "fs", "-d", "100ms", *recorder.OWN],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=recorder.START)
    assert done.returncode == 0
    path = done.stdout.rstrip(b"\n")  # for programs: unchanged
    assert os.path.isdir(path) and path.startswith(os.fsencode(output))
    said = check(done.stderr.decode())
    # A command to be copied into a shell names the directory.
    word = said.rstrip("\n").splitlines()[-1].split(" ", 4)[-1]
    quoted = word[word.rindex("$'"):]
    shell = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert shell.stdout == path


HOSTILE = f"""
import ctypes, os, socket
ctypes.CDLL(None).prctl(15, {chr(0x9b)!r}.encode() + b"c" + {chr(0x202e)!r}.encode(), 0, 0, 0) # PR_SET_NAME
for i in range(7):
    os.write(os.open(f"f{SAID}{{i}}.{SAID}", os.O_CREAT | os.O_RDWR), b"x" * 100)
try:
    os.open("none{SAID}", 0)
except OSError:
    pass
server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
server.bind("s{SAID}")
server.listen()
client.connect("s{SAID}")
"""


def on_terminal(args, cwd, term="dumb"):
    """The bytes that a command writes to a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 200, 0, 0))
    process = subprocess.Popen([recorder.IOTRC, *map(str, args)], cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
                               env={**os.environ, "NO_COLOR": "1", "TERM": term})
    os.close(slave)
    text = b""
    try:
        while piece := os.read(master, 65536):
            text += piece
    except OSError: # EIO: the other end was closed by all
        pass
    os.close(master)
    process.wait()
    return text.decode().replace("\r\n", "\n").replace("\t", " ")


@pytest.fixture(scope="module")
def hostile(module_path):
    """A session of HOSTILE, the directory where it ran, and its file."""
    place = os.path.join(module_path, f"w{SAID}")
    os.mkdir(place)
    script = os.path.join(module_path, "hostile.py")
    with open(script, "w", encoding="utf-8") as f:
        f.write(HOSTILE)
    with recorder.Recording(module_path, "--streams", "fs,nw_conn", *recorder.OWN) as r:
        subprocess.run([sys.executable, script], cwd=place, check=True)
    os.unlink(os.path.join(place, f"s{SAID}"))
    return r.session_directory, place, script


# Output for programs is escaped as well if it goes to a terminal.
READERS = [
    ["cat", "fs"], ["cat", "nw_conn"], ["cat"], ["export", "--to", "csv"], ["export", "--to", "jsonl"],
    ["export", "--to", "strace"], ["watch"], ["watch", "--json"], ["watch", "--format", "command,filename"],
    ["summary", "--csv", "--by", "file"], ["summary", "--json", "--by", "file"], ["summary", "--by", "remote", "--stream", "nw_conn"],
    *(["summary", "--top", "0", "--by", by] for by in ("file", "directory", "extension", "command", "process")),
]


@pytest.mark.parametrize("args", READERS, ids=" ".join)
def test_sessions_on_a_terminal(hostile, tmp_path, args):
    text = check(on_terminal([*args, hostile[0]], tmp_path))
    assert "\\x" in text or args[-1] == "strace" and "\\33" in text


def test_programs_on_a_terminal(hostile, tmp_path):
    """Commands that run the program; check and run write their JSON to stdout, too."""
    _, place, script = hostile
    run_it = ["--", sys.executable, script]
    for args in ["run", "--engine", "strace"], ["run", "--engine", "strace", "--json", "-"], \
                ["check", "--engine", "strace", "--write-declaration", "-"], ["watch"], \
                ["summary", "--csv", "--by", "command"]:
        text = check(on_terminal([*args, *run_it], place))
        assert "\\x" in text, (args, text)
        os.unlink(os.path.join(place, f"s{SAID}"))
    metrics = os.path.join(place, "absent", "iotrc.prom")
    text = check(on_terminal(["-o", tmp_path / "out", "--no-snapshots", "-d", "1s", "--metrics-file", metrics], place))
    assert "\\x" in text


# Has files with such names open, under such a name, until it is told to end.
BUSY = f"""
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(15, {chr(0x9b)!r}.encode() + b"c" + {chr(0x202e)!r}.encode(), 0, 0, 0) # PR_SET_NAME
fd = os.open("f{SAID}", os.O_CREAT | os.O_RDWR)
print(flush=True)
while True:
    os.pwrite(fd, b"x" * 4096, 0)
    time.sleep(0.001)
"""


@pytest.mark.parametrize("args", [["top", "--by", by, "-n", "2", *more] for by in ("process", "file", "command")
                                  for more in ((), ("--batch",), ("--json",))], ids=" ".join)
def test_top_on_a_terminal(tmp_path, args):
    """The screen consists of terminal sequences: none of those in names is among them."""
    with subprocess.Popen([sys.executable, "-c", BUSY], cwd=tmp_path, stdout=subprocess.PIPE) as busy:
        busy.stdout.readline()
        text = on_terminal([*args, "--pid", busy.pid], tmp_path, "vt100")
        busy.kill()
    assert "\\x" in text, text
    bad = [c for c in SAID + "\x9b" if c in text and not c.isascii()]
    assert not bad and "\x1b]0;owned" not in text, text
    if len(args) > 5:
        check(text)


def test_other_commands_on_a_terminal(hostile, tmp_path):
    """Commands that print the hostile name of a session, directory or file. The progress bar has sequences of its
    own."""
    session, place, _ = hostile
    page = os.path.join(place, f"p{SAID}.html")
    lake = os.path.join(place, f"l{SAID}")
    for args in (["report", session, "-o", page], ["report", session, "-o", page], ["report", os.path.join(place, "none")],
                 ["export", "--to", "parquet", "--lake", lake, session], ["lake", "verify", lake, session],
                 ["lake", "verify", os.path.join(place, "none")], ["export", "--to", "csv", os.path.join(place, "none")],
                 ["doctor", "-o", os.path.join(place, "out")], ["upload", "--continuous", "--upload", f"file://{place}", __file__],
                 ["summary", os.path.join(place, "none")], ["watch", os.path.join(place, "none")],
                 ["cat", "fs", os.path.join(place, "none")], ["cat", f"s{SAID}", session]):
        check(re.sub("\r+(\x1b\\[K)?", "", on_terminal(args, tmp_path)) or "nothing")


def test_a_log_file(tmp_path):
    """The log of a daemon, which names its session and says what is wrong with its upload."""
    log = tmp_path / "log"
    output = tmp_path / f"o{SAID}"
    target = tmp_path / f"t{SAID}" / "absent"
    pid = tmp_path / "pid"
    done = subprocess.run([recorder.IOTRC, "--daemon", "--pid-file", pid, "--log-file", log, "-o", output, "--no-snapshots",
                           "--streams", "fs", "-d", "1s", "--upload", f"file://{target}", "--upload-timeout", "1s"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=recorder.START)
    assert done.returncode == 0, done.stderr
    recorder.wait_for(lambda: not pid.exists(), "it ends")
    said = check(log.read_text())
    assert said.count("\\x") >= 2, said


class Evil(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = f"<Error><Code>{SAID}</Code><Message>{SAID}\niotrc: forged\r</Message></Error>".encode()
        self.send_response(400, "Bad")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = answer

    def log_message(self, *args):
        pass


def test_answers_of_servers(recorded):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = dict(os.environ, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y")
        said = run("upload", recorded.parent.parent.parent, "--upload", "s3://bucket", "--s3-endpoint",
                   f"http://127.0.0.1:{server.server_port}", env=env)
        server.shutdown()
    assert "evil" in said and "\niotrc: forged" not in said
