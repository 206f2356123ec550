#include "auth/resolve.h"

#include <errno.h>

#include "auth/address.h"
#include "auth/directory.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"

#define RESOLVE_TARGETS_MIN 8
#define TARGET_BYTES	    32 /* lengths and numbers */

/* One address that waits for its turn. */
struct pending {
	struct list link;
	struct str address;
	unsigned depth;
	bool terminal; /* an alias names itself: the mailbox behind it is a target already */
};

struct expansion {
	const struct directory *d;
	struct arena *arena;
	struct list pending;
	struct map seen; /* every address that ever was pending, in lower case */
	struct resolution *out;
	size_t cap;   /* of out->targets */
	size_t bytes; /* of the targets in an answer */
	struct err *err;
};

/* What a lookup found: targets of a table entry, or the result of a pattern still to be split. */
struct found {
	const struct alias *alias;
	struct str result;
	struct str extension; /* of the address, that the key did not hold */
};

static void expansion_done(struct expansion *x)
{
	map_done(&x->seen);
}

static int fail(struct expansion *x, const char *why)
{
	return err_set(x->err, -ELOOP, "%s", why);
}

static void grow_targets(struct expansion *x)
{
	size_t cap = x->cap ? x->cap * 2 : RESOLVE_TARGETS_MIN;
	struct resolve_target *targets = ARENA_NEW_ARRAY(x->arena, struct resolve_target, cap);
	for (size_t i = 0; i < x->out->count; i++)
		targets[i] = x->out->targets[i];
	x->out->targets = targets;
	x->cap = cap;
}

static int add_target(struct expansion *x, enum auth_target_kind kind, struct str address,
		      struct str user)
{
	x->bytes += address.n + user.n + TARGET_BYTES;
	if (x->out->count >= RESOLVE_TARGETS_MAX || x->bytes > RESOLVE_BYTES_MAX)
		return fail(x, "the alias expands to too many recipients");
	if (x->out->count == x->cap)
		grow_targets(x);
	x->out->targets[x->out->count++] =
		(struct resolve_target){ .kind = kind, .address = address, .user = user };
	return 0;
}

/* Addresses already seen are somewhere in the expansion: a second time adds nothing, and ends
 * loops. */
static int push(struct expansion *x, struct str address, unsigned depth)
{
	struct str key = address_fold(x->arena, address);
	if (map_get(&x->seen, key))
		return 0;
	if (depth > RESOLVE_DEPTH_MAX)
		return fail(x, "aliases refer to each other too deeply");
	if (x->seen.count >= RESOLVE_TARGETS_MAX)
		return fail(x, "the alias expands to too many addresses");

	struct pending *p = ARENA_NEW(x->arena, struct pending);
	p->address = address;
	p->depth = depth;
	map_put(&x->seen, key, p);
	list_append(&x->pending, &p->link);
	return 0;
}

static struct str join(struct expansion *x, struct str local, struct str extension,
		       struct str domain)
{
	return arena_printf(x->arena, "%" STR_FMT "%" STR_FMT "@%" STR_FMT, STR_ARG(local),
			    STR_ARG(extension), STR_ARG(domain));
}

static const struct alias *find(struct expansion *x, struct str local, struct str domain)
{
	return aliases_find(x->d->virtual, join(x, local, STR(""), domain));
}

/* The table's forms of an address, the most specific first. Patterns see the whole address only;
 * they come after its entry in the table and before shorter forms. 1 found, 0 not, negative:
 * error. */
