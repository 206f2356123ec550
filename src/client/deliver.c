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
static int parse(int argc, char **argv, struct handover *h, struct str *recipient)
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "a:c:d:ef:km:o:p:r:")) != -1) {
		switch (option) {
		case 'd':
			*recipient = str_from(optarg);
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
	if (optind < argc || !recipient->n) {
		fprintf(stderr, "%s", USAGE);
		return EX_USAGE;
	}
	return 0;
}

int main(int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str recipient = STR_NONE;
	struct handover h = { .recipients = &recipient, .recipient_count = 1, .fd = STDIN_FILENO };
	static struct settings set; /* too large for a stack */
	struct err err = { 0 };
	int status = parse(argc, argv, &h, &recipient);

	if (status)
		return status;
	h.sender = handover_sender(h.sender);
	if (!handover_may_send(recipient))
		return fail(EX_NOUSER, recipient.p, "is no address");
	if (settings_load((const char *const *)environ, NULL, &a, &set, &err) < 0)
		return fail(EX_CONFIG, "settings", err.text);
	status = handover_status(handover_run(&h, &set, &err));
	return status ? fail(status, recipient.p, err.text) : EX_OK;
}
