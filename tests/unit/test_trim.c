// SPDX-License-Identifier: GPL-2.0-or-later
/* Each program is followed by what must remain of it. */
#include <criterion/criterion.h>
#include <string.h>

#include "engine/bpf/trim.h"
#include "platform/macros.h"

#define INSN_MAX 32

/* The map of constants, and another one. */
#define CONSTANTS_FD 5
#define OTHER_FD 6
static const unsigned char contents[] = {
	0, 1, 2, 0, 0xff, 0xff, 0xff, 0xff, 9, 0, 0, 0, 0, 0, 0, 0
};
static const struct constants constants = { CONSTANTS_FD, contents, sizeof(contents) };

#define MOV(dst, n) \
	{ \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (n) \
	}
#define MOV32(dst, n) \
	{ \
		.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (n) \
	}
#define COPY(dst, src) \
	{ \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src) \
	}
#define ALU64(op, dst, n) \
	{ \
		.code = BPF_ALU64 | (op) | BPF_K, .dst_reg = (dst), .imm = (n) \
	}
#define ALU32(op, dst, n) \
	{ \
		.code = BPF_ALU | (op) | BPF_K, .dst_reg = (dst), .imm = (n) \
	}
#define IF(op, dst, n, to) \
	{ \
		.code = BPF_JMP | (op) | BPF_K, .dst_reg = (dst), .imm = (n), .off = (to) \
	}
#define IF32(op, dst, n, to) \
	{ \
		.code = BPF_JMP32 | (op) | BPF_K, .dst_reg = (dst), .imm = (n), .off = (to) \
	}
#define IF_REGS(op, dst, src, to) \
	{ \
		.code = BPF_JMP | (op) | BPF_X, .dst_reg = (dst), .src_reg = (src), .off = (to) \
	}
#define GOTO(to) \
	{ \
		.code = BPF_JMP | BPF_JA, .off = (to) \
	}
#define EXIT \
	{ \
		.code = BPF_JMP | BPF_EXIT \
	}
#define HELPER \
	{ \
		.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns \
	}
#define CALL(to) \
	{ \
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (to) \
	}
#define LONG(kind, dst, low, high) \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (dst), .src_reg = (kind), .imm = (low) }, \
	{ \
		.imm = (high) \
	}
#define ADDRESS_IN(fd, dst, at) LONG(BPF_PSEUDO_MAP_VALUE, dst, fd, at)
#define LOAD(size, dst, src, at) \
	{ \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (dst), .src_reg = (src), \
		.off = (at) \
	}
#define ADD_AT(dst, src) \
	{ \
		.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = (dst), .src_reg = (src), \
		.imm = BPF_ADD | BPF_FETCH \
	}
#define PROGRAM(...) \
	(const struct bpf_insn[]){ __VA_ARGS__ }, \
		ARRAY_SIZE(((const struct bpf_insn[]){ __VA_ARGS__ }))

static void expect(const struct code *code, const struct bpf_insn *expected, size_t n)
{
	cr_assert_eq(code->n, n, "%zu instructions, not %zu", code->n, n);
	for (size_t i = 0; i < n; i++)
		cr_expect_arr_eq(&code->insns[i], &expected[i], sizeof(*expected),
				 "instruction %zu", i);
}

static void trims(const struct bpf_insn *insns, size_t n, const struct bpf_insn *expected,
		  size_t n_expected)
{
	struct bpf_insn copy[INSN_MAX];
	struct code code = { .insns = copy, .n = n };

	memcpy(copy, insns, n * sizeof(*insns));
	cr_assert_eq(trim__code(&code, &constants), 0);
	expect(&code, expected, n_expected);
}

static void keeps(const struct bpf_insn *insns, size_t n)
{
	trims(insns, n, insns, n);
}

/* Whether the branch IF after INSNS is taken: what it skips, and it itself, are gone. */
#define TAKES(branch, ...) \
	trims(PROGRAM(__VA_ARGS__, branch, MOV(0, 1), EXIT), PROGRAM(__VA_ARGS__, EXIT))
