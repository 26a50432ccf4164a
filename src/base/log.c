/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/encode.h"

enum {
	PENDING_MAX = 64 * 1024, /* bytes gathered between two flushes */
	LINE_MAX_BYTES = 4096,   /* a field that does not fit any more is left out */
	VALUE_MAX = 1000,        /* bytes of a value before escaping; the rest is cut */
	SECOND_LEN = 19,         /* 2026-11-21T21:38:00 */
	TIME_LEN = 24            /* ... .123Z */
};

static struct {
	pthread_mutex_t lock;
	const char *role;
	enum log_level level;
	bool json;
	int fd;
	int64_t second; /* whose text is in `second_text` */
	char second_text[SECOND_LEN];
	uint64_t lost;      /* lines that found no room, to be told */
	struct buf pending; /* in `storage`, of fixed size: logging takes no memory */
	char storage[PENDING_MAX + 1];
} state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.role = "pombo",
	.level = LOG_LEVEL_INFO,
	.fd = STDERR_FILENO,
	.second = -1,
	.pending = {.p = state.storage, .size = PENDING_MAX, .cap = PENDING_MAX},
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static void put_time(struct buf *b)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != state.second) {
		char storage[32];
		struct buf text = {.p = storage, .size = sizeof(storage) - 1, .cap = sizeof(storage) - 1};
		date_rfc3339(&text, (int64_t)now.tv_sec * USEC_PER_SEC);
		memcpy(state.second_text, storage, SECOND_LEN);
		state.second = now.tv_sec;
	}
	char *to = buf_reserve(b, TIME_LEN);
	if (to == NULL)
		return;
	memcpy(to, state.second_text, SECOND_LEN);
	long ms = now.tv_nsec / 1000000;
	to[SECOND_LEN] = '.';
	to[SECOND_LEN + 1] = (char)('0' + ms / 100);
	to[SECOND_LEN + 2] = (char)('0' + ms / 10 % 10);
	to[SECOND_LEN + 3] = (char)('0' + ms % 10);
	to[SECOND_LEN + 4] = 'Z';
	buf_commit(b, TIME_LEN);
}

static void put_name(struct buf *b, const char *name)
{
	if (!state.json) {
		buf_putc(b, ' ');
		buf_puts(b, name);
		buf_putc(b, '=');
		return;
	}
	buf_put(b, STR(",\""));
	buf_puts(b, name);
	buf_put(b, STR("\":"));
}

/* Can the value stand in a logfmt line as it is? */
static bool is_bare(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\')
			return false;
	return s.n > 0;
}

static void put_logfmt(struct buf *b, str s)
{
	if (is_bare(s)) {
		buf_put(b, s);
		return;
	}
	buf_putc(b, '"');
	for (str head, rest = s; rest.n > 0;) {
		bool quote = str_cut(rest, '"', &head, &rest);
		escape_text(b, head);
		if (quote)
			buf_put(b, STR("\\x22"));
	}
	buf_putc(b, '"');
}

static void put_text(struct buf *b, str s)
{
	s = str_take(s, VALUE_MAX);
	if (state.json)
		json_quote(b, s);
	else
		put_logfmt(b, s);
}

static void put_number(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* All of the field or nothing. */
static void put_field(struct buf *b, const struct log_field *f)
{
	size_t before = b->n;
	char id[ID_TEXT_MAX];

	put_name(b, f->name);
	if (f->kind == LOG_FIELD_NUM)
		put_number(b, f->v);
	else
		put_text(b, f->kind == LOG_FIELD_ID ? id_text((uint64_t)f->v, id) : f->s);
	if (b->full) {
		b->n = before;
		b->full = false;
	}
}

static void put_line(struct buf *b, enum log_level level, const char *event, const struct log_field *fields)
{
	buf_put(b, state.json ? STR("{\"t\":\"") : STR("t="));
	put_time(b);
	if (state.json)
		buf_putc(b, '"');
	put_field(b, &LOG_Z("level", level_names[level]));
	put_field(b, &LOG_Z("role", state.role));
	put_field(b, &LOG_Z("ev", event));
	for (; fields->name != NULL; fields++)
		put_field(b, fields);
}

/* Appends the line where it will be written from: `pending` itself, capped to one line for the while. */
static void append(enum log_level level, const char *event, const struct log_field *fields)
{
	struct buf *b = &state.pending;

	b->size = b->cap = b->n + LINE_MAX_BYTES - 2; /* the line's end always fits */
	put_line(b, level, event, fields);
	b->size = b->cap = PENDING_MAX;
	b->full = false;
	buf_put(b, state.json ? STR("}\n") : STR("\n"));
}

/* A log that cannot be written must not stop the mail: what a non-blocking descriptor does not take stays for the next
 * time, what an unusable one refuses is dropped. */
static void write_pending(void)
{
	struct buf *b = &state.pending;
	int saved = errno;

	while (b->n > 0) {
		ssize_t n = state.fd < 0 ? (ssize_t)b->n : write(state.fd, b->p, b->n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		buf_consume(b, n < 0 ? b->n : (size_t)n);
	}
	errno = saved;
}

static bool has_room(size_t lines)
{
	return PENDING_MAX - state.pending.n >= lines * LINE_MAX_BYTES;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	pthread_mutex_lock(&state.lock);
	if (!has_room(2))
		write_pending();
	if (has_room(2)) {
		if (state.lost > 0)
			append(LOG_LEVEL_WARN, "log.lost", (struct log_field[]){LOG_NUM("lines", state.lost), {0}});
		state.lost = 0;
		append(level, event, fields);
	} else {
		state.lost++;
	}
	if (level >= LOG_LEVEL_WARN)
		write_pending();
	pthread_mutex_unlock(&state.lock);
}

void log_flush(void)
{
	pthread_mutex_lock(&state.lock);
	write_pending();
	pthread_mutex_unlock(&state.lock);
}

bool log_wants(enum log_level level)
{
	return level >= state.level;
}

void log_setup(const char *role, enum log_level level, bool json)
{
	static bool registered;

	pthread_mutex_lock(&state.lock);
	state.role = role;
	state.level = level;
	state.json = json;
	if (!registered)
		registered = atexit(log_flush) == 0;
	pthread_mutex_unlock(&state.lock);
}

void log_to(int fd)
{
	pthread_mutex_lock(&state.lock);
	write_pending();
	state.fd = fd;
	pthread_mutex_unlock(&state.lock);
}
