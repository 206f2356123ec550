/* The account files one by one: how each is read, and what stays of it when it cannot be. */
#pragma once

#include "auth/directory.h"

enum part_index {
	PART_ACCOUNTS,
	PART_MASTERS,
	PART_VIRTUAL,
	PART_REGEXP,
	PART_LOCAL,
	PART_QUOTAS,
	PART_SEND,
	PART_RECEIVE,
	PART_RELAYS,
	PART_RELAY_LOGINS,
};

union part_table {
	struct accounts accounts;
	struct aliases aliases;
	struct regexp_aliases regexp;
	struct quotas quotas;
	struct access_table access;
	struct relays relays;
	struct relay_logins relay_logins;
};

struct part_type;

/* One file's contents, shared by all snapshots since it was last read. */
struct directory_part {
	unsigned refs;
	const struct part_type *type;
	bool found;	    /* there was such a file */
	bool unread;	    /* it never could be read: what it says is not known */
	struct arena arena; /* the file's text and the entries */
	union part_table table;
};

/* Read all files; `previous` may be NULL. Each part in `out` has one more reference. */
void directory_parts_load(const char *dir, struct directory_part *const *previous,
			  const struct file_report *report, struct directory_part **out);
void directory_part_unref(struct directory_part *p);
