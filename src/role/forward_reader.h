/* SPDX-License-Identifier: ISC */
/* forward_reader - `pombo --forward`, a process of the monitor's that looks at users' ~/.forward files and ends.
 *
 * Standard input: "domain NAME", then "NAME STAMP" for each user, where STAMP is the answer of the last time, 1 at first.
 * Standard output: "user NAME" before anything of that user is touched, "stamp N" (0: no file, or no such user), and the lines of mail/forward.h:
 * what the file says, or "end" alone when the stamp is the old one or 0. A folder that is not there leaves the stamp as it was.
 *
 * It is root if the monitor is, and stats as that. A file is opened, read and understood by a child for that file alone that has become the user; what
 * the child says is checked here and by the monitor. A home folder that does not answer ends this process: the user whose lines are not complete
 * is the one. Started by anyone else than root it knows the files of that user alone.
 */
#ifndef ROLE_FORWARD_READER_H
#define ROLE_FORWARD_READER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The .forward in a folder, as whoever this process is. E_NOT_FOUND: there is none. E_DENIED: it is not to be trusted: a link, no file, of somebody
 * else than `owner` and root, or others may write it, or anybody its folder. E_LIMIT, E_IO. The error says why. */
MUST_USE err forward_file_read(const char *home, unsigned owner, struct buf *out);
/* What tells this state of the file from others; 0: there is none. False: nothing can be said at present (the folder is away). */
bool forward_file_stamp(const char *home, uint64_t *stamp);

#endif
