/* SPDX-License-Identifier: ISC */
#include "role/forward_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/fnv.h"
#include "mail/forward.h"
#include "role/role.h"
#include "rt/file.h"

#define PATIENCE       10  /* seconds for one user; then this process ends */
#define READ_PATIENCE  5   /* of them, for the child that reads */
#define LOOK_AGAIN     600 /* seconds: what root may not see (NFS) is read that often */
#define ANSWER_OCTETS  ((size_t)64 << 10)
#define REQUEST_OCTETS ((size_t)64 << 10)
#define MEMORY_MAX     ((size_t)1 << 20)
#define FILE_NAME      ".forward"
#define FIRST_STAMP    UINT64_C(2) /* 0: no file, 1: nobody looked yet */

/* --- the file --- */

/* Whatever decides over it: what it says, who may write it, and where it lies. */
static uint64_t stamp_of(const struct stat *file, const struct stat *folder)
{
	const uint64_t parts[] = {(uint64_t)file->st_dev,          (uint64_t)file->st_ino,
	                          (uint64_t)file->st_size,         (uint64_t)file->st_mtim.tv_sec,
	                          (uint64_t)file->st_mtim.tv_nsec, (uint64_t)file->st_ctim.tv_sec,
	                          (uint64_t)file->st_ctim.tv_nsec, (uint64_t)folder->st_mode};
	uint64_t stamp = FNV_START;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		stamp = fnv_word(stamp, parts[i]);
	return stamp < FIRST_STAMP ? FIRST_STAMP : stamp;
}

