/* setup config dkim rotate: another key in the place of one, without a moment in which
 * signatures fail.
 *
 * The new key exists and does not sign until its record is in the DNS; the old key's record
 * stays until nobody checks mail any more that it has signed. How far that is stands in dkim-
 * rotation.cf. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "dns/dns_client.h"
#include "filter/signing.h"
#include "setup/dkim_options.h"
#include "setup/dkim_tables.h"
#include "setup/dns_resolver.h"
#include "setup/door.h"
#include "setup/message.h"
#include "setup/setup_file.h"
#include "setup/signing_keys.h"
#include "setup/zone_record.h"

/* Mail waits for days where a server is away (RFC 5321 4.5.4.1), on every server on its way. */
#define KEEP_DAYS 14

#define FILE_MAX      65536
#define TRIES_MAX     26 /* selectors of one day */
#define SIGNING_TABLE "opendkim/SigningTable"

struct rotate {
	struct setup *s;
	struct dkim_options o;
	struct signing *signing;
	struct ipc_client *dns;
	bool named; /* the domains were */
};

/* A key that signs for a domain, and what becomes of it. */
struct change {
	struct rotate *r;
	struct str domain;	       /* of the authors */
	const struct signing_key *key; /* that signs now */
	struct str at;		       /* the domain in its signatures */
	struct str type;
	struct str today;
	struct str seen; /* the text of dkim-rotation.cf by which all was decided */
};

static struct str date_of(struct rotate *r, time_t when)
{
	char text[32];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	return arena_str(&r->s->arena, str_from(text));
}

static struct str record_name(const struct change *c, struct str selector)
{
	return arena_printf(&c->r->s->arena, "%" STR_FMT "._domainkey.%" STR_FMT, STR_ARG(selector),
			    STR_ARG(c->at));
}

static void print_record(const struct change *c, struct str selector, struct str text)
{
	const struct zone_record record = { record_name(c, selector), "TXT", text };
	auto_buf struct buf b;

	buf_init(&b, NULL, FILE_MAX);
	zone_record_write_zone(&b, &record);
	printf("%" STR_FMT "\n", STR_ARG(buf_str(&b)));
	fflush(stdout);
}

static int save(const struct change *c, const struct dkim_rotation *state, struct err *err)
{
	struct setup *s = c->r->s;
	struct str text;
	struct buf b;

	int r = setup_file_read(s, DKIM_ROTATION_FILE, &text, err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, SETUP_FILE_MAX);
	dkim_rotation_put(text, state, &b);
	return dkim_files_write_table(s, DKIM_ROTATION_FILE, buf_str(&b), err);
}

/* Nobody waits for the DNS with a lock, so that another command may have gone on meanwhile: a key
 * whose record somebody is putting into the DNS must not be forgotten for another. */
static int lock_unchanged(const struct change *c, struct err *err)
{
	struct setup *s = c->r->s;
	struct str text;

	auto_close int lock = setup_lock(s, err);
	if (lock < 0)
		return lock;
	int r = setup_file_read(s, DKIM_ROTATION_FILE, &text, err);
	if (r == 0 && !str_eq(text, c->seen))
		r = err_set(err, -EAGAIN,
			    "'%" STR_FMT "' (%" STR_FMT "): another command was faster, call this "
			    "one again",
			    STR_ARG(c->domain), STR_ARG(c->type));
	return r < 0 ? r : take_fd(&lock);
}

/* The date, and a letter where that is taken. */
static int make_key(const struct change *c, struct dkim_options *o, struct dkim_made *made,
		    struct err *err)
{
	struct setup *s = c->r->s;
	struct str d = c->today;
	bool given = o->selector.n;
	int r = -EEXIST;

