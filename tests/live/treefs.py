# SPDX-License-Identifier: GPL-2.0-or-later
"""A filesystem for a test, with names that no other filesystem allows (tests/treefs)."""
import os
import stat
import subprocess

import recorder

# FUSE_NAME_MAX, fs/fuse/fuse_i.h: since 6.14, a name may be as long as a path.
NAME_MAX = 4095 if recorder.RELEASE >= (6, 14) else 1024
TYPES = {"d": stat.S_IFDIR, "-": stat.S_IFREG, "l": stat.S_IFLNK, "p": stat.S_IFIFO, "s": stat.S_IFSOCK,
         "c": stat.S_IFCHR, "b": stat.S_IFBLK}



class TreeFS:
    """with TreeFS(point, tree): TREE maps names (bytes) to a dict (a directory), bytes (a file), or a type's letter and
    its content, such as ("l", b"target") or ("p", b"")."""

    def __init__(self, point, tree, subtype="bindfs"):
        # Snapshots of files treat fuse.bindfs as a local filesystem.
        self.point, self.tree, self.subtype = point, tree, subtype

    def lines(self, tree, depth=0):
        for name, what in tree.items():
            kind, content = ("d", b"") if isinstance(what, dict) else ("-", what) if isinstance(what, bytes) else what
            assert kind in TYPES and len(name) <= NAME_MAX
            yield f"{depth} {kind} {name.hex()} 1 {content.hex() or '-'}\n"
            if isinstance(what, dict):
                yield from self.lines(what, depth + 1)

    def __enter__(self):
        self.point.mkdir(exist_ok=True)
        self.server = subprocess.Popen(
            [recorder.workload("treefs"), self.point, self.subtype], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.server.stdin.write("".join(self.lines(self.tree)).encode())
        self.server.stdin.close()
        assert recorder.read_line(self.server.stdout, recorder.START) == "ready\n"
        return self

    def __exit__(self, *args):
        subprocess.run(["umount", "-l", self.point], check=True)
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:  # another mount namespace has it mounted, too
            self.server.kill()
            self.server.wait()
        self.server.stdout.close()

    def paths(self):
        """Each path below the root, without a leading '/', and its type's letter."""
        def walk(tree, above):
            for name, what in tree.items():
                is_dir = isinstance(what, dict)
                yield above + name, "d" if is_dir else "-" if isinstance(what, bytes) else what[0]
                if is_dir:
                    yield from walk(what, above + name + b"/")

        return dict(walk(self.tree, b""))


def of(path):
    """The tree at PATH."""
    if path.is_dir():
        return {os.fsencode(p.name): of(p) for p in sorted(path.iterdir())}
    return path.read_bytes()
