// SPDX-License-Identifier: GPL-2.0-or-later
/* erasable NAME: a disk of 16 MiB in memory that supports secure erase, as a virtio-blk device
 * made by VDUSE (Documentation/userspace-api/vduse.rst; virtio 1.2, 2.7 split virtqueues, 5.2
 * block device). Prints `ready` when it can be added (`vdpa dev add name NAME mgmtdev vduse`),
 * then the type of each request except reads and writes. Ends with its stdin. Erased bytes are
 * not changed. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vduse.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTOR 512
#define SIZE (16u << 20)
#define QUEUE_SIZE 128
#define ERASE_SECTORS 2048 /* the most that one request may erase */
#define BIT(n) (UINT64_C(1) << (n))

/* From linux/virtio_ids.h, virtio_config.h and virtio_blk.h: older headers lack some of it. */
enum {
	ID_BLOCK = 2,
	F_SECURE_ERASE = 16,
	F_FLUSH = 9,
	F_SEG_MAX = 2,
	F_VERSION_1 = 32,
	F_ACCESS_PLATFORM = 33
};
enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, SECURE_ERASE = 14 };
enum { OK, IOERR, UNSUPPORTED };
enum { STATUS_DRIVER_OK = 4 };

struct disk_config {
	uint64_t capacity; /* in sectors */
	uint32_t size_max, seg_max;
	uint8_t between[44];
	uint32_t max_secure_erase_sectors, max_secure_erase_seg, secure_erase_sector_alignment;
};
_Static_assert(offsetof(struct disk_config, max_secure_erase_sectors) == 60, "virtio 1.2, 5.2.4");

struct header {
	uint32_t type, ioprio;
	uint64_t sector;
};

#define REGIONS 16
static struct {
	uint64_t start, last;
	uint8_t *at;
} regions[REGIONS];

static char name[VDUSE_NAME_MAX];
static int device, kick;
static uint8_t *memory;
static struct {
	bool runs;
	uint16_t next; /* of the requests that are available */
	struct vduse_vq_info info;
} queue;

/* The address here of the driver's address IOVA. */
static void *reach(uint64_t iova, uint64_t size)
{
	struct vduse_iotlb_entry e = { .start = iova, .last = iova + size - 1 };
	int fd, free = -1, prot;

	for (int i = 0; i < REGIONS; i++) {
		if (!regions[i].at)
			free = i;
		else if (regions[i].start <= iova && iova + size - 1 <= regions[i].last)
			return regions[i].at + (iova - regions[i].start);
	}
	if (free < 0)
		errx(1, "too many regions");
	fd = ioctl(device, VDUSE_IOTLB_GET_FD, &e);
	if (fd < 0)
		err(1, "VDUSE_IOTLB_GET_FD");
	if (e.start > iova || iova + size - 1 > e.last)
		errx(1, "a buffer in two regions");
	prot = (e.perm & VDUSE_ACCESS_RO ? PROT_READ : 0) |
	       (e.perm & VDUSE_ACCESS_WO ? PROT_WRITE : 0);
	regions[free].at = mmap(NULL, e.last - e.start + 1, prot, MAP_SHARED, fd, e.offset);
	if (regions[free].at == MAP_FAILED)
		err(1, "mmap");
	close(fd);
	regions[free].start = e.start;
	regions[free].last = e.last;
	return regions[free].at + (iova - e.start);
}

static void forget(uint64_t start, uint64_t last)
{
	for (int i = 0; i < REGIONS; i++)
		if (regions[i].at && regions[i].start <= last && start <= regions[i].last) {
			munmap(regions[i].at, regions[i].last - regions[i].start + 1);
			regions[i].at = NULL;
		}
}

static int do_part(const struct header *h, uint64_t *offset, uint8_t *buffer, uint32_t size)
{
	switch (h->type) {
	case IN:
	case OUT:
		if (*offset + size > SIZE)
			return IOERR;
		if (h->type == IN)
			memcpy(buffer, memory + *offset, size);
		else
			memcpy(memory + *offset, buffer, size);
		*offset += size;
		return OK;
	case SECURE_ERASE:
		return OK;
	case GET_ID:
		snprintf((char *)buffer, size, "%s", name);
		return OK;
	default:
		return UNSUPPORTED;
	}
}

/* A request is a chain: the header, the data, a byte for the status. Returns the number of bytes
 * written. */
static uint32_t do_request(const struct vring_desc *table, uint16_t at)
{
	const struct vring_desc *d = &table[at];
	const struct header *h = reach(d->addr, sizeof(*h));
	uint64_t offset = h->sector * SECTOR;
	uint32_t written = 1;
	int status = OK;

	if (h->type != IN && h->type != OUT)
		printf("%u\n", h->type);
	for (d = &table[d->next]; d->flags & VRING_DESC_F_NEXT; d = &table[d->next]) {
		status = status ? status : do_part(h, &offset, reach(d->addr, d->len), d->len);
		written += d->flags & VRING_DESC_F_WRITE ? d->len : 0;
	}
	*(uint8_t *)reach(d->addr, 1) = h->type == FLUSH ? OK : status;
	return written;
}

