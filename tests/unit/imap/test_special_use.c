/* CREATE-SPECIAL-USE (RFC 6154). */
#include "session_fixture.h"

/* RFC 6154 3: the use is there from the creation on, and stays with the mailbox. */
static void create_gives_a_mailbox_its_use(void **state)
{
	(void)state;
	session_run("C: a CREATE old.mail (USE (\\Archive))\nS: a OK [MAILBOXID <*>\n"
		    "C: b LIST (SPECIAL-USE) \"\" old*\n"
		    "S: * LIST (\\HasNoChildren \\Archive) \".\" old.mail\nS: b OK <*>\n"
		    "C: c RENAME old new\nS: c OK <*>\n"
		    "C: d LIST \"\" new.*\n"
		    "S: * LIST (\\HasNoChildren \\Archive) \".\" new.mail\nS: d OK <*>\n"
		    "C: e DELETE new.mail\nS: e OK <*>\n"
		    "C: f CREATE new.mail\nS: f OK <*>\n"
		    "C: g LIST \"\" new.*\n"
		    "S: * LIST (\\HasNoChildren) \".\" new.mail\nS: g OK <*>\n"
		    "C: h CREATE plain (USE ())\nS: h OK <*>\n",
		    NULL);
}

/* RFC 6154 3: NO with USEATTR, and no mailbox. */
static void a_use_that_cannot_be_given_creates_nothing(void **state)
{
	(void)state;
	session_run("C: a CREATE x (USE (\\All))\nS: a NO [USEATTR] <*>\n"
		    "C: b CREATE x (USE (\\Sent))\nS: b NO [USEATTR] <*>\n"
		    "C: c CREATE a (USE (\\Archive))\nS: c OK <*>\n"
		    "C: d CREATE x (USE (\\Archive))\nS: d NO [USEATTR] <*>\n"
		    "C: e LIST \"\" x\nS: e OK <*>\n",
		    NULL);
}

static void malformed_parameters_are_refused(void **state)
{
	(void)state;
	session_run("C: a CREATE x (FROB)\nS: a BAD Expected USE.\n"
		    "C: b CREATE x USE (\\Sent)\nS: b BAD Expected a list <*>\n"
		    "C: c CREATE x (USE \\Sent)\nS: c BAD Expected a list <*>\n"
		    "C: d CREATE x (USE (\\Archive)\nS: d BAD Expected a closing <*>\n"
		    "C: e CREATE x (USE (\\Archive \\*))\nS: e BAD <*>\n"
		    "C: f LIST \"\" x\nS: f OK <*>\n",
		    NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_gives_a_mailbox_its_use),
		cmocka_unit_test(a_use_that_cannot_be_given_creates_nothing),
		cmocka_unit_test(malformed_parameters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
