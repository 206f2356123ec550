#include "courier/sts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/map.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/work.h"
#include "courier/courier_state.h"
#include "courier/https.h"
#include "dns/dns_client.h"

#define ENTRIES_MAX 10000
#define FILE_MAX    ((size_t)64 << 20)

/* After a policy could not be fetched (3.3: at most once every five minutes). */
#define PAUSE_S 300

/* Fetches at a time; others do without what they cannot have now. */
#define FETCHES_MAX 20
#define FETCH_MS    30000

struct entry {
	struct str domain;
	char id[STS_ID_MAX + 1];
	char *text; /* the policy as it was fetched, NULL: never */
	size_t n;
	int64_t fetched; /* time(2) */
	int64_t expires;
	int64_t paused_until;
	bool fetching;
	char name[];
};

struct sts {
	struct map by_domain;
	unsigned fetches;
	bool dirty, saving;
	struct waitq fetched;
	char *path;
};

static int64_t now(void)
{
	return (int64_t)time(NULL);
}

static void entry_free(struct entry *e)
{
	free(e->text);
	free(e);
}

/* Something has to go: what says nothing, or what would go first. */
static void make_place(struct sts *s)
{
	struct entry *victim = NULL;

	for (struct map_slot *i = map_next(&s->by_domain, NULL); i;
	     i = map_next(&s->by_domain, i)) {
		struct entry *e = i->value;
		if (!e->fetching && (!victim || e->expires < victim->expires))
			victim = e;
	}
	if (!victim)
		return;
	map_remove(&s->by_domain, victim->domain);
	entry_free(victim);
}

static struct entry *entry_of(struct sts *s, struct str domain)
{
	struct entry *e = map_get(&s->by_domain, domain);

	if (e)
		return e;
	if (s->by_domain.count >= ENTRIES_MAX)
		make_place(s);
	e = calloc(1, sizeof(*e) + domain.n + 1);
	if (!e)
		check_no_memory();
	memcpy(e->name, domain.p, domain.n);
	e->domain = str_of(e->name, domain.n);
	map_put(&s->by_domain, e->domain, e);
	return e;
}

static void set_text(struct entry *e, struct str text)
{
	free(e->text);
	e->text = malloc(text.n + 1);
	if (!e->text)
		check_no_memory();
	memcpy(e->text, text.p, text.n);
	e->n = text.n;
}

/* The file: for each domain a line "domain id fetched expires bytes", then the policy. */
static void load(struct sts *s)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text, line;

	if (fd_read_file(s->path, &a, FILE_MAX, &text, NULL) < 0)
		return;
	while (str_next_line(&text, &line)) {
		struct str w[5], rest = line;
		uint64_t fetched, expires, size;
		for (size_t i = 0; i < ARRAY_LEN(w); i++)
			if (!str_next_word(&rest, &w[i]))
				return;
		if (str_to_u64(w[2], INT64_MAX, &fetched) < 0 ||
		    str_to_u64(w[3], INT64_MAX, &expires) < 0 ||
		    str_to_u64(w[4], STS_POLICY_SIZE, &size) < 0 || size > text.n ||
		    w[1].n > STS_ID_MAX)
			return;
		if ((int64_t)expires > now()) {
			struct entry *e = entry_of(s, w[0]);
			set_text(e, str_sub(text, 0, size));
			snprintf(e->id, sizeof(e->id), "%" STR_FMT, STR_ARG(w[1]));
			e->fetched = (int64_t)fetched;
			e->expires = (int64_t)expires;
		}
		text = str_skip(text, size + 1);
	}
}

struct sts *sts_new(const char *dir)
{
	struct sts *s = calloc(1, sizeof(*s));

	if (!s)
		check_no_memory();
	map_init(&s->by_domain);
	waitq_init(&s->fetched);
	if (!dir)
		return s;
	if (asprintf(&s->path, "%s/mta-sts", dir) < 0)
		check_no_memory();
	load(s);
	return s;
}

void sts_free(struct sts *s)
{
	if (!s)
		return;
	for (struct map_slot *i = map_next(&s->by_domain, NULL); i; i = map_next(&s->by_domain, i))
		entry_free(i->value);
	map_done(&s->by_domain);
	free(s->path);
	free(s);
}

struct save_job {
	const char *path;
	struct str text;
};

static int save_in_thread(void *arg)
{
	struct save_job *j = arg;

	return fd_replace_file(j->path, j->text, 0600, NULL);
}