static void do_requests(void)
{
	struct vring_desc *table = reach(queue.info.desc_addr, queue.info.num * sizeof(*table));
	struct vring_avail *avail =
		reach(queue.info.driver_addr, sizeof(*avail) + queue.info.num * 2);
	struct vring_used *used =
		reach(queue.info.device_addr,
		      sizeof(*used) + queue.info.num * sizeof(struct vring_used_elem));
	uint16_t before = queue.next;
	uint32_t index = 0;

	while (queue.next != __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE)) {
		uint16_t head = avail->ring[queue.next++ % queue.info.num];
		struct vring_used_elem *done = &used->ring[used->idx % queue.info.num];

		done->id = head;
		done->len = do_request(table, head);
		__atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_RELEASE);
	}
	/* Refused until the driver knows that the device runs, which it must before it sends
	 * requests. */
	if (queue.next != before && ioctl(device, VDUSE_VQ_INJECT_IRQ, &index))
		err(1, "VDUSE_VQ_INJECT_IRQ");
}

static void set_status(uint8_t status)
{
	struct vduse_vq_eventfd fd = { .index = 0, .fd = kick };

	if (!(status & STATUS_DRIVER_OK)) {
		queue.runs = false;
		return;
	}
	if (queue.runs)
		return;
	memset(&queue, 0, sizeof(queue));
	if (ioctl(device, VDUSE_VQ_GET_INFO, &queue.info) ||
	    ioctl(device, VDUSE_VQ_SETUP_KICKFD, &fd))
		err(1, "the queue");
	queue.next = queue.info.split.avail_index;
	queue.runs = queue.info.ready;
}

static void answer(void)
{
	struct vduse_dev_request q;
	struct vduse_dev_response a = { .result = VDUSE_REQ_RESULT_OK };

	if (read(device, &q, sizeof(q)) != sizeof(q))
		err(1, "read");
	a.request_id = q.request_id;
	if (q.type == VDUSE_GET_VQ_STATE) {
		a.vq_state.index = q.vq_state.index;
		a.vq_state.split.avail_index = queue.next;
	} else if (q.type == VDUSE_SET_STATUS) {
		set_status(q.s.status);
	} else if (q.type == VDUSE_UPDATE_IOTLB) {
		forget(q.iova.start, q.iova.last);
	} else {
		a.result = VDUSE_REQ_RESULT_FAILED;
	}
	if (write(device, &a, sizeof(a)) != sizeof(a))
		err(1, "write");
}

static int create(void)
{
	struct disk_config about = {
		.capacity = SIZE / SECTOR,
		.seg_max = QUEUE_SIZE - 2,
		.max_secure_erase_sectors = ERASE_SECTORS,
		.max_secure_erase_seg = 1,
		.secure_erase_sector_alignment = 1,
	};
	struct vduse_dev_config *config = calloc(1, sizeof(*config) + sizeof(about));
	struct vduse_vq_config q = { .index = 0, .max_size = QUEUE_SIZE };
	uint64_t version = VDUSE_API_VERSION;
	int control = open("/dev/vduse/control", O_RDWR | O_CLOEXEC);
	char path[sizeof("/dev/vduse/") + VDUSE_NAME_MAX];

	if (control < 0 || !config || ioctl(control, VDUSE_SET_API_VERSION, &version))
		err(1, "/dev/vduse/control");
	memcpy(config->name, name, sizeof(name));
	config->device_id = ID_BLOCK;
	config->features = BIT(F_SECURE_ERASE) | BIT(F_FLUSH) | BIT(F_SEG_MAX) | BIT(F_VERSION_1) |
			   BIT(F_ACCESS_PLATFORM);
	config->vq_num = 1;
	config->vq_align = 4096;
	config->config_size = sizeof(about);
	memcpy(config->config, &about, sizeof(about));
	if (ioctl(control, VDUSE_CREATE_DEV, config))
		err(1, "VDUSE_CREATE_DEV");
	free(config);
	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	for (int i = 0; (device = open(path, O_RDWR | O_CLOEXEC)) < 0 && i < 100; i++)
		usleep(100000); /* devtmpfs creates the node in a thread of its own */
	if (device < 0 || ioctl(device, VDUSE_VQ_SETUP, &q))
		err(1, "%s", path);
	return control;
}

int main(int argc, char **argv)
{
	struct pollfd fds[3];
	int control;

	if (argc != 2 || strlen(argv[1]) >= sizeof(name))
		errx(2, "usage: erasable NAME");
	strcpy(name, argv[1]);
	setlinebuf(stdout);
	memory = calloc(1, SIZE);
	kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!memory || kick < 0)
		err(1, "set-up");
	control = create();
	puts("ready");
	fds[0] = (struct pollfd){ .fd = device, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = kick, .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	while (poll(fds, 3, -1) > 0 || errno == EINTR) {
		uint64_t kicks;

		if (fds[2].revents)
			break;
		if (fds[0].revents)
			answer();
		if ((read(kick, &kicks, sizeof(kicks)) == sizeof(kicks) || fds[0].revents) &&
		    queue.runs)
			do_requests();
	}
	close(device);
	if (ioctl(control, VDUSE_DESTROY_DEV, name))
		err(1, "VDUSE_DESTROY_DEV");
	return 0;
}
