/* setup: edits the account files of the config volume and looks after mailboxes. Also runs under
 * the names of its commands (addmailuser, delalias, ...), which scripts call directly. */
#include <stdio.h>
#include <stdlib.h>

#include "setup/message.h"
#include "setup/setup.h"

static enum setup_exit unknown_command(struct setup *s)
{
	fprintf(stderr,
		"The command '%s' is invalid.\nUse `setup help` to get an overview of all "
		"commands.\n",
		setup_args_from(s, 0).p ? setup_args_from(s, 0).p : "");
	return SETUP_UNKNOWN;
}

static enum setup_exit run(struct setup *s, const struct setup_command *c)
{
	s->command = c;
	if (str_eq(setup_arg(s, 0), STR("help"))) {
		usage_print(c);
		return SETUP_OK;
	}
	if (s->count < c->least || (c->least && setup_arg(s, 0).n == 0)) {
		usage_print(c);
		return SETUP_ERROR;
	}
	return c->run(s);
}

static enum setup_exit dispatch(struct setup *s, struct str program)
{
	const struct setup_command *c = setup_command_find_program(program);
	if (c)
		return run(s, c);

	if (s->count == 0 || (s->count == 1 && str_eq(s->args[0], STR("help")))) {
		usage_print_all();
		return SETUP_OK;
	}
	if (s->count == 2 && str_eq(s->args[1], STR("help")) && usage_print_group(s->args[0]))
		return SETUP_OK;
	unsigned words = 2;
	c = setup_command_find(s->args[0], setup_arg(s, 1));
	if (!c) {
		words = 1;
		c = setup_command_find(s->args[0], STR(""));
	}
	if (!c || !s->args[0].n)
		return unknown_command(s);
	if (words > s->count)
		words = s->count;
	s->args += words;
	s->count -= words;
	return run(s, c);
}

static struct str under_root(struct setup *s, const char *path)
{
	const char *root = getenv("POSTHORN_ROOT");
	return arena_printf(&s->arena, "%s%s", root ? root : "", path);
}

int main(int argc, char **argv)
{
	struct setup s = { .arena = ARENA_INIT };
	struct str program = str_from(argc > 0 ? argv[0] : "setup");
	ssize_t slash = str_rfind_byte(program, '/');

	s.count = argc > 1 ? (unsigned)argc - 1 : 0;
	s.args = ARENA_NEW_ARRAY(&s.arena, struct str, s.count);
	for (unsigned i = 0; i < s.count; i++)
		s.args[i] = str_from(argv[i + 1]);
	s.config_dir = under_root(&s, "/tmp/docker-mailserver");
	s.mail_dir = under_root(&s, "/var/mail");
	s.state_dir = under_root(&s, "/var/mail-state/lib-posthorn");
	s.index_dir = under_root(&s, "/var/mail-state/lib-posthorn/index");
	s.text_index_dir = under_root(&s, "/var/mail-state/lib-posthorn/fts");

	enum setup_exit r = dispatch(&s, str_skip(program, (size_t)(slash + 1)));
	arena_done(&s.arena);
	if (fflush(stdout) != 0 || ferror(stdout))
		return SETUP_ERROR;
	return r;
}
