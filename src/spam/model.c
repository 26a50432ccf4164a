/* SPDX-License-Identifier: ISC */
#include "spam/model.h"

enum { TOKENS_LIMIT = 1 << 26, SLOTS_MIN = 8 };

static const uint64_t magic = 0x316c65646f6d6270; /* in this machine's order of octets: a table never leaves it */

struct header {
	uint64_t magic, slots, used;
	uint64_t sum; /* of what the entries are: an order-independent check */
	struct model_counts messages;
};

struct entry { /* an empty slot has hash 0 */
	uint64_t hash;
	struct model_counts counts;
};

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 32) * 0xd6e8feb86659fd93;
	v = (v ^ v >> 32) * 0xd6e8feb86659fd93;
	return v ^ v >> 32;
}

static uint64_t weigh(const struct entry *e)
{
	return mix(e->hash ^ mix((uint64_t)e->counts.good << 32 | e->counts.bad));
}

static uint64_t weigh_messages(struct model_counts messages)
{
	return weigh(&(struct entry){.counts = messages});
}

static uint64_t stored_hash(uint64_t hash)
{
	return hash == 0 ? 1 : hash;
}

/* At most three quarters are taken, so that every search ends soon. */
static uint64_t slots_for(size_t tokens)
{
	uint64_t slots = SLOTS_MIN, wanted = tokens < TOKENS_LIMIT ? tokens : TOKENS_LIMIT;

	while (slots / 4 * 3 < wanted)
		slots *= 2;
	return slots;
}

size_t model_size(size_t tokens)
{
	return sizeof(struct header) + slots_for(tokens) * sizeof(struct entry);
}

static struct entry read_entry(str memory, uint64_t slot)
{
	struct entry e;

	memcpy(&e, memory.p + sizeof(struct header) + slot * sizeof e, sizeof e);
	return e;
}

static struct header read_header(str memory)
{
	struct header h;

	memcpy(&h, memory.p, sizeof h);
	return h;
}

/* The slot that has `hash`, or the empty one where it belongs. A table has an empty one. */
static uint64_t find_slot(str memory, uint64_t slots, uint64_t hash, struct entry *out)
{
	uint64_t slot = mix(hash) & (slots - 1);

	for (*out = read_entry(memory, slot); out->hash != 0 && out->hash != hash; *out = read_entry(memory, slot))
		slot = (slot + 1) & (slots - 1);
	return slot;
}

/* --- building --- */

err model_begin(struct model_builder *b, size_t tokens, struct model_counts messages)
{
	struct header h = {
		.magic = magic, .slots = slots_for(tokens), .sum = weigh_messages(messages), .messages = messages};

	if (tokens > TOKENS_LIMIT || b->size != model_size(tokens))
		return err_note(E_LIMIT, "a table of words has no room for so many");
	memset(b->memory, 0, b->size);
	memcpy(b->memory, &h, sizeof h);
	return OK;
}

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

err model_add(struct model_builder *b, uint64_t hash, struct model_counts counts)
{
	str memory = str_make(b->memory, b->size);
	struct header h = read_header(memory);
	struct entry e;
	uint64_t slot = find_slot(memory, h.slots, stored_hash(hash), &e);

	if (e.hash == 0 && h.used == h.slots / 4 * 3)
		return err_note(E_LIMIT, "a table of words is full");
	if (e.hash == 0)
		h.used++;
	else
		h.sum -= weigh(&e);
	e.hash = stored_hash(hash);
	e.counts.good = add_saturated(e.counts.good, counts.good);
	e.counts.bad = add_saturated(e.counts.bad, counts.bad);
	h.sum += weigh(&e);
	memcpy(b->memory + sizeof h + slot * sizeof e, &e, sizeof e);
	memcpy(b->memory, &h, sizeof h);
	return OK;
}

/* --- reading --- */

static bool is_sized(str memory, const struct header *h)
{
	uint64_t slots = (memory.n - sizeof *h) / sizeof(struct entry);

	return h->slots == slots && memory.n == sizeof *h + slots * sizeof(struct entry) && slots >= SLOTS_MIN &&
	       (slots & (slots - 1)) == 0;
}

/* Every search ends: fewer are taken than there are. */
static bool is_whole(str memory, const struct header *h)
{
	uint64_t used = 0, sum = weigh_messages(h->messages);

	for (uint64_t i = 0; i < h->slots; i++) {
		struct entry e = read_entry(memory, i);
		if (e.hash == 0 && (e.counts.good | e.counts.bad) != 0)
			return false;
		used += e.hash != 0;
		sum += e.hash == 0 ? 0 : weigh(&e);
	}
	return used == h->used && sum == h->sum && used <= h->slots / 4 * 3;
}

err model_open(str memory, struct model *out)
{
	struct header h;

	if (memory.n < sizeof h)
		return err_note(E_SYNTAX, "no table of words");
	h = read_header(memory);
	if (h.magic != magic || !is_sized(memory, &h) || !is_whole(memory, &h))
		return err_note(E_SYNTAX, "no table of words, or a damaged one");
	*out = (struct model){memory, h.messages};
	return OK;
}

struct model_counts model_find(const struct model *m, uint64_t hash)
{
	uint64_t slots = (m->memory.n - sizeof(struct header)) / sizeof(struct entry);
	struct entry e;

	(void)find_slot(m->memory, slots, stored_hash(hash), &e);
	return e.counts;
}

void model_expect(const struct model *m, uint64_t hash)
{
	uint64_t slots = (m->memory.n - sizeof(struct header)) / sizeof(struct entry);

	__builtin_prefetch(m->memory.p + sizeof(struct header) +
	                   (mix(stored_hash(hash)) & (slots - 1)) * sizeof(struct entry));
}
