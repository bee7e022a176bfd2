// SPDX-License-Identifier: GPL-2.0-or-later
/* To be preloaded: BPF programs named $REFUSED_PROGRAM are refused, as by the kernel. */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t n, const struct bpf_prog_load_opts *opts)
{
	__typeof__(bpf_prog_load) *next =
		(__typeof__(bpf_prog_load) *)dlsym(RTLD_NEXT, "bpf_prog_load");
	const char *refused = getenv("REFUSED_PROGRAM");

	if (n > 2 && refused && name && !strcmp(name, refused)) {
		errno = E2BIG;
		return -errno;
	}
	return next(type, name, license, insns, n, opts);
}
