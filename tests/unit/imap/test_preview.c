/* PREVIEW (RFC 8970). */
#include "session_fixture.h"

static void messages(struct account *t)
{
	account_append(t, "INBOX", "Subject: one\r\n\r\n  Hello\r\nyou  there\r\n", 0);
	account_append(t, "INBOX",
		       "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\xc3\xbc\xc3\x9f"
		       "e</p>\r\n",
		       0);
	account_append(
		t, "INBOX",
		"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n", 0);
}

#define SELECT "C: s SELECT INBOX\nU: s OK <*>\n"

/* RFC 8970 3.2: text of a message without its structure; empty where there is no text. \Seen is not
 * set. */
static void a_preview_is_text(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH 1 PREVIEW\n"
			   "S: * 1 FETCH (PREVIEW \"Hello you there\")\nS: a OK <*>\n"
			   "C: b FETCH 2 (PREVIEW (LAZY) FLAGS)\n"
			   "S: * 2 FETCH (PREVIEW {7}\n"
			   "S: Gr\xc3\xbc\xc3\x9f"
			   "e FLAGS (\\Recent))\nS: b OK <*>\n"
			   "C: c UID FETCH 3 PREVIEW (LAZY)\n"
			   "S: * 3 FETCH (UID 3 PREVIEW \"\")\nS: c OK <*>\n"
			   "C: d FETCH 1 PREVIEW (FUZZY)\nS: d BAD Expected LAZY.\n"
			   "C: e FETCH 1 (PREVIEW (LAZY)\nS: e BAD Expected a closing <*>\n",
		    messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_preview_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
