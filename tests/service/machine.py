# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with a real init, in namespaces of this one: a minimal Debian (scripts/vm/fetch-debian.sh)
under an overlay, booted by systemd-nspawn, with iotrc installed by `make install`."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = os.environ["BUILD"]
BOOT = 180   # seconds: a start and a shutdown, on a busy machine
PATIENCE = 60


def sh(*args, check=True, **kwargs):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    assert not check or done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}"
    return done


def wait_for(what, seconds=PATIENCE):
    """Waits until WHAT() is true, and returns its value."""
    end = time.monotonic() + seconds
    while True:
        result = what()
        if result:
            return result
        assert time.monotonic() < end, f"not within {seconds} s: {what.__doc__ or what}"
        time.sleep(0.2)


class Machine:
    """A machine with PACKAGES. With INSTALL, iotrc is installed by `make install`."""

    INIT = ["-b"] # the init that systemd-nspawn starts
    POWER_OFF = "systemctl poweroff"

    def __init__(self, *packages, install=True):
        base = subprocess.run(
            [ROOT / "scripts/vm/fetch-debian.sh", "this", *packages], stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-machine-"))
        for name in ("upper", "work", "root"):
            (self.work / name).mkdir(mode=0o755)
        self.root = self.work / "root"
        sh("mount", "-t", "overlay", "iotrc-machine", "-o",
           f"lowerdir={base},upperdir={self.work}/upper,workdir={self.work}/work", str(self.root))
        self.outer = self.init = None
        (self.root / "etc/machine-id").write_text("69 6f 74 72 63 2d 73 65 72 76 69 63 65 2d 76 31".replace(" ", "") + "\n")
        if install:
            self.add_libraries()
            # Relative, as it was built: another path would be another flag of the compiler, and everything built again.
            sh("make", "-s", "-C", str(ROOT), f"BUILD={os.path.relpath(BUILD, ROOT)}", f"DESTDIR={self.root}", "PREFIX=/usr/local", "install")

    def add_libraries(self):
        """Copies the shared libraries that the program needs and that machine lacks: it runs the same Debian release.
        """
        for line in sh("ldd", f"{BUILD}/iotrc").stdout.splitlines():
            words = line.split()
            if len(words) > 2 and words[1] == "=>" and not (self.root / words[2].lstrip("/")).exists():
                to = self.root / words[2].lstrip("/")
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(os.path.realpath(words[2]), to)

    def boot(self):
        log = open(self.work / "console", "ab")
        binds = [f"--bind={d}" for d in ("/sys/kernel/tracing", "/sys/fs/bpf") if os.path.isdir(d)]
        self.outer = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit", "--console=pipe",
             "--capability=all", "--system-call-filter=bpf perf_event_open", *binds, *self.INIT],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )

        def up():
            "it is up"
            assert self.outer.poll() is None, (self.work / "console").read_text(errors="replace")
            children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
            if not children:
                return False
            self.init = int(children[0])
            return self.is_up()

        wait_for(up, BOOT)

    def is_up(self):
        return self.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def run(self, command, check=True, input=None):
        return sh("nsenter", "-t", str(self.init), "-m", "-p", "-u", "-i", "-n", "-C", "sh", "-c", command,
                  check=check, input=input)

    def shut_down(self):
        if self.outer and self.outer.poll() is None:
            self.run(self.POWER_OFF, check=False)
            try:
                self.outer.wait(BOOT)
            except subprocess.TimeoutExpired:
                self.outer.kill()
                self.outer.wait()
        self.outer = self.init = None

    def remove(self):
        self.shut_down()
        sh("umount", str(self.root), check=False)
        shutil.rmtree(self.work, ignore_errors=True)

    # ---- the service ----

    def show(self, name):
        return self.run(f"systemctl show -p {name} --value iotrc").stdout.strip()

    def pid(self):
        """The process id of the service's process on this machine."""
        inside = self.show("MainPID")
        assert inside != "0", self.journal_text()
        namespace = os.readlink(f"/proc/{self.init}/ns/pid")
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/pid") == namespace:
                    status = (process / "status").read_text()
                    if f"\t{inside}\n" in next(x for x in status.splitlines(True) if x.startswith("NSpid:")):
                        return int(process.name)
            except OSError:
                pass
        raise AssertionError(f"no process {inside} in there")

    def journal(self, since=None):
        """[(priority, message)] of the service, and of systemd about it."""
        self.run("journalctl --sync", check=False)
        cursor = f"--after-cursor='{since}'" if since else ""
        lines = self.run(f"journalctl -u iotrc -o json --no-pager {cursor}").stdout.splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [(int(e["PRIORITY"]), e["MESSAGE"]) for e in entries]

    def cursor(self):
        self.run("journalctl --sync", check=False)
        out = self.run("journalctl -n 0 --show-cursor --no-pager").stdout
        return out.rpartition("-- cursor: ")[2].strip()

    def journal_text(self, since=None):
        return "\n".join(message for _, message in self.journal(since))

    def sessions(self):
        return sorted((self.root / "var/lib/iotrc/traces").glob("linux_v1/*/*"))

    def manifest(self, session):
        return json.loads((session / "manifest.json").read_text())
