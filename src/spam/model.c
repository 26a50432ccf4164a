/* SPDX-License-Identifier: ISC */
#include "spam/model.h"

enum { TOKENS_LIMIT = 1 << 26, SLOTS_MIN = 8 };

static const uint64_t magic = 0x326c65646f6d6270; /* in this machine's order of octets: a table never leaves it */

/* A table is a header, the tags of all slots, an octet each, and the entries of all slots. */
struct header {
	uint64_t magic, slots, used;
	uint64_t sum; /* of what the entries are: an order-independent check */
	struct model_counts messages;
	uint64_t zero[3]; /* entries begin with a line of the cache */
};

struct entry { /* an empty slot has hash 0 and tag 0 */
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
	return sizeof(struct header) + slots_for(tokens) * (1 + sizeof(struct entry));
}

static size_t entry_place(uint64_t slots, uint64_t slot)
{
	return sizeof(struct header) + slots + slot * sizeof(struct entry);
}

static struct entry read_entry(str memory, uint64_t slots, uint64_t slot)
{
	struct entry e;

	memcpy(&e, memory.p + entry_place(slots, slot), sizeof e);
	return e;
}

static unsigned char read_tag(str memory, uint64_t slot)
{
	return (unsigned char)memory.p[sizeof(struct header) + slot];
}

static struct header read_header(str memory)
{
	struct header h;

	memcpy(&h, memory.p, sizeof h);
	return h;
}

/* Where a hash is looked for. */
struct search {
	uint64_t hash, slot;
	unsigned char tag;
};

static struct search search_of(uint64_t slots, uint64_t hash)
{
	uint64_t h = hash == 0 ? 1 : hash, mixed = mix(h);
	unsigned char tag = (unsigned char)(mixed >> 56);

	return (struct search){h, mixed & (slots - 1), tag == 0 ? 1 : tag};
}

/* Goes on to a slot that may have the hash; false: to the empty one where it belongs. A table has an empty one. */
static bool next_match(str memory, uint64_t slots, struct search *s)
{
	unsigned char tag = read_tag(memory, s->slot);

	while (tag != s->tag && tag != 0) {
		s->slot = (s->slot + 1) & (slots - 1);
		tag = read_tag(memory, s->slot);
	}
	return tag != 0;
}

/* The entry of the hash, from a slot on that may have it; false: it has none, and s->slot is the empty one. */
static bool find(str memory, uint64_t slots, struct search *s, struct entry *out)
{
	while (next_match(memory, slots, s)) {
		*out = read_entry(memory, slots, s->slot);
		if (out->hash == s->hash)
			return true;
		s->slot = (s->slot + 1) & (slots - 1);
	}
	*out = (struct entry){0};
	return false;
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
	struct search place = search_of(h.slots, hash);
	struct entry e;
	bool known = find(memory, h.slots, &place, &e);

	if (!known && h.used == h.slots / 4 * 3)
		return err_note(E_LIMIT, "a table of words is full");
	if (known)
		h.sum -= weigh(&e);
	else
		h.used++;
	e.hash = place.hash;
	e.counts.good = add_saturated(e.counts.good, counts.good);
	e.counts.bad = add_saturated(e.counts.bad, counts.bad);
	h.sum += weigh(&e);
	b->memory[sizeof h + place.slot] = (char)place.tag;
	memcpy(b->memory + entry_place(h.slots, place.slot), &e, sizeof e);
	memcpy(b->memory, &h, sizeof h);
	return OK;
}

/* --- reading --- */

static bool is_sized(str memory, const struct header *h)
{
	uint64_t slots = (memory.n - sizeof *h) / (1 + sizeof(struct entry));

	return h->slots == slots && memory.n == entry_place(slots, slots) && slots >= SLOTS_MIN &&
	       (slots & (slots - 1)) == 0;
}

/* Every search ends: fewer are taken than there are. */
static bool is_whole(str memory, const struct header *h)
{
	uint64_t used = 0, sum = weigh_messages(h->messages);
	bool fits = (h->zero[0] | h->zero[1] | h->zero[2]) == 0;

	for (uint64_t i = 0; i < h->slots; i++) {
		struct entry e = read_entry(memory, h->slots, i);
		fits &= read_tag(memory, i) == (e.hash == 0 ? 0 : search_of(h->slots, e.hash).tag);
		fits &= e.hash != 0 || (e.counts.good | e.counts.bad) == 0;
		used += e.hash != 0;
		sum += e.hash == 0 ? 0 : weigh(&e);
	}
	return fits && used == h->used && sum == h->sum && used <= h->slots / 4 * 3;
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

static uint64_t slots_of(const struct model *m)
{
	return (m->memory.n - sizeof(struct header)) / (1 + sizeof(struct entry));
}

struct model_counts model_find(const struct model *m, uint64_t hash)
{
	struct model_counts counts;

	model_find_each(m, &hash, 1, &counts);
	return counts;
}

void model_find_each(const struct model *m, const uint64_t *hashes, size_t n, struct model_counts *out)
{
	struct search searches[MODEL_BATCH];
	uint64_t slots = slots_of(m);
	struct entry e;

	for (size_t i = 0; i < n; i++) {
		searches[i] = search_of(slots, hashes[i]);
		__builtin_prefetch(m->memory.p + sizeof(struct header) + searches[i].slot);
	}
	for (size_t i = 0; i < n; i++)
		if (next_match(m->memory, slots, &searches[i]))
			__builtin_prefetch(m->memory.p + entry_place(slots, searches[i].slot));
	for (size_t i = 0; i < n; i++) {
		(void)find(m->memory, slots, &searches[i], &e);
		out[i] = e.counts;
	}
}
