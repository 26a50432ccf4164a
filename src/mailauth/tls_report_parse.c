/* SPDX-License-Identifier: ISC */
/* Reports of others. They come from everybody, so nothing in them is believed to be as it should. */
#include "base/date.h"
#include "mailauth/gzip.h"
#include "mailauth/tls_report.h"
#include "rt/json.h"

enum {
	DEPTH_MAX = 16,
	VALUES_MAX = 400000, /* of JSON */
	POLICIES_MAX = 1000,
	DETAILS_MAX = 20000, /* of one policy */
	STRINGS_MAX = 100,
	TEXT_MAX = 2000
};

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "no TLS report: %s", what);
}

/* --- values --- */

static str text_of(const json_t *object, const char *key, struct arena *a)
{
	return json_text(object, key, TEXT_MAX, a);
}

static int64_t time_of(const json_t *object, const char *key, struct arena *a)
{
	int64_t at = 0;

	return date_parse_rfc3339(str_trim(text_of(object, key, a)), &at) ? at : 0;
}

/* An array of strings, or a single one, as older reports have it. */
static const str *texts_of(const json_t *object, const char *key, struct arena *a, size_t *n)
{
	const json_t *v = json_object_get(object, key);
	size_t all = json_is_string(v) ? 1 : json_array_size(v);
	str *out = all == 0 ? NULL : arena_array(a, all < STRINGS_MAX ? all : STRINGS_MAX, sizeof(*out));

	*n = 0;
	for (size_t i = 0; i < all && *n < STRINGS_MAX && out != NULL; i++) {
		const json_t *item = json_is_string(v) ? v : json_array_get(v, i);
		if (json_is_string(item))
			out[(*n)++] = json_clean(item, TEXT_MAX, a);
	}
	return out;
}

/* --- the report --- */

static void read_failure(const json_t *v, struct arena *a, struct tls_report_failure *out)
{
	*out = (struct tls_report_failure){.result = text_of(v, "result-type", a),
	                                   .sending_ip = text_of(v, "sending-mta-ip", a),
	                                   .receiving_host = text_of(v, "receiving-mx-hostname", a),
	                                   .receiving_helo = text_of(v, "receiving-mx-helo", a),
	                                   .receiving_ip = text_of(v, "receiving-ip", a),
	                                   .information = text_of(v, "additional-information", a),
	                                   .reason = text_of(v, "failure-reason-code", a),
	                                   .sessions = json_count(v, "failed-session-count")};
	if (out->reason.n == 0)
		out->reason = text_of(v, "failure-error-code", a); /* of a draft */
}

static err read_failures(const json_t *list, struct arena *a, struct tls_report_policy *out)
{
	size_t n = json_array_size(list);
	struct tls_report_failure *details;

	if (n > DETAILS_MAX)
		return err_note(E_LIMIT, "a TLS report has too many details");
	details = arena_array(a, n, sizeof(*details));
	for (size_t i = 0; i < n && details != NULL; i++)
		if (json_is_object(json_array_get(list, i)))
			read_failure(json_array_get(list, i), a, &details[out->details_n++]);
	out->details = details;
	return OK;
}

static err read_policy(const json_t *v, struct arena *a, struct tls_report_policy *out)
{
	const json_t *policy = json_object_get(v, "policy"), *summary = json_object_get(v, "summary");

	*out = (struct tls_report_policy){.type = text_of(policy, "policy-type", a),
	                                  .domain = text_of(policy, "policy-domain", a),
	                                  .successes = json_count(summary, "total-successful-session-count"),
	                                  .failures = json_count(summary, "total-failure-session-count")};
	out->strings = texts_of(policy, "policy-string", a, &out->strings_n);
	out->hosts = texts_of(policy, "mx-host", a, &out->hosts_n);
	return read_failures(json_object_get(v, "failure-details"), a, out);
}

static err read_policies(const json_t *list, struct arena *a, struct tls_report *out)
{
	size_t n = json_array_size(list);
	struct tls_report_policy *policies;
	err e = OK;

	if (n > POLICIES_MAX)
		return err_note(E_LIMIT, "a TLS report has too many policies");
	policies = arena_array(a, n, sizeof(*policies));
	for (size_t i = 0; i < n && policies != NULL && e == OK; i++)
		if (json_is_object(json_array_get(list, i)))
			e = read_policy(json_array_get(list, i), a, &policies[out->policies_n++]);
	out->policies = policies;
	return e;
}

static err read_report(const json_t *root, struct arena *a, struct tls_report *out)
{
	const json_t *range = json_object_get(root, "date-range");

	if (!json_is_object(root) || !json_is_array(json_object_get(root, "policies")))
		return malformed("it has no policies");
	out->organization = text_of(root, "organization-name", a);
	out->contact = text_of(root, "contact-info", a);
	out->id = text_of(root, "report-id", a);
	out->from = time_of(range, "start-datetime", a);
	out->until = time_of(range, "end-datetime", a);
	err e = read_policies(json_object_get(root, "policies"), a, out);
	return e == OK && a->full ? err_note(E_LIMIT, "no memory for a TLS report") : e;
}

static err parse_json(str json, struct arena *a, struct tls_report *out)
{
	static const struct json_limits limits = {TLS_REPORT_SIZE_MAX, DEPTH_MAX, VALUES_MAX};
	json_t *root;
	err e = json_read(json, &limits, "a TLS report", &root);

	if (e != OK)
		return e;
	e = read_report(root, a, out);
	json_decref(root);
	return e;
}

err tls_report_parse(str octets, struct arena *a, struct tls_report *out)
{
	BUF(unpacked, TLS_REPORT_SIZE_MAX);

	*out = (struct tls_report){0};
	if (gzip_is(octets)) {
		err e = gzip_unpack(octets, &unpacked);
		if (e != OK)
			return e;
		octets = buf_str(&unpacked);
	}
	if (str_starts(octets, STR("\xef\xbb\xbf"))) /* the mark that some programs put in front of UTF-8 */
		octets = str_drop(octets, 3);
	return parse_json(octets, a, out);
}
