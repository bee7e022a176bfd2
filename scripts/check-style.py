#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks what a compiler does not: licence lines, header guards, includes, names, line and function lengths, comments of
public functions, clang-format, and commit subjects. Prints a line for each fault, the lengths of functions, and at the end
`N passed, N failed`."""
import fnmatch
import os
import re
import subprocess
import sys

LINE_MAX = 100
FUNCTION_MAX = 90  # lines, and of 99 % of the functions at most:
FUNCTION_P99 = 46
LICENCES = {"bpf/": "GPL-2.0-only OR BSD-2-Clause", "schema/records.h": "GPL-2.0-only OR BSD-2-Clause",
            "schema/streams.h": "GPL-2.0-only OR BSD-2-Clause", "schema/fs_ops.h": "GPL-2.0-only OR BSD-2-Clause",
            "schema/types.h": "GPL-2.0-only OR BSD-2-Clause", "schema/buckets.h": "GPL-2.0-only OR BSD-2-Clause",
            "schema/sums.h": "GPL-2.0-only OR BSD-2-Clause"}
GENERATED = {"bpf_programs.h", "commit.h", "iotrc.skel.h", "report_page.h", "floor.skel.h", "syscall_names_native.h",
             "syscall_names_compat.h", "nx_script.h", "dtrace_scripts.h", "iotrc_6_2.skel.h"}
# Constants and expressions that have a name in platform/macros.h.
NAMED = {"NSEC_PER_SEC": r"\b(1000000000|1000000000[uUlL]+)\b", "ARRAY_SIZE()": r"sizeof\((\w+)\) ?/ ?sizeof\((\*\1|\1\[0\])\)"}
# Words that say less than the field's own, as names or parts of names.
WORDS = {"room": "capacity", "asked": "requested", "told": "reported", "untold": "unreported", "fold": "normalize",
         "lighten": "shed", "exercise": "self-test"}
# A comment or a literal, or a name.
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\w+""", re.S)
TYPE = re.compile(r"^\s*(?:static |const |typedef )*(?:struct|enum|union) (\w+)(?: __attribute__\(\(.*?\)\))? \{", re.M)
# A function's definition, as clang-format lays it out.
FUNCTION = re.compile(r"^(?!else\b)\w[\w *]*?\b(\w+)\([^;{}]*?\)(?: __attribute__[^\n;]*)?(?: /\*.*\*/)?\n\{$", re.M)
# Types under the names that the kernel has for them.
KERNEL_TYPES = "bpf/kernel_types.h"
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)

faults = 0
faulty = set()


