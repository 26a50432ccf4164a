/* SPDX-License-Identifier: ISC */
/* preload - makes writes and syncs fail in a running program, as a disk does: LD_PRELOAD=preload.so FAULT_CONTROL=file.
 *
 * The file is mapped by the constructor and stays mapped, so a program that changes its root later is reached all the
 * same; a test changes the words in it while the program runs. Files are told apart by the name they were opened
 * with. Regular files only: sockets, pipes, memory files and what was open at the start (the log) are never touched.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { OP_WRITE = 1, OP_SYNC = 2, OP_TRUNCATE = 4, OP_ALLOCATE = 8, OP_CREATE = 16 };
enum target { TARGET_SEGMENT = 1, TARGET_DATABASE = 2, TARGET_WAL = 4, TARGET_OTHER = 8 };

/* test_faults.py knows this layout. */
struct control {
	_Atomic uint32_t operations; /* that fail; 0: none */
	_Atomic uint32_t targets;
	_Atomic uint32_t error;  /* errno to fail with */
	_Atomic uint32_t keep;   /* the first failing write is short: it writes this many octets, and this becomes 0 */
	_Atomic int32_t skip;    /* operations that still succeed */
	_Atomic int32_t times;   /* operations that fail then; -1: all */
	_Atomic uint32_t failed; /* counted here */
	_Atomic uint32_t seen;   /* operations on files of any target, failed or not */
};

#define FDS 4096
static struct control *control;
static _Atomic uint8_t target_of[FDS];

__attribute__((constructor)) static void open_control(void)
{
	const char *path = getenv("FAULT_CONTROL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		control = p;
	close(fd);
}

static int ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static enum target classify(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	if (ends_with(base, "-wal"))
		return TARGET_WAL;
	if (ends_with(base, ".db"))
		return TARGET_DATABASE;
	if (strspn(base, "0123456789") == strlen(base) && *base != '\0')
		return TARGET_SEGMENT;
	return TARGET_OTHER;
}

static void note_open(int fd, const char *path)
{
	struct stat st;

	if (fd >= 0 && fd < FDS)
		target_of[fd] = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint8_t)classify(path) : 0;
}

/* Has this operation to fail? Counts down skip, then times. */
static int due(enum operation op, unsigned target)
{
	if (control == NULL || target == 0)
		return 0;
	atomic_fetch_add(&control->seen, 1);
	if ((control->operations & op) == 0 || (control->targets & target) == 0)
		return 0;
	if (control->skip > 0 && atomic_fetch_sub(&control->skip, 1) > 0)
		return 0;
	if (control->times == 0 || (control->times > 0 && atomic_fetch_sub(&control->times, 1) <= 0))
		return 0;
	atomic_fetch_add(&control->failed, 1);
	errno = (int)control->error;
	return 1;
}

static int fails(enum operation op, int fd)
{
	return fd >= 0 && fd < FDS && due(op, target_of[fd]);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* --- opening and closing --- */

#define OPEN_MODE(flags)                                                  \
	mode_t mode = 0;                                                  \
	if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) { \
		va_list ap;                                               \
		va_start(ap, flags);                                      \
		mode = va_arg(ap, mode_t);                                \
		va_end(ap);                                               \
	}

static int create_fails(int dir, const char *path, int flags)
{
	return (flags & O_CREAT) != 0 && faccessat(dir, path, F_OK, 0) != 0 && due(OP_CREATE, (unsigned)classify(path));
}

#define OPEN(name)                                       \
	int name(const char *path, int flags, ...)       \
	{                                                \
		OPEN_MODE(flags)                         \
		if (create_fails(AT_FDCWD, path, flags)) \
			return -1;                       \
		int fd = REAL(name)(path, flags, mode);  \
		note_open(fd, path);                     \
		return fd;                               \
	}
#define OPENAT(name)                                         \
	int name(int dir, const char *path, int flags, ...)  \
	{                                                    \
		OPEN_MODE(flags)                             \
		if (create_fails(dir, path, flags))          \
			return -1;                           \
		int fd = REAL(name)(dir, path, flags, mode); \
		note_open(fd, path);                         \
		return fd;                                   \
	}
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		target_of[fd] = 0;
	return REAL(close)(fd);
}

/* --- writing --- */

#define WRITE(name, declaration, with_n)                          \
	ssize_t name declaration                                  \
	{                                                         \
		if (!fails(OP_WRITE, fd))                         \
			return REAL(name) with_n;                 \
		size_t keep = atomic_exchange(&control->keep, 0); \
		if (keep == 0 || n <= keep)                       \
			return -1;                                \
		n = keep;                                         \
		return REAL(name) with_n;                         \
	}
WRITE(write, (int fd, const void *p, size_t n), (fd, p, n))
WRITE(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRITE(pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))

/* Of a vector only the first piece is written, cut to `keep`. */
static ssize_t short_vector(int fd, const struct iovec *iov, off_t at)
{
	size_t keep = atomic_exchange(&control->keep, 0), n = iov->iov_len < keep ? iov->iov_len : keep;

	if (n == 0)
		return -1;
	return at < 0 ? REAL(write)(fd, iov->iov_base, n) : REAL(pwrite)(fd, iov->iov_base, n, at);
}

#define WRITEV(name, declaration, arguments, at)                                               \
	ssize_t name declaration                                                               \
	{                                                                                      \
		return fails(OP_WRITE, fd) ? short_vector(fd, iov, at) : REAL(name) arguments; \
	}
WRITEV(writev, (int fd, const struct iovec *iov, int count), (fd, iov, count), -1)
WRITEV(pwritev, (int fd, const struct iovec *iov, int count, off_t at), (fd, iov, count, at), at)
WRITEV(pwritev64, (int fd, const struct iovec *iov, int count, off64_t at), (fd, iov, count, at), at)
WRITEV(pwritev2, (int fd, const struct iovec *iov, int count, off_t at, int flags), (fd, iov, count, at, flags), at)
WRITEV(pwritev64v2, (int fd, const struct iovec *iov, int count, off64_t at, int flags), (fd, iov, count, at, flags),
       at)

/* --- the rest --- */

#define PLAIN(op, name, declaration, arguments)                   \
	int name declaration                                      \
	{                                                         \
		return fails(op, fd) ? -1 : REAL(name) arguments; \
	}
PLAIN(OP_SYNC, fsync, (int fd), (fd))
PLAIN(OP_SYNC, fdatasync, (int fd), (fd))
PLAIN(OP_TRUNCATE, ftruncate, (int fd, off_t n), (fd, n))
PLAIN(OP_TRUNCATE, ftruncate64, (int fd, off64_t n), (fd, n))
PLAIN(OP_ALLOCATE, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
PLAIN(OP_ALLOCATE, fallocate64, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n))

/* These return the error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t n)
{
	return fails(OP_ALLOCATE, fd) ? errno : REAL(posix_fallocate)(fd, at, n);
}

int posix_fallocate64(int fd, off64_t at, off64_t n)
{
	return fails(OP_ALLOCATE, fd) ? errno : REAL(posix_fallocate64)(fd, at, n);
}