	for (unsigned i = 0; r == -EEXIST && i < (given ? 1 : TRIES_MAX); i++) {
		char letter[2] = { i ? (char)('a' + i - 1) : '\0' };
		if (!given)
			o->selector = arena_printf(
				&s->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT "%s%s",
				STR_ARG(str_sub(d, 0, 4)), STR_ARG(str_sub(d, 5, 2)),
				STR_ARG(str_sub(d, 8, 2)),
				o->algorithm == DKIM_ED25519_SHA256 ? "-ed" : "", letter);
		r = dkim_files_make(s, o, c->at, made, err);
	}
	return r;
}

static enum setup_exit begin(const struct change *c)
{
	struct setup *s = c->r->s;
	struct dkim_options o = c->r->o;
	struct dkim_made made;
	struct err err;

	o.algorithm = c->key->key.algorithm;
	o.rspamd = !c->key->name.n;
	auto_close int lock = lock_unchanged(c, &err);
	if (lock < 0 || make_key(c, &o, &made, &err) < 0)
		return message_fail(s, "%s", err.text);
	const struct dkim_rotation state = { .domain = c->domain,
					     .type = c->type,
					     .selector = o.selector,
					     .old = c->key->selector,
					     .date = c->today,
					     .path = made.path };
	if (save(c, &state, &err) < 0)
		return message_fail(s, "%s", err.text);
	message(s, MESSAGE_INFO,
		"'%" STR_FMT "' (%" STR_FMT "): '%" STR_FMT
		"' signs on, until the DNS has this record "
		"and the command is called again",
		STR_ARG(c->domain), STR_ARG(c->type), STR_ARG(c->key->selector));
	print_record(c, o.selector, made.record);
	return SETUP_OK;
}

/* Does the DNS have the record of this key? Otherwise *why says why not. */
static bool may_suspend is_published(const struct change *c, struct str name,
				     const struct dkim_private_key *key, const char **why)
{
	struct setup *s = c->r->s;
	struct dns_text_answer found;

	*why = "the DNS does not answer";
	if (dns_find_txt(c->r->dns, name, &s->arena, &found) < 0)
		return false;
	if (found.answer.status == DNS_TEMPFAIL || found.answer.status == DNS_BOGUS)
		return false;
	*why = found.count ? "there is more than one record" : "it is not there";
	if (found.count != 1)
		return false;
	struct dkim_public_key published;
	int r = dkim_public_key_parse(found.text[0], &published, why);
	bool fits = r == 0 && dkim_private_key_fits(key, &published);
	if (r == 0 && !fits)
		*why = "it is of another key";
	dkim_public_key_done(&published);
	return fits;
}

static int switch_opendkim(const struct change *c, const struct dkim_rotation *to, struct err *err)
{
	struct setup *s = c->r->s;
	struct str name = record_name(c, to->selector), text;
	struct buf b;

	int r = setup_file_read(s, SIGNING_TABLE, &text, err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, SETUP_FILE_MAX);
	if (!dkim_table_replace(text, c->domain, c->key->name, name, &b))
		return err_set(err, -ENOENT,
			       SIGNING_TABLE " has no line for this domain alone: put '%" STR_FMT
					     "' in the place of '%" STR_FMT "' by hand",
			       STR_ARG(name), STR_ARG(c->key->name));
	/* First the key, then what names it: the server may read them at any time. */
	r = dkim_files_add_key(s, name,
			       arena_printf(&s->arena, "%" STR_FMT ":%" STR_FMT ":/etc/%" STR_FMT,
					    STR_ARG(c->at), STR_ARG(to->selector),
					    STR_ARG(to->path)),
			       err);
	return r < 0 ? r : dkim_files_write_table(s, SIGNING_TABLE, buf_str(&b), err);
}

static int switch_rspamd(const struct change *c, const struct dkim_rotation *to, struct err *err)
{
	struct setup *s = c->r->s;
	const struct dkim_conf_key before = { c->key->path, c->key->selector };
	const struct dkim_conf_key after = {
		arena_printf(&s->arena, "/tmp/docker-mailserver/%" STR_FMT, STR_ARG(to->path)),
		to->selector,
	};
	struct str text;
	struct buf b;

	int r = setup_file_read(s, SIGNING_RSPAMD, &text, err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, SETUP_FILE_MAX);
	if (!dkim_conf_replace(text, c->key->domain, &before, &after, &b))
		return err_set(err, -ENOENT, SIGNING_RSPAMD " does not name the key any more");
	return dkim_files_write_table(s, SIGNING_RSPAMD, buf_str(&b), err);
}

