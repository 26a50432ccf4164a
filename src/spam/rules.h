/* SPDX-License-Identifier: ISC */
/* rules - what the judge looks for: one table with each rule's name, points and sentence. Points are thousandths; where `the most` is said they depend on the evidence. */
#ifndef SPAM_RULES_H
#define SPAM_RULES_H

#include "conf/config.h"

#define RULES(R)                                                                                                     \
	/* who sent it */                                                                                            \
	R(SPF_FAIL, "spf-fail", 2000, "The sender's domain says that this client may not send for it (SPF fail).")   \
	R(SPF_SOFTFAIL, "spf-softfail", 1000,                                                                        \
	  "The sender's domain says that this client should not send for it (SPF softfail).")                        \
	R(SPF_NONE, "spf-none", 300,                                                                                 \
	  "The sender's domain does not say who may send for it, or nothing that can be used.")                      \
	R(DKIM_NONE, "dkim-none", 300, "No signature (DKIM).")                                                       \
	R(DKIM_FAIL, "dkim-fail", 500, "Signatures, and none of them holds.")                                        \
	R(DMARC_FAIL, "dmarc-fail", 2500,                                                                            \
	  "The author's domain has a policy (DMARC), and neither SPF nor DKIM proves that it is from there.")        \
	R(DMARC_NONE, "dmarc-none", 200, "The author's domain has no policy (DMARC).")                               \
	R(UNPROVEN, "unproven", 700, "Nothing at all proves which domain sent it.")                                  \
	R(AUTHOR_UNCLEAR, "author-unclear", 2000,                                                                    \
	  "From is missing, is there more than once, or cannot be read in one way.")                                 \
	R(ARC_TRUSTED, "arc-trusted", -2000, "A forwarder that is trusted (arc-trust) saw it pass DMARC.")           \
	/* from where */                                                                                             \
	R(PTR_NONE, "ptr-none", 1800, "The client's address has no name in the DNS.")                                \
	R(PTR_FORGED, "ptr-forged", 1200, "The name of the client's address does not lead back to it.")              \
	R(PTR_DYNAMIC, "ptr-dynamic", 1500,                                                                          \
	  "The name of the client's address is one that access providers give to their customers' lines.")           \
	R(HELO_OURS, "helo-ours", 3000,                                                                              \
	  "The client introduces itself (HELO) as this server, or as one of our domains.")                           \
	R(HELO_LITERAL, "helo-literal", 800, "The client introduces itself with its address instead of a name.")     \
	R(HELO_OTHER_LITERAL, "helo-other-literal", 2000,                                                            \
	  "The client introduces itself with an address that is not its own.")                                       \
	R(HELO_NO_NAME, "helo-no-name", 1500,                                                                        \
	  "The client introduces itself with something that is no name of a host.")                                  \
	R(HELO_UNKNOWN, "helo-unknown", 1000,                                                                        \
	  "The name by which the client introduces itself has no address in the DNS.")                               \
	R(LIST_DNSBL, "dnsbl", 4000, "The client's address is in a list (setting dnsbl, which has the points).")     \
	R(LIST_URIBL, "uribl", 4000, "A domain in the message is in a list (setting uribl, which has the points).")  \
	/* what earlier mail shows */                                                                                \
	R(CONTACT_KNOWN, "contact-known", -5000, "A recipient has written to this author, whose domain is proven.")  \
	R(CONTACT_BEFORE, "contact-before", -1500,                                                                   \
	  "A recipient has had mail from this author before that was not junk; the domain is proven.")               \
	R(CONTACT_LIKE, "contact-like", 4000, "The author looks like somebody the recipient knows, and is another.") \
	R(DOMAIN_GOOD, "domain-good", -2000,                                                                         \
	  "Most mail of this domain, proven, was wanted; the most when there was much of it.")                       \
	R(DOMAIN_BAD, "domain-bad", 3000,                                                                            \
	  "Most mail of this domain, proven, was junk; the most when there was much of it.")                         \
	R(NET_GOOD, "net-good", -1000,                                                                               \
	  "Most mail from the client's network (/24, /64) was wanted; the most when there was much of it.")          \
	R(NET_BAD, "net-bad", 2500,                                                                                  \
	  "Most mail from the client's network was junk; the most when there was much of it.")                       \
	/* its header */                                                                                             \
	R(DATE_MISSING, "date-missing", 1000, "No Date.")                                                            \
	R(DATE_MALFORMED, "date-malformed", 800, "A Date that is none.")                                             \
	R(DATE_FUTURE, "date-future", 1500, "A Date more than a day ahead.")                                         \
	R(DATE_OLD, "date-old", 500, "A Date more than two weeks ago.")                                              \
	R(ID_MISSING, "id-missing", 800, "No Message-ID.")                                                           \
	R(ID_MALFORMED, "id-malformed", 700, "A Message-ID that is none.")                                           \
	R(SUBJECT_EMPTY, "subject-empty", 300, "No Subject, or an empty one.")                                       \
	R(SUBJECT_CAPITALS, "subject-capitals", 700, "A Subject in capital letters.")                                \
	R(SUBJECT_ENCODED, "subject-encoded", 500, "A Subject that is encoded for no reason.")                       \
	R(HEADER_RAW, "header-raw", 500, "Octets in From or Subject that must be encoded.")                          \
	R(RECEIVED_FORGED, "received-forged", 2000,                                                                  \
	  "It says that it was received by this server, which has not seen it.")                                     \
	R(FROM_NAME_ADDRESS, "from-name-address", 2000, "The name in From is another address.")                      \
	R(REPLY_ELSEWHERE, "reply-elsewhere", 1200, "Answers would go to a free mailbox that is not the author's.")  \
	R(TO_UNDISCLOSED, "to-undisclosed", 600, "It does not say whom it is to.")                                   \
	R(BULK_NO_UNSUBSCRIBE, "bulk-no-unsubscribe", 500,                                                           \
	  "Bulk mail that does not say how to end it (List-Unsubscribe).")                                           \
	/* its content */                                                                                            \
	R(MIME_EXTREME, "mime-extreme", 2000, "More parts, or deeper ones, than anybody needs.")                     \
	R(HTML_ONLY, "html-only", 300, "HTML without the text beside it.")                                           \
	R(HTML_IMAGE, "html-image", 1000, "Images, and hardly any text.")                                            \
	R(HTML_SCRIPT, "html-script", 1000, "A script.")                                                             \
	R(HTML_FORM, "html-form", 1000, "A form to be filled in.")                                                   \
	R(TEXT_HIDDEN, "text-hidden", 1000, "More text that nobody sees than text to be read.")                      \
	R(TEXT_SPLIT, "text-split", 1000, "Words with invisible characters in them.")                                \
	R(TEXT_BASE64, "text-base64", 500, "Plain ASCII text in base64, which hides it for no reason.")              \
	R(LINK_ADDRESS, "link-address", 1500, "A link to a number instead of a name.")                               \
	R(LINK_USER, "link-user", 1500, "A link with something in front of the host that looks like one.")           \
	R(LINK_OTHER, "link-other", 1500, "A link that shows another host than the one it leads to.")                \
	R(LINK_MIXED, "link-mixed", 2000, "A link to a name that mixes scripts which look alike.")                   \
	R(FILE_PROGRAM, "file-program", 4000, "A file that is a program.")                                           \
	R(FILE_DISGUISED, "file-disguised", 5000, "A program whose name looks like a document's.")                   \
	R(FILE_PACKED, "file-packed", 3500, "A program in an archive.")                                              \
	R(FILE_PAGE, "file-page", 1000, "A web page as a file, which opens outside of mail.")                        \
	/* its words */                                                                                              \
	R(BAYES_SPAM, "bayes-spam", 4900,                                                                            \
	  "Its words are those of what was learned as spam; the most when that is sure.")                            \
	R(BAYES_WANTED, "bayes-wanted", -2000,                                                                       \
	  "Its words are those of what was learned as wanted; the most when that is sure.")

enum rule {
#define RULES_ENUM(id, name, points, what) RULE_##id,
	RULES(RULES_ENUM)
#undef RULES_ENUM
		RULE_COUNT
};
struct rule_text {
	str name;
	int64_t points;
	str what;
};
extern const struct rule_text rules[RULE_COUNT];

MUST_USE bool rules_known(str name);
/* As the configuration has them, else the rule's own. */
int64_t rules_points(const struct config *c, enum rule r);

#endif
