/* SPDX-License-Identifier: ISC */
/* The whole server: this program executes itself as `serve`, as a role (as the monitor does), and as a command. */
#include "base/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "link/link.h"
#include "role/role.h"
#include "rt/net.h"
#include "rt/stream.h"

#define SECOND NSEC_PER_SEC

static char base[] = "/tmp/pombo-test-XXXXXX", config_path[100];
static int port, port_second;

/* --- files and ports --- */

static int free_port(void)
{
	struct net_address any;
	int fd;
	BUF(text, 100);

	assert_int_equal(net_address_parse(STR("127.0.0.1:0"), &any), OK);
	assert_int_equal(net_listen(&any, &fd), OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&any.sa, &any.n), 0);
	net_address_print(&text, &any);
	close(fd);
	str number = str_drop(buf_str(&text), str_find_last(buf_str(&text), ':') + 1);
	return atoi(strndupa(number.p, number.n));
}

static void write_config(const char *more)
{
	FILE *f = fopen(config_path, "w");

	assert_non_null(f);
	fprintf(f, "version 1\nhostname mail.example.org\ndomain example.org\nuser nobody\ndata %s/data\n", base);
	fprintf(f, "processes edge 2 filter 2\nlog error\n");
	fprintf(f, "listen smtp 127.0.0.1:%d\n%s\n", port, more);
	fclose(f);
}

static char *second_listen(void)
{
	static char line[60];

	snprintf(line, sizeof(line), "listen smtp 127.0.0.1:%d", port_second);
	return line;
}

/* --- processes --- */

static pid_t start(const char *mode)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
	execl("/proc/self/exe", "test_monitor", mode, config_path, NULL);
	_exit(EX_OSERR);
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int stop(pid_t pid)
{
	kill(pid, SIGTERM);
	return end_of(pid);
}

/* --- one dialogue: connects (trying for a while), and looks at the replies --- */

struct dialogue {
	int port;
	const char *lines, *want; /* want: the codes, each with a blank behind it */
	bool once;                /* does not try again */
	bool good;
};

/* The lines are sent after the greeting, not before it. */
static err read_codes(struct stream *s, const char *lines, struct buf *codes)
{
	str line;
	err e;

	while ((e = stream_read_line(s, 1000, &line, rt_after(10 * SECOND))) == OK) {
		if (codes->n == 0)
			stream_put(s, str_from(lines));
		buf_put(codes, str_take(line, 3));
		buf_putc(codes, ' ');
	}
	return e;
}

static bool converse(const struct dialogue *d)
{
	struct net_address to;
	BUF(text, 100);
	BUF(codes, 1000);
	int fd;

	buf_printf(&text, "127.0.0.1:%d", d->port);
	if (net_address_parse(buf_str(&text), &to) != OK || net_connect(&to, NULL, &fd, rt_after(SECOND)) != OK)
		return false;
	struct stream *s = stream_open_fd(fd, 4096);
	err e = read_codes(s, d->lines, &codes);
	stream_close(s);
	return e == E_CLOSED && str_equal(buf_str(&codes), str_from(d->want));
}

static void dialogue_main(void *arg)
{
	struct dialogue *d = arg;
	nsec until = rt_after(20 * SECOND);

	while (!(d->good = converse(d)) && !d->once && rt_now() < until)
		(void)!rt_sleep_until(rt_after(20 * NSEC_PER_MSEC));
}

static bool talk(struct dialogue d)
{
	assert_int_equal(rt_run(dialogue_main, &d), OK);
	return d.good;
}

static bool greets(int at)
{
	return talk((struct dialogue){.port = at, .lines = "QUIT\r\n", .want = "220 221 ", .once = true});
}

/* Edge and store are there and linked: only the store knows who is not. */
static bool serves(int at)
{
	return talk((struct dialogue){.port = at,
	                              .lines = "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.org>\r\nQUIT\r\n",
	                              .want = "220 250 250 550 221 "});
}

/* --- a command in a process of its own --- */

struct ask {
	struct config *config;
	const char *verb;
	int status;
};

static int count_of(const struct admin_reply *r, const char *cell, const char *begin)
{
	int n = 0;

	for (size_t i = 0; i < r->rows_n; i++)
		for (size_t k = 0; k < r->rows[i].cells_n; k++)
			n += str_equal(r->rows[i].cells[k].name, str_from(cell)) &&
			     str_starts(r->rows[i].cells[k].text, str_from(begin));
	return n;
}

