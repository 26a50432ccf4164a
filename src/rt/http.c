/* SPDX-License-Identifier: ISC */
#include "rt/http.h"

#include <arpa/inet.h>
#include <limits.h>

#include "base/buf.h"
#include "rt/http_loop.h"

#define URL_MAX     ((size_t)4096)
#define HEADERS_MAX ((size_t)64 << 10) /* octets of all of a reply */
#define OPTION_MAX  ((size_t)8 << 10)  /* octets of an option that is made of parts */

enum { STATUS_OK = 200 };

struct fetch {
	const struct http_request *q;
	struct http_transfer transfer;
	struct curl_slist *headers, *resolve, *connect_to;
	struct arena memory; /* of what libcurl is given */
	struct buf body;
	size_t header_octets;
	bool too_long, other_status, header_over;
	char why[CURL_ERROR_SIZE];
};

/* --- what libcurl asks --- */

static bool is_wanted(const struct fetch *f, long status)
{
	return status == STATUS_OK || (f->q->method_body.n > 0 && status / 100 == 2);
}

static long status_of(const struct fetch *f)
{
	long status = 0;

	(void)curl_easy_getinfo(f->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* What comes with another status is not read. */
static size_t body_came(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	f->other_status = !is_wanted(f, status_of(f));
	if (f->other_status)
		return 0;
	buf_put(&f->body, str_make(p, size * n));
	f->too_long = f->body.full;
	return f->body.full ? 0 : size * n;
}

static size_t header_came(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	str line = str_make(p, size * n);

	if (str_starts(line, STR("HTTP/"))) /* of the reply, or of one that only announces it (RFC 9110 15.2) */
		f->header_over = false;
	else if (str_trim(line).n == 0)
		f->header_over = true;
	f->header_octets += size * n;
	f->too_long |= f->header_octets > HEADERS_MAX;
	return f->too_long ? 0 : size * n;
}

/* Asked before a name is looked up: all that may be connected to was given. */
static int look_up(void *state, void *reserved, void *ctx)
{
	(void)state, (void)reserved, (void)ctx;
	return 1;
}

/* --- where to --- */

static in_port_t port_of(const struct net_address *a)
{
	if (a->sa.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)&a->sa)->sin6_port);
}

/* "+HOST:PORT:192.0.2.1,[2001:db8::1]": with the plus libcurl forgets it again. */
static void print_addresses(struct buf *out, const struct http_request *q, const char *host, in_port_t port)
{
	buf_printf(out, "+%s:%u:", host, port);
	for (size_t i = 0; i < q->addresses_n && i < HTTP_ADDRESSES_MAX; i++) {
		bool v6 = q->addresses[i].sa.ss_family == AF_INET6;

		buf_puts(out, i > 0 ? "," : "");
		buf_puts(out, v6 ? "[" : "");
		net_address_host(out, &q->addresses[i]);
		buf_puts(out, v6 ? "]" : "");
	}
	buf_putc(out, '\0');
}

static err set_addresses(struct fetch *f, const char *host, const char *url_port)
{
	BUF(resolve, OPTION_MAX);
	BUF(connect_to, OPTION_MAX);
	uint64_t port = port_of(&f->q->addresses[0]);

	if (port == 0 && !str_to_u64(str_from(url_port), UINT16_MAX, &port))
		return err_note(E_SYNTAX, "HTTP: no port");
	/* libcurl takes no address of IPv6 for a name with addresses, so that connections go to a name that nobody has; TLS verifies the host's all the same. */
	const char *alias = host[0] == '[' ? "address.invalid" : "";
	print_addresses(&resolve, f->q, alias[0] != '\0' ? alias : host, (in_port_t)port);
	buf_printf(&connect_to, "%s:%s:%s:%u", host, url_port, alias, (unsigned)port);
	buf_putc(&connect_to, '\0');
	if (resolve.full || connect_to.full)
		return err_note(E_LIMIT, "HTTP: the name of the host is too long");
	f->resolve = curl_slist_append(NULL, resolve.p);
	f->connect_to = curl_slist_append(NULL, connect_to.p);
	if (f->resolve == NULL || f->connect_to == NULL ||
	    curl_easy_setopt(f->transfer.easy, CURLOPT_RESOLVE, f->resolve) != CURLE_OK ||
	    curl_easy_setopt(f->transfer.easy, CURLOPT_CONNECT_TO, f->connect_to) != CURLE_OK)
		return err_note(E_MEMORY, "no memory for HTTP");
	return OK;
}

