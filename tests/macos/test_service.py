# SPDX-License-Identifier: GPL-2.0-or-later
"""service.sh and install.sh as macOS runs them, with programs that play uname, launchctl, brew and xcode-select. What
launchd makes of the plist is read from it as launchd.plist(5) says."""
import os
import pathlib
import plistlib
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMULAS = ["jansson", "pcre2", "zstd", "openssl@3", "libmicrohttpd", "ncurses", "pkgconf", "make"]
REFUSAL = "iotrc: cannot record: System Integrity Protection keeps DTrace from recording"
# Plays iotrc: what it does is in the file `does`. It takes a moment to begin, or to find that it may not.
IOTRC = f"""#!/bin/sh
case $1 in
--version) echo iotrc 9; exit ;;
--check-config) [ -r $2 ]; exit ;;
esac
echo "$@" >>"$HOME/arguments"
sleep $(cat "$HOME/needs")
# As iotrc does: a recording that SIGTERM ends was not in vain, and launchd must not start it again.
trap 'echo hup >>"$HOME/signals"' HUP
trap 'echo term >>"$HOME/signals"; exit 0' TERM
case $(cat "$HOME/does") in
refuse) echo "{REFUSAL}" >&2; exit 1 ;;
crash) echo run >"$HOME/does"; kill -SEGV $$ ;;
die) kill -KILL $$ ;;
silent) ;;
hang) trap '' TERM; echo /traces/mac_v1/x/y ;;
*) echo /traces/mac_v1/x/y ;;
esac
while :; do sleep 0.05; done
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Mac:
    def __init__(self, tmp_path):
        self.tmp, self.root = tmp_path, tmp_path / "root"
        self.launchd = tmp_path / "launchd"
        self.launchd.mkdir()
        bin_ = tmp_path / "bin"
        program(bin_ / "uname", "#!/bin/sh\n[ \"$1\" = -s ] && echo Darwin || exec /usr/bin/uname \"$@\"\n")
        program(bin_ / "xcode-select", "#!/bin/sh\n[ -e \"$HOME/xcode\" ] && echo /Library/Developer\n")
        os.symlink(ROOT / "tests/macos/fake_launchctl", bin_ / "launchctl")
        program(tmp_path / "prefix/bin/iotrc", IOTRC)
        self.does("run")
        self.needs(0)
        (tmp_path / "xcode").touch()
        self.env = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path), "PREFIX": str(tmp_path / "prefix"),
                    "FAKE_LAUNCHD": str(self.launchd), "DESTDIR": str(self.root)}

    def does(self, what):
        (self.tmp / "does").write_text(what)

    def needs(self, seconds):
        (self.tmp / "needs").write_text(str(seconds))

    def service(self, *words):
        return subprocess.run([ROOT / "scripts/service.sh", *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False)

    def starts(self):
        path = self.launchd / "starts"
        return len(path.read_text().split()) if path.exists() else 0

    def lines(self, name):
        return (self.tmp / name).read_text().split("\n")[:-1]


@pytest.fixture(name="mac")
def fixture_mac(tmp_path):
    if os.geteuid():
        pytest.fail("needs root")
    mac = Mac(tmp_path)
    yield mac
    (mac.launchd / "leaving").touch()
    end = time.monotonic() + 30
    while (mac.launchd / "plist").exists() and time.monotonic() < end:
        time.sleep(0.05)


@pytest.mark.slow
def test_a_daemon(mac):
    done = mac.service("install")
    assert done.returncode == 0, done.stderr
    assert "iotrc is recording, and will start at every boot" in done.stdout
    plist = plistlib.loads((mac.root / "Library/LaunchDaemons/org.iotrc.plist").read_bytes())
    assert plist["ProgramArguments"][0] == str(mac.tmp / "prefix/bin/iotrc") and plist["RunAtLoad"] is True
    assert mac.lines("arguments") == ["--quiet --config /etc/iotrc/iotrc.conf"]
    conf = mac.root / "etc/iotrc/iotrc.conf"
    assert conf.read_bytes() == (ROOT / "scripts/iotrc.conf").read_bytes() and conf.stat().st_mode & 0o777 == 0o640
    state = mac.root / "var/lib/iotrc"
    assert state.stat().st_mode & 0o777 == 0o700 and state.parent.stat().st_mode & 0o777 == 0o755
    status = mac.service("status")
    assert (status.returncode, status.stdout) == (0, f"iotrc is running, process {(mac.launchd / 'pid').read_text()}\n")
    assert mac.service("reload").returncode == 0
    # Its settings survive an update, which ends the old one as a stop does.
    conf.write_text("# mine\n")
    done = mac.service("install")
    assert done.returncode == 0 and conf.read_text() == "# mine\n" and mac.starts() == 2, done.stderr
    assert mac.service("stop").returncode == 0
    assert mac.lines("signals") == ["hup", "term", "term"]
    time.sleep(1.5)
    assert mac.starts() == 2, "a stopped daemon stays down"
    assert mac.service("status").returncode == 3
    assert mac.service("start").returncode == 0 and mac.service("restart").returncode == 0 and mac.starts() == 4
    assert mac.service("start").returncode == 0 and mac.starts() == 4, "one that runs is left alone"
    log = mac.root / "var/log/iotrc.log"
    assert log.read_text() == 4 * "/traces/mac_v1/x/y\n"
    assert mac.service("uninstall").returncode == 0
    assert not (mac.root / "Library/LaunchDaemons/org.iotrc.plist").exists() and conf.exists()
    assert mac.service("status").stdout == "iotrc is not installed\n"
    done = mac.service("start")
    assert done.returncode == 1 and "the service is not installed" in done.stderr
    assert log.exists() and mac.service("uninstall", "--purge").returncode == 0 and not conf.exists() and not log.exists()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 4])
def test_where_macos_forbids_recording_it_does_not_loop(mac, seconds):
    """Which DTrace may need some seconds to find out."""
    mac.does("refuse")
    mac.needs(seconds)
    done = mac.service("install")
    assert done.returncode == 1
    assert REFUSAL in done.stderr and "(exit code 1); the next try is at the next boot" in done.stderr, done.stderr
    assert "is recording" not in done.stdout
    time.sleep(2)
    assert mac.starts() == 1
    status = mac.service("status")
    assert (status.returncode, status.stdout.splitlines()[0]) == (3, "iotrc is not running")
    assert status.stdout.splitlines()[1].startswith("exit code 1; see ")
    assert mac.service("logs").stdout.strip() == REFUSAL
    # Another try, once it is allowed.
    mac.does("run")
    assert mac.service("start").returncode == 0 and mac.starts() == 2


def test_one_that_needs_long_to_begin(mac):
    mac.needs(4)
    began = time.monotonic()
    assert mac.service("install").returncode == 0 and time.monotonic() - began > 4


def test_one_that_a_signal_ends(mac):
    """It is none of those that launchd takes for a crash."""
    mac.does("die")
    done = mac.service("install")
    assert done.returncode == 1 and "iotrc does not record (ended by a signal)" in done.stderr and mac.starts() == 1


def test_launchd_may_load_it_without_starting_it(mac):
    (mac.launchd / "lazy").touch()
    assert mac.service("install").returncode == 0 and mac.starts() == 1


def test_one_that_does_not_end_is_killed(mac):
    """By launchd, when it is to be removed."""
    mac.does("hang")
    assert mac.service("install").returncode == 0
    assert mac.service("uninstall").returncode == 0 and mac.service("status").stdout == "iotrc is not installed\n"
    assert (mac.launchd / "exit").read_text() == "last terminating signal = Killed: 9"


def test_the_property_list():
    """Each key is one of launchd.plist(5), and what it does is what the comments say: nothing that could start it in a
    loop, and nothing that a daemon of root's must not have."""
    plist = plistlib.loads((ROOT / "scripts/iotrc.plist").read_bytes())
    assert {key: type(value) for key, value in plist.items()} == {
        "Label": str, "ProgramArguments": list, "RunAtLoad": bool, "KeepAlive": dict, "ThrottleInterval": int, "ExitTimeOut": int,
        "Umask": int, "ProcessType": str, "StandardOutPath": str, "StandardErrorPath": str}
    assert plist["KeepAlive"] == {"Crashed": True} and plist["ThrottleInterval"] >= 10 and plist["Umask"] == 0o077
    assert plist["ExitTimeOut"] > 30 # an upload at the end has 30 s


