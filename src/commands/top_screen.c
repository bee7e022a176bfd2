// SPDX-License-Identifier: GPL-2.0-or-later
/* The screen of iotrc top, by ncurses. It does not record: while the terminal accepts no output the
 * kernel continues to sum up, and the next refresh shows the longer interval. */
#define NCURSES_WIDECHAR 1 /* addwstr() where _GNU_SOURCE does not bring it */
#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/shown.h"
#include "base/units.h"
#include "commands/top_screen.h"
#include "platform/macros.h"

#define STEP_MS 100      /* maximum delay of a key while names are drained */
#define PATIENCE_S 3     /* for a terminal that accepts no output, after a signal */
#define LEVELS_MAX 8     /* levels of opened rows */
#define FILTER_MAX 64    /* bytes */
#define LINES_ABOVE 3    /* the table */
#define NUMBERS_WIDTH 52 /* columns before the names */
#define ESCAPE 27

enum screen_colour { COLOUR_NONE, COLOUR_TITLE, COLOUR_HEAD, COLOUR_ERROR };

struct screen {
	const struct top_config *config;
	struct top_table *table;
	bool utf8, colours;
	struct top_level levels[LEVELS_MAX];
	size_t depth; /* of the level that is shown */
	enum top_sort sort;
	char filter[FILTER_MAX];
	bool paused, typing, help, quit;

	const struct top_row *rows;
	size_t n;
	struct top_counts all;
	size_t first, selected; /* rows */
};

/* ---- the end ---- */

static struct termios before;

/* The terminal has accepted no output since the signal. */
static void on_alarm(int signal)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	_exit(EXIT_OK);
}

/* Handles a signal as top.c does, and the alarm. */
static void (*note_signal)(int signal);

static void stop_screen(int signal)
{
	note_signal(signal);
	alarm(PATIENCE_S);
}

/* ---- text ---- */

/* Writes TEXT, escaped as in rows, at the cursor, in at most COLUMNS columns. A longer text loses
 * its start, because the end of a path has more information. */
static void put_name(const struct screen *s, const char *text, int columns)
{
	size_t len = strlen(text), n;
	char *shown = malloc(SHOWN_MAX(len));
	wchar_t *wide = malloc((SHOWN_MAX(len) + 1) * sizeof(*wide)), *from = wide;

	if (!shown || !wide || columns <= 0)
		goto out;
	shown__copy(shown, text, len);
	for (char *p = shown; !s->utf8 && *p; p++)
		*p = (char)(*p & 0x80 ? '?' : *p);
	n = mbstowcs(wide, shown, SHOWN_MAX(len));
	if (n == (size_t)-1)
		goto out;
	wide[n] = L'\0';
	while (wcswidth(from, wcslen(from)) > columns && *from)
		from++;
	if (from != wide && columns > 2) {
		while (wcswidth(from, wcslen(from)) > columns - 2 && *from)
			from++;
		addstr("..");
	}
	addwstr(from);
out:
	free(shown);
	free(wide);
}

static void put_colour(const struct screen *s, enum screen_colour colour, bool on)
{
	attr_t attributes = colour == COLOUR_HEAD ? A_REVERSE : A_BOLD;

	if (s->colours)
		attributes = COLOR_PAIR(colour) | (colour == COLOUR_TITLE ? A_BOLD : 0);
	if (on)
		attron(attributes);
	else
		attroff(attributes);
}

/* ---- drawing ---- */