static bool is_internet(const struct http_request *q)
{
	bool good = q->addresses_n > 0;

	for (size_t i = 0; i < q->addresses_n; i++)
		good &= q->addresses[i].n > 0 &&
		        (q->addresses[i].sa.ss_family == AF_INET || q->addresses[i].sa.ss_family == AF_INET6);
	return good;
}

/* What libcurl makes of the URL, so that there are no two opinions about where its host ends. */
struct url_parts {
	char *scheme, *host, *port;
};

static bool take_apart(const char *url, struct url_parts *out)
{
	CURLU *parts = curl_url();
	bool good = parts != NULL && url != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	            curl_url_get(parts, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
	            curl_url_get(parts, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
	            curl_url_get(parts, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;

	curl_url_cleanup(parts);
	return good;
}

static bool is_allowed(const struct http_request *q, const char *scheme)
{
	return strcmp(scheme, "https") == 0 || (q->plain && strcmp(scheme, "http") == 0);
}

static err set_url(struct fetch *f)
{
	const char *url = f->q->url.n > URL_MAX ? NULL : arena_z(&f->memory, f->q->url);
	struct url_parts parts = {0};
	err e = OK;

	if (!is_internet(f->q))
		e = err_note(E_SYNTAX, "HTTP: no address of the host");
	else if (!take_apart(url, &parts))
		e = err_note(E_SYNTAX, "HTTP: not a URL");
	else if (!is_allowed(f->q, parts.scheme))
		e = err_note(E_SYNTAX, "HTTP: the URL does not begin with https://");
	else
		e = set_addresses(f, parts.host, parts.port);
	if (e == OK && curl_easy_setopt(f->transfer.easy, CURLOPT_URL, url) != CURLE_OK)
		e = err_note(E_MEMORY, "no memory for HTTP");
	curl_free(parts.scheme);
	curl_free(parts.host);
	curl_free(parts.port);
	return e;
}

/* --- options --- */

/* Nothing of the process's surroundings counts: no proxy, no netrc, no file but the authorities' where none are given. */
static bool set_manners(struct fetch *f)
{
	CURL *c = f->transfer.easy;

	return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, f->q->plain ? "https,http" : "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "Pombo/" POMBO_VERSION) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_RESOLVER_START_FUNCTION, look_up) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->why) == CURLE_OK;
}

static bool set_callbacks(struct fetch *f)
{
	CURL *c = f->transfer.easy;

	return curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, body_came) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, f) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header_came) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, f) == CURLE_OK;
}

static bool set_authorities(const struct fetch *f)
{
	CURL *c = f->transfer.easy;
	struct curl_blob blob = {(void *)(uintptr_t)f->q->authorities_pem.p, f->q->authorities_pem.n, CURL_BLOB_NOCOPY};

	if (f->q->authorities_pem.n == 0)
		return true;
	return curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

static bool add_header(struct fetch *f, const char *line)
{
	struct curl_slist *longer = line == NULL ? NULL : curl_slist_append(f->headers, line);

	if (longer != NULL)
		f->headers = longer;
	return longer != NULL;
}

static bool set_method(struct fetch *f)
{
	CURL *c = f->transfer.easy;
	str body = f->q->method_body, type = f->q->content_type;

	/* One connection for one document; who is asked again and again is asked by POST. */
	if (body.n == 0)
		return curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK;
	BUF(line, OPTION_MAX);
	buf_puts(&line, "Content-Type: ");
	buf_put(&line, type.n > 0 ? type : STR("application/x-www-form-urlencoded"));
	for (size_t i = 0; i < f->q->headers_n; i++)
		if (!add_header(f, arena_z(&f->memory, f->q->headers[i])))
			return false;
	return !line.full && add_header(f, arena_z(&f->memory, buf_str(&line))) && add_header(f, "Expect:") &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers) == CURLE_OK;
}

