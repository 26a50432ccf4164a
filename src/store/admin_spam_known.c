/* SPDX-License-Identifier: ISC */
/* pombo spam test: what was learned of the words of one message. The request's `secret` has their hashes as for `spam words`; the answer is one row, in which `counts` is
 * two numbers a word, wanted and spam, 4 octets each, little-endian, in base64. */
#include "base/encode.h"
#include "spam/tokens.h"
#include "store/admin.h"

static err put_counts(struct db *db, uint64_t hash, struct buf *out)
{
	struct query q = db_query(db, "SELECT good, bad FROM token WHERE account = 0 AND hash = ?");
	uint64_t good = 0, bad = 0;

	query_put_num(&q, hash);
	if (query_row(&q)) {
		good = query_num(&q);
		bad = query_num(&q);
	}
	buf_le32(out, (uint32_t)good);
	buf_le32(out, (uint32_t)bad);
	return query_end(&q);
}

static err put_messages(struct admin *x, struct db *db, struct row *row)
{
	struct query q = db_query(db, "SELECT good, bad FROM learned WHERE account = 0");
	bool any = query_row(&q);

	admin_num(x, row, "wanted", any ? query_num(&q) : 0);
	admin_num(x, row, "spam", any ? query_num(&q) : 0);
	return query_end(&q);
}

static err read_known(struct admin *x, struct db *db)
{
	struct cursor c = cursor_of(x->request->secret);
	struct row *row = admin_row(x);
	BUF(counts, TOKENS_MAX * sizeof(uint64_t));
	BUF(text, 2 * TOKENS_MAX * sizeof(uint64_t));
	err e = put_messages(x, db, row);

	while (e == OK && !cursor_end(&c))
		e = put_counts(db, cursor_le64(&c), &counts);
	base64_encode(&text, buf_str(&counts));
	admin_str(x, row, "counts", buf_str(&text));
	return e;
}

err spam_known(struct admin *x)
{
	str tokens = x->request->secret;

	if (tokens.n % sizeof(uint64_t) != 0 || tokens.n > TOKENS_MAX * sizeof(uint64_t))
		return admin_usage("spam known (the hashes of at most 4096 words)");
	return admin_read(x, read_known);
}
