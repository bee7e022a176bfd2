// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands/status.h"

#define SECOND UINT64_C(1000000000)

static const struct status_snapshot before = {
	.elapsed_ns = 3722 * SECOND,
	.streams = { [STREAM_FS] = { .enabled = true, .rows = { .seen = 1000, .filtered = 500 } } },
};

static const struct status_snapshot now = {
	.elapsed_ns = 3723 * SECOND,
	.streams = {
		[STREAM_FS] = { .enabled = true, .bytes = 1536,
				.rows = { .seen = 14345,
					  .filtered = 1500,
					  .written = 12000,
					  .lost = { [LOST_RING] = 5,
						    [LOST_QUEUE] = 3,
						    [LOST_DISK] = 1 } } },
		[STREAM_BLOCK] = { .enabled = true,
				   .bytes = 512,
				   .rows = { .seen = 7, .written = 7 } },
		[STREAM_LOST] = { .enabled = true, .rows = { .seen = 3, .written = 3 } },
	},
};

Test(status, line)
{
	char buf[STATUS_LINE_MAX];

	cr_assert_eq(status__line(buf, 200, &now, &before), strlen(buf));
	cr_assert_str_eq(buf, "1:02:03  fs 12.3k/s  block 7/s  lost 9  written 12.0k  "
			      "on disk 2.0KB");
}

Test(status, line_fits)
{
	char buf[STATUS_LINE_MAX];

	for (size_t width = 0; width < 200; width++) {
		cr_assert_leq(status__line(buf, width, &now, &before), width);
		cr_assert_eq(!!strstr(buf, "lost 9"), width >= strlen("1:02:03  lost 9"), "%s",
			     buf);
	}
	status__line(buf, 60, &now, &before);
	cr_assert_str_eq(buf, "1:02:03  fs 12.3k/s  lost 9  written 12.0k  on disk 2.0KB");
}

Test(status, line_of_extremes)
{
	struct status_snapshot huge = { .elapsed_ns = UINT64_MAX };
	char buf[STATUS_LINE_MAX];

	for (int i = 0; i < STREAM_COUNT; i++)
		huge.streams[i] = (struct status_stream){
			.enabled = true,
			.rows = { UINT64_MAX, UINT64_MAX, 0, { UINT64_MAX, 1, 1, 1 } },
			.bytes = UINT64_MAX
		};
	cr_assert_lt(status__line(buf, SIZE_MAX, &huge, &before), sizeof(buf));
	/* No time has passed, or counters went back: no rows per second. */
	status__line(buf, 200, &before, &now);
	cr_assert(strstr(buf, "fs 0/s"), "%s", buf);
	status__line(buf, 200, &now, &now);
	cr_assert(strstr(buf, "fs 0/s"), "%s", buf);
}

Test(status, summary)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	status__summary(f, &now, "/tmp/it's here");
	status__hint(f, "/tmp/it's here");
	fclose(f);
	cr_expect(strstr(text, "Recorded 3723.0 s in /tmp/it's here\n"));
	cr_expect(
		strstr(text,
		       "\nfs                       14345      12000       1500         5      3      1"
		       "      0        1536\n"),
		"%s", text);
	cr_expect(strstr(text, "\nblock "));
	cr_expect(strstr(text, "\nlost "));
	cr_expect(!strstr(text, "\nnw_conn "), "not enabled");
	cr_expect(strstr(text, "\n9 rows were lost"));
	cr_expect(strstr(text, "iotrc summary '/tmp/it'\\''s here'\n"));
	cr_expect(strstr(text, "\"fs\"))' '/tmp/it'\\''s here'\n"));
	free(text);
}

Test(status, a_line_a_minute_elsewhere)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = tmpfile();
	struct status status;
	struct status_snapshot s = now;
	ssize_t n;
	int lines = 0;

	status__begin(&status, f, fileno(f), false);
	for (int second = 1; second <= 180; second++) {
		s.elapsed_ns = second * SECOND + second % 2 * SECOND / 20;
		status__tick(&status, &s);
	}
	status__clear(&status);
	rewind(f);
	while ((n = getline(&text, &len, f)) > 0) {
		lines++;
		cr_expect(!strchr(text, '\r') && !strchr(text, '\033'));
	}
	cr_assert_eq(lines, 3);
	free(text);
	fclose(f);
}

/* What is written to a terminal arrives at its other end a little later, and in pieces. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t more;

	while (poll(&p, 1, 200) > 0 && (more = read(fd, buf + n, size - 1 - n)) > 0)
		n += more;
	buf[n] = 0;
	return n;
}

Test(status, rewritten_in_place_on_a_terminal)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct winsize size = { .ws_row = 24, .ws_col = 33 };
	struct status_snapshot s = now;
	struct status status;
	char buf[512];
	ssize_t n;
	FILE *f;

	cr_assert(master >= 0 && !grantpt(master) && !unlockpt(master));
	f = fopen(ptsname(master), "w");
	cr_assert(f);
	ioctl(master, TIOCSWINSZ, &size);

	status__begin(&status, f, fileno(f), false);
	s.elapsed_ns = SECOND;
	status__tick(&status, &s);
	s.elapsed_ns += SECOND / 2;
	status__tick(&status, &s);
	status__clear(&status);
	status__clear(&status);
	n = read_all(master, buf, sizeof(buf));
	cr_assert_gt(n, 0);
	cr_expect_str_eq(buf, "\r\033[K0:00:01  lost 9  written 12.0k\r\033[K");

	status__begin(&status, f, fileno(f), true);
	s.elapsed_ns += 100 * SECOND;
	status__tick(&status, &s);
	status__clear(&status);
	cr_expect_lt(read(master, buf, sizeof(buf)), 0, "quiet");
	fclose(f);
	close(master);
}
