/* SPDX-License-Identifier: ISC */
/* Gathered by strace from roles at work, and from what their libraries fall back to. Where an architecture has no call of a name, the line is skipped. */
#include "role/confine_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* clang-format off */
#define CALL(name)             {name, {{0}}, 0}
#define CALL_IF(name, a)       {name, {a}, 1}
#define CALL_IF2(name, a, b)   {name, {a, b}, 2}
#define IS(arg, value)         {arg, SCMP_CMP_EQ, value, 0}
#define ABOVE(arg, value)      {arg, SCMP_CMP_GT, value, 0}
#define BITS(arg, mask, value) {arg, SCMP_CMP_MASKED_EQ, mask, value}
/* clang-format on */

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif

/* LeakSanitizer looks at the monitor's threads when it ends. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define TRACED_BY_NOBODY NEED_BASICS
#else
#define TRACED_BY_NOBODY (NEED_BASICS | NEED_PROCESSES)
#endif

#define VMA_NAME    0x53564d41 /* PR_SET_VMA: newer libraries name their memory */
#define SOCKET_KIND 0xf        /* of type: without its flags */
#define NEW_SPACES \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static const struct call_rule memory[] = {
	CALL("brk"),
	CALL_IF("mmap", BITS(2, PROT_EXEC, 0)),
	CALL_IF("mprotect", BITS(2, PROT_EXEC, 0)),
	CALL("munmap"),
	CALL("mremap"),
	CALL("madvise"),
	CALL("mlock"),
	CALL("mlock2"),
	CALL("munlock"),
	CALL("memfd_create"),
};

/* New code would come as memory that can be executed. */
static const struct call_rule code[] = {
	CALL_IF("mmap", BITS(2, PROT_EXEC, PROT_EXEC)),
	CALL_IF("mprotect", BITS(2, PROT_EXEC, PROT_EXEC)),
};

static const struct call_rule threads_signals[] = {
	CALL("futex"),
	CALL("futex_waitv"),
	CALL("set_robust_list"),
	CALL("rseq"),
	CALL("set_tid_address"),
	CALL("sched_yield"),
	CALL("sched_getaffinity"),
	CALL("getcpu"),
	CALL("rt_sigaction"),
	CALL("rt_sigprocmask"),
	CALL("rt_sigreturn"),
	CALL("sigaltstack"),
	CALL("restart_syscall"),
	CALL("exit"),
	CALL("exit_group"),
	CALL_IF("tgkill", IS(0, CALL_OWN_PROCESS)), /* abort(3) */
};

static const struct call_rule new_threads[] = {
	CALL_IF("clone", BITS(0, NEW_SPACES | CLONE_THREAD, CLONE_THREAD)),
};

static const struct call_rule time_chance[] = {
	CALL("clock_gettime"),   CALL("clock_getres"), CALL("gettimeofday"), CALL("time"),
	CALL("clock_nanosleep"), CALL("nanosleep"),    CALL("getrandom"),
};

static const struct call_rule own_state[] = {
	CALL("getpid"),
	CALL("gettid"),
	CALL("getppid"),
	CALL("getuid"),
	CALL("geteuid"),
	CALL("getgid"),
	CALL("getegid"),
	CALL("uname"),
	CALL("sysinfo"),
	CALL("getrusage"),
	CALL("times"),
	CALL("capget"),
	CALL("getrlimit"),
	CALL_IF2("prlimit64", IS(0, 0), IS(2, 0)),
	CALL_IF("prctl", IS(0, PR_GET_DUMPABLE)),
	CALL_IF("prctl", IS(0, PR_GET_NO_NEW_PRIVS)),
	CALL_IF("prctl", IS(0, PR_GET_SECCOMP)),
	CALL_IF("prctl", IS(0, PR_SET_NAME)),
	CALL_IF("prctl", IS(0, VMA_NAME)),
};

static const struct call_rule open_descriptors[] = {
	CALL("read"),
	CALL("readv"),
	CALL("pread64"),
	CALL("preadv"),
	CALL("preadv2"),
	CALL("write"),
	CALL("writev"),
	CALL("pwrite64"),
	CALL("pwritev"),
	CALL("pwritev2"),
	CALL("lseek"),
	CALL("close"),
	CALL("dup"),
	CALL("dup2"),
	CALL("dup3"),
	CALL("fcntl"),
	CALL("fstat"),
	CALL("ftruncate"),
	CALL("pipe"),
	CALL("pipe2"),
	CALL("eventfd2"),
	CALL_IF("ioctl", IS(1, FIONREAD)),
	CALL_IF("ioctl", IS(1, FIONBIO)),
	CALL_IF("ioctl", IS(1, TCGETS)),
	CALL("poll"),
	CALL("ppoll"),
	CALL("select"),
	CALL("pselect6"),
	CALL("epoll_create1"),
	CALL("epoll_ctl"),
	CALL("epoll_wait"),
	CALL("epoll_pwait"),
	CALL("epoll_pwait2"),
};

