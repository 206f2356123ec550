/* Where the keys of DKIM are kept: the layouts of OpenDKIM and of Rspamd, as docker-mailserver has
 * them. */
#pragma once

#include <stdbool.h>

#include "base/check.h"
#include "base/str.h"
#include "filter/dkim_key.h"

struct err;
struct setup;

struct dkim_options {
	unsigned bits;
	enum dkim_algorithm algorithm;
	struct str selector;
	struct str domains; /* separated by commas; empty: the default */
	bool has_type;	    /* the algorithm was said */
	bool rspamd;	    /* for dkim_files_make: whose layout */
	bool force, verbose;
};

/* A key for one domain. 0, -EEXIST where one is and must stay, or another error. */
int must_check dkim_files_opendkim(struct setup *s, const struct dkim_options *o, struct str domain,
				   struct err *err);
int must_check dkim_files_rspamd(struct setup *s, const struct dkim_options *o, struct str domain,
				 struct err *err);

/* A key that no table names yet. 0, -EEXIST or another error. */
struct dkim_made {
	struct str path;   /* of the private key, in the configuration */
	struct str record; /* the text for the DNS */
};
int must_check dkim_files_make(struct setup *s, const struct dkim_options *o, struct str domain,
			       struct dkim_made *out, struct err *err);

/* Write a table anew; a line of KeyTable. */
int must_check dkim_files_write_table(struct setup *s, const char *name, struct str text,
				      struct err *err);
int must_check dkim_files_add_key(struct setup *s, struct str name, struct str value,
				  struct err *err);

/* The list of hosts whose mail is signed, if there is none. */
int must_check dkim_files_trusted_hosts(struct setup *s, struct err *err);

/* The domains of accounts and aliases, sorted, separated by commas. */
int must_check dkim_domains(struct setup *s, struct str *out, struct err *err);