/* One at a time; what changes meanwhile is saved behind it. */
static void save(void *arg)
{
	struct sts *s = arg;

	while (s->dirty) {
		auto_buf struct buf b;
		s->dirty = false;
		buf_init(&b, NULL, FILE_MAX);
		for (struct map_slot *i = map_next(&s->by_domain, NULL); i;
		     i = map_next(&s->by_domain, i)) {
			struct entry *e = i->value;
			if (!e->text || e->expires <= now())
				continue;
			buf_printf(&b, "%" STR_FMT " %s %" PRId64 " %" PRId64 " %zu\n",
				   STR_ARG(e->domain), e->id, e->fetched, e->expires, e->n);
			buf_put(&b, e->text, e->n);
			buf_putc(&b, '\n');
		}
		struct save_job j = { s->path, buf_str(&b) };
		if (!buf_failed(&b))
			(void)!work_run(save_in_thread, &j);
	}
	s->saving = false;
}

static void save_soon(struct courier *c)
{
	struct sts *s = c->sts;

	s->dirty = true;
	if (s->path && !s->saving)
		s->saving = fiber_spawn(&c->fibers, "mta-sts", save, s) == 0;
}

static void may_suspend fetch(struct courier *c, struct entry *e, struct str id)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str host = arena_printf(&a, "mta-sts.%" STR_FMT, STR_ARG(e->domain));
	struct https_question q = {
		.host = host.p,
		.path = "/.well-known/mta-sts.txt",
		.max = STS_POLICY_SIZE,
		.port = c->config.sts_port,
	};
	const struct https_client client = { &c->config, c->dns, c->roots };
	struct sts_policy policy;
	struct str text;
	struct err err;

	e->fetching = true;
	c->sts->fetches++;
	int64_t limit = fiber_limit_begin(loop_deadline(FETCH_MS));
	int r = https_get(&client, &q, &a, &text, &err);
	fiber_limit_end(limit);
	c->sts->fetches--;
	e->fetching = false;
	if (r == 0)
		r = sts_policy_parse(text, &a, &policy, &err);
	if (r < 0) {
		e->paused_until = now() + PAUSE_S;
		log_event(LOG_COURIER_STS_FAILED, LOG_STR("domain", e->domain), LOG_REASON(&err));
	} else {
		set_text(e, text);
		snprintf(e->id, sizeof(e->id), "%" STR_FMT, STR_ARG(id));
		e->fetched = now();
		e->expires = e->fetched + policy.max_age;
		e->paused_until = 0;
		save_soon(c);
	}
	waitq_wake_all(&c->sts->fetched);
}

/* 3.3: a policy is fetched when its id is new, and now and then before it expires: who can keep us
 * from fetching it could otherwise wait for that. */
static bool is_fresh(const struct entry *e, struct str id)
{
	return e && e->text && str_eq(str_from(e->id), id) &&
	       now() - e->fetched < (e->expires - e->fetched) / 2;
}

static void may_suspend refresh(struct courier *c, struct str domain, struct str id)
{
	struct sts *s = c->sts;
	struct entry *e = entry_of(s, domain);

	if (!e->fetching && (e->paused_until > now() || s->fetches >= FETCHES_MAX))
		return;
	if (!e->fetching) {
		fetch(c, e, id);
		return;
	}
	/* The entry stays as long as it is being fetched, and is not looked at again here. */
	while ((e = map_get(&s->by_domain, domain)) && e->fetching)
		if (waitq_wait(&s->fetched, "a policy", loop_deadline(FETCH_MS)) < 0)
			return;
}

void sts_find(struct courier *c, struct str domain, struct arena *a, struct sts_policy *out)
{
	struct str name = arena_printf(a, "_mta-sts.%" STR_FMT, STR_ARG(domain)), id;
	struct dns_text_answer found;

	*out = (struct sts_policy){ .mode = TLS_STS_NONE };
	if (dns_find_txt(c->dns, name, a, &found) < 0)
		return;
	/* 5.1: without a record there is nothing to fetch, and what was fetched goes on to hold. */
	if (sts_id_find(found.text, found.count, &id) &&
	    !is_fresh(map_get(&c->sts->by_domain, domain), id))
		refresh(c, domain, id);
	const struct entry *e = map_get(&c->sts->by_domain, domain);
	if (!e || !e->text || e->expires <= now())
		return;
	if (sts_policy_parse(arena_str(a, str_of(e->text, e->n)), a, out, NULL) < 0)
		*out = (struct sts_policy){ .mode = TLS_STS_NONE };
}
