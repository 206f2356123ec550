/* Which keys sign which mail, from the files that OpenDKIM's and Rspamd's users have. What was
 * loaded never changes; a change of the files makes another one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_key.h"

/* One of each algorithm. */
#define SIGNING_KEYS_PER_MESSAGE 2

struct signing_key {
	struct str name; /* in KeyTable; else empty */
	struct str domain, selector;
	struct str path; /* as the table has it */
	bool any_domain; /* signs for the domain of the author */
	struct dkim_private_key key;
};

struct signing_rule {
	struct str pattern; /* of addresses, with '*'; or a domain */
	bool is_domain;	    /* the domain and all below it */
	const struct signing_key *key;
};

struct signing {
	unsigned refs;
	struct arena arena;
	struct signing_key **keys;
	size_t key_count, key_room;
	struct signing_rule *rules; /* the first that fits counts, of each algorithm */
	size_t rule_count, rule_room;
	struct str trusted_hosts; /* the text of the file */
};

struct signing_source {
	struct str config_dir;
	bool opendkim, rspamd; /* which layouts count, in this order */
	/* Hears of what cannot be used; the rest is. `line` is 0 when it is about the file. */
	void (*problem)(const char *file, unsigned line, const char *text);
};

struct signing *signing_load(const struct signing_source *source);
struct signing *signing_ref(struct signing *s);
void signing_unref(struct signing *s); /* NULL is fine */

/* The keys for an author's address in lower case; returns how many. */
size_t signing_find(const struct signing *s, struct str author,
		    const struct signing_key *out[SIGNING_KEYS_PER_MESSAGE]);

/* The one that seals for an address: RSA, because a chain of ARC ends at the first server that does
 * not know the algorithm. NULL: there is none. */
const struct signing_key *signing_find_sealer(const struct signing *s, struct str address);

/* The domain that a key signs for, where it signs for an address. */
struct str signing_domain(const struct signing_key *key, struct str address);

/* Is a client one whose mail is signed instead of verified? `name` is the one that the DNS gives
 * its address, or empty. */
bool signing_trusts(const struct signing *s, struct str address, struct str name);

/* Each key that Rspamd's file names, as slices of its text: who edits the file knows where they
 * stand. False when its brackets do not match. */
#define SIGNING_RSPAMD "rspamd/override.d/dkim_signing.conf"
struct signing_rspamd_entry {
	struct str domain, path, selector;
};
typedef void signing_rspamd_fn(void *ctx, const struct signing_rspamd_entry *e);
bool signing_rspamd_each(struct str text, signing_rspamd_fn *each, void *ctx);

/* Private to the readers of the layouts. */
struct signing_build {
	struct signing *signing;
	const struct signing_source *source;
	const char *file;
	unsigned line;
};
void signing_problem(struct signing_build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A text file of the configuration; empty, without a problem, when there is none. */
struct str signing_read(struct signing_build *b, const char *file);

/* Load a key from the path that the file names: as seen in docker-mailserver's container, below the
 * configuration or below `base`. NULL after a problem. */
struct signing_key *signing_add_key(struct signing_build *b, struct str path, const char *base);
void signing_add_rule(struct signing_build *b, struct str pattern, bool is_domain,
		      const struct signing_key *key);

void signing_load_opendkim(struct signing_build *b);
void signing_load_rspamd(struct signing_build *b);
