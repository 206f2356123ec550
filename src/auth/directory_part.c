#include "auth/directory_part.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/address.h"
#include "auth/file_lines.h"
#include "base/err.h"
#include "base/fd.h"

/* A file with more of them is not what its name says. */
#define BROKEN_LINES_MAX 1000

struct part_type {
	const char *file;
	void (*parse)(struct directory_part *p, struct str text, const struct file_report *report);
	void (*done)(struct directory_part *p);
	/* Take over the entry whose line is broken now. NULL: such a line spoils the whole file. */
	bool (*keep)(struct directory_part *p, const struct directory_part *before,
		     struct str name);
};

static void parse_accounts(struct directory_part *p, struct str text,
			   const struct file_report *report)
{
	accounts_parse(&p->table.accounts, &p->arena, text, report);
}

static void parse_masters(struct directory_part *p, struct str text,
			  const struct file_report *report)
{
	accounts_parse_masters(&p->table.accounts, &p->arena, text, report);
}

static bool keep_account(struct directory_part *p, const struct directory_part *before,
			 struct str name)
{
	return accounts_keep(&p->table.accounts, &p->arena, &before->table.accounts, name);
}

static void done_accounts(struct directory_part *p)
{
	accounts_done(&p->table.accounts);
}

static void parse_virtual(struct directory_part *p, struct str text,
			  const struct file_report *report)
{
	aliases_parse_virtual(&p->table.aliases, &p->arena, text, report);
}

static void parse_local(struct directory_part *p, struct str text, const struct file_report *report)
{
	aliases_parse_local(&p->table.aliases, &p->arena, text, report);
}

static bool keep_alias(struct directory_part *p, const struct directory_part *before,
		       struct str name)
{
	return aliases_keep(&p->table.aliases, &p->arena, &before->table.aliases, name);
}

static void done_aliases(struct directory_part *p)
{
	aliases_done(&p->table.aliases);
}

static void parse_regexp(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	regexp_aliases_parse(&p->table.regexp, &p->arena, text, report);
}

static void done_regexp(struct directory_part *p)
{
	regexp_aliases_done(&p->table.regexp);
}

static void parse_quotas(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	quotas_parse(&p->table.quotas, &p->arena, text, report);
}

static bool keep_quota(struct directory_part *p, const struct directory_part *before,
		       struct str name)
{
	return quotas_keep(&p->table.quotas, &p->arena, &before->table.quotas, name);
}

static void done_quotas(struct directory_part *p)
{
	quotas_done(&p->table.quotas);
}

static void parse_access(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	access_parse(&p->table.access, &p->arena, text, report);
}

static bool keep_access(struct directory_part *p, const struct directory_part *before,
			struct str name)
{
	return access_keep(&p->table.access, &p->arena, &before->table.access, name);
}

static void done_access(struct directory_part *p)
{
	access_done(&p->table.access);
}

static void parse_relays(struct directory_part *p, struct str text,
			 const struct file_report *report)
{
	relays_parse(&p->table.relays, &p->arena, text, report);
}

static bool keep_relay(struct directory_part *p, const struct directory_part *before,
		       struct str name)
{
	return relays_keep(&p->table.relays, &p->arena, &before->table.relays, name);
}

static void done_relays(struct directory_part *p)
{
	relays_done(&p->table.relays);
}

static void parse_relay_logins(struct directory_part *p, struct str text,
			       const struct file_report *report)
{
	relay_logins_parse(&p->table.relay_logins, &p->arena, text, report);
}

static bool keep_relay_login(struct directory_part *p, const struct directory_part *before,
			     struct str name)
{
	return relay_logins_keep(&p->table.relay_logins, &p->arena, &before->table.relay_logins,
				 name);
}

static void done_relay_logins(struct directory_part *p)
{
	relay_logins_done(&p->table.relay_logins);
}

static const struct part_type part_types[DIRECTORY_FILES] = {
	[PART_ACCOUNTS] = { "postfix-accounts.cf", parse_accounts, done_accounts, keep_account },
	[PART_MASTERS] = { "dovecot-masters.cf", parse_masters, done_accounts, keep_account },
	[PART_VIRTUAL] = { "postfix-virtual.cf", parse_virtual, done_aliases, keep_alias },
	[PART_REGEXP] = { "postfix-regexp.cf", parse_regexp, done_regexp, NULL },
	[PART_LOCAL] = { "postfix-aliases.cf", parse_local, done_aliases, keep_alias },
	[PART_QUOTAS] = { "dovecot-quotas.cf", parse_quotas, done_quotas, keep_quota },
	[PART_SEND] = { "postfix-send-access.cf", parse_access, done_access, keep_access },
	[PART_RECEIVE] = { "postfix-receive-access.cf", parse_access, done_access, keep_access },
	[PART_RELAYS] = { "postfix-relaymap.cf", parse_relays, done_relays, keep_relay },
	[PART_RELAY_LOGINS] = { "postfix-sasl-password.cf", parse_relay_logins, done_relay_logins,
				keep_relay_login },
};

