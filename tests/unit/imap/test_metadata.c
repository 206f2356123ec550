/* METADATA (RFC 5464). */
#include "session_fixture.h"

/* RFC 5464 4.2, 4.3: entries of mailboxes and of the server; NIL removes. */
static void entries_are_set_told_and_removed(void **state)
{
	(void)state;
	session_run("C: a SETMETADATA INBOX (/private/comment \"mine\" /shared/comment {4+}\n"
		    "C: ours)\nS: a OK <*>\n"
		    "C: b GETMETADATA inbox (/private/comment /Shared/Comment /private/none)\n"
		    "S: * METADATA INBOX (\"/private/comment\" \"mine\" \"/shared/comment\" "
		    "\"ours\" \"/private/none\" NIL)\nS: b OK <*>\n"
		    "C: c SETMETADATA INBOX (/private/comment NIL)\nS: c OK <*>\n"
		    "C: d GETMETADATA INBOX /private/comment\n"
		    "S: * METADATA INBOX (\"/private/comment\" NIL)\nS: d OK <*>\n"
		    "C: e SETMETADATA \"\" (/private/vendor/x \"1\")\nS: e OK <*>\n"
		    "C: f GETMETADATA \"\" /private/vendor/x\n"
		    "S: * METADATA \"\" (\"/private/vendor/x\" \"1\")\nS: f OK <*>\n"
		    "C: g SETMETADATA \"\" (/shared/comment \"x\")\nS: g NO [NOPERM] <*>\n"
		    "C: h SETMETADATA none (/private/comment \"x\")\nS: h NO [NONEXISTENT] <*>\n"
		    "C: i GETMETADATA none /private/comment\nS: i NO [NONEXISTENT] <*>\n",
		    NULL);
}

/* RFC 5464 4.2.1, 4.2.2: MAXSIZE and DEPTH. */
static void options_limit_what_is_told(void **state)
{
	(void)state;
	session_run(
		"C: a SETMETADATA INBOX (/private/a \"1\" /private/a/b \"22\" /private/a/b/c \"3\" "
		"/private/ab \"4\")\nS: a OK <*>\n"
		"C: b GETMETADATA (DEPTH 1) INBOX /private/a\n"
		"S: * METADATA INBOX (\"/private/a\" \"1\" \"/private/a/b\" \"22\")\nS: b OK <*>\n"
		"C: c GETMETADATA (DEPTH infinity MAXSIZE 1) INBOX (/private/a)\n"
		"S: * METADATA INBOX (\"/private/a\" \"1\" \"/private/a/b/c\" \"3\")\n"
		"S: c OK [METADATA LONGENTRIES 2] <*>\n"
		"C: d GETMETADATA (MAXSIZE 1) INBOX /private/a/b\n"
		"S: d OK [METADATA LONGENTRIES 2] <*>\n",
		NULL);
}

/* RFC 6154 5: the special use is an entry. */
static void the_special_use_is_an_entry(void **state)
{
	(void)state;
	session_run("C: a CREATE x (USE (\\Archive))\nS: a OK <*>\n"
		    "C: b GETMETADATA x /private/specialuse\n"
		    "S: * METADATA x (\"/private/specialuse\" \"\\\\Archive\")\nS: b OK <*>\n"
		    "C: c SETMETADATA x (/private/specialuse \"\\\\Junk\")\nS: c OK <*>\n"
		    "C: d LIST \"\" x\nS: * LIST (\\HasNoChildren \\Junk) \".\" x\nS: d OK <*>\n"
		    "C: e SETMETADATA x (/private/specialuse \"\\\\All\")\nS: e NO [USEATTR] <*>\n"
		    "C: f SETMETADATA x (/private/specialuse NIL)\nS: f OK <*>\n"
		    "C: g LIST \"\" x\nS: * LIST (\\HasNoChildren) \".\" x\nS: g OK <*>\n",
		    NULL);
}

static void malformed_arguments_are_refused(void **state)
{
	(void)state;
	session_run("C: a GETMETADATA\nS: a BAD Missing argument.\n"
		    "C: b GETMETADATA INBOX /comment\nS: b BAD An entry begins <*>\n"
		    "C: c GETMETADATA INBOX /private//x\nS: c BAD An entry begins <*>\n"
		    "C: d GETMETADATA INBOX \"/private/*\"\nS: d BAD An entry begins <*>\n"
		    "C: e GETMETADATA (DEPTH 2) INBOX /private/x\nS: e BAD DEPTH is <*>\n"
		    "C: f GETMETADATA (FROB) INBOX /private/x\nS: f BAD Unknown option.\n"
		    "C: g SETMETADATA INBOX (/private/x)\nS: g BAD <*>\n"
		    "C: h SETMETADATA INBOX ()\nS: h BAD <*>\n"
		    "C: i SETMETADATA INBOX (/private/x y)\nS: i BAD Expected a string.\n"
		    "C: j SETMETADATA INBOX (/private/x ~x)\nS: j BAD Expected a literal.\n"
		    "C: k GETMETADATA INBOX \"\"\nS: k BAD An entry begins <*>\n",
		    NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_set_told_and_removed),
		cmocka_unit_test(options_limit_what_is_told),
		cmocka_unit_test(the_special_use_is_an_entry),
		cmocka_unit_test(malformed_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