static bool set_login(struct fetch *f)
{
	CURL *c = f->transfer.easy;

	if (f->q->user.n == 0)
		return true;
	const char *user = arena_z(&f->memory, f->q->user), *password = arena_z(&f->memory, f->q->password);
	return user != NULL && password != NULL &&
	       curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERNAME, user) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PASSWORD, password) == CURLE_OK;
}

/* libcurl shares the time that it has among the addresses. */
static bool set_time(const struct fetch *f, nsec deadline)
{
	nsec msec = deadline == RT_NEVER ? LONG_MAX : (deadline - rt_now()) / NSEC_PER_MSEC + 1;

	if (msec > INT_MAX)
		msec = INT_MAX;
	return curl_easy_setopt(f->transfer.easy, CURLOPT_CONNECTTIMEOUT_MS, (long)msec) == CURLE_OK;
}

static err prepare(struct fetch *f, nsec deadline)
{
	f->transfer.easy = curl_easy_init();
	if (f->transfer.easy == NULL)
		return err_note(E_MEMORY, "no memory for HTTP");
	err e = set_url(f);
	if (e != OK)
		return e;
	if (!set_manners(f) || !set_callbacks(f) || !set_authorities(f) || !set_method(f) || !set_login(f) ||
	    !set_time(f, deadline))
		return err_note(E_MEMORY, "HTTP: libcurl does not take a setting");
	return OK;
}

/* --- what came --- */

static err check_type(const struct fetch *f)
{
	const char *z = NULL;
	str want = f->q->content_type;

	if (want.n == 0 || f->q->method_body.n > 0)
		return OK;
	(void)curl_easy_getinfo(f->transfer.easy, CURLINFO_CONTENT_TYPE, &z);
	str type = str_from(z), rest = str_trim(str_drop(type, want.n));
	if (str_equal_nocase(str_take(type, want.n), want) && (rest.n == 0 || rest.p[0] == ';'))
		return OK;
	return err_note(E_SYNTAX, "HTTP: the content type is \"" STR_FMT "\", not " STR_FMT,
	                STR_ARG(str_take(type, 64)), STR_ARG(want));
}

static err failed(const struct fetch *f)
{
	const char *why = f->why[0] != '\0' ? f->why : curl_easy_strerror(f->transfer.result);

	switch (f->transfer.result) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return err_note(E_DENIED, "HTTPS: %s", why);
	case CURLE_OPERATION_TIMEDOUT:
		return err_note(E_TIMEOUT, "HTTP: %s", why);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_note(E_SYNTAX, "HTTP: %s", why);
	case CURLE_OUT_OF_MEMORY:
		return err_note(E_MEMORY, "HTTP: %s", why);
	default:
		return err_note(E_CLOSED, "HTTP: %s", why);
	}
}

static err judge(const struct fetch *f)
{
	long status = status_of(f);

	if (f->too_long)
		return err_note(E_LIMIT, "HTTP: the reply is longer than %zu octets", f->q->max);
	if (f->transfer.result != CURLE_OK && !f->other_status)
		return failed(f);
	if (!f->header_over)
		return err_note(E_CLOSED, "HTTP: the server closed the connection within the reply");
	if (!is_wanted(f, status))
		return err_note(E_NOT_FOUND, "HTTP: the server answered with status %ld", status);
	return check_type(f);
}

static void clean_up(struct fetch *f)
{
	curl_easy_cleanup(f->transfer.easy);
	curl_slist_free_all(f->headers);
	curl_slist_free_all(f->resolve);
	curl_slist_free_all(f->connect_to);
	arena_free(&f->memory);
	buf_free(&f->body);
}

err http_fetch(const struct http_request *q, str *body, struct arena *a, nsec deadline)
{
	struct fetch f = {.q = q, .memory = ARENA_INIT(OPTION_MAX * 4), .body = BUF_INIT(q->max)};
	err e = http_begin();

	*body = STR_NONE;
	if (e != OK)
		return e;
	e = prepare(&f, deadline);
	if (e == OK)
		e = http_run(&f.transfer, deadline);
	if (e == E_TIMEOUT)
		err_note(e, "HTTP: no answer in time");
	if (e == OK)
		e = judge(&f);
	if (e == OK)
		*body = arena_str(a, buf_str(&f.body));
	if (e == OK && a->full)
		e = err_note(E_LIMIT, "HTTP: no memory for the reply");
	clean_up(&f);
	return e;
}
