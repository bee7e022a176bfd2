// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

int engine__open(struct engine **ret, const struct engine_type *type,
		 const struct engine_config *config, char *problem)
{
	return type->open(ret, config, problem);
}

struct engine *engine__free(struct engine *e)
{
	if (e)
		e->type->free(e);
	return NULL;
}

int engine__problem(char *problem, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, ENGINE_PROBLEM_MAX, format, args);
	va_end(args);
	return err;
}

void engine__mark(struct engine *e)
{
	if (e->type->mark)
		e->type->mark(e);
}

void engine__drain(struct engine *e, const struct sink *sink)
{
	e->type->drain(e, sink);
}

void engine__wait(struct engine *e, int timeout_ms)
{
	if (e->type->wait)
		e->type->wait(e, timeout_ms);
}

int engine__watch(struct engine *e, int fd)
{
	return e->type->watch ? e->type->watch(e, fd) : 0;
}

bool engine__ended(const struct engine *e)
{
	return e->type->ended && e->type->ended(e);
}

struct engine_fill engine__fill(struct engine *e)
{
	return e->type->fill ? e->type->fill(e) : (struct engine_fill){ 0 };
}

void engine__losses(struct engine *e, engine_loss_fn tell, void *arg)
{
	if (e->type->losses)
		e->type->losses(e, tell, arg);
}

void engine__shed(struct engine *e, uint64_t ops)
{
	if (e->type->shed)
		e->type->shed(e, ops);
}

void engine__forget(struct engine *e)
{
	e->type->forget(e);
}

int engine__flows(struct engine *e, enum flow_event event, const struct sink *sink)
{
	return e->type->flows ? e->type->flows(e, event, sink) : 0;
}

int engine__unfinished(struct engine *e, const struct sink *sink)
{
	return e->type->unfinished ? e->type->unfinished(e, sink) : 0;
}

int engine__calls(struct engine *e, engine_call_fn tell, void *arg)
{
	return e->type->calls ? e->type->calls(e, tell, arg) : -ENOTSUP;
}

bool engine__describe_call(struct engine *e, long nr, struct engine_call_kind *ret)
{
	return e->type->describe_call && e->type->describe_call(e, nr, ret);
}

int engine__sums(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed)
{
	return e->type->sums ? e->type->sums(e, tell, arg, ret_untimed) : -ENOTSUP;
}

void engine__detach(struct engine *e)
{
	if (e->type->detach)
		e->type->detach(e);
}

void engine__counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	*ret = (struct engine_counts){ 0 };
	e->type->counts(e, stream, ret);
}

void engine__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED])
{
	if (e->type->missed)
		e->type->missed(e, ret);
}

void engine__matched(const struct engine *e, struct matched *ret)
{
	if (e->type->matched)
		e->type->matched(e, ret);
}

int engine__add_cgroup(struct engine *e, uint64_t cgroup)
{
	return e->type->add_cgroup ? e->type->add_cgroup(e, cgroup) : -ENOTSUP;
}

void engine__gaps(struct engine *e, engine_gap_fn tell, void *arg)
{
	if (e->type->gaps)
		e->type->gaps(e, tell, arg);
}

size_t engine__hooks(struct engine *e, struct manifest_hook *ret)
{
	return e->type->hooks ? e->type->hooks(e, ret) : 0;
}

size_t engine__limits(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX])
{
	return e->type->limits ? e->type->limits(e, ret) : 0;
}

const char *engine__warning(const struct engine *e)
{
	return e->type->warning ? e->type->warning(e) : NULL;
}

json_t *engine__drop_reasons(const struct engine *e)
{
	return e->type->drop_reasons ? e->type->drop_reasons(e) : NULL;
}

json_t *engine__unfilled(const struct engine *e)
{
	return e->type->unfilled ? e->type->unfilled(e) : NULL;
}

const struct reqnames *engine__request_names(const struct engine *e)
{
	return e->type->request_names ? e->type->request_names(e) : NULL;
}

pid_t engine__own_pid(const struct engine *e)
{
	return e->type->own_pid ? e->type->own_pid(e) : getpid();
}
