/* SPDX-License-Identifier: ISC */
#include "store/stored.h"

#include "base/cursor.h"
#include "store/message.h"

enum { LOOKS = 3 };

static err find(struct db *db, uint64_t message, struct location *at)
{
	struct query q = db_query(db, "SELECT segment, offset, length FROM message WHERE id = ?");

	*at = (struct location){0};
	query_put_num(&q, message);
	if (query_row(&q)) {
		at->segment = query_num(&q);
		at->offset = query_num(&q);
		at->length = query_num(&q);
	}
	err e = query_end(&q);
	return e == OK && at->segment == 0 ? err_note(E_END, "the message is gone") : e;
}

static err read_at(struct readers *readers, const struct location *at, struct buf *memory, str *body)
{
	struct segment_record record;

	buf_reset(memory);
	char *to = at->length < SEGMENT_RECORD_MAX ? buf_reserve(memory, at->length) : NULL;
	if (to == NULL)
		return err_note(E_MEMORY, "no memory for a message of %llu octets", (unsigned long long)at->length);
	err e = readers_read(readers, at->segment, at->offset, to, at->length);
	if (e != OK)
		return e;
	buf_commit(memory, at->length);
	struct cursor c = cursor_of(buf_str(memory));
	e = segment_record_parse(buf_str(memory), cursor_le64(&c), &record);
	if (e == OK && (!segment_is_message(&record) || record.length != at->length))
		e = err_note(E_SYNTAX, "the record is another one");
	*body = record.body;
	return e;
}

/* When compaction takes the segment away meanwhile, the row says where the message is now. */
err stored_read(struct readers *readers, struct db *db, uint64_t message, struct buf *memory, str *body)
{
	struct location at;
	err e = E_NOT_FOUND;

	for (int i = 0; i < LOOKS && e == E_NOT_FOUND; i++) {
		e = find(db, message, &at);
		if (e == OK)
			e = read_at(readers, &at, memory, body);
	}
	return e;
}
