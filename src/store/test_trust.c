/* SPDX-License-Identifier: ISC */
/* What an account knows of the author of a message stands in front of it, as a sentence and as keywords. */
#include "mail/skeleton.h"
#include "store/contact.h"
#include "store/fixture.h"
#include "store/fixture_queue.h"
#include "store/trust.h"

/* --- the words --- */

static void says(struct author author, struct contact known, const char *sentence, const char *keywords)
{
	ARENA(a, 1 << 16);
	BUF(words, 256);
	struct trust t = trust_of(&author, &known, &a);

	trust_keywords(&words, t.flags);
	assert_str(t.sentence, sentence);
	assert_str(buf_str(&words), keywords);
}

static void test_words(void **state UNUSED)
{
	struct author proved = {.address = STR("bob@example.org"), .verified = 1},
		      forged = {.address = STR("bob@example.org")};

	says(proved, (struct contact){.sent = 1, .received = 3},
	     "example.org has proved that this is from it; you wrote to this address before.",
	     "$PomboVerified $PomboRepliedBefore");
	says(proved, (struct contact){.received = 3},
	     "example.org has proved that this is from it; you had mail from this address before.", "$PomboVerified");
	says(forged, (struct contact){0},
	     "Nobody has proved that this is from example.org; first mail from this address.", "$PomboFirstContact");
	says(proved, (struct contact){.like = STR("bob@examp1e.org")},
	     "Looks like bob@examp1e.org, whom you know, but is another address.",
	     "$PomboVerified $PomboFirstContact $PomboLookAlike");
	says(proved,
	     (struct contact){.like = STR("b\xc3\xb6"
	                                  "b@example.org")},
	     "Looks like somebody whom you know, but is another address.",
	     "$PomboVerified $PomboFirstContact $PomboLookAlike");
	says((struct author){.address = STR("bob@exa\r\nX: y")}, (struct contact){0}, "", "$PomboFirstContact");
}

/* --- in the store --- */

static uint64_t send_from(struct fixture *f, struct author *author, const char *rcpts, uint64_t disposition)
{
	struct judgement j = {.author = author, .author_n = 1};
	struct sending m = {.protocol = "ESMTP",
	                    .sender = "bob@example.com",
	                    .body = "\r\nx\r\n",
	                    .rcpts = rcpts,
	                    .judgement = &j,
	                    .dispositions = {disposition}};

	if (send_mail(f, &m) != OK)
		fail_msg("accept: %s", err_info()->text);
	assert_int_equal(m.codes[0], OK);
	return m.id;
}

static struct author bob(void)
{
	return (struct author){.address = STR("bob@example.com"),
	                       .name = STR("Bob Jones"),
	                       .skeleton = STR("bob@example.com"),
	                       .name_skeleton = STR("bob jones"),
	                       .verified = 1};
}

/* The last message of the mailbox begins with... */
static void expect_head(struct fixture *f, const char *user, const char *head)
{
	struct box b;

	assert_int_equal(box_open(f, user, false, &b), OK);
	str text = box_message(f, &b, b.list.entries_n - 1);
	if (!str_starts(text, str_from(head)))
		fail_msg("it is: " STR_FMT, STR_ARG(text));
	box_close(f, &b);
}

#define HEAD   "Return-Path: <bob@example.com>\r\nDelivered-To: alice@example.org\r\n"
#define PROVED "Pombo-Sender: example.com has proved that this is from it; "

static void known(struct fixture *f)
{
	struct author b = bob();

	start(f);
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "first mail from this address.\r\nReceived:");
	send_from(f, &b, "alice@example.org", DISPOSITION_JUNK);
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "you had mail from this address before.\r\nReceived:");
	expect_lines(f, "SELECT address || ' ' || received || ' ' || sent FROM contact", "bob@example.com 2 0\n");
	expect_lines(f, "SELECT flags FROM item ORDER BY message", "768\n256\n256\n");
	fixture_change(f, "UPDATE contact SET sent = 1");
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "you wrote to this address before.\r\nReceived:");

	/* Another who looks the same, and one of the same name. */
	struct author other = b;
	other.address = STR("b0b@example.com");
	send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org",
	            HEAD "Pombo-Sender: Looks like bob@example.com, whom you know, but is another address.\r\n");
	other = (struct author){
		.address = STR("x@example.net"), .skeleton = STR("x@example.net"), .name_skeleton = STR("bob jones")};
	send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD "Pombo-Sender: Looks like bob@example.com,");
	/* Of whom nothing can be said, nothing is. */
	other = (struct author){.address = STR("bob\r\n@example.com")};
	send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD "Received:");
	assert_sound(f);
}