bool forward_file_stamp(const char *home, uint64_t *stamp)
{
	struct stat folder, file;
	int fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*stamp = 0;
	if (fd < 0 || fstat(fd, &folder) != 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		*stamp = FIRST_STAMP + (uint64_t)time(NULL) / LOOK_AGAIN;
		return why == EACCES;
	}
	int failed = fstatat(fd, FILE_NAME, &file, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
	close(fd);
	if (failed == 0)
		*stamp = stamp_of(&file, &folder);
	else if (failed == EACCES)
		*stamp = FIRST_STAMP + (uint64_t)time(NULL) / LOOK_AGAIN;
	return failed == 0 || failed == EACCES || failed == ENOENT;
}

static err check_file(const struct stat *file, const struct stat *folder, unsigned owner)
{
	if (!S_ISREG(file->st_mode))
		return err_note(E_DENIED, "it is no ordinary file");
	if (file->st_uid != owner && file->st_uid != 0)
		return err_note(E_DENIED, "it belongs to somebody else");
	if ((file->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_note(E_DENIED, "others may write it");
	if ((folder->st_mode & S_IWOTH) != 0)
		return err_note(E_DENIED, "anybody may write its folder");
	return (uint64_t)file->st_size > FORWARD_TEXT_MAX ? err_note(E_LIMIT, "it is larger than 64 KiB") : OK;
}

static err read_octets(int fd, struct buf *out)
{
	for (;;) {
		char *to = buf_reserve(out, 4096);
		ssize_t n = to == NULL ? 0 : read(fd, to, 4096);

		if (to == NULL)
			return err_note(E_LIMIT, "it is larger than 64 KiB");
		if (n < 0)
			return err_note(E_IO, "it cannot be read: %s", strerrordesc_np(errno));
		if (n == 0)
			return OK;
		buf_commit(out, (size_t)n);
	}
}

static err open_fault(int why)
{
	if (why == ENOENT)
		return err_note(E_NOT_FOUND, "there is none");
	return why == ELOOP ? err_note(E_DENIED, "it is a link")
	                    : err_note(E_IO, "it cannot be opened: %s", strerrordesc_np(why));
}

static err read_in(int folder, unsigned owner, struct buf *out)
{
	struct stat of_folder, of_file;
	int fd = openat(folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return open_fault(errno);
	err e = fstat(folder, &of_folder) == 0 && fstat(fd, &of_file) == 0 ? check_file(&of_file, &of_folder, owner)
	                                                                   : err_note(E_IO, "it cannot be looked at");
	if (e == OK)
		e = read_octets(fd, out);
	close(fd);
	return e;
}

err forward_file_read(const char *home, unsigned owner, struct buf *out)
{
	int folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return err_note(E_IO, "the home folder cannot be opened: %s", strerrordesc_np(errno));
	err e = read_in(folder, owner, out);
	close(folder);
	return e;
}

/* --- the child that becomes the user --- */

/* For good. What it was given before is forgotten with the privileges: the kernel lets nobody look into it, its user neither. */
static bool become(const struct passwd *user)
{
	const struct rlimit none = {0, 0};

	if (geteuid() == 0 &&
	    (initgroups(user->pw_name, user->pw_gid) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
	     setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0))
		return false;
	return geteuid() == user->pw_uid && (user->pw_uid == 0 || setuid(0) != 0) && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

static err understand(const struct passwd *user, str domain, struct arena *a, struct forward *out)
{
	BUF(text, FORWARD_TEXT_MAX + 4096);
	err e = forward_file_read(user->pw_dir, user->pw_uid, &text);

	if (e == OK)
		return forward_read(buf_str(&text), domain, a, out);
	*out = e == E_NOT_FOUND ? (struct forward){0} : forward_fault(arena_str(a, str_from(err_info()->text)));
	return OK;
}

static bool put_all(int fd, str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n <= 0)
			return false;
		text = str_drop(text, (size_t)n);
	}
	return true;
}

static _Noreturn void child_main(const struct passwd *user, str domain, int out)
{
	struct forward f;
	ARENA(a, MEMORY_MAX);
	BUF(text, ANSWER_OCTETS);

	close(STDIN_FILENO);
	close(STDOUT_FILENO); /* the monitor's: nothing of a user's goes there unchecked */
	alarm(READ_PATIENCE);
	if (!become(user) || understand(user, domain, &a, &f) != OK)
		_exit(EX_OSERR);
	forward_print(&text, &f);
	_exit(!text.full && put_all(out, buf_str(&text)) ? EX_OK : EX_IOERR);
}

/* Up to its end, or `until`. */
static bool take_answer(int fd, time_t until, struct buf *out)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		time_t left = until - time(NULL);
		char *to = buf_reserve(out, 4096);

		if (to == NULL || left <= 0 || poll(&p, 1, (int)left * 1000) <= 0)
			return false;
		ssize_t n = read(fd, to, 4096);
		if (n <= 0)
			return n == 0;
		buf_commit(out, (size_t)n);
	}
}

/* False: no answer that could be one. It is killed then: its user may have stopped it. */
static bool ask_child(const struct passwd *user, str domain, struct arena *a, struct forward *out)
{
	BUF(text, ANSWER_OCTETS + 4096);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		child_main(user, domain, ends[1]);
	close(ends[1]);
	bool whole = pid > 0 && take_answer(ends[0], time(NULL) + READ_PATIENCE + 1, &text);
	close(ends[0]);
	if (pid > 0 && !whole)
		kill(pid, SIGKILL);
	if (pid > 0 && whole)
		waitpid(pid, NULL, 0);
	struct cursor c = cursor_of(buf_str(&text));
	return whole && forward_parse(&c, a, out) == OK && cursor_end(&c);
}

/* --- one user after the other --- */

static bool say(struct buf *text)
{
	bool good = !text->full && put_all(STDOUT_FILENO, buf_str(text));

	buf_reset(text);
	return good;
}

/* The files of others are no business of who is not root. */
static struct passwd *find_user(const char *name)
{
	struct passwd *user = getpwnam(name);

	return user != NULL && (geteuid() == 0 || user->pw_uid == geteuid()) ? user : NULL;
}

static bool look_at(const char *name, str domain, uint64_t known)
{
	struct forward f = {0};
	ARENA(a, MEMORY_MAX);
	BUF(text, ANSWER_OCTETS + 4096);
	uint64_t stamp = 0;

	alarm(PATIENCE);
	buf_printf(&text, "user %s\n", name);
	if (!say(&text))
		return false;
	const struct passwd *user = find_user(name);
	if (user != NULL && !forward_file_stamp(user->pw_dir, &stamp))
		stamp = known;
	if (user != NULL && stamp != 0 && stamp != known && !ask_child(user, domain, &a, &f))
		return false;
	buf_printf(&text, "stamp %llu\n", (unsigned long long)stamp);
	forward_print(&text, &f);
	return say(&text);
}

static bool look_at_line(struct cursor *c, str domain)
{
	ARENA(a, 4096);
	str name, number;
	uint64_t known;

	str_cut(forward_line(c), ' ', &name, &number);
	const char *user = arena_z(&a, name);
	return user != NULL && name.n > 0 && str_to_u64(number, UINT64_MAX, &known) && look_at(user, domain, known);
}

int role_forward(void)
{
	BUF(request, REQUEST_OCTETS);
	bool good = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;

	signal(SIGPIPE, SIG_IGN);
	for (ssize_t n = 1; n > 0 && good;) {
		char *to = buf_reserve(&request, 4096);

		n = to == NULL ? -1 : read(STDIN_FILENO, to, 4096);
		good = n >= 0;
		if (n > 0)
			buf_commit(&request, (size_t)n);
	}
	struct cursor c = cursor_of(buf_str(&request));
	str word, domain;
	good = good && str_cut(forward_line(&c), ' ', &word, &domain);
	while (good && !cursor_end(&c))
		good = look_at_line(&c, domain);
	return good ? EX_OK : EX_TEMPFAIL;
}