static const struct call_rule open_sockets[] = {
	CALL("recvfrom"),   CALL("recvmsg"),     CALL("recvmmsg"),    CALL("sendto"),
	CALL("sendmsg"),    CALL("sendmmsg"),    CALL("shutdown"),    CALL("getsockopt"),
	CALL("setsockopt"), CALL("getsockname"), CALL("getpeername"), CALL_IF("socketpair", IS(0, AF_UNIX)),
};

static const struct call_rule descriptor_state[] = {
	CALL_IF("newfstatat", BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)),
	CALL_IF("statx", BITS(2, AT_EMPTY_PATH, AT_EMPTY_PATH)),
};

static const struct call_rule clients[] = {
	CALL("accept4"),
	CALL("accept"),
};

static const struct call_rule servers[] = {
	CALL_IF2("socket", IS(0, AF_INET), BITS(1, SOCKET_KIND, SOCK_STREAM)),
	CALL_IF2("socket", IS(0, AF_INET6), BITS(1, SOCKET_KIND, SOCK_STREAM)),
	CALL("bind"),
	CALL("connect"),
};

static const struct call_rule questions[] = {
	CALL_IF2("socket", IS(0, AF_INET), BITS(1, SOCKET_KIND, SOCK_DGRAM)),
	CALL_IF2("socket", IS(0, AF_INET6), BITS(1, SOCKET_KIND, SOCK_DGRAM)),
};

static const struct call_rule files[] = {
	CALL("open"),       CALL("openat"),          CALL("stat"),      CALL("lstat"),      CALL("newfstatat"),
	CALL("statx"),      CALL("access"),          CALL("faccessat"), CALL("faccessat2"), CALL("readlink"),
	CALL("readlinkat"), CALL("getcwd"),          CALL("statfs"),    CALL("fstatfs"),    CALL("getdents64"),
	CALL("mkdir"),      CALL("mkdirat"),         CALL("rmdir"),     CALL("unlink"),     CALL("unlinkat"),
	CALL("rename"),     CALL("renameat"),        CALL("renameat2"), CALL("flock"),      CALL("fsync"),
	CALL("fdatasync"),  CALL("sync_file_range"), CALL("fallocate"), CALL("fadvise64"),  CALL("msync"),
	CALL("fchmod"),     CALL("umask"),
};

/* --- refused --- */

/* Where there is no file anyway. */
static const struct call_rule no_files[] = {
	CALL("open"),
	CALL("openat"),
	CALL("openat2"),
	CALL("stat"),
	CALL("lstat"),
	CALL("access"),
	CALL("faccessat"),
	CALL("faccessat2"),
	CALL("readlink"),
	CALL("readlinkat"),
	CALL("statfs"),
	CALL_IF("newfstatat", BITS(3, AT_EMPTY_PATH, 0)),
	CALL_IF("statx", BITS(2, AT_EMPTY_PATH, 0)),
};

/* Name services and loggers of the machine. */
static const struct call_rule local_services[] = {
	CALL_IF("socket", IS(0, AF_UNIX)),
	CALL_IF("socket", IS(0, AF_NETLINK)),
};

/* Reads and writes by themselves, past the filter: a library may try whether there are any. Roles are refused them with all that is not named. */
static const struct call_rule rings[] = {
	CALL("io_uring_setup"),
	CALL("io_uring_enter"),
	CALL("io_uring_register"),
};

/* --- deadly --- */

static const struct call_rule no_connections[] = {
	CALL_IF("socket", IS(0, AF_INET)),
	CALL_IF("socket", IS(0, AF_INET6)),
	CALL("connect"),
	CALL("bind"),
};

static const struct call_rule other_networks[] = {
	CALL_IF("socket", ABOVE(0, AF_NETLINK)),
	CALL("listen"), /* packets, virtual machines, the kernel's ciphers ... */
};

static const struct call_rule programs[] = {
	CALL("execve"),    CALL("execveat"),  CALL("chroot"),    CALL("personality"), CALL("setuid"),
	CALL("setgid"),    CALL("setresuid"), CALL("setresgid"), CALL("setreuid"),    CALL("setregid"),
	CALL("setgroups"), CALL("capset"),    CALL("fork"),      CALL("vfork"),
};