static void draw_title(const struct screen *s)
{
	const struct top_level *l = &s->levels[s->depth];
	uint64_t span = top_table__span_ns(s->table);
	char read[UNITS_SIZE], written[UNITS_SIZE], calls[UNITS_SIZE], period[UNITS_SIZE];

	move(0, 0);
	put_colour(s, COLOUR_TITLE, true);
	printw("iotrc top  by %s", top_view_names[l->view]);
	put_colour(s, COLOUR_TITLE, false);
	printw(", %s first, each %s%s", top_sort_names[s->sort],
	       units__time(period, (double)s->config->period_ns), s->paused ? "  PAUSED" : "");
	if (l->narrowed) {
		printw("  of %s ", top_view_names[l->of]);
		put_name(s, l->name, COLS - getcurx(stdscr) - 1);
	}
	units__count(calls, top_counts__rate(s->all.calls, span));
	units__bytes(read, top_counts__rate(s->all.read, span));
	units__bytes(written, top_counts__rate(s->all.written, span));
	mvprintw(1, 0, "%s calls/s  %s read/s  %s written/s  %.0f errors/s", calls, read, written,
		 top_counts__rate(s->all.errors, span));
	if (top_table__missing(s->table))
		printw("  %" PRIu64 " missing", top_table__missing(s->table));
}

static void draw_head(const struct screen *s)
{
	enum top_view view = s->levels[s->depth].view;
	const char *head = top_view_heads[view], *const *heads = top_heads__of(view);

	move(LINES_ABOVE - 1, 0);
	put_colour(s, COLOUR_HEAD, true);
	printw("%8s %7s %8s %8s %8s %6s  %-*.*s", heads[0],
	       view == TOP_CONNECTIONS ? heads[1] : "ERR/s", heads[2], heads[3], heads[4], "TIME",
	       MAX(COLS - NUMBERS_WIDTH, 0), MAX(COLS - NUMBERS_WIDTH, 0), head);
	put_colour(s, COLOUR_HEAD, false);
}

static void draw_row(const struct screen *s, const struct top_row *row, int line, bool selected)
{
	const struct top_counts *c = &row->counts;
	uint64_t span = top_table__span_ns(s->table);
	char calls[UNITS_SIZE], errors[UNITS_SIZE], read[UNITS_SIZE], written[UNITS_SIZE],
		latency[UNITS_SIZE] = "-", share[TOP_SHARE_MAX];

	units__count(calls, top_counts__rate(c->calls, span));
	units__count(errors, top_counts__rate(c->errors, span));
	units__bytes(read, top_counts__rate(c->read, span));
	units__bytes(written, top_counts__rate(c->written, span));
	if (c->timed)
		units__time(latency, (double)c->time_ns / (double)c->timed);
	move(line, 0);
	if (selected)
		attron(A_REVERSE);
	printw("%8s ", calls);
	if (c->errors && !selected)
		put_colour(s, COLOUR_ERROR, true);
	printw("%7s", errors);
	if (c->errors && !selected)
		put_colour(s, COLOUR_ERROR, false);
	printw(" %8s %8s %8s %6s  ", read, written, latency,
	       top_table__share(share, s->levels[s->depth].view, c, span));
	put_name(s, row->name, COLS - NUMBERS_WIDTH);
	if (selected)
		attroff(A_REVERSE);
}

static void draw_foot(const struct screen *s)
{
	static const char *const hints[] = { "q quit",   "h help", "/ search",
					     "Tab view", "s sort", "Enter open" };
	uint64_t without = top_table__without_file(s->table);
	size_t shown_max = MAX(LINES - LINES_ABOVE - 1, 0), behind = s->first + shown_max;

	move(LINES - 1, 0);
	if (s->typing || *s->filter) {
		addstr("/");
		put_name(s, s->filter, COLS - 1);
		if (s->typing)
			addch('_');
		return;
	}
	if (s->n > behind)
		printw("%zu more  ", s->n - behind);
	if (without && s->levels[s->depth].view == TOP_FILES)
		printw("%" PRIu64 " calls without a file  ", without);
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (getcurx(stdscr) + (int)strlen(hints[i]) < COLS - 2)
			printw("%s  ", hints[i]);
}

