/* SPDX-License-Identifier: ISC */
#include "store/trust.h"

enum { ADDRESS_MAX = 320 };

/* Octets that a header field may have in any message (RFC 5322 2.2). */
static bool is_plain(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= ADDRESS_MAX;
}

static str look_alike(str like, struct arena *a)
{
	if (!is_plain(like))
		return STR("Looks like somebody whom you know, but is another address.");
	return arena_printf(a, "Looks like " STR_FMT ", whom you know, but is another address.", STR_ARG(like));
}

static const char *acquaintance(const struct contact *known)
{
	if (known->sent > 0)
		return "you wrote to this address before";
	return known->received > 0 ? "you had mail from this address before" : "first mail from this address";
}

static str sentence(const struct author *author, const struct contact *known, struct arena *a)
{
	str domain = str_drop(author->address, str_find_last(author->address, '@') + 1);

	if (!is_plain(domain))
		return STR("");
	return arena_printf(a,
	                    author->verified != 0 ? STR_FMT " has proved that this is from it; %s."
	                                          : "Nobody has proved that this is from " STR_FMT "; %s.",
	                    STR_ARG(domain), acquaintance(known));
}

struct trust trust_of(const struct author *author, const struct contact *known, struct arena *a)
{
	struct trust t = {.flags = author->verified != 0 ? ITEM_VERIFIED : 0};

	if (known->like.n > 0) {
		t.flags |= ITEM_LOOK_ALIKE;
		t.sentence = look_alike(known->like, a);
	} else {
		t.sentence = sentence(author, known, a);
	}
	if (known->sent > 0)
		t.flags |= ITEM_REPLIED_BEFORE;
	else if (known->received == 0)
		t.flags |= ITEM_FIRST_CONTACT;
	return t;
}

void trust_keywords(struct buf *out, uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{ITEM_VERIFIED, "$PomboVerified"},
		{ITEM_FIRST_CONTACT, "$PomboFirstContact"},
		{ITEM_LOOK_ALIKE, "$PomboLookAlike"},
		{ITEM_REPLIED_BEFORE, "$PomboRepliedBefore"},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if ((flags & names[i].flag) == 0)
			continue;
		buf_puts(out, out->n > 0 ? " " : "");
		buf_puts(out, names[i].name);
	}
}