/* Sends SIGKILL to all processes whose name begins so. */
static void kill_roles(const struct admin_reply *r, const char *name)
{
	for (size_t i = 0; i < r->rows_n; i++)
		if (str_starts(r->rows[i].cells[0].text, str_from(name)))
			kill((pid_t)r->rows[i].cells[1].number, SIGKILL);
}

static int answer(const struct ask *ask, const struct admin_reply *r)
{
	if (strncmp(ask->verb, "kill-", 5) == 0) {
		kill_roles(r, ask->verb + 5);
		return EX_OK;
	}
	if (strcmp(ask->verb, "security") == 0) {
		bool all = count_of(r, "process", "edge-") == 2 && count_of(r, "process", "filter-") == 2 &&
		           r->rows_n == 9;
		bool confined =
			geteuid() != 0 || (count_of(r, "root", "empty") == 7 && count_of(r, "capabilities", "no") == 8);
		bool filtered = count_of(r, "calls-filtered", "no") == 9 || /* not to be had */
		                (count_of(r, "calls-filtered", "yes") == 9 && count_of(r, "opens", "none") == 7 &&
		                 count_of(r, "connects", "none") == 4);
		return all && confined && filtered ? EX_OK : EX_SOFTWARE;
	}
	return EX_OK;
}

static void ask_main(void *arg)
{
	struct ask *ask = arg;
	struct link *l;
	struct admin_reply r;
	bool security = strcmp(ask->verb, "security") == 0 || strncmp(ask->verb, "kill-", 5) == 0;
	struct word words[2] = {{str_from(security ? "security" : ask->verb)}, {STR("list")}};
	struct admin_request q = {.words = words, .words_n = strcmp(ask->verb, "account") == 0 ? 2 : 1};
	ARENA(a, 1 << 20);

	err e = role_admin_connect(ask->config, &l);
	if (e == OK)
		e = call_admin(l, &q, &r, &a, rt_after(20 * SECOND));
	ask->status = e == OK ? answer(ask, &r) : e == E_NOT_FOUND ? EX_UNAVAILABLE : EX_SOFTWARE;
	if (ask->status == EX_SOFTWARE)
		fprintf(stderr, "%s: %s\n", ask->verb, err_info()->text);
	role_admin_disconnect(l);
}

static int command(const char *verb)
{
	struct config_faults faults = {.text = BUF_INIT(4096)};
	struct ask ask = {config_load(config_path, &faults), verb, EX_CONFIG};

	if (ask.config != NULL && rt_run(ask_main, &ask) != OK)
		ask.status = EX_OSERR;
	config_release(ask.config);
	buf_free(&faults.text);
	return ask.status;
}

static int run_command(const char *verb)
{
	return end_of(start(verb));
}

/* --- the tests --- */

static void serve_and_stop(const char *mode)
{
	write_config("");
	pid_t server = start(mode);
	assert_true(serves(port));
	assert_int_equal(run_command("account"), EX_OK);
	assert_int_equal(end_of(start("serve")), EX_TEMPFAIL); /* a second one on the same data folder */
	assert_true(serves(port));
	assert_int_equal(stop(server), EX_OK);
}

static void test_processes(void **state UNUSED)
{
	serve_and_stop("serve");
}

static void test_single(void **state UNUSED)
{
	serve_and_stop("single");
}

static void test_commands_without_server(void **state UNUSED)
{
	write_config("");
	assert_int_equal(run_command("account"), EX_OK);
	assert_int_equal(run_command("security"), EX_UNAVAILABLE);
	pid_t server = start("serve"); /* what the command left can be opened */
	assert_true(serves(port));
	assert_int_equal(stop(server), EX_OK);
}

/* One of them serves while others are still being started. */
static bool all_are_up(void)
{
	for (int i = 0; i < 200; i++) {
		if (run_command("security") == EX_OK)
			return true;
		usleep(20000);
	}
	return false;
}

static void test_security_and_stop_by_command(void **state UNUSED)
{
	write_config("");
	pid_t server = start("serve");
	assert_true(serves(port));
	assert_true(all_are_up());
	assert_int_equal(run_command("stop"), EX_OK);
	assert_int_equal(end_of(server), EX_OK);
}

