/* BINARY (RFC 3516). */
#include "session_fixture.h"

#define BASE64 "--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
#define QP     "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"

static void encoded_parts(struct account *t)
{
	account_append(t, "INBOX",
		       "Subject: one\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" BASE64
		       "SGVs\r\nbG8gd29ybGQ=\r\n" QP "a=3Db=\r\nc\r\nd=0A\r\n" BASE64 "AGFiAA==\r\n"
		       "--b\r\nContent-Transfer-Encoding: x-rot13\r\n\r\nuryyb\r\n--b--\r\n",
		       0);
	account_append(t, "INBOX", "Subject: two\r\n\r\nplain\r\n", 0);
}

#define SELECT "C: s SELECT INBOX\nU: s OK <*>\n"

/* RFC 3516 4.2: the decoded contents, and their size. */
static void parts_are_decoded(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])\n"
			   "S: * 1 FETCH (BINARY.SIZE[1] 11 BINARY[1] {11}\n"
			   "S: Hello world)\nS: a OK <*>\n"
			   "C: b FETCH 1 BINARY.PEEK[1]<6.3>\n"
			   "S: * 1 FETCH (BINARY[1]<6> {3}\nS: wor)\nS: b OK <*>\n"
			   "C: c FETCH 1 BINARY.PEEK[1]<99.3>\n"
			   "S: * 1 FETCH (BINARY[1]<99> {0}\nS: )\nS: c OK <*>\n"
			   "C: d FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])\n"
			   "S: * 1 FETCH (BINARY.SIZE[2] 8 BINARY[2] {8}\n"
			   "S: a=bc\nS: d<*>\n"
			   "S: )\nS: d OK <*>\n"
			   "C: e FETCH 2 BINARY[1]\n"
			   "S: * 2 FETCH (BINARY[1] {7}\nS: plain\n"
			   "S:  FLAGS (\\Seen \\Recent))\nS: e OK <*>\n"
			   "C: f UID FETCH 2 BINARY.SIZE[]\n"
			   "S: * 2 FETCH (UID 2 BINARY.SIZE[] 23)\nS: f OK <*>\n"
			   "C: g FETCH 1 (BINARY.PEEK[9] BINARY.SIZE[9])\n"
			   "S: * 1 FETCH (BINARY[9] NIL BINARY.SIZE[9] 0)\nS: g OK <*>\n",
		    encoded_parts);
}

/* RFC 3516 4.2: with NUL in it, it is a literal8. */
static void nul_makes_a_literal8(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH 1 BINARY.PEEK[3]\n"
			   "S: * 1 FETCH (BINARY[3] ~{4}\nS: <*>ab<*>)\nS: a OK <*>\n"
			   "C: b FETCH 1 BINARY.PEEK[3]<1.2>\n"
			   "S: * 1 FETCH (BINARY[3]<1> {2}\nS: ab)\nS: b OK <*>\n",
		    encoded_parts);
}

/* RFC 3516 4.3: NO with UNKNOWN-CTE. */
static void an_unknown_encoding_is_said(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH 1 BINARY.PEEK[4]\nS: a NO [UNKNOWN-CTE] <*>\n"
			   "C: b FETCH 1 BINARY.SIZE[4]\nS: b NO [UNKNOWN-CTE] <*>\n"
			   "C: c FETCH 1 BODY.PEEK[4]\nS: * 1 FETCH (BODY[4] {5}\nS: uryyb)\n"
			   "S: c OK <*>\n",
		    encoded_parts);
}

static void malformed_items_are_refused(void **state)
{
	(void)state;
	session_run(SELECT "C: a FETCH 1 BINARY\nS: a BAD <*>\n"
			   "C: b FETCH 1 BINARY[HEADER]\nS: b BAD A BINARY section <*>\n"
			   "C: c FETCH 1 BINARY[1.MIME]\nS: c BAD A BINARY section <*>\n"
			   "C: d FETCH 1 BINARY.SIZE[1]<0.1>\nS: d BAD Unexpected text <*>\n"
			   "C: e FETCH 1 BINARY[0]\nS: e BAD Part numbers begin with 1.\n"
			   "C: f FETCH 1 BINARY[1\nS: f BAD Expected a closing bracket.\n",
		    encoded_parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_decoded),
		cmocka_unit_test(nul_makes_a_literal8),
		cmocka_unit_test(an_unknown_encoding_is_said),
		cmocka_unit_test(malformed_items_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
