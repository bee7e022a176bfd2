// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/trim.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void code__clear(struct code *code)
{
	free(code->insns);
	free(code->functions);
	free(code->lines);
	*code = (struct code){};
}

/* Whether the instruction at I does nothing: a jump that control never takes, or that leads to what
 * follows it anyway. KEPT is known for all instructions after it. */
static bool is_idle(const struct code *code, const uint8_t *reach, const uint32_t *kept, size_t i)
{
	long to;

	if (reach[i] & GOES_ON)
		return !(reach[i] & JUMPS);
	to = reach__target(code->insns, i);
	return reach[i] & JUMPS && to > (long)i && kept[to] == kept[i + 1];
}

/* Writes to KEPT for each instruction the first that is kept, from it on; N: there is none. */
static void choose_kept(const struct code *code, const uint8_t *reach, uint32_t *kept)
{
	kept[code->n] = code->n;
	for (size_t i = code->n; i-- > 0;)
		kept[i] = reach[i] & REACHED && !is_idle(code, reach, kept, i) ? i : kept[i + 1];
}

/* Lets the jump, call or address of a function at I lead to where its target will be. PLACES has
 * for each kept instruction its new index. */
static void lead(struct code *code, const uint8_t *reach, const uint32_t *kept,
		 const uint32_t *places, size_t i)
{
	struct bpf_insn *insn = &code->insns[i];
	long to = reach__target(code->insns, i);
	int32_t distance;

	if (to < 0)
		return;
	distance = (int32_t)places[kept[to]] - (int32_t)places[i] - 1;
	if (!(reach[i] & JUMPS)) { /* neither half of a branch: it refers to a function */
		insn->imm = distance;
		return;
	}
	if (!(reach[i] & GOES_ON))
		*insn = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	insn->off = (__s16)distance; /* not longer than it was */
}

static void move(struct code *code, const uint8_t *reach, const uint32_t *kept, uint32_t *places)
{
	size_t n = 0;

	for (size_t i = 0; i < code->n; i++) {
		places[i] = n;
		n += kept[i] == i;
	}
	places[code->n] = n;
	for (size_t i = 0; i < code->n; i++) {
		if (kept[i] != i)
			continue;
		lead(code, reach, kept, places, i);
		code->insns[places[i]] = code->insns[i];
	}
	code->n = n;
}

static void move_functions(struct code *code, const uint8_t *reach, const uint32_t *kept,
			   const uint32_t *places)
{
	size_t n = 0;

	for (size_t i = 0; i < code->n_functions; i++) {
		struct bpf_func_info function = code->functions[i];

		if (!(reach[function.insn_off] & REACHED))
			continue;
		function.insn_off = places[kept[function.insn_off]];
		code->functions[n++] = function;
	}
	code->n_functions = n;
}

/* Of several lines at one instruction, the last is its own. */
static void move_lines(struct code *code, const uint32_t *kept, const uint32_t *places)
{
	size_t n = 0;

	for (size_t i = 0; i < code->n_lines; i++) {
		struct bpf_line_info line = code->lines[i];

		line.insn_off = places[kept[line.insn_off]];
		if (line.insn_off == code->n)
			continue;
		if (n && code->lines[n - 1].insn_off == line.insn_off)
			n--;
		code->lines[n++] = line;
	}
	code->n_lines = n;
}

int trim__code(struct code *code, const struct constants *constants)
{
	uint8_t *reach = malloc(code->n);
	uint32_t *kept = calloc(code->n + 1, sizeof(*kept));
	uint32_t *places = calloc(code->n + 1, sizeof(*places));
	int err = reach && kept && places ? reach__find(code->insns, code->n, constants, reach) :
					    -ENOMEM;

	if (!err) {
		choose_kept(code, reach, kept);
		move(code, reach, kept, places);
		move_functions(code, reach, kept, places);
		move_lines(code, kept, places);
	}
	free(reach);
	free(kept);
	free(places);
	return err == -EINVAL ? 0 : err;
}
