/* SPDX-License-Identifier: ISC */
/* Landlock. The kernel's header may be older than the kernel, so what came after the first version is spelled out here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "role/confine_needs.h"

/* Rights on files, by the version that brought them. */
#define FILES_1       (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* all up to it */
#define FILES_REFER   (UINT64_C(1) << 13)                   /* version 2: between folders */
#define FILES_LENGTH  (UINT64_C(1) << 14)                   /* version 3: truncate */
#define FILES_DEVICES (UINT64_C(1) << 15)                   /* version 5: ioctl of devices */
#define FILES_NEEDED                                                                                    \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR |   \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | FILES_REFER | FILES_LENGTH)

/* TCP, version 4. */
#define TCP_BIND    (UINT64_C(1) << 0)
#define TCP_CONNECT (UINT64_C(1) << 1)
#define RULE_PORT   2

/* Who is outside of the sandbox, version 6: abstract Unix sockets, signals. */
#define OUTSIDE ((UINT64_C(1) << 0) | (UINT64_C(1) << 1))

#define NEWEST 6 /* that we know rights of */

struct rights { /* struct landlock_ruleset_attr; older kernels take it as long as what they do not know is 0 */
	uint64_t files, tcp, outside;
};

struct port_rule { /* struct landlock_net_port_attr */
	uint64_t allowed, port;
};

static err failed(const char *what)
{
	return err_note(E_PERM, "%s: %s", what, strerrordesc_np(errno));
}

static int version_of_kernel(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* What is taken away but for the exceptions that are named later. */
static struct rights rights_known(int version, unsigned needs)
{
	struct rights r = {.files = FILES_1};

	if (version >= 2)
		r.files |= FILES_REFER;
	if (version >= 3)
		r.files |= FILES_LENGTH;
	if (version >= CONFINE_LANDLOCK_TCP)
		r.tcp = (needs & NEED_SERVERS) ? TCP_BIND : TCP_BIND | TCP_CONNECT;
	if (version >= 5)
		r.files |= FILES_DEVICES;
	if (version >= 6)
		r.outside = OUTSIDE;
	return r;
}

static err allow_folder(int rules, const char *path, uint64_t allowed)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = allowed};

	beneath.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return failed("cannot open the data folder");
	int status = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	err e = status == 0 ? OK : failed("cannot allow the data folder");
	close(beneath.parent_fd);
	return e;
}

/* Port 0: the kernel chooses one. */
static err allow_any_port(int rules)
{
	const struct port_rule rule = {.allowed = TCP_BIND, .port = 0};

	return syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0) == 0 ? OK : failed("cannot allow ports");
}

static err allow_needed(int rules, const struct rights *r, unsigned needs, const char *data)
{
	err e = OK;

	if (needs & NEED_FILES)
		e = allow_folder(rules, data, FILES_NEEDED & r->files);
	if (e == OK && (needs & NEED_SERVERS) && r->tcp != 0)
		e = allow_any_port(rules); /* an address of ours to connect from */
	return e;
}

err confine_files(unsigned needs, const char *data, struct buf *missing)
{
	int version = version_of_kernel();

	if (version < 1) {
		confine_missing(missing, "Landlock");
		return OK;
	}
	const struct rights r = rights_known(version, needs);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (rules < 0)
		return failed("landlock_create_ruleset");
	err e = allow_needed(rules, &r, needs, data);
	if (e == OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		e = failed("landlock_restrict_self");
	close(rules);
	if (e == OK)
		confined.landlock = version < NEWEST ? version : NEWEST;
	return e;
}