static const struct call_rule other_processes[] = {
	CALL("process_vm_readv"), CALL("process_vm_writev"), CALL("process_madvise"), CALL("kcmp"), CALL("pidfd_getfd"),
};

static const struct call_rule tracing[] = {
	CALL("ptrace"),
};

static const struct call_rule namespaces[] = {
	CALL("unshare"),
	CALL("setns"),
	CALL_IF("clone", BITS(0, CLONE_NEWUSER, CLONE_NEWUSER)),
	CALL_IF("clone", BITS(0, CLONE_NEWNS, CLONE_NEWNS)),
	CALL_IF("clone", BITS(0, CLONE_NEWNET, CLONE_NEWNET)),
	CALL_IF("clone", BITS(0, CLONE_NEWPID, CLONE_NEWPID)),
};

static const struct call_rule mounts[] = {
	CALL("mount"),         CALL("umount2"), CALL("pivot_root"), CALL("move_mount"),        CALL("open_tree"),
	CALL("mount_setattr"), CALL("fsopen"),  CALL("fsconfig"),   CALL("fsmount"),           CALL("fspick"),
	CALL("swapon"),        CALL("swapoff"), CALL("quotactl"),   CALL("open_by_handle_at"), CALL("fanotify_init"),
};

static const struct call_rule kernel[] = {
	CALL("bpf"),           CALL("perf_event_open"), CALL("userfaultfd"),     CALL("keyctl"),
	CALL("add_key"),       CALL("request_key"),     CALL("init_module"),     CALL("finit_module"),
	CALL("delete_module"), CALL("kexec_load"),      CALL("kexec_file_load"), CALL("reboot"),
	CALL("iopl"),          CALL("ioperm"),          CALL("modify_ldt"),      CALL("acct"),
	CALL("syslog"),        CALL("settimeofday"),    CALL("clock_settime"),   CALL("sethostname"),
	CALL("setdomainname"), CALL("vmsplice"),        CALL("uselib"),          CALL("lookup_dcookie"),
};

#define OF(rules) rules, ARRAY_LEN(rules)

const struct call_set call_sets[] = {
	{"memory without code", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(memory)},
	{"threads that there are, signals to itself", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(threads_signals)},
	{"clock, randomness", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(time_chance)},
	{"what it is itself", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(own_state)},
	{"reading and writing of open descriptors", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(open_descriptors)},
	{"open sockets", NEED_BASICS, 0, CALLS_ALLOWED, 0, OF(open_sockets)},
	{"what an open descriptor is", NEED_BASICS, NEED_FILES, CALLS_ALLOWED, 0, OF(descriptor_state)},
	{"more threads", NEED_THREADS, 0, CALLS_ALLOWED, 0, OF(new_threads)},
	{"connections of clients", NEED_CLIENTS, 0, CALLS_ALLOWED, 0, OF(clients)},
	{"connections to servers", NEED_SERVERS, 0, CALLS_ALLOWED, 0, OF(servers)},
	{"datagrams", NEED_QUESTIONS, 0, CALLS_ALLOWED, 0, OF(questions)},
	{"files", NEED_FILES, 0, CALLS_ALLOWED, 0, OF(files)},

	{"memory with code", NEED_BASICS, 0, CALLS_REFUSED, EACCES, OF(code)},
	{"files where there are none", NEED_BASICS, NEED_FILES, CALLS_REFUSED, EACCES, OF(no_files)},
	{"rings", NEED_PROCESSES, 0, CALLS_REFUSED, ENOSYS, OF(rings)},
	{"services of the machine", NEED_BASICS, 0, CALLS_REFUSED, EACCES, OF(local_services)},

	{"connections to anybody", NEED_BASICS, NEED_SERVERS, CALLS_DEADLY, 0, OF(no_connections)},
	{"other networks, listening", NEED_BASICS, 0, CALLS_DEADLY, 0, OF(other_networks)},
	{"another program, another user", NEED_BASICS, 0, CALLS_DEADLY, 0, OF(programs)},
	{"other processes' memory", NEED_BASICS | NEED_PROCESSES, 0, CALLS_DEADLY, 0, OF(other_processes)},
	{"tracing", TRACED_BY_NOBODY, 0, CALLS_DEADLY, 0, OF(tracing)},
	{"another view of the system", NEED_BASICS | NEED_PROCESSES, 0, CALLS_DEADLY, 0, OF(namespaces)},
	{"file systems", NEED_BASICS | NEED_PROCESSES, 0, CALLS_DEADLY, 0, OF(mounts)},
	{"the kernel and its clock", NEED_BASICS | NEED_PROCESSES, 0, CALLS_DEADLY, 0, OF(kernel)},
};
const size_t call_sets_n = ARRAY_LEN(call_sets);
