/* sendmail: takes a message from standard input and hands it to the running server, for programs
 * of this machine: cron, mail, PHP and others call it. Exit statuses are those of sysexits.h;
 * the reason is on standard error. Nobody gets the message when somebody cannot. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "client/handover.h"
#include "client/letter.h"
#include "core/settings.h"
#include "mime/address.h"

#define USAGE                                                                                      \
	"usage: sendmail [-t] [-i] [-f SENDER] [-F NAME] [RECIPIENT ...] < MESSAGE\n"              \
	"  -t: recipients are those of To, Cc and Bcc. -i: a line with a dot alone does not "      \
	"end.\n"

struct request {
	struct arena memory;
	struct settings set;
	struct str sender, name;
	bool sender_given, from_header, ignore_dots;
	const char *mode; /* of -b, or NULL */
	bool flush;
	char **arguments;
	int argument_count;
};

static int fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "sendmail: %s%s%s\n", what, what[0] ? ": " : "", why);
	return status;
}

static void take_sender(struct request *q, const char *text)
{
	q->sender = handover_sender(str_from(text));
	q->sender_given = true;
}

/* -o has many meanings; -oi is the one that counts. What only says how to deliver is decided by the
 * server. */
static int take_option(struct request *q, int option)
{
	switch (option) {
	case 't':
		q->from_header = true;
		return 0;
	case 'i':
		q->ignore_dots = true;
		return 0;
	case 'f':
	case 'r':
		take_sender(q, optarg);
		return 0;
	case 'F':
		q->name = str_from(optarg);
		return 0;
	case 'o':
		q->ignore_dots |= optarg[0] == 'i';
		return 0;
	case 'b':
		q->mode = optarg;
		return 0;
	case 'q':
		q->flush = true;
		return 0;
	case '?':
		fprintf(stderr, "%s", USAGE);
		return EX_USAGE;
	default:
		return 0;
	}
}

static int parse(struct request *q, int argc, char **argv)
{
	int option, status = 0;

	opterr = 0;
	while (status == 0 &&
	       (option = getopt(argc, argv, "A:B:C:F:GL:N:O:R:UV:X:b:f:h:imno:p:q::r:tv")) != -1)
		status = take_option(q, option);
	q->arguments = argv + optind;
	q->argument_count = argc - optind;
	return status;
}

/* Where the mail of a machine comes from: whoever runs us. */
static struct str own_address(struct request *q)
{
	const struct passwd *p = getpwuid(getuid());

	return p ? arena_printf(&q->memory, "%s@%" STR_FMT, p->pw_name, STR_ARG(q->set.fqdn))
		 : arena_printf(&q->memory, "%u@%" STR_FMT, (unsigned)getuid(),
				STR_ARG(q->set.fqdn));
}

/* It is beside us. Returns only when it cannot be run. */
static int run_setup(const char *first, const char *second)
{
	char path[1024];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 6);
	char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;

	if (slash) {
		memcpy(slash + 1, "setup", 6);
		execl(path, "setup", first, second, (char *)NULL);
	}
	return fail(EX_UNAVAILABLE, "setup", strerror(errno));
}

static int run_other(const struct request *q)
{
	if (q->flush)
		return run_setup("queue", "flush");
	if (q->mode && strcmp(q->mode, "p") == 0)
		return run_setup("queue", "list");
	if (q->mode && strcmp(q->mode, "m") != 0)
		return fail(EX_UNAVAILABLE, "-b", "only -bm and -bp are known here");
	return 0;
}

static struct str from_line(struct request *q)
{
	struct buf b;

	buf_init(&b, &q->memory, 1024);
	buf_puts(&b, "From: ");
	mime_addr_name_write(&b, q->name);
	buf_printf(&b, " <%" STR_FMT ">\n", STR_ARG(q->sender));
	return buf_failed(&b) ? STR_NONE : buf_str(&b);
}

static int send_letter(struct request *q, struct letter *l, struct err *err)
{
	struct handover h = { .sender = q->sender,
			      .recipients = l->recipients,
			      .recipient_count = l->recipient_count,
			      .fd = l->fd,
			      .local = true };

	if (q->name.n && !l->has_from)
		h.head = from_line(q);
	return handover_status(handover_run(&h, &q->set, err));
}

static int run(struct request *q)
{
	struct letter l;
	struct err err = { 0 };

	if (settings_load((const char *const *)environ, NULL, &q->memory, &q->set, &err) < 0)
		return fail(EX_CONFIG, "settings", err.text);
	if (!q->sender_given)
		q->sender = own_address(q);
	int r = letter_read(&l, STDIN_FILENO, !q->ignore_dots, &q->memory, &err);
	for (int i = 0; i < q->argument_count && r == 0; i++)
		r = letter_add(&l, str_from(q->arguments[i]), q->set.fqdn, &err);
	if (r == 0 && q->from_header)
		r = letter_add_header(&l, q->set.fqdn, &err);
	if (r < 0)
		return fail(r == -EINVAL ? EX_DATAERR : EX_IOERR, "", err.text);
	if (l.recipient_count == 0)
		return fail(EX_USAGE, "no recipients", "name them, or use -t");
	int status = send_letter(q, &l, &err);
	close(l.fd);
	return status ? fail(status, "not sent", err.text) : EX_OK;
}

int main(int argc, char **argv)
{
	static struct request request; /* too large for a stack */
	int status = parse(&request, argc, argv);

	if (status == 0)
		status = run_other(&request);
	if (status == 0)
		status = run(&request);
	arena_done(&request.memory);
	return status;
}
