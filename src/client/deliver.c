/* deliver: takes a message from standard input and hands it to the running server for one
 * account: what getmail and others call as /usr/lib/dovecot/deliver. Exit statuses are those of
 * sysexits.h; the reason is on standard error. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "client/handover.h"
#include "core/settings.h"

#define USAGE                                                                                      \
	"usage: deliver -d ADDRESS [-f SENDER] [-p FILE] < MESSAGE\n"                              \
	"  -m INBOX is understood; -a, -c, -e, -k, -o and -r of Dovecot's are ignored.\n"

static int fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "deliver: %s: %s\n", what, why);
	return status;
}

static int open_message(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || dup2(fd, STDIN_FILENO) < 0 ? -errno : 0;
}

/* 0, or an exit status. */
static int parse(int argc, char **argv, struct handover *h)
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "a:c:d:ef:km:o:p:r:")) != -1) {
		switch (option) {
		case 'd':
			h->recipient = str_from(optarg);
			break;
		case 'f':
			h->sender = str_from(optarg);
			break;
		case 'm':
			/* Where mail goes is decided by the server. */
			if (!str_eq_nocase(str_from(optarg), STR("INBOX")))
				return fail(EX_UNAVAILABLE, optarg,
					    "mail is delivered to INBOX only (-m)");
			break;
		case 'p':
			if (open_message(optarg) < 0)
				return fail(EX_NOINPUT, optarg, strerror(errno));
			break;
		case '?':
			fprintf(stderr, "%s", USAGE);
			return EX_USAGE;
		default:
			break;
		}
	}
	if (optind < argc || !h->recipient.n) {
		fprintf(stderr, "%s", USAGE);
		return EX_USAGE;
	}
	return 0;
}

/* What can stand between < and > without ending the command or the address. */
static bool is_sendable(struct str address)
{
	for (size_t i = 0; i < address.n; i++)
		if ((unsigned char)address.p[i] < ' ' || strchr("<>\x7f", address.p[i]))
			return false;
	return true;
}

/* Also with the angle brackets that some give it. */
static struct str clean_sender(struct str sender)
{
	if (str_starts(sender, STR("<")) && str_ends(sender, STR(">")))
		sender = str_sub(sender, 1, sender.n - 2);
	return is_sendable(sender) ? sender : STR_NONE;
}

static int status_of(enum handover_outcome outcome)
{
	switch (outcome) {
	case HANDOVER_DONE:
		return EX_OK;
	case HANDOVER_NO_USER:
		return EX_NOUSER;
	case HANDOVER_REFUSED:
		return EX_UNAVAILABLE;
	case HANDOVER_LATER:
		break;
	}
	return EX_TEMPFAIL;
}

int main(int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	struct handover h = { .fd = STDIN_FILENO };
	struct settings set;
	struct err err = { 0 };
	int status = parse(argc, argv, &h);

	if (status)
		return status;
	h.sender = clean_sender(h.sender);
	if (!is_sendable(h.recipient))
		return fail(EX_NOUSER, h.recipient.p, "is no address");
	if (settings_load((const char *const *)environ, NULL, &a, &set, &err) < 0)
		return fail(EX_CONFIG, "settings", err.text);
	status = status_of(handover_run(&h, &set, &err));
	return status ? fail(status, h.recipient.p, err.text) : EX_OK;
}