def fault(where, what):
    global faults
    faults += 1
    faulty.add(where.split(":")[0])
    print(f"{where}: {what}")


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-z", "--", *patterns], check=True, capture_output=True, text=True)
    return [f for f in out.stdout.split("\0") if f and os.path.isfile(f)]


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def table(path, heading, column):
    """The names in backticks in a column of the rows of a table, the first one below HEADING, from top to bottom."""
    text = read(path).split(heading, 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", text, re.M)[0].splitlines()[2:]
    return [re.findall(r"`([^`]+)`", row.split("|")[column]) for row in rows]


def folder(path):
    parts = path.split("/")[:-1]
    if parts[:1] == ["src"]:
        return "/".join(parts)
    return parts[0] if parts else ""


def level(name):
    """The row of a folder in the table of docs/INTERNALS.md: it includes from folders in rows below, and from itself."""
    for i, names in enumerate(FOLDERS):
        if name in names:
            return i
    return None


def resolve(path, name):
    """The file of the tree that PATH includes as NAME, or None."""
    for root in ("", "src/", os.path.dirname(path) + "/"):
        if os.path.isfile(root + name):
            return os.path.normpath(root + name)
    return None


def licence(path, text):
    want = next((LICENCES[p] for p in LICENCES if path.startswith(p)), "GPL-2.0-or-later")
    first = "\n".join(text.split("\n")[:2])
    start = {".c": "// ", ".h": "/* ", ".def": "/* ", ".d": "/* "}.get(os.path.splitext(path)[1], "# ")
    if f"{start}SPDX-License-Identifier: {want}" not in first:
        fault(path, f"does not begin with '{start}SPDX-License-Identifier: {want}'")


def guard(path, text):
    found = re.search(r"^#ifndef (IOTRC_\w+_H)\n#define (\w+)$", text, re.M)
    if not found or found[1] != found[2]:
        fault(path, "has no header guard IOTRC_..._H")


def includes(path, text, graph):
    own = folder(path)
    at_system = False
    for m in INCLUDE.finditer(text):
        line = text.count("\n", 0, m.start()) + 1
        if m[1] == "<":
            at_system = True
            continue
        name = m[2]
        target = resolve(path, name)
        if not target:
            if name not in GENERATED:
                fault(f"{path}:{line}", f"includes {name}, which is not in the tree")
            continue
        if name.startswith("src/") or ("/" not in name and (own != folder(target) or own not in ("tests", "bench", "scripts"))):
            fault(f"{path}:{line}", f'includes "{name}": write it with its folder, as in "dataset/session.h"')
        if target.endswith(".c") and own not in ("tests",):
            fault(f"{path}:{line}", f"includes {name}, which is no header")
        graph.setdefault(path, set()).add(target)
        a, b = level(own), level(folder(target))
        if a is None or b is None:
            fault(f"{path}:{line}", f"{own} or {folder(target)} has no place in the order of folders")
        elif b < a or (b == a and own != folder(target)):
            fault(f"{path}:{line}", f"{own} includes {name}, from a folder that is not below it")
    return at_system


def circles(graph):
    """Looks for include cycles of modules (NAME.c with NAME.h). A header without a .c of its own belongs to the modules
    that include it."""
    def unit(f):
        return os.path.splitext(f)[0]

    modules = {unit(f) for f in graph if f.endswith(".c")}
    edges = {}
    for f in graph:
        if f.startswith(("tests/", "scripts/", "bench/")) or unit(f) not in modules:
            continue
        seen, todo = set(), list(graph[f])
        while todo:
            t = todo.pop()
            if t in seen:
                continue
            seen.add(t)
            if unit(t) in modules:
                if unit(t) != unit(f):
                    edges.setdefault(unit(f), set()).add(unit(t))
            else:
                todo += graph.get(t, ())
    state, stack = {}, []

    def visit(u):
        state[u] = 1
        stack.append(u)
        for v in sorted(edges.get(u, ())):
            if state.get(v) == 1:
                fault(v, "is in a circle of includes: " + " -> ".join(stack[stack.index(v):] + [v]))
            elif v not in state:
                visit(v)
        stack.pop()
        state[u] = 2

    for u in sorted(edges):
        if u not in state:
            visit(u)


def bpf_layers(graph):
    """Checks the headers of bpf/ against the table in bpf/README.md: a file includes from its own layer or from those
    above it, without cycles."""
    rows = table("bpf/README.md", "# The BPF programs\n", 2)
    files = sorted(f for f in graph if f.startswith("bpf/"))
    layer = {f: i for f in files for i, row in reversed(list(enumerate(rows)))
             if any(fnmatch.fnmatch(os.path.basename(f), pattern) for pattern in row)}
    ended = set()

    def visit(f, way):
        if f in way:
            fault(f, "is in a circle of includes: " + " -> ".join(way[way.index(f):] + [f]))
        elif f not in ended:
            for t in sorted(graph.get(f, ())):
                visit(t, way + [f])
            ended.add(f)

    for f in files:
        if f not in layer:
            fault(f, "has no layer in bpf/README.md")
        for t in sorted(graph[f]):
            if layer.get(t, 0) > layer.get(f, len(rows)):
                fault(f, f"includes {t}, from a layer below its own in bpf/README.md")
        visit(f, [])


def lengths(path, text):
    off = False
    for i, line in enumerate(text.split("\n"), 1):
        if "clang-format off" in line:
            off = True
        elif "clang-format on" in line:
            off = False
        width = len(line.expandtabs(8))
        if width > LINE_MAX and not off and '"' not in line:
            fault(f"{path}:{i}", f"{width} columns wide, more than {LINE_MAX}")


def names(path, text):
    if path.split("/")[0] not in ("src", "schema", "snappers", "uploader") or path == "src/platform/macros.h":
        return
    for name, pattern in NAMED.items():
        for found in re.finditer(pattern, text):
            fault(f"{path}:{text.count(chr(10), 0, found.start()) + 1}", f"{found[0]} is called {name}")


def words(path, text):
    for found in TOKEN.finditer(text):
        for word in found[0].lower().split("_") if found[0][0].isalpha() or found[0][0] == "_" else ():
            if word in WORDS:
                fault(f"{path}:{text.count(chr(10), 0, found.start()) + 1}", f"{found[0]}: {word} is called {WORDS[word]}")


def types(path, text, known):
    """Each type has a name of its own in the whole program. KNOWN: {name: where}."""
    for found in TYPE.finditer(text) if path != KERNEL_TYPES else ():
        where = f"{path}:{text.count(chr(10), 0, found.start(1)) + 1}"
        if found[1] in known:
            fault(where, f"{found[1]} is the name of another type, too: {known[found[1]]}")
        known[found[1]] = where


def function_names(path, text, known):
    """Each function has a name of its own in its folder. Only those that fill the same member of a struct of functions may
    share its name: `.on_session = on_session`. KNOWN: {(folder, name): (path, where, fills)}."""
    for found in FUNCTION.finditer(text) if folder(path) != "bpf" else ():  # one object: the compiler holds it
        name = found[1]
        where = f"{path}:{text.count(chr(10), 0, found.start(1)) + 1}"
        fills = bool(re.search(rf"\.{name} = {name}\b", text))
        first, there, first_fills = known.setdefault((folder(path), name), (path, where, fills))
        if first != path and not (fills and first_fills):
            fault(where, f"{name}() is the name of another function in this folder, too: {there}")


def quoted_commas(path, text):
    """A comma ends an argument of make's $(call), also between quotes: the shell would get one of the two quotes."""
    for i, line in enumerate(text.split("\n"), 1):
        if re.search(r"\$\(call \w+,[^()]*'[^'()]*,[^'()]*'\)", line):
            fault(f"{path}:{i}", "a comma in a quoted argument of $(call)")


def functions(path, text):
    """The lengths of a file's functions, braces included."""
    found, start = [], None
    for i, line in enumerate(text.split("\n"), 1):
        if line == "{":
            start = i
        elif line == "}" and start:
            found.append(i - start + 1)
            if found[-1] > FUNCTION_MAX:
                fault(f"{path}:{start}", f"a function of {found[-1]} lines, more than {FUNCTION_MAX}")
            start = None
    return found


def prototypes(path, text):
    """Looks for functions in headers without a comment: directly above, or above the paragraph of functions that they are
    in. Returns how many functions the header declares."""
    lines, count = text.split("\n"), 0
    for i, line in enumerate(lines):
        if not re.match(r"[a-z][\w *]*\b\w+\(", line) or re.match(r"(static|typedef)\b", line):
            continue
        if next(end for end in lines[i:] if end.rstrip().endswith((";", "{"))).endswith("{"):
            continue
        count += 1
        above = next(before for before in reversed(lines[:i]) if not before.strip() or before.endswith("*/"))
        if not above:
            fault(f"{path}:{i + 1}", "a function without a comment")
    return count


def formatting(files):
    """A line for each file that clang-format would change, at the first place."""
    said = set()
    out = subprocess.run(["xargs", "-P", str(os.cpu_count()), "-n", "40", "clang-format", "--dry-run"], check=False,
                         input="\n".join(files), capture_output=True, text=True, errors="surrogateescape")
    for line in out.stderr.splitlines():
        found = re.match(r"([^: ]+):(\d+):\d+: (?:warning|error): ", line)
        if found and found[1] not in said:
            said.add(found[1])
            fault(f"{found[1]}:{found[2]}", f"is not as .clang-format has it: clang-format -i {found[1]}")
    if out.returncode:
        fault("clang-format", out.stderr.strip()[-200:])


def subjects():
    """Checks the subjects of the commits made since this check exists."""
    base = subprocess.run(["git", "log", "--format=%H", "-Scheck-style:", "--", "Makefile"], check=False,
                          capture_output=True, text=True).stdout.split()
    if not base:
        return
    log = subprocess.run(["git", "log", "--no-merges", "--format=%h %s", f"{base[-1]}.."], check=False,
                         capture_output=True, text=True).stdout
    for line in log.splitlines():
        commit, subject = line.split(" ", 1)
        if len(subject) > 72 or not re.match(r"[\w.,/+ -]+: \S", subject):
            fault(f"commit {commit}", f"the subject is not 'area: verb ...' of at most 72 characters: {subject}")


FOLDERS = table("docs/INTERNALS.md", "\n## Folders\n", 1)


def main():
    graph, sizes, known, functions_known, declared = {}, [], {}, {}, 0
    c = tracked("*.c", "*.h")
    files = c + tracked("*.def", "*.py", "*.sh", "*.d", "Makefile")
    for path in files:
        text = read(path)
        licence(path, text)
        if path == "Makefile":
            quoted_commas(path, text)
        if path.endswith(".h"):
            guard(path, text)
        if path.endswith((".c", ".h")):
            includes(path, text, graph)
            lengths(path, text)
            names(path, text)
            words(path, text)
        if path.endswith((".c", ".h")) and not path.startswith(("tests/", "bench/")):
            sizes += functions(path, text)
            types(path, text, known)
            function_names(path, text, functions_known)
        if path.endswith(".h") and not path.startswith(("tests/", "bench/", "scripts/", "bpf/")):
            declared += prototypes(path, text)
    sizes.sort()
    if sizes[len(sizes) * 99 // 100] > FUNCTION_P99:
        fault("functions", f"of {len(sizes)} 1 % have more than {sizes[len(sizes) * 99 // 100]} lines, not {FUNCTION_P99}")
    circles(graph)
    bpf_layers(graph)
    formatting(c)
    subjects()
    print(f"{len(sizes)} functions: 99 % have at most {sizes[len(sizes) * 99 // 100]} lines, the longest has {sizes[-1]}; "
          f"{declared} are declared in headers")
    print(f"{len(set(files) - faulty)} passed, {len(faulty)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