static const char *const help_lines[] = {
	"p f d c u m k processes, files, devices, containers, users, commands,",
	"              connections",
	"Tab           the next of these",
	"b n e r w l t sort by bytes, number of calls, errors, read, written,",
	"              latency, time",
	"s             sort by the next of these",
	"/ TEXT Enter  only rows with TEXT in their names; Esc: all again",
	"Up Down PgUp PgDn Home End",
	"Enter         open the row: a process's files, a file's processes,",
	"              what a device, a container, a user or a command does",
	"Esc           back",
	"space         stop, and go on",
	"q             quit",
	"",
	"LATENCY is the mean of a call, or of a request of a device. TIME is what",
	"all calls took, of the time that went by: above 100 % several wait at once.",
};

static void draw_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(help_lines); i++)
		if ((int)i + LINES_ABOVE < LINES)
			mvaddnstr((int)i + LINES_ABOVE - 1, 1, help_lines[i], MAX(COLS - 2, 1));
}

/* Nothing is written to a terminal that currently accepts no output. */
static void draw_screen(struct screen *s)
{
	struct pollfd terminal = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t shown_max = MAX(LINES - LINES_ABOVE - 1, 0);

	if (poll(&terminal, 1, 0) <= 0 || !(terminal.revents & POLLOUT))
		return;
	if (s->selected >= s->n)
		s->selected = s->n ? s->n - 1 : 0;
	if (s->first > s->selected)
		s->first = s->selected;
	if (shown_max && s->selected >= s->first + shown_max)
		s->first = s->selected - shown_max + 1;
	erase();
	draw_title(s);
	if (s->help) {
		draw_help();
	} else {
		draw_head(s);
		for (size_t i = 0; i < shown_max && s->first + i < s->n; i++)
			draw_row(s, &s->rows[s->first + i], LINES_ABOVE + (int)i,
				 s->first + i == s->selected);
	}
	draw_foot(s);
	refresh();
}

static void sort_rows(struct screen *s)
{
	s->n = top_table__rows(s->table, &s->levels[s->depth], s->sort, s->filter, &s->rows,
			       &s->all);
}

/* ---- keys ---- */

static void show(struct screen *s, enum top_view view)
{
	s->depth = 0;
	s->levels[0] = (struct top_level){ .view = view };
	s->first = s->selected = 0;
}

static void open_row(struct screen *s)
{
	if (s->selected >= s->n || s->depth + 1 >= LEVELS_MAX ||
	    !top_level__open(&s->levels[s->depth], &s->rows[s->selected], &s->levels[s->depth + 1]))
		return;
	s->depth++;
	s->first = s->selected = 0;
}

static void go_back(struct screen *s)
{
	if (*s->filter)
		*s->filter = '\0';
	else if (s->depth)
		s->depth--;
	s->first = s->selected = 0;
}

