#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that no files use each other in a circle: OBJECT... are all of the program, and FILE uses another one if it refers
to a symbol defined there. (scripts/check-style.py looks for circles of includes; functions declared in a header that
several files share escape it.) Prints a line for each circle, and at the end `N passed, N failed`."""
import subprocess
import sys

# The table of commands, which the code for options reads: it derives the help and the nearest name from it.
TABLES = {"commands"}


def symbols(objects):
    """{object: symbols that it refers to}, {symbol: the object that defines it}."""
    used, defined = {o: set() for o in objects}, {}
    out = subprocess.run(["nm", "-A", "-P", *objects], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        path, name, kind, *_ = line.split()
        path = path.rstrip(":")
        if kind in "Uvw":
            used[path].add(name)
        elif kind in "TDBRVWC":
            defined[name] = path
    return used, defined


def circles(edges):
    """The sets of two or more nodes that lead to each other (Tarjan's strongly connected components)."""
    number, lowest, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for to in sorted(edges[node]):
            if to not in number:
                visit(to)
            if to in stack:
                lowest[node] = min(lowest[node], lowest[to])
        if lowest[node] == number[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in number:
            visit(node)
    return found


def main():
    objects = sys.argv[1:]
    used, defined = symbols(objects)
    edges = {o: {defined[s] for s in used[o] - TABLES if s in defined and defined[s] != o} for o in objects}
    found = circles(edges)
    for circle in found:
        print("in a circle:")
        for a in circle:
            for b in circle:
                names = sorted(s for s in used[a] - TABLES if defined.get(s) == b)
                if names and a != b:
                    print(f"  {a} uses {', '.join(names)} of {b}")
    failed = sum(map(len, found))
    print(f"{len(objects) - failed} passed, {failed} failed")
    return 1 if failed or not any(edges.values()) else 0


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    sys.exit(main())