void directory_part_unref(struct directory_part *p)
{
	if (!p || --p->refs)
		return;
	p->type->done(p);
	arena_done(&p->arena);
	free(p);
}

static struct directory_part *part_new(const struct part_type *type)
{
	struct directory_part *p = calloc(1, sizeof(*p));
	if (!p)
		check_no_memory();
	p->refs = 1;
	p->type = type;
	return p;
}

/* A line that gave no entry. */
struct broken_line {
	unsigned number;
	struct str name, why;
	struct broken_line *next;
};

/* One file on its way to a part. */
struct part_job {
	struct directory_part *part, *previous; /* the latter may be NULL */
	struct file_report report;
	struct arena arena;
	struct broken_line *broken, **end;
	unsigned nbroken;
	bool needed; /* a file that is gone does not count as empty */
	bool gone;
};

static void note_broken(const struct file_report *report, unsigned number, struct str name,
			const char *text)
{
	struct part_job *job = CONTAINER_OF((struct file_report *)report, struct part_job, report);
	if (++job->nbroken > BROKEN_LINES_MAX)
		return;
	struct broken_line *b = ARENA_NEW(&job->arena, struct broken_line);
	b->number = number;
	b->name = address_fold(&job->arena, name);
	b->why = arena_str(&job->arena, str_from(text));
	*job->end = b;
	job->end = &b->next;
}

/* After all good lines, which count more: one of them may be about the same name. */
static void keep_entries(struct part_job *job)
{
	for (const struct broken_line *b = job->broken; b; b = b->next) {
		bool kept = job->previous && job->part->type->keep && b->name.n &&
			    job->part->type->keep(job->part, job->previous, b->name);
		if (kept)
			file_report_line(&job->report, b->number,
					 "%" STR_FMT "; %" STR_FMT " stays as it was",
					 STR_ARG(b->why), STR_ARG(b->name));
		else
			file_report_line(&job->report, b->number, "%" STR_FMT, STR_ARG(b->why));
	}
}

static void part_parse(struct part_job *job, struct str text)
{
	job->end = &job->broken;
	job->part->type->parse(job->part, text, &job->report);
	keep_entries(job);
	arena_done(&job->arena);
}

/* What was known before takes the place of what was read now. */
static struct directory_part *keep_previous(struct part_job *job, const char *why)
{
	file_report_line(&job->report, 0, "%s: what was read before stays in force", why);
	directory_part_unref(job->part);
	job->previous->refs++;
	return job->previous;
}

static bool is_spoilt(const struct part_job *job)
{
	return job->nbroken > BROKEN_LINES_MAX || (job->nbroken && !job->part->type->keep);
}

/* The file's contents now; those that `previous` holds when it cannot be read. */
static struct directory_part *part_load(struct part_job *job, const char *dir)
{
	struct directory_part *p = job->part;
	struct str path = arena_printf(&p->arena, "%s/%s", dir, p->type->file), text = STR("");
	struct err err;

	int r = fd_read_file(path.p, &p->arena, DIRECTORY_FILE_MAX, &text, &err);
	job->gone = r == -ENOENT || r == -ENOTDIR;
	p->found = !job->gone;
	part_parse(job, r < 0 ? STR("") : text);
	if (r < 0 && !job->gone) {
		if (job->previous)
			return keep_previous(job, err.text);
		file_report_line(&job->report, 0, "%s: what it says is not known", err.text);
		p->unread = true;
	}
	if (!job->previous)
		return p;
	if (job->gone && job->needed && job->previous->found)
		return keep_previous(job, "the file is gone");
	return is_spoilt(job) ? keep_previous(job, "not all lines can be used") : p;
}

void directory_parts_load(const char *dir, struct directory_part *const *previous,
			  const struct file_report *report, struct directory_part **out)
{
	/* Nobody deletes the accounts of a running server by deleting their file: the volume is
	 * away, or the file is about to be replaced. Then nothing else that is gone counts. */
	bool needed = true;

	for (size_t i = 0; i < DIRECTORY_FILES; i++) {
		struct part_job job = {
			.part = part_new(&part_types[i]),
			.previous = previous ? previous[i] : NULL,
			.report = { report ? report->line : NULL, report ? report->ctx : NULL,
				    part_types[i].file, note_broken },
			.needed = needed,
		};
		out[i] = part_load(&job, dir);
		if (i == PART_ACCOUNTS)
			needed = job.gone && job.previous && job.previous->found;
	}
}