static void test_known(void **state UNUSED)
{
	fixture_run(known);
}

/* However often he writes who looks like somebody else, he is not the one who is known, nor is that one the other. */
static void imitated(struct fixture *f)
{
	struct author b = bob(), other = b;

	other.address = STR("b0b@example.com");
	start(f);
	for (int i = 0; i < 2; i++)
		send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	fixture_change(f, "UPDATE contact SET first = first - 1000000");
	for (int i = 0; i < 5; i++) {
		send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
		expect_head(f, "alice@example.org", HEAD "Pombo-Sender: Looks like bob@example.com,");
	}
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "you had mail from this address before.\r\n");
	/* Unless the account writes to him. */
	fixture_change(f, "UPDATE contact SET sent = 1 WHERE address = 'b0b@example.com'");
	send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "you wrote to this address before.\r\n");
}

static void test_imitated(void **state UNUSED)
{
	fixture_run(imitated);
}

/* A name is believed when the address was proved. */
static void renamed(struct fixture *f)
{
	struct author b = bob();

	start(f);
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	b.verified = 0;
	b.name_skeleton = STR("carol jones");
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_lines(f, "SELECT name_skeleton FROM contact", "bob jones\n");
	b.verified = 1;
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_lines(f, "SELECT name_skeleton FROM contact", "carol jones\n");
}

static void test_renamed(void **state UNUSED)
{
	fixture_run(renamed);
}

/* Whom a user writes to, by whatever way he writes it, is known. */
static void written_to(struct fixture *f)
{
	struct author b = bob();
	struct grant_request grant = {.edge = STR("edge-0"), .session = STR("s1")};
	struct sending m = {.protocol = "LMTP",
	                    .sender = "alice@example.org",
	                    .body = "\r\nx\r\n",
	                    .rcpts = "bob@Example.com nobody@example.org carol@example.com",
	                    .flags = MESSAGE_SUBMISSION};

	start(f);
	m.account = grant.account = account_id(f, "alice@example.org");
	assert_int_equal(store_grant(f->store, &grant), OK);
	assert_int_equal(send_mail(f, &m), OK);
	assert_int_equal(m.replies[1], 550);
	expect_lines(f, "SELECT address || ' ' || received || ' ' || sent FROM contact",
	             "bob@example.com 0 1\ncarol@example.com 0 1\n");
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD PROVED "you wrote to this address before.\r\nReceived:");
	/* One that looks the same to a reader. */
	struct author other = {.address = STR("b0b@example.com")};
	ARENA(a, 1 << 16);
	other.skeleton = skeleton_address(&a, other.address);
	send_from(f, &other, "alice@example.org", DISPOSITION_DELIVER);
	expect_head(f, "alice@example.org", HEAD "Pombo-Sender: Looks like bob@example.com,");
}

static void test_written_to(void **state UNUSED)
{
	fixture_run(written_to);
}

/* The sentence comes back from the segments, and out of quarantine. */
static void kept(struct fixture *f)
{
	struct author b = bob();

	start(f);
	send_from(f, &b, "alice@example.org", DISPOSITION_DELIVER);
	send_from(f, &b, "alice@example.org", DISPOSITION_QUARANTINE);
	expect_lines(f, "SELECT received FROM contact", "1\n");
	(void)fixture_rebuild(f);
	expect_head(f, "alice@example.org", HEAD PROVED "first mail from this address.\r\nReceived:");
	expect_lines(f, "SELECT flags FROM item", "768\n");
	admin_do(f, "quarantine release all");
	for (int i = 0; i < 5000 && box_count(f, "alice@example.org") < 2; i++)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	expect_head(f, "alice@example.org", HEAD PROVED "you had mail from this address before.\r\nReceived:");
	expect_lines(f, "SELECT flags FROM item", "768\n256\n");
	assert_sound(f);
}

static void test_kept(void **state UNUSED)
{
	fixture_run(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),    cmocka_unit_test(test_known),   cmocka_unit_test(test_written_to),
		cmocka_unit_test(test_imitated), cmocka_unit_test(test_renamed), cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