#define PASSES(branch, ...) \
	trims(PROGRAM(__VA_ARGS__, branch, MOV(0, 1), EXIT), PROGRAM(__VA_ARGS__, MOV(0, 1), EXIT))
#define ASKS(branch, ...) keeps(PROGRAM(__VA_ARGS__, branch, MOV(0, 1), EXIT))

Test(trim, constants_decide)
{
	TAKES(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(CONSTANTS_FD, 1, 0), LOAD(BPF_B, 1, 1, 0));
	PASSES(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(CONSTANTS_FD, 1, 1), LOAD(BPF_B, 1, 1, 0));
	TAKES(IF(BPF_JEQ, 1, 0x20100, 1), ADDRESS_IN(CONSTANTS_FD, 1, 0), LOAD(BPF_W, 1, 1, 0));
	TAKES(IF(BPF_JEQ, 1, 0x201, 1), ADDRESS_IN(CONSTANTS_FD, 7, 0), LOAD(BPF_H, 1, 7, 1));
	TAKES(IF(BPF_JEQ, 1, 9, 1), ADDRESS_IN(CONSTANTS_FD, 1, 16), LOAD(BPF_DW, 1, 1, -8));
	TAKES(IF(BPF_JEQ, 1, 9, 1), ADDRESS_IN(CONSTANTS_FD, 1, 0), COPY(2, 1),
	      ALU64(BPF_ADD, 2, 8), LOAD(BPF_B, 1, 2, 0));
	/* Loads are not sign-extended. */
	PASSES(IF(BPF_JEQ, 1, -1, 1), ADDRESS_IN(CONSTANTS_FD, 1, 4), LOAD(BPF_W, 1, 1, 0));
	TAKES(IF32(BPF_JEQ, 1, -1, 1), ADDRESS_IN(CONSTANTS_FD, 1, 4), LOAD(BPF_W, 1, 1, 0));
}

Test(trim, other_memory_does_not)
{
	ASKS(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(OTHER_FD, 1, 0), LOAD(BPF_B, 1, 1, 0));
	ASKS(IF(BPF_JEQ, 1, 0, 1), LOAD(BPF_B, 1, 1, 0));
	ASKS(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(CONSTANTS_FD, 1, 9), LOAD(BPF_DW, 1, 1, 0));
	ASKS(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(CONSTANTS_FD, 1, 0), LOAD(BPF_B, 1, 1, -1));
	ASKS(IF(BPF_JEQ, 1, 0, 1), ADDRESS_IN(CONSTANTS_FD, 1, 0)); /* the address itself */
}

Test(trim, numbers_are_computed)
{
	TAKES(IF(BPF_JEQ, 1, 6, 1), MOV(1, 3), ALU64(BPF_LSH, 1, 1));
	TAKES(IF(BPF_JEQ, 1, 1, 1), MOV(1, 13), ALU64(BPF_AND, 1, 4), ALU64(BPF_RSH, 1, 2));
	TAKES(IF(BPF_JEQ, 1, -3, 1), MOV(1, 3), ALU64(BPF_SUB, 1, 6));
	TAKES(IF(BPF_JEQ, 1, 7, 1), MOV(1, 5), ALU64(BPF_OR, 1, 2));
	TAKES(IF(BPF_JEQ, 1, 4, 1), MOV(1, 5), ALU64(BPF_XOR, 1, 1));
	/* 32 bits are zero-extended. */
	PASSES(IF(BPF_JEQ, 1, -1, 1), MOV32(1, -1));
	TAKES(IF(BPF_JEQ, 1, 0, 1), MOV32(1, -1), ALU32(BPF_ADD, 1, 1));
	TAKES(IF(BPF_JGT, 1, 0, 1), MOV(1, -1), ALU64(BPF_ADD, 1, 0), ALU64(BPF_RSH, 1, 32));
	TAKES(IF_REGS(BPF_JEQ, 1, 2, 1), LONG(0, 1, -1, 0), MOV32(2, -1));
	/* Others are not followed. */
	ASKS(IF(BPF_JEQ, 1, 6, 1), MOV(1, 3), ALU64(BPF_MUL, 1, 2));
	ASKS(IF(BPF_JEQ, 1, -3, 1), MOV(1, 3), ALU64(BPF_NEG, 1, 0));
}