static void test_roles_come_back(void **state UNUSED)
{
	static const char *const kills[] = {"kill-edge",  "kill-filter", "kill-keys",
	                                    "kill-store", "kill-send",   "kill-resolve"};

	write_config("");
	pid_t server = start("serve");
	assert_true(serves(port));
	assert_true(all_are_up());
	for (size_t i = 0; i < ARRAY_LEN(kills); i++) {
		assert_int_equal(run_command(kills[i]), EX_OK);
		assert_true(serves(port));
	}
	/* the links between all of them were made again */
	assert_true(all_are_up());
	assert_int_equal(stop(server), EX_OK);
}

static void test_reload(void **state UNUSED)
{
	write_config("");
	pid_t server = start("serve");
	assert_true(serves(port));
	write_config(second_listen());
	kill(server, SIGHUP);
	assert_true(serves(port_second));
	assert_true(serves(port));
	write_config("nonsense");
	assert_int_equal(run_command("security"), EX_CONFIG); /* commands read the file, too */
	kill(server, SIGHUP);
	assert_true(serves(port_second));
	write_config("");
	assert_int_equal(run_command("reload"), EX_OK);
	assert_true(serves(port));
	assert_false(greets(port_second));
	assert_int_equal(stop(server), EX_OK);
}

static void test_refusals(void **state UNUSED)
{
	write_config("nonsense");
	assert_int_equal(end_of(start("serve")), EX_CONFIG);
	write_config("");
	struct net_address taken;
	BUF(text, 100);
	int fd;
	buf_printf(&text, "127.0.0.1:%d", port);
	assert_int_equal(net_address_parse(buf_str(&text), &taken), OK);
	assert_int_equal(net_listen(&taken, &fd), OK);
	assert_int_equal(end_of(start("serve")), EX_UNAVAILABLE);
	close(fd);
}

/* Nobody outlives the monitor. All of them hold the write end of a pipe that they inherited as standard error. */
static void test_no_orphans(void **state UNUSED)
{
	int ends[2], kept = dup(STDERR_FILENO);
	char c;

	write_config("");
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	pid_t server = start("serve");
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(serves(port));
	kill(server, SIGKILL);
	assert_int_equal(end_of(server), 128 + SIGKILL);
	while (read(ends[0], &c, 1) > 0 || errno == EINTR)
		errno = 0;
	close(ends[0]);
}

/* An idle session would hold it for 10 s; the second signal does not wait. */
static void test_second_signal(void **state UNUSED)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct net_address to;
	char greeting[100];
	BUF(text, 100);

	write_config("");
	pid_t server = start("serve");
	assert_true(serves(port));
	buf_printf(&text, "127.0.0.1:%d", port);
	assert_int_equal(net_address_parse(buf_str(&text), &to), OK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to.sa, to.n), 0);
	assert_true(read(fd, greeting, sizeof(greeting)) > 4);
	nsec before = rt_now();
	kill(server, SIGTERM);
	while (greets(port)) /* until it does not accept any more */
		;
	assert_int_equal(stop(server), EX_OK);
	assert_true(rt_now() - before < 60 * SECOND);
	close(fd);
}

static int set_up(void **state UNUSED)
{
	if (mkdtemp(base) == NULL || chmod(base, 0755) != 0) /* as the user of --single, too */
		return 1;
	snprintf(config_path, sizeof(config_path), "%s/pombo.conf", base);
	port = free_port();
	port_second = free_port();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	char line[100];

	snprintf(line, sizeof(line), "rm -rf %s", base);
	return system(line);
}

static int be(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--role") == 0)
		return role_child(argv[2], (unsigned)atoi(argv[3]));
	snprintf(config_path, sizeof(config_path), "%s", argv[2]);
	if (strcmp(argv[1], "serve") == 0 || strcmp(argv[1], "single") == 0)
		return role_monitor(config_path, strcmp(argv[1], "single") == 0);
	return command(argv[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return be(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_commands_without_server),
		cmocka_unit_test(test_security_and_stop_by_command),
		cmocka_unit_test(test_roles_come_back),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_orphans),
		cmocka_unit_test(test_second_signal),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
