/* SPDX-License-Identifier: ISC */
#include "store/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* A crash leaves at most one batch behind what was committed. More than this is something else, such as a database restored by hand without
 * its segments, and is not touched. */
#define TAIL_MAX (16ull << 20)

err recover_each(int bodies, err (*fn)(void *arg, uint64_t number), void *arg)
{
	int fd = openat(bodies, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	err e = OK;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return err_note(E_IO, "bodies: %s", strerror(errno));
	}
	while (e == OK && (entry = readdir(dir)) != NULL) {
		uint64_t number;

		if (segment_number(entry->d_name, &number))
			e = fn(arg, number);
	}
	closedir(dir);
	return e;
}

static err note_any(void *arg, uint64_t number UNUSED)
{
	*(bool *)arg = true;
	return OK;
}

err recover_has_segments(int bodies, bool *any)
{
	*any = false;
	return recover_each(bodies, note_any, any);
}

/* --- files that no commit knows --- */

struct newest {
	int bodies;
	uint64_t known, found; /* the last in the database, in the folder */
};

static err look_at_file(void *arg, uint64_t number)
{
	struct newest *n = arg;
	char name[SEGMENT_NAME_MAX];
	struct stat st;

	if (number > n->found)
		n->found = number;
	if (number <= n->known)
		return OK;
	segment_name(number, name);
	if (fstatat(n->bodies, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_note(E_IO, "bodies/%s: %s", name, strerror(errno));
	if ((uint64_t)st.st_size > TAIL_MAX)
		LOG(ERROR, "store.unknown-segment", LOG_NUM("segment", number), LOG_NUM("size", st.st_size));
	else if (unlinkat(n->bodies, name, 0) == 0)
		LOG(INFO, "store.uncommitted-segment", LOG_NUM("segment", number), LOG_NUM("size", st.st_size));
	return OK;
}

/* --- the last segment --- */

/* OK: `s` can be gone on with at `end`. */
static err cut_tail(const struct segment *s, uint64_t end)
{
	uint64_t size = 0;
	err e = segment_size(s, &size);

	if (e != OK)
		return e;
	if (size < end || size - end > TAIL_MAX) {
		LOG(ERROR, "store.segment-size", LOG_NUM("segment", s->number), LOG_NUM("size", size),
		    LOG_NUM("committed", end));
		return err_note(E_IO, "segment %llu has an unexpected size", (unsigned long long)s->number);
	}
	if (size == end)
		return OK;
	LOG(INFO, "store.uncommitted-tail", LOG_NUM("segment", s->number), LOG_NUM("octets", size - end));
	if (ftruncate(s->fd, (off_t)end) != 0 || fsync(s->fd) != 0)
		return err_note(E_IO, "segment %llu: %s", (unsigned long long)s->number, strerror(errno));
	return OK;
}

/* A segment that cannot be gone on with is left as it is, and a new one is begun. */
static void take_up(int bodies, uint64_t number, uint64_t end, struct writer_start *start)
{
	if (segment_open(bodies, number, SEGMENT_APPEND, &start->current) == OK) {
		start->end = end;
		if (cut_tail(&start->current, end) == OK)
			return;
		segment_close(&start->current);
	}
	LOG(WARN, "store.segment-left", LOG_NUM("segment", number), LOG_Z("cause", err_info()->text));
	start->current = SEGMENT_NONE;
}

err recover_segments(struct db *db, int bodies, struct writer_start *start)
{
	struct query q = db_query(db, "SELECT number, size FROM segment ORDER BY number DESC LIMIT 1");
	struct newest newest = {.bodies = bodies};
	uint64_t end = 0;

	start->current = SEGMENT_NONE;
	if (query_row(&q)) {
		newest.known = query_num(&q);
		end = query_num(&q);
	}
	err e = query_end(&q);
	if (e == OK)
		e = recover_each(bodies, look_at_file, &newest);
	if (e != OK)
		return e;
	start->next_segment = (newest.found > newest.known ? newest.found : newest.known) + 1;
	if (newest.known > 0)
		take_up(bodies, newest.known, end, start);
	return OK;
}
