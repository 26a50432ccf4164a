/* SPDX-License-Identifier: ISC */
/* file - the few file operations above SQLite, complete (no short write) and with the error noted. Blocking: call
 * them from a worker or writer thread, or where a local disk may be waited for. */
#ifndef RT_FILE_H
#define RT_FILE_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/err.h"

MUST_USE err file_write_all(int fd, struct iovec *iov, int count,
                            off_t at); /* changes iov; E_FULL on ENOSPC/EDQUOT/EFBIG, else E_IO */
MUST_USE err file_read_at(int fd, char *p, size_t n, off_t at); /* E_END when the file is shorter */
/* What the kernel holds in memory. E_BUSY, not noted: not all of it; file_read_at says what there is. Never waits for a disk. */
MUST_USE err file_read_cached(int fd, char *p, size_t n, off_t at);
MUST_USE err file_sync(int fd);                                 /* fdatasync */
MUST_USE err file_sync_dir(const char *path);
MUST_USE err file_read_whole(const char *path, struct buf *out); /* E_NOT_FOUND, E_LIMIT (out's cap), E_IO */
/* Replaces `path` atomically and durably (temporary file, fsync, rename, fsync of the folder), with these
 * permissions. */
MUST_USE err file_replace(const char *path, str content, mode_t mode);
MUST_USE err file_memfd(const char *name, int *fd); /* close-on-exec, sealable */
MUST_USE err file_seal(int fd);                     /* no write, grow, shrink from now on */

#endif
