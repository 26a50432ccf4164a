/* SPDX-License-Identifier: ISC */
/* libcurl wants to be told for as long as a socket is ready, our loop tells of changes: its sockets are in an epoll of their own, which a coroutine
 * empties and then waits for. It is there while there are transfers. No callback of libcurl's parks, so that calls into it never interleave.
 */
#include "rt/http_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rt/co.h"
#include "rt/tls_stream.h"

#define EVENTS      16
#define CONNECTIONS 8 /* kept for further requests */

static struct {
	CURLM *multi;
	struct rt_fd events; /* the epoll */
	nsec timer;          /* when libcurl wants to be called */
	struct co *driver;   /* NULL: none runs */
	struct http_transfer *transfers;
} http = {.events = {.fd = -1}, .timer = RT_NEVER};

/* --- what libcurl tells us --- */

static int socket_told(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct epoll_event ev = {.data.fd = fd};

	(void)easy, (void)ctx, (void)socket_ctx;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(http.events.fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(http.events.fd, EPOLL_CTL_MOD, fd, &ev) == 0)
		return 0;
	return errno == ENOENT && epoll_ctl(http.events.fd, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : -1;
}

/* The driver looks again at what it waits for. */
static void nudge(void)
{
	if (http.driver != NULL && http.driver != rt_self())
		co_resume(http.driver, OK);
}

static int timer_told(CURLM *multi, long msec, void *ctx)
{
	(void)multi, (void)ctx;
	http.timer = msec < 0 ? RT_NEVER : rt_after(msec * NSEC_PER_MSEC);
	nudge();
	return 0;
}

/* --- the driver --- */

static void act(curl_socket_t fd, uint32_t events)
{
	int running, what = 0;

	if (events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	(void)curl_multi_socket_action(http.multi, fd, what, &running);
}

static void finish(struct http_transfer *t, err broken)
{
	t->done = true;
	t->broken = broken;
	rt_wake(t->waiter);
}

static void take_results(void)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(http.multi, &left)) != NULL) {
		char *transfer = NULL;

		if (m->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
			continue;
		struct http_transfer *t = (void *)transfer;
		t->result = m->data.result;
		finish(t, OK);
	}
}

/* Whatever can be done without waiting. */
static void act_all(void)
{
	struct epoll_event ready[EVENTS];
	int n;

	do {
		n = epoll_wait(http.events.fd, ready, EVENTS, 0);
		for (int i = 0; i < n; i++)
			act(ready[i].data.fd, ready[i].events);
		if (http.timer <= rt_now()) {
			http.timer = RT_NEVER;
			act(CURL_SOCKET_TIMEOUT, 0);
		}
		take_results();
		if (n > 0)
			rt_yield(); /* a server may send faster than we read */
	} while (n > 0 && http.transfers != NULL);
}

static void drive(void *arg)
{
	err e = OK;

	(void)arg;
	while (e == OK && http.transfers != NULL) {
		act_all();
		if (http.transfers != NULL)
			e = rt_fd_wait_readable(&http.events, http.timer);
		if (e == E_TIMEOUT)
			e = OK;
	}
	for (struct http_transfer *t = http.transfers; t != NULL; t = t->next)
		finish(t, e);
	http.driver = NULL;
}

/* --- transfers --- */

err http_begin(void)
{
	if (http.multi != NULL)
		return OK;
	tls_begin(); /* else libcurl has OpenSSL read the system's settings */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_note(E_MEMORY, "libcurl does not start");
	int fd = epoll_create1(EPOLL_CLOEXEC);
	CURLM *multi = fd < 0 ? NULL : curl_multi_init();
	if (multi == NULL) {
		if (fd >= 0)
			close(fd);
		return err_note(E_MEMORY, "no memory for HTTP");
	}
	rt_fd_init(&http.events, fd);
	http.multi = multi;
	(void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_told);
	(void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_told);
	(void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS);
	return OK;
}

static err begin(struct http_transfer *t)
{
	t->waiter = rt_self();
	t->next = http.transfers;
	http.transfers = t;
	if (http.driver == NULL)
		http.driver = rt_spawn(drive, NULL, "http");
	if (http.driver == NULL || curl_easy_setopt(t->easy, CURLOPT_PRIVATE, (char *)t) != CURLE_OK ||
	    curl_multi_add_handle(http.multi, t->easy) != CURLM_OK)
		return err_note(E_MEMORY, "no memory for HTTP");
	return OK;
}

static void leave(struct http_transfer *t)
{
	struct http_transfer **at = &http.transfers;

	(void)curl_multi_remove_handle(http.multi, t->easy);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	nudge();
}

err http_run(struct http_transfer *t, nsec deadline)
{
	err e = begin(t);

	while (e == OK && !t->done)
		e = rt_park(deadline);
	leave(t);
	if (t->done)
		return t->broken == OK ? OK : err_note(t->broken, "HTTP: the loop ends");
	return e;
}