static int lookup(struct expansion *x, struct str address, struct found *out)
{
	struct address addr = address_split(address_fold(x->arena, address));
	struct str base = addr.local;
	*out = (struct found){ .extension = STR("") };

	out->alias = aliases_find(x->d->virtual, addr.whole);
	if (out->alias)
		return 1;
	int r = regexp_aliases_find(x->d->regexp, address, x->arena, &out->result, x->err);
	if (r != 0)
		return r;

	bool local = directory_is_local(x->d, addr.domain);
	bool extended =
		address_split_extension(addr.local, x->d->delimiter, &base, &out->extension);
	if (extended)
		out->alias = find(x, base, addr.domain);
	if (!out->alias && local && extended) {
		out->alias = aliases_find(x->d->virtual, addr.local);
		if (out->alias)
			out->extension = STR("");
	}
	if (!out->alias && local)
		out->alias = aliases_find(x->d->virtual, base);
	if (!out->alias)
		out->alias = find(x, STR(""), addr.domain);
	return out->alias != NULL;
}

/* Names of the machine itself: postfix-aliases.cf, then those that always lead to the
 * postmaster. */
static bool lookup_local(struct expansion *x, struct str address, struct found *out)
{
	static const struct str postmasters[] = {
		STR_INIT("root"),
		STR_INIT("postmaster"),
		STR_INIT("mailer-daemon"),
	};
	struct address addr = address_split(address_fold(x->arena, address));
	struct str base, extension;
	*out = (struct found){ .extension = STR("") };

	out->alias = aliases_find(x->d->local, addr.local);
	if (!out->alias &&
	    address_split_extension(addr.local, x->d->delimiter, &base, &extension)) {
		out->alias = aliases_find(x->d->local, base);
		out->extension = extension;
	}
	if (out->alias)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(postmasters); i++)
		if (str_eq(postmasters[i], addr.local))
			out->result = x->d->postmaster;
	return out->result.n > 0;
}

static const struct account *find_mailbox(struct expansion *x, struct str address)
{
	struct address addr = address_split(address_fold(x->arena, address));
	struct str base, extension;

	const struct account *acc = accounts_find(x->d->accounts, addr.whole);
	if (!acc && address_split_extension(addr.local, x->d->delimiter, &base, &extension))
		acc = accounts_find(x->d->accounts, join(x, base, STR(""), addr.domain));
	return acc;
}

/* No alias applies: this is where a copy goes. */
static int classify(struct expansion *x, struct str address)
{
	struct str domain = address_split(address).domain;
	const struct account *acc = find_mailbox(x, address);

	if (acc)
		return add_target(x, AUTH_TARGET_MAILBOX, address, acc->login);
	if (directory_is_managed(x->d, domain) || directory_is_local(x->d, domain))
		return add_target(x, AUTH_TARGET_UNKNOWN, address, STR_NONE);
	return add_target(x, AUTH_TARGET_REMOTE, address, STR_NONE);
}

/* A target as the file has it, made a whole address: "@domain" keeps the user, a bare name is the
 * machine's, and the extension that the key did not hold goes with it. */
static struct str complete(struct expansion *x, struct str target, const struct found *f,
			   struct str address)
{
	struct address to = address_split(address_unquote(x->arena, target));
	struct str domain = to.domain.n ? to.domain : x->d->fqdn;

	if (to.local.n == 0) {
		struct str local = address_split(address).local;
		to.local = str_sub(local, 0, local.n - f->extension.n);
	}
	/* The extension as the sender wrote it, not as the lookup folded it. */
	struct str original = address_split(address).local;
	struct str extension = str_skip(original, original.n - f->extension.n);
	return join(x, to.local, extension, domain);
}

static int take_target(struct expansion *x, struct str target, const struct found *f,
		       struct pending *from)
{
	if (str_eq(target, STR("/dev/null")))
		return add_target(x, AUTH_TARGET_DISCARD, from->address, STR_NONE);

	struct str address = complete(x, target, f, from->address);
	if (address.n > ADDRESS_MAX)
		return fail(x, "an alias leads to an address that is too long");
	/* An entry that names itself means the mailbox behind it. */
	if (str_eq_nocase(address, from->address)) {
		bool again = from->terminal;
		from->terminal = true;
		return again ? 0 : classify(x, from->address);
	}
	return push(x, address, from->depth + 1);
}