Test(trim, comparisons)
{
	TAKES(IF(BPF_JNE, 1, 4, 1), MOV(1, 3));
	PASSES(IF(BPF_JGT, 1, 3, 1), MOV(1, 3));
	TAKES(IF(BPF_JGE, 1, 3, 1), MOV(1, 3));
	TAKES(IF(BPF_JGT, 1, 3, 1), MOV(1, -1));
	PASSES(IF(BPF_JSGT, 1, 3, 1), MOV(1, -1));
	TAKES(IF(BPF_JSLT, 1, 3, 1), MOV(1, -1));
	TAKES(IF(BPF_JSLE, 1, -1, 1), MOV(1, -1));
	PASSES(IF(BPF_JSGE, 1, 0, 1), MOV(1, -1));
	PASSES(IF(BPF_JLT, 1, 3, 1), MOV(1, 3));
	TAKES(IF(BPF_JLE, 1, 3, 1), MOV(1, 3));
	TAKES(IF(BPF_JSET, 1, 6, 1), MOV(1, 3));
	PASSES(IF(BPF_JSET, 1, 4, 1), MOV(1, 3));
	TAKES(IF32(BPF_JSLT, 1, 0, 1), LONG(0, 1, -1, 0));
	PASSES(IF(BPF_JSLT, 1, 0, 1), LONG(0, 1, -1, 0));
}

Test(trim, what_calls_and_atomics_change_is_unknown)
{
	ASKS(IF(BPF_JEQ, 0, 0, 1), MOV(0, 0), HELPER);
	ASKS(IF(BPF_JEQ, 5, 0, 1), MOV(5, 0), HELPER);
	TAKES(IF(BPF_JEQ, 6, 0, 1), MOV(6, 0), HELPER);
	ASKS(IF(BPF_JEQ, 2, 0, 1), MOV(2, 0), ADD_AT(10, 2));
}

Test(trim, ways_that_join)
{
	/* Both bring the same number, … */
	trims(PROGRAM(IF(BPF_JEQ, 1, 0, 2), MOV(6, 3), GOTO(1), MOV(6, 3), IF(BPF_JEQ, 6, 3, 1),
		      MOV(0, 1), EXIT),
	      PROGRAM(IF(BPF_JEQ, 1, 0, 2), MOV(6, 3), GOTO(1), MOV(6, 3), EXIT));
	/* … or different ones. */
	keeps(PROGRAM(IF(BPF_JEQ, 1, 0, 2), MOV(6, 3), GOTO(1), MOV(6, 4), IF(BPF_JEQ, 6, 3, 1),
		      MOV(0, 1), EXIT));
	/* A loop changes the number that it began with. */
	keeps(PROGRAM(MOV(6, 0), IF(BPF_JEQ, 6, 3, 2), ALU64(BPF_ADD, 6, 1), GOTO(-3), EXIT));
	/* Jumps over what goes, forward and back. */
	trims(PROGRAM(MOV(6, 0), IF(BPF_JEQ, 1, 0, 3), IF(BPF_JEQ, 6, 0, 1), MOV(0, 1),
		      IF(BPF_JEQ, 2, 0, -4), EXIT),
	      PROGRAM(MOV(6, 0), IF(BPF_JEQ, 1, 0, 1), IF(BPF_JEQ, 2, 0, -2), EXIT));
	/* A branch that is always taken, but not to what remains next. */
	trims(PROGRAM(MOV(6, 0), IF(BPF_JEQ, 1, 0, 2), IF(BPF_JEQ, 6, 0, 2), EXIT, MOV(0, 1),
		      MOV(0, 2), EXIT),
	      PROGRAM(MOV(6, 0), IF(BPF_JEQ, 1, 0, 1), GOTO(1), MOV(0, 1), MOV(0, 2), EXIT));
}

