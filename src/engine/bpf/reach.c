// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/reach.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define N_REGS 10             /* without the frame pointer, which is no number */
#define PROGRAM_MAX (1 << 20) /* instructions */

enum kind {
	ANYTHING,
	NUMBER,  /* N */
	ADDRESS, /* offset N in the constants */
};

struct value {
	enum kind kind;
	uint64_t n;
};

struct reg_state {
	struct value regs[N_REGS];
};

/* An instruction that a jump or call leads to. */
struct landing {
	struct reg_state state; /* what is true whenever it is reached */
	uint32_t at;
	bool waits; /* in the list of those to be looked at */
};

struct control_flow {
	const struct bpf_insn *insns;
	size_t n;
	const struct constants *constants;
	uint8_t *reach;
	uint32_t *numbers; /* for each instruction the number of its place, from 1 on; 0: none */
	struct landing *places;
	uint32_t *waiting;
	size_t n_places, n_waiting;
};

static bool is_long(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_function(const struct bpf_insn *insn)
{
	return is_long(insn) ?
		       insn->src_reg == BPF_PSEUDO_FUNC :
		       insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static bool is_jump(const struct bpf_insn *insn)
{
	int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

long reach__target(const struct bpf_insn *insns, size_t i)
{
	if (is_function(&insns[i]))
		return (long)i + 1 + insns[i].imm;
	return is_jump(&insns[i]) ? (long)i + 1 + insns[i].off : -1;
}

/* ---- values ---- */

static struct value value_of(const struct reg_state *s, unsigned int reg)
{
	return reg < N_REGS ? s->regs[reg] : (struct value){ ANYTHING, 0 };
}

static void set(struct reg_state *s, unsigned int reg, struct value v)
{
	if (reg < N_REGS)
		s->regs[reg] = v;
}

static bool equal(struct value a, struct value b)
{
	return a.kind == b.kind && a.n == b.n;
}

/* The source operand: a register or an immediate number. */
static struct value operand(const struct reg_state *s, const struct bpf_insn *insn)
{
	if (BPF_SRC(insn->code) == BPF_X)
		return value_of(s, insn->src_reg);
	return (struct value){ NUMBER, (uint64_t)(int64_t)insn->imm };
}

static struct value compute(uint8_t op, uint64_t a, uint64_t b, unsigned int bits)
{
	switch (op) {
	case BPF_MOV:
		return (struct value){ NUMBER, b };
	case BPF_ADD:
		return (struct value){ NUMBER, a + b };
	case BPF_SUB:
		return (struct value){ NUMBER, a - b };
	case BPF_AND:
		return (struct value){ NUMBER, a & b };
	case BPF_OR:
		return (struct value){ NUMBER, a | b };
	case BPF_XOR:
		return (struct value){ NUMBER, a ^ b };
	case BPF_LSH:
		return (struct value){ NUMBER, a << (b & (bits - 1)) };
	case BPF_RSH:
		return (struct value){ NUMBER, a >> (b & (bits - 1)) };
	}
	return (struct value){ ANYTHING, 0 };
}

/* Arithmetic of 64 bits, or of 32, whose result is zero-extended. */
static void calculate(struct reg_state *s, const struct bpf_insn *insn, bool wide)
{
	uint8_t op = BPF_OP(insn->code);
	struct value a = value_of(s, insn->dst_reg), b = operand(s, insn), ret = {};

	if (insn->off || op == BPF_END || op == BPF_NEG) {
		ret.kind = ANYTHING; /* sign extension, byte order */
	} else if (op == BPF_MOV && wide) {
		ret = b;
	} else if (b.kind == NUMBER && (a.kind == NUMBER || op == BPF_MOV)) {
		if (!wide) {
			a.n = (uint32_t)a.n;
			b.n = (uint32_t)b.n;
		}
		ret = compute(op, a.n, b.n, wide ? 64 : 32);
		if (!wide)
			ret.n = (uint32_t)ret.n;
	} else if (a.kind == ADDRESS && b.kind == NUMBER && op == BPF_ADD && wide) {
		ret = (struct value){ ADDRESS, a.n + b.n };
	}
	set(s, insn->dst_reg, ret);
}

static void apply_load(const struct control_flow *f, struct reg_state *s,
		       const struct bpf_insn *insn)
{
	static const uint8_t sizes[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8
	};
	size_t size = sizes[BPF_SIZE(insn->code) >> 3];
	struct value from = value_of(s, insn->src_reg), ret = {};
	const char *data = f->constants->data;
	uint64_t at = from.n + (uint64_t)(int64_t)insn->off;
	uint32_t w;
	uint16_t h;

	if (BPF_MODE(insn->code) == BPF_MEM && from.kind == ADDRESS && at < f->constants->size &&
	    size <= f->constants->size - at) {
		ret.kind = NUMBER;
		if (size == 8) {
			memcpy(&ret.n, data + at, size);
		} else if (size == 4) {
			memcpy(&w, data + at, size);
			ret.n = w;
		} else if (size == 2) {
			memcpy(&h, data + at, size);
			ret.n = h;
		} else {
			ret.n = (uint8_t)data[at];
		}
	}
	set(s, insn->dst_reg, ret);
}

static struct value long_value(const struct control_flow *f, size_t i)
{
	const struct bpf_insn *insn = &f->insns[i];

	if (!insn->src_reg)
		return (struct value){ NUMBER, (uint32_t)insn[0].imm |
						       (uint64_t)(uint32_t)insn[1].imm << 32 };
	if (insn->src_reg == BPF_PSEUDO_MAP_VALUE && insn->imm == f->constants->fd)
		return (struct value){ ADDRESS, (uint32_t)insn[1].imm };
	return (struct value){ ANYTHING, 0 };
}

/* Returns whether the condition of the jump holds: 1, 0, or -1 if that is not known. */
static int decide(const struct reg_state *s, const struct bpf_insn *insn)
{
	struct value x = value_of(s, insn->dst_reg), y = operand(s, insn);
	bool wide = BPF_CLASS(insn->code) == BPF_JMP;
	uint64_t a = wide ? x.n : (uint32_t)x.n, b = wide ? y.n : (uint32_t)y.n;
	int64_t c = wide ? (int64_t)a : (int32_t)a, d = wide ? (int64_t)b : (int32_t)b;

	if (x.kind != NUMBER || y.kind != NUMBER)
		return -1;
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return (a & b) != 0;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return c > d;
	case BPF_JSGE:
		return c >= d;
	case BPF_JSLT:
		return c < d;
	case BPF_JSLE:
		return c <= d;
	}
	return -1;
}

/* ---- the way through the program ---- */

/* Control may come to the place at I with the registers in S. */
static void enter(struct control_flow *f, size_t i, const struct reg_state *s)
{
	struct landing *p = &f->places[f->numbers[i] - 1];
	bool changed = !(f->reach[i] & REACHED);

	if (changed)
		p->state = *s;
	for (int r = 0; r < N_REGS; r++)
		if (p->state.regs[r].kind != ANYTHING && !equal(p->state.regs[r], s->regs[r])) {
			p->state.regs[r] = (struct value){ ANYTHING, 0 };
			changed = true;
		}
	f->reach[i] |= REACHED;
	if (changed && !p->waits) {
		p->waits = true;
		f->waiting[f->n_waiting++] = f->numbers[i] - 1;
	}
}

/* Goes through the jump at I. Returns whether the next instruction may follow. */
static bool jump(struct control_flow *f, size_t i, const struct reg_state *s)
{
	const struct bpf_insn *insn = &f->insns[i];
	int holds = BPF_OP(insn->code) == BPF_JA ? 1 : decide(s, insn);

	if (holds) {
		f->reach[i] |= JUMPS;
		enter(f, reach__target(f->insns, i), s);
	}
	if (holds == 1)
		return false;
	f->reach[i] |= GOES_ON;
	return true;
}

/* Goes through the instruction at I, which is no jump. Returns how many instructions it has; 0: it
 * is the last one. */
static size_t step(struct control_flow *f, size_t i, struct reg_state *s)
{
	static const struct reg_state nothing_known;
	const struct bpf_insn *insn = &f->insns[i];
	int class = BPF_CLASS(insn->code);

	if (is_function(insn))
		enter(f, reach__target(f->insns, i), &nothing_known);
	if (class == BPF_ALU64 || class == BPF_ALU) {
		calculate(s, insn, class == BPF_ALU64);
	} else if (class == BPF_LDX) {
		apply_load(f, s, insn);
	} else if (is_long(insn)) {
		set(s, insn->dst_reg, long_value(f, i));
		f->reach[i + 1] |= REACHED;
		return 2;
	} else if (class == BPF_STX && BPF_MODE(insn->code) != BPF_MEM) {
		/* An atomic operation, which may return the value before it. */
		set(s, insn->src_reg, (struct value){ ANYTHING, 0 });
		set(s, insn->dst_reg, (struct value){ ANYTHING, 0 });
		set(s, BPF_REG_0, (struct value){ ANYTHING, 0 });
	} else if (class == BPF_JMP && BPF_OP(insn->code) == BPF_CALL) {
		memset(s->regs, 0, 6 * sizeof(s->regs[0])); /* result and arguments */
	} else if (class == BPF_JMP) {
		return 0;
	}
	return 1;
}

/* Goes on from the place NUMBER until control leaves or comes to another place. */
static void follow(struct control_flow *f, uint32_t number)
{
	struct landing *p = &f->places[number];
	struct reg_state s = p->state;
	size_t i = p->at, more;

	p->waits = false;
	do {
		f->reach[i] |= REACHED;
		more = is_jump(&f->insns[i]) ? jump(f, i, &s) : step(f, i, &s);
		i += more;
	} while (more && !f->numbers[i]);
	if (more)
		enter(f, i, &s);
}

/* ---- beforehand ---- */

static bool is_known_insn(const struct bpf_insn *insn)
{
	int class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (class == BPF_LD)
		return is_long(insn);
	if (class == BPF_JMP32)
		return op >= BPF_JEQ && op <= BPF_JSLE && op != BPF_CALL && op != BPF_EXIT;
	return class != BPF_JMP || op <= BPF_JSLE;
}

/* Numbers the places. Returns whether all instructions are known and lead to others, so that
 * control stays within the program. */
static bool find_places(struct control_flow *f)
{
	size_t i;

	f->numbers[0] = ++f->n_places;
	for (i = 0; i < f->n; i += 1 + is_long(&f->insns[i])) {
		long to = reach__target(f->insns, i);
		bool leads = is_jump(&f->insns[i]) || is_function(&f->insns[i]);

		if (!is_known_insn(&f->insns[i]) || (leads && (to < 0 || (size_t)to >= f->n)))
			return false;
		if (leads && !f->numbers[to])
			f->numbers[to] = ++f->n_places;
	}
	return i == f->n && (f->insns[i - 1].code == (BPF_JMP | BPF_EXIT) ||
			     f->insns[i - 1].code == (BPF_JMP | BPF_JA));
}

static int go_through(struct control_flow *f)
{
	static const struct reg_state nothing_known;

	f->places = calloc(f->n_places, sizeof(*f->places));
	f->waiting = calloc(f->n_places, sizeof(*f->waiting));
	if (!f->places || !f->waiting)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++)
		if (f->numbers[i])
			f->places[f->numbers[i] - 1].at = i;
	enter(f, 0, &nothing_known);
	while (f->n_waiting)
		follow(f, f->waiting[--f->n_waiting]);
	return 0;
}

int reach__find(const struct bpf_insn *insns, size_t n, const struct constants *constants,
		uint8_t *ret)
{
	struct control_flow f = { .insns = insns, .n = n, .constants = constants, .reach = ret };
	int err;

	if (!n || n > PROGRAM_MAX)
		return -EINVAL;
	memset(ret, 0, n);
	f.numbers = calloc(n, sizeof(*f.numbers));
	if (!f.numbers)
		return -ENOMEM;
	err = find_places(&f) ? go_through(&f) : -EINVAL;
	free(f.waiting);
	free(f.places);
	free(f.numbers);
	return err;
}
