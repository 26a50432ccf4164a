/* SPDX-License-Identifier: ISC */
/* Sends one message again and again over connections that are kept, for some seconds: see bench/checks.
 *
 *     send PORT SOURCE SECONDS CONNECTIONS USERS SENDER DOMAIN < message
 *
 * SOURCE is the address to send from; recipients are u0 .. at DOMAIN. The message has CRLF and no line that begins with a dot. Prints how many were accepted,
 * how many refused, the seconds, and the last refusal. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 64 << 20, REPLY_MAX = 2048 };

static struct sockaddr_in to = {.sin_family = AF_INET}, from = {.sin_family = AF_INET};
static const char *sender, *domain;
static long users;
static double end;
static char *message;
static size_t size;
static atomic_long accepted, refused, next;
static char refusal[REPLY_MAX];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
		if (done <= 0)
			die("send");
		p += done;
		n -= (size_t)done;
	}
}

/* The code of a reply whose last line is in `line`. */
static int reply(FILE *in, char line[REPLY_MAX])
{
	do
		if (fgets(line, REPLY_MAX, in) == NULL)
			die("the server hung up");
	while (line[3] == '-');
	return (int)strtol(line, NULL, 10);
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_one(int fd, FILE *in)
{
	char command[REPLY_MAX], line[REPLY_MAX];
	int n = snprintf(command, sizeof(command), "MAIL FROM:<%s>\r\nRCPT TO:<u%ld@%s>\r\nDATA\r\n", sender,
	                 next++ % users, domain);
	int code[3];

	put(fd, command, (size_t)n);
	for (int i = 0; i < 3; i++)
		code[i] = reply(in, line);
	if (code[2] == 354) {
		put(fd, message, size);
		code[2] = reply(in, line);
	}
	if (code[2] == 250) {
		accepted++;
		return;
	}
	if (refused++ == 0)
		memcpy(refusal, line, sizeof(line));
	put(fd, "RSET\r\n", 6);
	reply(in, line);
}

static void *session(void *arg)
{
	char line[REPLY_MAX];
	int fd = dial();
	FILE *in = fdopen(fd, "r");

	reply(in, line);
	put(fd, "EHLO mail.sender.test\r\n", 23);
	reply(in, line);
	while (now() < end)
		send_one(fd, in);
	put(fd, "QUIT\r\n", 6);
	fclose(in);
	return arg;
}

static void read_message(void)
{
	message = malloc(MESSAGE_MAX);
	size = message == NULL ? 0 : fread(message, 1, MESSAGE_MAX - 3, stdin);
	if (size == 0)
		die("no message");
	memcpy(message + size, ".\r\n", 3);
	size += 3;
}

int main(int argc, char **argv)
{
	if (argc != 8)
		return 64;
	long sessions = strtol(argv[4], NULL, 10);
	pthread_t *threads = calloc((size_t)sessions, sizeof(*threads));

	to.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = inet_addr(argv[2]);
	users = strtol(argv[5], NULL, 10);
	sender = argv[6];
	domain = argv[7];
	read_message();
	double began = now();
	end = began + strtod(argv[3], NULL);
	for (long i = 0; i < sessions; i++)
		if (pthread_create(&threads[i], NULL, session, NULL) != 0)
			die("thread");
	for (long i = 0; i < sessions; i++)
		pthread_join(threads[i], NULL);
	printf("%ld %ld %.3f %s", atomic_load(&accepted), atomic_load(&refused), now() - began,
	       refusal[0] ? refusal : "-\n");
	return 0;
}
