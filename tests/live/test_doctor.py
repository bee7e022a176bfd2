# SPDX-License-Identifier: GPL-2.0-or-later
"""What iotrc doctor says is true: findmnt, capsh and the kernel say the same, and a recording fares accordingly."""
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest
import recorder

RECORDING = f"timeout 60 {recorder.IOTRC} -q --no-snapshots -d 200ms -o"


LOOKS_INTO_MODULES = (5, 11) <= recorder.RELEASE < (6, 10) # libbpf requires CAP_SYS_ADMIN


def doctor(*args, code=0, wrap=(), cwd=None):
    done = subprocess.run(
        [*wrap, recorder.IOTRC, "doctor", "--json", *args], capture_output=True, text=True, timeout=300, cwd=cwd,
    )
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    report = json.loads(done.stdout)
    assert report["ok"] == (code == 0)
    report["checks"] = {check["check"]: check for check in report["checks"]}
    return report


def bad(report):
    return {name for name, check in report["checks"].items() if check["state"] == "bad"}


@pytest.fixture(scope="module")
def report_here(module_path):
    """Of this machine as it is."""
    return doctor(cwd=module_path)


def test_says_what_is_true(report_here, module_path):
    checks = report_here["checks"]
    assert bad(report_here) == set()
    assert checks["kernel"]["text"] == f"Linux {os.uname().release} {os.uname().machine}"
    mounted = {
        line.split()[0]
        for line in subprocess.run(["findmnt", "-rno", "FSTYPE"], capture_output=True, text=True).stdout.splitlines()
    }
    assert (checks["tracefs"]["text"] == "mounted") == ("tracefs" in mounted)
    # Only there: other programs may mount their own elsewhere.
    bpffs = subprocess.run(["findmnt", "-rno", "FSTYPE", "/sys/fs/bpf"], capture_output=True, text=True).stdout
    assert checks["bpffs"]["text"].startswith("mounted") == ("bpf" in bpffs.split())
    free = os.statvfs(module_path)
    said = float(checks["space"]["text"].split()[0])
    assert abs(said - free.f_bavail * free.f_frsize / 1e9) < 5
    for check in checks.values():
        assert check["state"] in ("ok", "note") and check["text"]
        assert check["fix"] or check["state"] == "ok"


def test_hooks_are_those_of_a_recording(report_here, tmp_path):
    with recorder.Recording(tmp_path, "--network", "--cache", "--lineage", *recorder.OWN, "-d", "200ms", ends=True) as r:
        pass
    hooks = {(h["name"], tuple(h["streams"])): h for h in report_here["hooks"]}
    recorded = {(h["name"], tuple(h.get("streams", ()))): h for h in r.manifest["diagnostics"]["hooks"]}
    assert {name for name, _ in hooks} == {name for name, _ in recorded}
    for hook in report_here["hooks"]:
        assert hook["attached"] == (hook["state"] != "absent")
        assert hook["state"] in ("fires", "rare", "absent"), hook
        assert (hook["fired"] > 0) == (hook["state"] == "fires")
    # What a kernel cannot provide is said about the streams that lack it.
    absent = [h for h in report_here["hooks"] if h["state"] == "absent"]
    for hook in absent:
        for stream in hook["streams"]:
            assert report_here["streams"][stream]["lacks"]
    for stream in report_here["streams"].values():
        assert stream["recorded"] and (absent or stream["lacks"] == [])


def test_what_it_attaches_to_the_kernel_has(report_here, tmp_path):
    """By tracefs, which no other test mounts."""
    events = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f"mount -t tracefs none {tmp_path} && cat {tmp_path}/available_events"],
        capture_output=True, text=True, check=True,
    ).stdout.split()
    names = {event.partition(":")[2] for event in events} | {"sys_enter", "sys_exit"}
    attached = {h["name"].partition("/")[2].rpartition("/")[2] for h in report_here["hooks"]
                if h["attached"] and h["name"].startswith("tp")}
    assert len(attached) > 20 and attached - names == set()


