/* SPDX-License-Identifier: ISC */
#include "role/confine.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/charset.h"
#include "role/confine_needs.h"
#include "rt/rt.h"

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif

/* LeakSanitizer looks into /proc when the process ends, which is out of reach then. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static int files_were_left;

int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return files_were_left;
}

static void note_files_left(void)
{
	files_were_left = 1;
}
#else
static void note_files_left(void)
{
}
#endif

static err failed(const char *what)
{
	return err_note(E_PERM, "%s: %s", what, strerrordesc_np(errno));
}

/* A folder that is gone once it has been entered: nothing is in it, and nothing can be made in it. */
static err enter_empty_root(void)
{
	char run[] = "/run/pombo-XXXXXX", tmp[] = "/tmp/pombo-XXXXXX";
	const char *path = mkdtemp(run);

	if (path == NULL)
		path = mkdtemp(tmp);
	if (path == NULL || chdir(path) != 0 || rmdir(path) != 0 || chroot(".") != 0)
		return failed("cannot enter an empty root folder");
	note_files_left();
	confined.root = "empty";
	return OK;
}

err confine_to_folder(const char *path)
{
	if (chdir(path) != 0 || chroot(".") != 0)
		return failed("cannot make the data folder the root folder");
	note_files_left();
	confined.root = "data folder";
	return OK;
}

err confine_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return failed("cannot change the user");
	return setuid(0) == 0 ? err_note(E_PERM, "root could be had back") : OK;
}

/* As root. The data folder's owner is the user to become: the monitor saw to that. */
static err give_up_root(const char *data, const struct role_type *type)
{
	struct stat st;

	if (stat(data, &st) != 0)
		return failed("cannot look at the data folder");
	if (st.st_uid == 0)
		return err_note(E_PERM, "the data folder belongs to root");
	err e = type->data_folder ? confine_to_folder(data) : enter_empty_root();
	return e == OK ? confine_user(st.st_uid, st.st_gid) : e;
}

static err set_limit(__rlimit_resource_t resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	return setrlimit(resource, &limit) == 0 ? OK : failed("cannot set a limit");
}

/* The kernel takes the signal back when the user changes, so it is asked for after that. The store is left to finish what it
 * writes: it ends by its link to the monitor. */
static err die_with_the_monitor(const struct role_type *type)
{
	return type->data_folder || prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? OK : failed("PR_SET_PDEATHSIG");
}

/* What holds whoever started the server. */
static err give_up_more(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("PR_SET_NO_NEW_PRIVS");
	return set_limit(RLIMIT_CORE, 0);
}

static err confine_as_root(const char *data, const struct role_type *type)
{
	err e = give_up_root(data, type);

	if (e == OK && prctl(PR_SET_DUMPABLE, 0) != 0)
		e = failed("PR_SET_DUMPABLE");
	return e;
}

/* Those that are needed are started while it may. */
static err give_up_processes(const struct role_type *type)
{
	if (type->threads)
		return OK;
	if (type->works)
		rt_work_begin();
	return set_limit(RLIMIT_NPROC, 0);
}

/* Landlock holds for threads that are started later, the filter for all. Nothing can be given up after the filter. */
static err give_up_reach(const char *data, const struct role_type *type, struct buf *missing)
{
	if (!confine_needs(type->name, &confined.needs))
		return err_note(E_PERM, "nobody knows what %s needs", type->name);
	note_files_left();
	err e = confine_files(confined.needs, data, missing);
	if (e == OK)
		e = give_up_processes(type);
	return e == OK ? confine_calls(confined.needs, missing) : e;
}

err confine(const struct config *config, const struct role_type *type, struct buf *missing)
{
	ARENA(a, 8192);
	const char *data = arena_z(&a, config->data);
	bool root = geteuid() == 0;
	err e = OK;

	if (data == NULL)
		return err_note(E_LIMIT, "the data folder's name is too long");
	if (type->reads)
		charset_prepare(); /* out of files that will be out of reach */
	if (root)
		e = confine_as_root(data, type);
	else
		confine_missing(missing, "user of its own, empty root folder (start as root to have them)");
	if (e == OK)
		e = give_up_more();
	if (e == OK)
		e = die_with_the_monitor(type);
	return e == OK ? give_up_reach(root ? "/" : data, type, missing) : e;
}

err confine_monitor(struct buf *missing)
{
	confined.needs = NEED_PROCESSES;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("PR_SET_NO_NEW_PRIVS");
	return confine_calls(confined.needs, missing);
}
