/* SPDX-License-Identifier: ISC */
/* What this process can do, asked of the kernel and not of our own memory. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "role/process.h"

enum { CELLS_MAX = 16, DESCRIPTOR_GAP_MAX = 4096 };

struct report {
	struct arena *arena;
	struct cell *cells; /* CELLS_MAX */
	size_t n;
};

static void put_text(struct report *r, const char *name, str text)
{
	r->cells[r->n++] = (struct cell){.name = str_from(name), .text = arena_str(r->arena, text)};
}

static void put_number(struct report *r, const char *name, uint64_t number)
{
	r->cells[r->n++] = (struct cell){.name = str_from(name), .number = number, .is_number = 1};
}

static void put_yes_no(struct report *r, const char *name, bool yes)
{
	put_text(r, name, yes ? STR("yes") : STR("no"));
}

static str root_folder(void)
{
	DIR *d = opendir("/");
	size_t entries = 0;

	if (access("/pombo.db", F_OK) == 0)
		entries = SIZE_MAX;
	else
		for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d))
			entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (d != NULL)
		closedir(d);
	if (entries == SIZE_MAX)
		return STR("data folder");
	return entries == 0 ? STR("empty") : STR("whole system");
}

static void put_capabilities(struct report *r)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &head, data) != 0)
		return;
	put_yes_no(r, "capabilities",
	           (data[0].effective | data[1].effective | data[0].permitted | data[1].permitted) != 0);
}

/* Descriptors are handed out lowest first: a long stretch without any is the end. */
static void put_descriptors(struct report *r)
{
	uint64_t sockets = 0, files = 0, others = 0;

	for (int fd = 0, gap = 0; gap < DESCRIPTOR_GAP_MAX; fd++) {
		struct stat st;

		gap = fstat(fd, &st) == 0 ? 0 : gap + 1;
		if (gap > 0)
			continue;
		if (S_ISSOCK(st.st_mode))
			sockets++;
		else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
			files++;
		else
			others++;
	}
	put_number(r, "sockets", sockets);
	put_number(r, "files", files);
	put_number(r, "others", others);
}

static void put_limit(struct report *r, const char *name, __rlimit_resource_t resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		put_number(r, name, limit.rlim_cur);
	else
		put_text(r, name, STR("unlimited"));
}

err security_report(const char *name, struct security_reply *reply, struct arena *a)
{
	struct report r = {.arena = a, .cells = arena_array(a, CELLS_MAX, sizeof(struct cell))};

	reply->rows = arena_alloc(a, sizeof(*reply->rows));
	if (r.cells == NULL || reply->rows == NULL)
		return err_note(E_MEMORY, "no memory for a report");
	put_text(&r, "process", str_from(name));
	put_number(&r, "pid", (uint64_t)getpid());
	put_number(&r, "uid", geteuid());
	put_number(&r, "gid", getegid());
	put_text(&r, "root", root_folder());
	put_yes_no(&r, "new-privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	put_capabilities(&r);
	put_yes_no(&r, "dumpable", prctl(PR_GET_DUMPABLE) == 1);
	put_descriptors(&r);
	put_limit(&r, "max-descriptors", RLIMIT_NOFILE);
	put_limit(&r, "max-processes", RLIMIT_NPROC);
	put_limit(&r, "max-core", RLIMIT_CORE);
	reply->rows[0] = (struct row){r.cells, r.n};
	reply->rows_n = 1;
	return a->full ? err_note(E_MEMORY, "no memory for a report") : OK;
}