def test_messages_on_old_kernels_say_what_they_lack(report_here):
    limits = " ".join(report_here["limits"])
    assert ("task storage" in limits) == (recorder.RELEASE < (5, 13))
    assert ("bpf_rdonly_cast" in limits) == (recorder.RELEASE < (6, 2))
    assert ("io_uring completions do not identify" in limits) == (recorder.RELEASE < (5, 18))
    costs = re.search(r"hooked by (functions|classic tracepoints): tracepoints add (\d+) ns to every call, functions (\d+) ns", limits)
    probes = "fprobe" in pathlib.Path("/proc/kallsyms").read_text()
    assert bool(costs) == (recorder.RELEASE >= (7, 1) and probes), limits
    if costs: # functions if a recorded call costs no more; and they are what is attached
        by_functions = int(costs[3]) <= int(costs[2])
        assert (costs[1] == "functions") == by_functions, limits
        assert any(h["name"] == "kprobe.multi/sys_*" and h["attached"] for h in report_here["hooks"]) == by_functions
    assert ("while process 1 runs" in limits) == (recorder.unseen(100) > 0)


# ---- what is missing, and the recording that fails for it ----

NAMESPACE = ["unshare", "-m", "--propagation", "private", "sh", "-ec"]


def in_namespace(setup, tmp_path, *args, code):
    """Runs doctor after SETUP, and checks whether a recording works there."""
    wrap = [*NAMESPACE, f'{setup}\nexec "$@"', "sh"]
    report = doctor(*args, code=code, wrap=wrap, cwd=tmp_path)
    fares = subprocess.run([*wrap, "sh", "-c", f"{RECORDING} {tmp_path}/traces"],
                           capture_output=True, text=True, cwd=tmp_path)
    assert (fares.returncode in (0, 3)) == (code == 0), f"{fares.returncode}: {fares.stderr}"
    return report


def test_without_tracefs(tmp_path):
    # A mount cannot be removed here, only covered: by an empty directory.
    setup = "mkdir -p e; mount --bind e /sys/kernel/tracing; [ ! -d /sys/kernel/debug/tracing ] || mount --bind e /sys/kernel/debug/tracing"
    report = in_namespace(setup, tmp_path, code=0)
    assert report["checks"]["tracefs"]["state"] == "note"
    assert report["checks"]["tracefs"]["fix"] == "mount -t tracefs tracefs /sys/kernel/tracing"


def test_without_btf(tmp_path):
    report = in_namespace("mkdir -p e; mount --bind e /sys/kernel/btf", tmp_path, code=1)
    assert bad(report) == {"BTF", "hooks"}
    assert not any(stream["recorded"] for stream in report["streams"].values())


def test_without_a_machine_id(tmp_path):
    setup = ": >none; mount --bind none /etc/machine-id; [ ! -e /var/lib/dbus/machine-id ] || mount --bind none /var/lib/dbus/machine-id"
    assert bad(in_namespace(setup, tmp_path, code=1)) == {"machine id"}