static void type(struct screen *s, int key)
{
	size_t len = strlen(s->filter);

	if (key == '\n' || key == KEY_ENTER) {
		s->typing = false;
	} else if (key == ESCAPE) {
		s->typing = false;
		*s->filter = '\0';
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		s->filter[len ? len - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 256 && len + 1 < FILTER_MAX) {
		s->filter[len] = (char)key;
		s->filter[len + 1] = '\0';
	}
}

static bool move_selection(struct screen *s, int key)
{
	size_t page = MAX(LINES - LINES_ABOVE - 1, 1);

	switch (key) {
	case KEY_UP:
		s->selected -= !!s->selected;
		return true;
	case KEY_DOWN:
		s->selected++;
		return true;
	case KEY_PPAGE:
		s->selected -= MIN(s->selected, page);
		return true;
	case KEY_NPAGE:
		s->selected += page;
		return true;
	case KEY_HOME:
		s->selected = 0;
		return true;
	case KEY_END:
		s->selected = s->n;
		return true;
	}
	return false;
}

static void command_key(struct screen *s, int key)
{
	static const char views[] = "pfdcumk", sorts[] = "bnerwlt"; /* in the order of the enums */
	const char *view = key < 256 ? strchr(views, key) : NULL;
	const char *sort = key < 256 ? strchr(sorts, key) : NULL;

	s->help = (key == 'h' || key == '?') && !s->help;
	if (view && *view)
		show(s, (enum top_view)(view - views));
	else if (sort && *sort)
		s->sort = (enum top_sort)(sort - sorts);
	else if (key == '\t')
		show(s, (s->levels[s->depth].view + 1) % TOP_VIEWS);
	else if (key == 's')
		s->sort = (s->sort + 1) % TOP_SORTS;
	else if (key == '/')
		s->typing = true;
	else if (key == ' ')
		s->paused = !s->paused;
	else if (key == '\n' || key == KEY_ENTER || key == KEY_RIGHT)
		open_row(s);
	else if (key == ESCAPE || key == KEY_BACKSPACE || key == 127 || key == KEY_LEFT)
		go_back(s);
	else if (key == 'q')
		s->quit = true;
}

static void on_key(struct screen *s, int key)
{
	if (s->typing && key != KEY_RESIZE)
		type(s, key);
	else if (key != KEY_RESIZE && !move_selection(s, key))
		command_key(s, key);
	sort_rows(s);
	draw_screen(s);
}

/* ---- the whole ---- */

static bool open_screen(struct screen *s)
{
	const char *no_colour = getenv("NO_COLOR"); /* no-color.org */

	setlocale(LC_CTYPE, "");
	s->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	tcgetattr(STDIN_FILENO, &before);
	if (!newterm(NULL, stdout, stdin))
		return false;
	s->colours = has_colors() && !(no_colour && *no_colour);
	if (s->colours) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_TITLE, COLOR_CYAN, -1);
		init_pair(COLOUR_HEAD, COLOR_BLACK, COLOR_CYAN);
		init_pair(COLOUR_ERROR, COLOR_RED, -1);
	}
	set_escdelay(25);
	cbreak();
	noecho();
	keypad(stdscr, true);
	curs_set(0);
	return true;
}

static int show_all(struct screen *s)
{
	uint64_t next = clock__mono_ns() + s->config->period_ns / 4, looks = 0, step_ms = STEP_MS;
	int err = 0;

	draw_screen(s);
	while (!err && !s->quit && !*s->config->stop) {
		uint64_t now = clock__mono_ns();
		int key;

		timeout(next > now ? (int)MIN((next - now) / 1000000 + 1, step_ms) : 0);
		key = getch();
		step_ms = top_table__drain(s->table) ? TOP_TABLE_SOON_MS : STEP_MS;
		if (key != ERR)
			on_key(s, key);
		else if (errno == EIO) /* the terminal has gone */
			break;
		if (clock__mono_ns() < next)
			continue;
		next = clock__mono_ns() + s->config->period_ns;
		if (s->paused)
			continue;
		err = top_table__look(s->table);
		sort_rows(s);
		draw_screen(s);
		if (s->config->looks && ++looks == s->config->looks)
			break;
	}
	return err;
}

int top_screen__run(const struct top_config *config, struct top_table *t)
{
	struct screen s = { .config = config,
			    .table = t,
			    .levels = { { .view = config->view } },
			    .sort = config->sort };
	struct sigaction late = { .sa_handler = on_alarm }, first;
	int err;

	snprintf(s.filter, sizeof(s.filter), "%s", config->filter);
	if (!open_screen(&s))
		return command__cannot(config->command,
				       "this terminal (TERM) is not known: use --batch");
	sigaction(SIGINT, NULL, &first);
	note_signal = first.sa_handler;
	sigaction(SIGALRM, &late, NULL);
	late.sa_handler = stop_screen;
	sigaction(SIGINT, &late, NULL);
	sigaction(SIGTERM, &late, NULL);
	sigaction(SIGHUP, &late, NULL);
	err = show_all(&s);
	alarm(PATIENCE_S);
	endwin();
	alarm(0);
	if (err)
		return command__cannot(config->command, "cannot read the sums: %s", strerror(-err));
	return EXIT_OK;
}