static void tell_wait(const struct change *c, const struct dkim_rotation *state)
{
	struct tm tm = { 0 };

	(void)!strptime(arena_cstr(&c->r->s->arena, state->date), "%Y-%m-%d", &tm);
	message(c->r->s, MESSAGE_INFO,
		"'%" STR_FMT "' (%" STR_FMT "): '%" STR_FMT "' signs since %" STR_FMT
		". The record %" STR_FMT " must stay in the DNS until %" STR_FMT
		", for mail that is on its way",
		STR_ARG(c->domain), STR_ARG(c->type), STR_ARG(state->selector),
		STR_ARG(state->date), STR_ARG(record_name(c, state->old)),
		STR_ARG(date_of(c->r, timegm(&tm) + KEEP_DAYS * 86400)));
}

static enum setup_exit note_signing(const struct change *c, const struct dkim_rotation *waiting)
{
	struct dkim_rotation state = *waiting;
	struct err err;

	auto_close int lock = lock_unchanged(c, &err);
	state.signing = true;
	state.date = c->today;
	if (lock < 0 || save(c, &state, &err) < 0)
		return message_fail(c->r->s, "%s", err.text);
	tell_wait(c, &state);
	return SETUP_OK;
}

static enum setup_exit let_sign(const struct change *c, const struct dkim_rotation *waiting)
{
	struct setup *s = c->r->s;
	struct dkim_rotation state = *waiting;
	struct err err;

	auto_close int lock = lock_unchanged(c, &err);
	if (lock < 0)
		return message_fail(s, "%s", err.text);
	state.signing = true;
	state.old = c->key->selector;
	state.date = c->today;
	int r = c->key->name.n ? switch_opendkim(c, &state, &err) : switch_rspamd(c, &state, &err);
	if (r == 0)
		r = save(c, &state, &err);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	tell_wait(c, &state);
	return SETUP_OK;
}

static enum setup_exit may_suspend go_on(const struct change *c, const struct dkim_rotation *state)
{
	struct setup *s = c->r->s;
	struct str text, name = record_name(c, state->selector);
	struct dkim_private_key key;
	const char *why = NULL;
	struct err err;
	struct buf b;

	int r = fd_read_file(setup_file_path(s, arena_cstr(&s->arena, state->path)).p, &s->arena,
			     FILE_MAX, &text, &err);
	if (r == -ENOENT) /* Somebody has thought better of it. */
		return begin(c);
	if (r == 0)
		r = dkim_private_key_parse(text, &key, &err);
	if (r < 0)
		return message_fail(s, "%s", err.text);
	bool published = is_published(c, name, &key, &why);
	buf_init(&b, &s->arena, FILE_MAX);
	buf_puts(&b, c->key->name.n ? "v=DKIM1; h=sha256; " : "v=DKIM1; ");
	dkim_private_key_write_record(&key, &b);
	dkim_private_key_done(&key);
	if (published || c->r->o.force)
		return let_sign(c, state);
	message(s, MESSAGE_WARN,
		"'%" STR_FMT "' (%" STR_FMT "): '%" STR_FMT
		"' signs on; the DNS has to have this record first: %s",
		STR_ARG(c->domain), STR_ARG(c->type), STR_ARG(c->key->selector), why);
	print_record(c, state->selector, buf_str(&b));
	return SETUP_ERROR;
}