static int take_targets(struct expansion *x, const struct found *f, struct pending *from)
{
	struct str rest = f->result, target;
	int r = 0;

	if (from->depth == 0)
		x->out->expanded = true;
	if (f->alias) {
		for (size_t i = 0; i < f->alias->count && r == 0; i++)
			r = take_target(x, f->alias->targets[i], f, from);
		return r;
	}
	while (r == 0 && alias_target_next(&rest, &target))
		r = take_target(x, target, f, from);
	return r;
}

/* RFC 5321 4.5.1: postmaster is accepted wherever mail is. Without an entry of its own it is the
 * server's postmaster; without anybody to read that, it goes nowhere. */
static bool must_accept(const struct directory *d, struct str address)
{
	struct address addr = address_split(address);

	if (str_eq_nocase(addr.local, STR("postmaster")))
		return directory_is_local(d, addr.domain) || directory_is_managed(d, addr.domain);
	return directory_is_local(d, addr.domain) &&
	       str_eq_nocase(addr.local, STR("mailer-daemon"));
}

static int expand(struct expansion *x, struct pending *p)
{
	struct found f;
	int r = lookup(x, p->address, &f);
	if (r < 0)
		return r;
	if (r == 1)
		return take_targets(x, &f, p);
	if ((directory_is_local(x->d, address_split(p->address).domain) ||
	     must_accept(x->d, p->address)) &&
	    !find_mailbox(x, p->address) && lookup_local(x, p->address, &f))
		return take_targets(x, &f, p);
	return classify(x, p->address);
}

static int expand_all(struct expansion *x, struct str address)
{
	int r = push(x, address, 0);
	while (r == 0 && !list_empty(&x->pending))
		r = expand(x, LIST_ITEM(list_shift(&x->pending), struct pending, link));
	return r;
}

static bool all_unknown(const struct resolution *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->targets[i].kind != AUTH_TARGET_UNKNOWN)
			return false;
	return true;
}

static enum auth_verdict judge(const struct directory *d, struct str address, struct resolution *r)
{
	struct str domain = address_split(address).domain;

	if (!directory_is_managed(d, domain) && !directory_is_local(d, domain))
		return AUTH_NOT_OURS;
	if (!all_unknown(r))
		return AUTH_OK;
	if (!must_accept(d, address))
		return AUTH_UNKNOWN_USER;
	r->targets[0] = (struct resolve_target){ AUTH_TARGET_DISCARD, address, STR_NONE };
	r->count = 1;
	return AUTH_OK;
}

static enum auth_verdict resolve(const struct directory *d, struct str address, struct arena *a,
				 struct resolution *out, struct err *err)
{
	__attribute__((cleanup(expansion_done))) struct expansion x = {
		.d = d, .arena = a, .out = out, .err = err
	};

	const struct access_rule *rule = access_find(d->receive, address, d->delimiter);
	if (rule && rule->action == ACCESS_REJECT) {
		out->code = rule->code;
		out->text = rule->text;
		return AUTH_DENIED;
	}
	list_init(&x.pending);
	map_init(&x.seen);
	if (expand_all(&x, address) < 0)
		return AUTH_ALIAS_ERROR;
	if (out->count == 0) {
		fail(&x, "aliases lead to each other and nowhere else");
		return AUTH_ALIAS_ERROR;
	}
	return judge(d, address, out);
}

enum auth_verdict directory_resolve(const struct directory *d, struct str address, struct arena *a,
				    struct resolution *out, struct err *err)
{
	*out = (struct resolution){ .verdict = AUTH_UNKNOWN_USER };
	if (address.n == 0 || address.n > ADDRESS_MAX)
		return out->verdict;

	address = address_unquote(a, address);
	if (address_split(address).domain.n == 0)
		address = arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(address),
				       STR_ARG(d->fqdn));
	out->verdict = resolve(d, address, a, out, err);
	return out->verdict;
}
