// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capture.h"
#include "engine/engine.h"
#include "schema/fs_ops.h"
#include "schema/schema.h"

/* The columns as in the contract: they are an interface, so they are written a second time here. */
static const char *const contract[STREAM_COUNT] = {
	[STREAM_FS] =
		"timestamp,operation,pid,tid,command,filename,size,offset,bytes_completed,inode,device,flags,duration_ns,return_value,errno,mmap_prot,mmap_flags,address,cmdline,ppid,container_id,fs_type,mono_ns\n",
	[STREAM_BLOCK] =
		"timestamp,operation,pid,tid,command,sector,size,latency_ms,device,flags,cpu_id,ppid,queue_latency_ms,command_flags,operation_code,request_id,mono_ns\n",
	[STREAM_CACHE] =
		"timestamp,pid,command,event_type,inode,page_index,size_pages,cpu_id,device_id,count,request_id,mono_ns\n",
	[STREAM_PAGEFAULT] =
		"timestamp,pid,tid,command,fault_type,severity,inode,offset_pages,address,device_id,mono_ns\n",
	[STREAM_EXTENT] =
		"timestamp,request_id,device,sector,size,operation,kind,filename,inode,fs_device,offset,pid,tid,command,container_id,age_ms,cause,fs_type,overlay_filename,overlay_inode,overlay_device,mono_ns\n",
	[STREAM_NW_CONN] =
		"timestamp,event_type,pid,tid,command,domain,sock_type,ipver,local_addr,remote_addr,sport,dport,fd,backlog,shutdown_how,latency_ns,return_value,flags,mono_ns\n",
	[STREAM_NW_EPOLL] =
		"timestamp,event_type,pid,tid,command,epoll_fd,target_fd,operation,event_mask,max_events,ready_count,timeout_ms,latency_ns,return_value,errno,flags,mono_ns\n",
	[STREAM_NW_SOCKOPT] =
		"timestamp,event_type,pid,command,fd,level,option_name,optval,return_value,errno,tid,flags,mono_ns\n",
	[STREAM_NW_DROP] =
		"timestamp,event_type,pid,command,proto,ipver,src_addr,dst_addr,sport,dport,skb_len,drop_reason,tcp_state,mono_ns\n",
	[STREAM_NW_FLOW] =
		"timestamp,event_type,pid,tid,command,proto,ipver,local_addr,remote_addr,sport,dport,bytes_sent,bytes_received,segments_sent,segments_received,retransmits,srtt_us,min_rtt_us,duration_ns,state,container_id,mono_ns\n",
	[STREAM_PROCESS] =
		"timestamp,pid,name,cmdline,vms_kb,rss_kb,creation_time,cpu_5s,cpu_2m,cpu_1h,status,mono_ns\n",
	[STREAM_FILESYSTEM] =
		"snapshot_timestamp,file_path,size,creation_time,modification_time,access_time,physical_size,inode,device,nlinks,flags,mono_ns\n",
	[STREAM_LOST] = "timestamp,stream,cause,count,from_mono_ns,to_mono_ns,cpu_id,mono_ns\n",
};

Test(schema, header_is_the_contract)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		char buf[SCHEMA_HEADER_MAX + 1];
		size_t len = schema__header(i, buf);

		cr_assert_leq(len, SCHEMA_HEADER_MAX);
		buf[len] = '\0';
		cr_assert_str_eq(buf, contract[i]);
	}
}

Test(schema, every_column_is_described)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct stream_schema *s = &schema_streams[i];

		cr_assert(s->key && s->subdir && s->prefix && s->wall_clock && s->description[0]);
		cr_assert_eq(s->columns[0].type, COL_WALL);
		cr_assert_eq(s->columns[s->n_columns - 1].type, COL_MONO);
		for (size_t c = 0; c < s->n_columns; c++) {
			const struct column *col = &s->columns[c];

			cr_assert(col->name && col->unit && col->description, "%s %zu", s->key, c);
			cr_assert(!strpbrk(col->description, "\n\"\\"), "%s.%s", s->key, col->name);
			cr_assert(col->type == COL_WORD || !col->words, "%s.%s", s->key, col->name);
			cr_assert(col->type != COL_MONO || c == s->n_columns - 1);
		}
	}
}

/* docs/HOWTO-add-a-stream.md: columns, a program, an encoder, a live test. */
Test(schema, every_captured_stream_is_whole)
{
	for (int i = 0; i < STREAM_CAPTURED; i++) {
		const char *key = schema_streams[i].key;
		char command[128];

		cr_expect(engine_bpf.serves(i), "%s: no BPF program in src/engine/bpf/programs.c",
			  key);
		cr_expect(capture__encodes(i), "%s: no encoder in src/engine/capture.c", key);
		snprintf(command, sizeof(command), "grep -q 'rows(\"%s\")' tests/live/*.py", key);
		cr_expect_eq(system(command), 0, "%s: no live test reads its rows", key);
	}
}

Test(schema, find)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		cr_assert_eq(schema__find(schema_streams[i].key), i);
	cr_assert_eq(schema__find("vfs"), -ENOENT);
	cr_assert_eq(schema__find(""), -ENOENT);
	cr_assert_eq(schema__find("filesystem_snapshot"), STREAM_FILESYSTEM);
}

static size_t count_words(const char *words)
{
	size_t n = 0;

	for (const char *p = words; *(p += strspn(p, " ")); p += strcspn(p, " "))
		n++;
	return n;
}

Test(schema, word_lists)
{
	const struct column *lost = schema_streams[STREAM_LOST].columns;

	cr_assert_eq(count_words(schema_streams[STREAM_FS].columns[1].words), FS_OP_COUNT - 1);
	cr_assert_eq(count_words(lost[1].words), STREAM_COUNT);
	for (int i = 0; i < STREAM_COUNT; i++)
		cr_assert(strstr(lost[1].words, schema_streams[i].key));
}

Test(schema, columns_are_added_before_the_last)
{
	char header[SCHEMA_HEADER_MAX];
	size_t least = schema__least_columns(STREAM_NW_EPOLL);

	header[schema__header_of(STREAM_NW_EPOLL, least, header)] = 0;
	/* As recorders of the first version wrote it. */
	cr_assert_str_eq(header,
			 "timestamp,event_type,pid,tid,command,epoll_fd,target_fd,operation,"
			 "event_mask,max_events,ready_count,timeout_ms,latency_ns,mono_ns\n");
	header[schema__header_of(STREAM_NW_SOCKOPT, schema__least_columns(STREAM_NW_SOCKOPT),
				 header)] = 0;
	cr_assert_str_eq(
		header,
		"timestamp,event_type,pid,command,fd,level,option_name,optval,return_value,mono_ns\n");
	header[schema__header_of(STREAM_NW_CONN, schema__least_columns(STREAM_NW_CONN), header)] =
		0;
	cr_assert_str_eq(header,
			 "timestamp,event_type,pid,tid,command,domain,sock_type,ipver,local_addr,"
			 "remote_addr,sport,dport,fd,backlog,shutdown_how,latency_ns,return_value,"
			 "mono_ns\n");
	for (int s = 0; s < STREAM_COUNT; s++)
		cr_assert_str_eq(schema_streams[s].columns[schema_streams[s].n_columns - 1].name,
				 "mono_ns");
}