@pytest.mark.parametrize("conf, left, state", [
    ("", 64, "note"),                  # 5% of 4 MiB stay free
    ("min-free = 50%", 40, "bad"),
    ("min-free = off", 40, "note"),
    ("min-free = off", 1, "bad"),      # no room even for a manifest
])
def test_on_a_full_disk(tmp_path, conf, left, state):
    """A disk of 4 MiB with LEFT percent free; a recording writes rows there, or loses them."""
    (tmp_path / "conf").write_text(f"output = small/traces\n{conf}\n")
    setup = f"mkdir -p small; mount -t tmpfs -o size=4M none small; fallocate -l {4096 * (100 - left) // 100}K small/filler"
    wrap = [*NAMESPACE, f'{setup}\nexec "$@"', "sh"]
    report = doctor("--config", "conf", code=int(state == "bad"), wrap=wrap, cwd=tmp_path)
    check = report["checks"]["space"]
    assert check["state"] == state and bad(report) == ({"space"} if state == "bad" else set())
    assert re.fullmatch(r"0\.0 GB free in the output directory, 0\.0 GB reserved \(--min-free\)", check["text"])
    little = ["--path", str(tmp_path)] if state == "note" else []
    # So that there are rows to lose, also on an idle machine.
    busy = subprocess.Popen(["sh", "-c", "while :; do cat conf; sleep 0.05; done"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        fares = subprocess.run([*wrap, recorder.IOTRC, "--config", "conf", "--no-snapshots", "--streams", "fs", "-d", "2s", *little,
                                *recorder.OWN], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    finally:
        busy.kill()
        busy.wait()
    assert (fares.returncode in (1, 3)) == (state == "bad"), fares.stderr


def test_in_a_pid_namespace(tmp_path):
    wrap = ["unshare", "-p", "-f", "--mount-proc"]
    report = doctor(wrap=wrap, cwd=tmp_path)
    assert report["checks"]["container"]["state"] == "note"
    assert "the host's ids, which --pid takes too" in report["checks"]["container"]["text"]


@pytest.mark.parametrize("drop, state, code", [
    ("cap_bpf,cap_perfmon,cap_sys_admin", "bad", 1),
    ("cap_perfmon,cap_sys_admin", "bad", 1),
    ("cap_dac_read_search", "note", 0),
    # CAP_BPF and CAP_PERFMON are enough, except for libbpf on some kernels.
    ("cap_sys_admin", "bad", 1) if LOOKS_INTO_MODULES else ("cap_sys_admin", "ok", 0),
])
def test_capabilities(tmp_path, drop, state, code):
    wrap = ["capsh", f"--drop={drop}", "--", "-ec", 'exec "$@"', "sh"]
    report = doctor(code=code, wrap=wrap, cwd=tmp_path)
    check = report["checks"]["capabilities"]
    assert check["state"] == state, check
    assert bad(report) == ({"capabilities", "hooks"} if code else set())
    for name in ("cap_bpf", "cap_perfmon", "cap_dac_read_search"):
        assert (name.upper() in check["text"]) == (name in drop), check
    assert ("CAP_SYS_ADMIN" in check["text"]) == ("cap_sys_admin" in drop and LOOKS_INTO_MODULES)
    fares = subprocess.run([*wrap, "sh", "-c", f"{RECORDING} {tmp_path}/traces"],
                           capture_output=True, text=True, cwd=tmp_path)
    assert (fares.returncode in (0, 3)) == (code == 0), fares.stderr


def test_in_a_user_namespace(tmp_path):
    """All capabilities are there, but not the machine's."""
    wrap = ["unshare", "-U", "-r"]
    report = doctor(code=1, wrap=wrap, cwd=tmp_path)
    assert {"capabilities", "hooks"} <= bad(report)
    assert "user namespace" in report["checks"]["capabilities"]["text"]
    fares = subprocess.run([*wrap, "sh", "-c", f"{RECORDING} {tmp_path}/traces"], capture_output=True, text=True,
                           cwd=tmp_path)
    assert fares.returncode == 1 and "a user namespace" in fares.stderr, fares.stderr


def test_as_somebody(tmp_path):
    os.chmod(tmp_path, 0o777)
    report = doctor(code=1, wrap=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], cwd=tmp_path)
    assert bad(report) == {"capabilities", "hooks"}
    assert report["checks"]["capabilities"]["fix"] == "sudo iotrc doctor"
    assert not any(stream["recorded"] for stream in report["streams"].values())


@pytest.fixture(scope="module")
def configured(module_path):
    """The report of a configuration with which all is well, and a directory that it uploads to."""
    place = pathlib.Path(module_path) / "configured"
    (place / "target").mkdir(parents=True)
    (place / "iotrc.conf").write_text(f"output = {place}/new\nupload = file://{place}/target\n")
    return doctor("--config", str(place / "iotrc.conf")), place


def test_configuration(configured, tmp_path):
    report, place = configured
    assert report["checks"]["configuration"]["text"] == f"{place}/iotrc.conf"
    assert sorted(p.name for p in place.iterdir()) == ["iotrc.conf", "target"]
    config = tmp_path / "iotrc.conf"
    config.write_text(f"output = {tmp_path}/new\nrotate-age = soon\n")
    report = doctor("--config", str(config), code=1)
    assert bad(report) == {"configuration"}
    assert f"{config}:2: rotate-age: 'soon'" in report["checks"]["configuration"]["text"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["iotrc.conf"]


def test_places_that_are_not_there(tmp_path):
    """The output's directory, and the file of the keys."""
    config = tmp_path / "iotrc.conf"
    config.write_text(f"output = {tmp_path}/no/such\nupload = s3://b\nupload-credentials = {tmp_path}/none\n")
    assert bad(doctor("--config", str(config), code=1)) == {"space", "upload"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["iotrc.conf"]


def test_upload(report_here, configured, tmp_path):
    assert report_here["checks"]["upload"]["state"] == "ok"
    report, place = configured
    check = report["checks"]["upload"]
    assert check["state"] == "ok" and check["text"].startswith("works"), check
    assert not [p for p in (place / "target").rglob("*") if p.is_file()]
    config = tmp_path / "iotrc.conf"
    with socket.socket() as listener: # bound but not listening: refused
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        (tmp_path / "keys").write_text("aws_access_key_id = A\naws_secret_access_key = B\n")
        (tmp_path / "keys").chmod(0o600)
        config.write_text(f"output = {tmp_path}/new\nupload = s3://b\ns3-endpoint = http://127.0.0.1:{port}\n"
                          f"upload-credentials = {tmp_path}/keys\n")
        check = doctor("--config", str(config))["checks"]["upload"]
    assert check["state"] == "note" and "does not work now" in check["text"], check


def test_text_and_usage(tmp_path):
    said = recorder.run("doctor", seconds=300, cwd=tmp_path)
    assert said.returncode == 0 and said.stdout.endswith("\nRecording will work.\n"), said.stdout
    for args in (["--frob"], ["x"], ["--bundle"]):
        said = recorder.run("doctor", *args)
        assert said.returncode == 2 and said.stderr.startswith("iotrc doctor: "), said


def test_bundle_names_nobody(tmp_path):
    """With private names in every place from which the report could take one."""
    secret = "zebra-k7"
    place = tmp_path / f"{secret}-place"
    place.mkdir()
    config = place / f"{secret}.conf"
    config.write_text(f"output = {place}/{secret}-traces\npath = /{secret}\nfrob-{secret} = 1\n")
    bundle = tmp_path / "bundle.json"
    environment = dict(os.environ, HOME=f"/home/{secret}", USER=secret, SUDO_USER=secret, LOGNAME=secret)
    setup = f"hostname {secret}-host; mkdir m; mount -t tmpfs {secret} m; cd {place}; exec \"$@\""
    done = subprocess.run(
        ["unshare", "-m", "-u", "sh", "-ec", setup, "sh",
         recorder.IOTRC, "doctor", "--config", str(config), "--bundle", str(bundle)],
        capture_output=True, text=True, timeout=300, env=environment, cwd=tmp_path,
    )
    assert done.returncode == 1 and secret in done.stdout, done.stdout + done.stderr
    text = bundle.read_text()
    report = json.loads(text)
    assert report["machine"]["kernel"] == os.uname().release and report["hooks"] and report["streams"]
    assert bundle.stat().st_mode & 0o777 == 0o600
    names = {secret, socket.gethostname(), pathlib.Path("/etc/machine-id").read_text().strip(), str(tmp_path)}
    for line in pathlib.Path("/etc/passwd").read_text().splitlines():
        name, _, uid, _, _, home, _ = line.split(":")
        if 1000 <= int(uid) < 60000:
            names |= {name, home}
    found = {name for name in names if name and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}
    assert secret not in text
    assert found == set(), text
    # An existing file is kept.
    again = recorder.run("doctor", "--bundle", str(bundle), seconds=300)
    assert again.returncode == 1 and again.stderr.endswith("File exists\n")
    assert bundle.read_text() == text