def test_a_crash_is_recovered_from(mac):
    mac.does("crash")
    mac.service("install")
    end = time.monotonic() + 60
    while mac.starts() < 2 or mac.service("status").returncode:
        assert time.monotonic() < end, mac.service("status")
        time.sleep(0.05)
    assert mac.starts() == 2


# ---- install.sh ----

def install(mac, *options, user="root", have=(), brew=True):
    """Runs install.sh; returns the process, and the requests that brew and make got."""
    cellar = mac.tmp / "opt"
    for formula in have:
        (cellar / formula).mkdir(parents=True)
    program(mac.tmp / "bin/sudo", f"#!/bin/sh\necho sudo \"$@\" >> {mac.tmp}/asked\nshift 3; exec \"$@\"\n")
    if brew:
        program(mac.tmp / "bin/brew", f"""#!/bin/sh
case $1 in
--prefix) [ -z "$2" ] && echo {cellar.parent} || echo brew "$@" >> {mac.tmp}/asked ;;
install) echo brew "$@" >> {mac.tmp}/asked ;;
esac
""")
    program(mac.tmp / "bin/gmake", f"""#!/bin/sh
echo gmake "$@" >> {mac.tmp}/asked
""")
    env = {**mac.env, **({"SUDO_USER": user} if user != "root" else {})}
    del env["DESTDIR"]
    done = subprocess.run([ROOT / "install.sh", "--prefix", mac.tmp / "prefix", *options], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    calls = mac.tmp / "asked"
    return done, calls.read_text().splitlines() if calls.exists() else []


def test_install_brings_what_is_missing(mac):
    done, calls = install(mac, user="ann", have=["zstd", "jansson", "node"])
    assert done.returncode == 0, done.stderr
    missing = " ".join(f for f in FORMULAS if f not in ("zstd", "jansson"))
    assert calls[0] == f"sudo -u ann -H {mac.tmp}/bin/brew install --quiet {missing}"
    assert calls[1] == f"brew install --quiet {missing}"
    assert calls[2:] == ["gmake all", f"gmake install PREFIX={mac.tmp}/prefix"]


def test_install_with_all_there(mac):
    done, calls = install(mac, have=[*FORMULAS, "node"])
    assert done.returncode == 0 and calls == ["gmake all", f"gmake install PREFIX={mac.tmp}/prefix"], done.stderr


def test_install_says_what_it_cannot(mac):
    done, calls = install(mac, brew=False)
    assert done.returncode == 1 and not calls and "install Homebrew (https://brew.sh)" in done.stderr
    done, calls = install(mac)
    assert done.returncode == 1 and not calls and "Homebrew installs nothing as root" in done.stderr
    (mac.tmp / "xcode").unlink()
    done, calls = install(mac)
    assert done.returncode == 1 and not calls and "xcode-select --install" in done.stderr
