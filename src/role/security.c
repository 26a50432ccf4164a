/* SPDX-License-Identifier: ISC */
/* What this process can do, asked of the kernel and not of our own memory, unless the kernel does not tell. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "role/confine_needs.h"
#include "role/process.h"

enum { CELLS_MAX = 24, DESCRIPTOR_GAP_MAX = 4096 };

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

/* An empty root is a folder that was removed. */
static str root_folder(void)
{
	struct stat st;

	if (stat("/", &st) != 0)
		return confined.root == NULL ? STR("whole system") : str_from(confined.root);
	if (st.st_nlink == 0)
		return STR("empty");
	return stat("/pombo.db", &st) == 0 ? STR("data folder") : STR("whole system");
}

/* Tried. With Landlock the data folder can be opened, and what is above it cannot. */
static str files_within_reach(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return (confined.needs & NEED_FILES) ? STR("data folder") : STR("none");
	close(fd);
	return root_folder();
}

static str connections_within_reach(void)
{
	if (confined.calls == 0 && confined.landlock < CONFINE_LANDLOCK_TCP)
		return STR("any");
	return (confined.needs & NEED_SERVERS) ? STR("outward") : STR("none");
}

static str programs_within_reach(void)
{
	return confined.calls == 0 ? STR("any") : STR("none");
}

static void put_reach(struct report *r)
{
	put_text(r, "root", root_folder());
	put_text(r, "opens", files_within_reach());
	put_text(r, "connects", connections_within_reach());
	put_text(r, "starts", programs_within_reach());
	put_number(r, "landlock", (uint64_t)confined.landlock);
	put_yes_no(r, "calls-filtered", prctl(PR_GET_SECCOMP) == 2);
	if (confined.calls > 0)
		put_number(r, "calls", confined.calls);
	else
		put_text(r, "calls", STR("all"));
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
	put_reach(&r);
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