static enum setup_exit may_suspend rotate_key(struct rotate *r, struct str domain,
					      const struct signing_key *key)
{
	struct setup *s = r->s;
	struct change c = { .r = r, .domain = domain, .key = key, .today = date_of(r, time(NULL)) };
	struct dkim_rotation state;
	struct err err;

	c.at = key->any_domain ? domain : key->domain;
	c.type = key->key.algorithm == DKIM_ED25519_SHA256 ? STR("ed25519") : STR("rsa");
	if (setup_file_read(s, DKIM_ROTATION_FILE, &c.seen, &err) < 0)
		return message_fail(s, "%s", err.text);
	if (!dkim_rotation_find(c.seen, domain, c.type, &state))
		return begin(&c);
	if (!state.signing && !str_eq(state.selector, key->selector))
		return go_on(&c, &state);
	if (!state.signing) /* The tables were changed by hand. */
		return note_signing(&c, &state);
	size_t days = dkim_rotation_days(state.date, c.today);
	if ((days < KEEP_DAYS || days == SIZE_MAX) && !r->o.force) {
		tell_wait(&c, &state);
		return SETUP_OK;
	}
	message(s, MESSAGE_INFO,
		"'%" STR_FMT "' (%" STR_FMT "): '%" STR_FMT "' is used no more since %" STR_FMT
		": its record, its files and its line in the table may go",
		STR_ARG(domain), STR_ARG(c.type), STR_ARG(state.old), STR_ARG(state.date));
	return begin(&c);
}

/* The keys that sign for anybody in the domain, or the one of the type that was said. */
static enum setup_exit may_suspend rotate_domain(struct rotate *r, struct str domain)
{
	const struct signing_key *keys[SIGNING_KEYS_PER_MESSAGE];
	struct setup *s = r->s;
	enum setup_exit worst = SETUP_OK;
	bool any = false;

	size_t n = signing_find(
		r->signing, arena_printf(&s->arena, "postmaster@%" STR_FMT, STR_ARG(domain)), keys);
	if (n > 1 && r->o.selector.n && !r->o.has_type)
		return message_fail(s,
				    "'%" STR_FMT "' has two keys, which cannot have one selector: "
				    "say the keytype",
				    STR_ARG(domain));
	for (size_t i = 0; i < n; i++) {
		if (r->o.has_type && keys[i]->key.algorithm != r->o.algorithm)
			continue;
		any = true;
		if (rotate_key(r, domain, keys[i]) != SETUP_OK)
			worst = SETUP_ERROR;
	}
	if (!any && r->named)
		return message_fail(s,
				    "No such key signs mail of '%" STR_FMT
				    "': `setup config dkim` makes one",
				    STR_ARG(domain));
	return worst;
}

static enum setup_exit may_suspend rotate_all(struct setup *s, void *arg)
{
	struct rotate *r = arg;
	struct str rest = r->o.domains, domain;
	enum setup_exit worst = SETUP_OK;
	struct dns_resolver resolver;
	struct err err;

	r->signing = signing_keys_load(s);
	if (dns_resolver_open(s, &resolver, &err) < 0)
		return message_fail(s, "%s", err.text);
	r->dns = resolver.client;
	while (rest.n) {
		str_cut(rest, ',', &domain, &rest);
		domain = str_trim(domain);
		char *lower = arena_cstr(&s->arena, domain);
		str_lower_bytes(lower, domain.n);
		enum setup_exit e = dkim_is_domain(domain)
					    ? rotate_domain(r, str_of(lower, domain.n))
					    : message_fail(s, "'%" STR_FMT "' is not a domain",
							   STR_ARG(domain));
		if (e != SETUP_OK)
			worst = e;
	}
	dns_resolver_close(&resolver);
	signing_unref(r->signing);
	return worst;
}

enum setup_exit cmd_dkim_rotate(struct setup *s)
{
	struct rotate r = { .s = s, .o = { .bits = 2048 } };
	struct err err;

	enum setup_exit e = dkim_options_read(s, 1, &r.o);
	if (e != SETUP_OK)
		return e;
	r.named = r.o.domains.n;
	if (!r.named && dkim_domains(s, &r.o.domains, &err) < 0)
		return message_fail(s, "%s", err.text);
	return door_run(s, rotate_all, &r);
}