Test(trim, functions_and_lines)
{
	struct bpf_insn insns[] = {
		MOV(6, 0),
		IF(BPF_JEQ, 6, 0, 1),
		CALL(2), /* the first function, never */
		CALL(4), /* the third one */
		EXIT,
		/* the first function */
		MOV(0, 1),
		CALL(2),
		EXIT,
		/* the third one */
		GOTO(1),
		MOV(0, 2),
		MOV(0, 3),
		EXIT,
	};
	const struct bpf_insn expected[] = {
		MOV(6, 0), CALL(1), EXIT, MOV(0, 3), EXIT,
	};
	struct bpf_func_info functions[] = { { 0, 10 }, { 5, 11 }, { 8, 12 } };
	struct bpf_line_info lines[] = {
		{ .insn_off = 0, .line_off = 100 }, { .insn_off = 1, .line_off = 101 },
		{ .insn_off = 3, .line_off = 103 }, { .insn_off = 5, .line_off = 105 },
		{ .insn_off = 7, .line_off = 107 }, { .insn_off = 8, .line_off = 108 },
		{ .insn_off = 9, .line_off = 109 }, { .insn_off = 11, .line_off = 111 },
	};
	struct code code = {
		insns, functions, lines, ARRAY_SIZE(insns), ARRAY_SIZE(functions), ARRAY_SIZE(lines)
	};
	static const unsigned int starts[] = { 0, 3 }, types[] = { 10, 12 };
	static const unsigned int begins[] = { 0, 1, 3, 4 }, texts[] = { 100, 103, 109, 111 };

	cr_assert_eq(trim__code(&code, &constants), 0);
	expect(&code, expected, ARRAY_SIZE(expected));
	cr_assert_eq(code.n_functions, ARRAY_SIZE(starts));
	for (size_t i = 0; i < code.n_functions; i++) {
		cr_expect_eq(functions[i].insn_off, starts[i]);
		cr_expect_eq(functions[i].type_id, types[i]);
	}
	cr_assert_eq(code.n_lines, ARRAY_SIZE(begins));
	for (size_t i = 0; i < code.n_lines; i++) {
		cr_expect_eq(lines[i].insn_off, begins[i]);
		cr_expect_eq(lines[i].line_off, texts[i]);
	}
}

Test(trim, addresses_of_functions)
{
	trims(PROGRAM(GOTO(1), MOV(0, 1), LONG(BPF_PSEUDO_FUNC, 2, 3, 0), HELPER, EXIT, MOV(0, 2),
		      EXIT),
	      PROGRAM(LONG(BPF_PSEUDO_FUNC, 2, 3, 0), HELPER, EXIT, MOV(0, 2), EXIT));
}

/* The kernel may know what we do not: such a program stays as it is. */
Test(trim, unknown_instructions)
{
	static const struct bpf_insn may_goto = { .code = BPF_JMP | 0xe0, .off = 1 },
				     long_jump = { .code = BPF_JMP32 | BPF_JA, .imm = 1 },
				     packet = { .code = BPF_LD | BPF_ABS | BPF_W };

	keeps(PROGRAM(GOTO(0), may_goto, EXIT));
	keeps(PROGRAM(GOTO(0), long_jump, EXIT, EXIT));
	keeps(PROGRAM(GOTO(0), packet, EXIT));
	keeps(PROGRAM(GOTO(5), EXIT));
	keeps(PROGRAM(GOTO(-3), EXIT));
	keeps(PROGRAM(GOTO(0), MOV(0, 1)));
}
