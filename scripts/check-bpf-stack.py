#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-bpf-stack.py OBJECT…: refuses BPF programs whose calls need more stack than every kernel gives them. Booting the
kernels shows it, too (make check-kernels), but late, and only for the programs that are loaded there.

It counts as check_max_stack_depth() of kernel/bpf/verifier.c does: a chain of calls has at most 512 bytes and eight
functions. Each function takes what it uses, rounded up to 32 bytes; from 6.8 on, kernels with a JIT compiler round up to
16, so what passes here passes there. Global functions and callbacks are calls like others, and a call that is never
reached counts, too. A function that makes a tail call may be called only where less than 256 bytes are in use.

The verifier does not count the stack that only dead branches use. This does: it may refuse what would load.

Prints the deepest chain of each object, and at the end `N passed, N failed`, by program.
"""
import functools
import struct
import sys

STACK_MAX = 512      # MAX_BPF_STACK of include/linux/filter.h
FUNCTIONS_MAX = 8    # MAX_CALL_FRAMES of include/linux/bpf_verifier.h
ROUNDING = 32
TAIL_CALL_BELOW = 256

# What elf.h and linux/bpf.h call Elf64_Ehdr (from e_shoff on), Elf64_Shdr, Elf64_Sym, Elf64_Rel and struct bpf_insn.
HEADER, SECTION, SYMBOL, RELOCATION, INSTRUCTION = "<40xQ10xHHH", "<IIQQQQIIQQ", "<IBBHQQ", "<QQ", "<BBhi"
SHT_SYMTAB, SHT_REL, STT_FUNC = 2, 9, 2
LOAD_IMM64, MOV, ADD_IMM, CALL = 0x18, 0xBF, 0x07, 0x85
LDX, ST, STX, ALU, ALU64 = 1, 2, 3, 4, 7 # classes
PSEUDO_CALL, TAIL_CALL = 1, 12
FRAME = 10 # the register that points to the end of a function's stack
ARGUMENTS = range(1, 6)


class Function:
    def __init__(self, name, section):
        self.name, self.section = name, section
        self.stack = 0       # bytes
        self.calls = set()   # where the functions begin that it calls
        self.tail_call = False


def read_functions(path):
    """{(number of its section, offset there): Function} of an object."""
    with open(path, "rb") as file:
        data = file.read()
    at, size, count, names = struct.unpack_from(HEADER, data)
    sections = [struct.unpack_from(SECTION, data, at + i * size) for i in range(count)]
    contents = [data[s[4]:s[4] + s[5]] for s in sections]

    def string(table, at):
        return contents[table][at:contents[table].index(b"\0", at)].decode()

    table = next(i for i, s in enumerate(sections) if s[1] == SHT_SYMTAB)
    symbols = list(struct.iter_unpack(SYMBOL, contents[table]))
    referred = {(s[7], offset): symbols[info >> 32] for s, text in zip(sections, contents) if s[1] == SHT_REL
                for offset, info in struct.iter_unpack(RELOCATION, text)}
    functions = {}
    for name, info, _, section, start, length in symbols:
        if info & 15 == STT_FUNC:
            function = Function(string(sections[table][6], name), string(names, sections[section][0]))
            read_code(function, contents[section][start:start + length], section, start, referred)
            functions[section, start] = function
    for function in functions.values(): # those of the kernel, and data
        function.calls &= functions.keys()
    return functions


def read_code(function, code, section, start, referred):
    """Fills in what FUNCTION uses and calls. REFERRED has the symbol to which the instruction at (section, offset)
    refers. Branches need not be followed: the compiler makes each address on the stack anew of the frame's register."""
    pointers, deepest = {FRAME: 0}, 0 # register: distance from the end of the stack
    for i, (op, registers, offset, imm) in enumerate(struct.iter_unpack(INSTRUCTION, code)):
        to, source, kind, at = registers & 15, registers >> 4, op & 7, (section, start + i * 8)
        symbol = referred.get(at)
        base = (symbol[3], symbol[4]) if symbol else at
        base_of_access = source if kind == LDX else to if kind in (ST, STX) else None
        if base_of_access in pointers:
            deepest = min(deepest, pointers[base_of_access] + offset)
        if op == CALL:
            if source == PSEUDO_CALL:
                function.calls.add((base[0], base[1] + (imm + 1) * 8))
            function.tail_call |= not source and imm == TAIL_CALL
            for argument in ARGUMENTS:
                pointers.pop(argument, None)
        elif op == LOAD_IMM64 and symbol: # the address of a callback, or of data
            function.calls.add((base[0], base[1] + imm))
        if op == MOV and source in pointers:
            pointers[to] = pointers[source]
        elif op == ADD_IMM and to in pointers:
            pointers[to] += imm
            deepest = min(deepest, pointers[to])
        elif kind in (LDX, ALU, ALU64) or op == LOAD_IMM64:
            pointers.pop(to, None)
    function.stack = -deepest


def rounded(size):
    return max(-(-size // ROUNDING), 1) * ROUNDING


def check(path):
    """Prints the deepest chain of calls of PATH, and each that is refused. Returns the programs and the faulty ones."""
    functions = read_functions(path)

    def stack(chain):
        return sum(rounded(function.stack) for function in chain)

    def text(chain):
        return " > ".join(f"{function.name} {rounded(function.stack)}" for function in chain)

    @functools.cache
    def chains(at):
        """The chains of calls from there that take the most stack, that have the most functions, and that take the most
        stack before a tail call (empty: none makes one)."""
        me = functions[at]
        deep, long, tail = zip(*map(chains, sorted(me.calls))) if me.calls else ((), (), ())
        tail = [chain for chain in tail if chain] + [[]] * me.tail_call
        return ([me] + max(deep, key=stack, default=[]), [me] + max(long, key=len, default=[]),
                [me] + max(tail, key=stack) if tail else [])

    programs = [at for at, function in functions.items() if function.section != ".text"]
    faulty = 0
    for at in programs:
        deep, long, tail = chains(at)
        faults = [f"{stack(deep)} bytes of stack: {text(deep)}"] * (stack(deep) > STACK_MAX)
        faults += [f"{len(long)} functions: {text(long)}"] * (len(long) > FUNCTIONS_MAX)
        faults += [f"a tail call below {stack(tail[:-1])} bytes: {text(tail)}"] * (stack(tail[:-1]) >= TAIL_CALL_BELOW)
        for fault in faults:
            print(f"{path}: {fault}")
        faulty += bool(faults)
    deepest = max((chains(at)[0] for at in programs), key=stack)
    print(f"{path}: {len(programs)} programs; the deepest chain of calls takes {stack(deepest)} bytes: {text(deepest)}")
    return len(programs), faulty


def main():
    results = [check(path) for path in sys.argv[1:]]
    faulty = sum(faulty for _, faulty in results)
    print(f"{sum(programs for programs, _ in results) - faulty} passed, {faulty} failed")
    sys.exit(faulty > 0 or not results)


main()
