/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel types that are read here, reduced to the fields in use. CO-RE takes the real offsets
 * from the running kernel's BTF, so only names and kinds of fields matter. Nothing is generated
 * from the kernel of the build machine. A comment gives the version that changed a field. */
#ifndef IOTRC_BPF_KERNEL_TYPES_H
#define IOTRC_BPF_KERNEL_TYPES_H

#include "schema/types.h"

typedef u32 kernel_dev_t;
#define bool _Bool
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct timespec64 {
	long long tv_sec;
};

struct rusage {
	long ru_maxrss;
};

struct qstr {
	union {
		struct {
			u32 hash, len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode;
struct dentry {
	u32 d_flags;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct dentry___without_union { /* 7.x */
	struct hlist_node d_alias;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	kernel_dev_t s_dev;
	struct file_system_type *s_type;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
};

struct super_block___until_6_17 {
	struct list_head s_mounts;
};

struct mount;
struct super_block___since_6_18 {
	struct mount *s_mounts;
};

struct address_space;
struct inode {
	unsigned short i_mode;
	struct address_space *i_mapping;
	struct super_block *i_sb;
	void *i_private;
	kernel_dev_t i_rdev;
	unsigned long i_ino;
	long long i_size;
	u32 i_generation;
	u32 i_nlink;
	struct hlist_head i_dentry;
	char *i_link;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mnt_namespace {
	u64 seq; /* until 6.17 */
};

struct ns_common___since_6_18 {
	u64 ns_id;
};

struct mnt_namespace___since_6_18 {
	struct ns_common___since_6_18 ns;
};

struct mnt_namespace___with_anon { /* 7.2 */
	bool is_anon;
};

struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
};

struct mount {
	struct mnt_namespace *mnt_ns;
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	const char *mnt_devname;
	struct vfsmount mnt;
	struct list_head mnt_mounts, mnt_child;
};

struct mount___until_6_17 {
	struct list_head mnt_instance;
};

struct mount___since_6_18 {
	struct mount *mnt_next_for_sb;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	void *private_data;
	struct address_space *f_mapping;
	struct inode *f_inode;
	unsigned int f_flags;
	struct path f_path;
	long long f_pos;
};

struct fs_context { /* the private_data of what fsopen() returns */
	struct file_system_type *fs_type;
	struct dentry *root;
	const char *source;
};

struct backing_file { /* since 6.5 */
	struct path user_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec, *open_fds;
};

typedef struct {
	int counter;
} atomic_t;

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct rb_node {
	struct rb_node *rb_right, *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct maple_tree {
	void *ma_root;
};

struct maple_range_64 {
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 {
	unsigned long pivot[9];
	void *slot[10];
};

struct kioctx {
	unsigned long user_id;
};

struct kioctx_table {
	unsigned int nr;
	struct kioctx *table[0];
};

struct mm_struct {
	struct kioctx_table *ioctx_table;
	struct maple_tree mm_mt; /* since 6.1 */
	struct rb_root mm_rb;    /* until 6.0 */
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	struct rb_node vm_rb; /* until 6.0 */
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct kernfs_node {
	u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

#define SIGNAL_GROUP_EXIT 4 /* signal_struct.flags (include/linux/sched/signal.h) */

struct signal_struct {
	atomic_t live;
	int nr_threads;
	unsigned int flags;
	int group_exit_code;
};

#if defined(__TARGET_ARCH_x86)
struct thread_info {
	unsigned long syscall_work; /* since 5.11 */
	u32 status;
};

enum syscall_work_bit {
	SYSCALL_WORK_BIT_SYSCALL_EMU = 3,
};
#else
struct thread_info {
	unsigned long flags;
};
#endif

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct seccomp {
	int mode;
};

struct filename {
	const char *name;
	const char *uptr; /* until 6.19 */
};

struct restart_block {
	long (*fn)(struct restart_block *);
};

struct cred { /* include/linux/cred.h */
	struct {
		u32 val;
	} uid;
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	int pid, tgid;
	unsigned int flags;
	unsigned int ptrace;
	struct seccomp seccomp;
	struct restart_block restart_block;
	int exit_code;
	unsigned long ptrace_message;
	u64 start_time;
	struct task_struct *real_parent, *group_leader;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct pid *thread_pid;
	const struct cred *real_cred;
	char comm[16];
	struct reclaim_state *reclaim_state;
	int *set_child_tid;
	void *worker_private; /* since 5.17 */
};

struct kthread {
	void *data;
};

struct worker { /* of a workqueue: the data of its kernel thread */
	void *current_func;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10, r9, r8, ax, cx, dx, si, di, orig_ax, bp, bx;
};
#else
struct user_pt_regs {
	u64 regs[31];
};
struct pt_regs {
	u64 regs[31];
	u64 orig_x0;
	int syscallno;
};
#endif

/* ---- sockets ---- */

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	u16 sk_type, sk_protocol;
	u8 sk_shutdown;
	struct socket *sk_socket;
};

struct inet_sock {
	struct sock sk;
	u16 inet_sport;
};

struct minmax_sample {
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	u32 segs_in, segs_out, total_retrans, srtt_us;
	u64 bytes_sent, bytes_retrans, bytes_received;
	struct minmax rtt_min;
};

struct udp_sock {
	int pending;
};

struct socket {
	short type;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

enum skb_drop_reason {
	SKB_NOT_DROPPED_YET,
	SKB_CONSUMED,
};

struct sk_buff {
	struct sock *sk;
	unsigned int len, tail;
	u16 protocol, transport_header, network_header;
	unsigned char *head;
};

/* ---- the page cache ---- */

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct address_space {
	struct inode *host;
	struct xarray i_pages;
};

struct page {
	struct address_space *mapping;
	unsigned long index;      /* until 6.15 or so, then in struct folio */
	unsigned int compound_nr; /* in the second page, until 5.17 or so */
};

struct folio {
	unsigned long index;
	unsigned int _nr_pages;       /* since 6.15 or so */
	unsigned int _folio_nr_pages; /* before */
};

enum pageflags {
	PG_locked = 0,
	PG_uptodate = 2,
	PG_swapcache = 10,
	PG_writeback = 15,
	PG_head = 16,
};

struct file_ra_state {
	unsigned long start;
	unsigned int size;
};

struct readahead_control {
	struct address_space *mapping;
	unsigned long _index;
};

struct kiocb {
	struct file *ki_filp;
	long long ki_pos;
};

struct iomap_dio { /* an O_DIRECT transfer under way */
	struct kiocb *iocb;
	long long size;
};

enum wb_reason {
	WB_REASON_BACKGROUND,
	WB_REASON_VMSCAN,
	WB_REASON_SYNC,
	WB_REASON_PERIODIC,
};

struct wb_writeback_work {
	enum wb_reason reason;
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
};

/* ---- block ---- */

struct request_queue;
struct gendisk {
	int major, first_minor;
	struct request_queue *queue;
};

struct blk_mq_ops;
struct request_queue {
	const struct blk_mq_ops *mq_ops; /* NULL if it takes bios and makes no requests */
	struct gendisk *disk;            /* since 5.15 */
};

struct block_device {
	u64 bd_start_sect; /* since 5.11 */
	kernel_dev_t bd_dev;
	struct gendisk *bd_disk;
};

struct page;
struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len, bv_offset;
};

struct bvec_iter {
	u64 bi_sector;
	unsigned int bi_size, bi_idx, bi_bvec_done;
};

struct bio {
	struct bio *bi_next;
	struct gendisk *bi_disk;      /* until 5.11 */
	struct block_device *bi_bdev; /* since 5.12 */
	u32 bi_opf;
	unsigned short bi_flags, bi_vcnt;
	u8 bi_status;
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
	void *bi_end_io, *bi_private;
};

struct buffer_head {
	void *b_end_io; /* until 7.1 or so */
};

enum req_flag_bits {
	__REQ_RAHEAD = 19,
	__REQ_FUA = 17,
	__REQ_PREFLUSH = 18,
};

struct request {
	struct request_queue *q;
	u32 rq_flags;
	u64 start_time_ns;
	struct gendisk *rq_disk; /* until 5.16 */
	u32 cmd_flags;
	unsigned int __data_len;
	u64 __sector;
	struct bio *bio;
};

/* ---- io_uring ---- */

struct io_uring_sqe;
struct io_uring_cqe {
	u64 user_data;
	s32 res;
	u32 flags;
};

struct io_rsrc_node { /* since 6.13 */
	unsigned long file_ptr;
};

struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};

struct io_file_table {
	struct io_rsrc_data data;
};

struct io_fixed_file { /* until 6.12 */
	unsigned long file_ptr;
};

struct io_file_table___until_6_12 {
	struct io_fixed_file *files;
};

struct io_ring_ctx___until_6_12 {
	unsigned int nr_user_files;
	struct io_file_table___until_6_12 file_table;
};

struct io_wq_work_node {
	struct io_wq_work_node *next;
};

struct io_wq_work_list {
	struct io_wq_work_node *first;
};

struct io_submit_state {
	struct io_wq_work_list compl_reqs; /* since 5.16 */
};

struct io_submit_state___until_5_15 {
	void *reqs[1];
	unsigned int free_reqs;
};

struct fixed_file_table {
	struct file **files;
};

struct fixed_file_data {
	struct fixed_file_table *table;
};

struct io_ring_ctx {
	unsigned int flags;
	unsigned int int_flags; /* since 7.0 or so */
	struct io_file_table file_table;
	struct io_submit_state submit_state;
	u32 *sq_array;
	struct io_uring_sqe *sq_sqes;
	unsigned int cached_sq_head;
	unsigned int sq_entries;
};

struct io_ring_ctx___with_bits { /* before */
	unsigned int compat : 1;
};

struct io_ring_ctx___until_5_15 {
	struct io_submit_state___until_5_15 submit_state; /* since 5.12 */
};

struct io_ring_ctx___until_5_11 {
	unsigned int nr_user_files;
	struct fixed_file_data *file_data;
	struct task_struct *sqo_task;
};

struct io_cqe {
	u64 user_data;
	s32 res;
};

struct io_wq_work {
	struct io_wq_work_node list;
};

struct io_kiocb {
	struct file *file;
	struct io_ring_ctx *ctx;
	u8 opcode;
	u32 flags; /* has 64 bits since 6.9 */
	struct io_cqe cqe;
	struct io_wq_work_node comp_list;
	atomic_t refs;
	struct io_wq_work work;
};

struct io_kiocb___until_5_18 {
	u64 user_data;
	u32 result;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
