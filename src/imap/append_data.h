/* The bytes of a message that is being appended, wherever they come from; for append_*.c alone. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

struct imap_literal;
struct imap_session;
struct store_append;

struct imap_append_data {
	struct imap_session *s;
	struct store_append *ap;
	uint64_t bytes; /* so far */
};

/* Is there room for so many bytes more? If not, s->reply says so. */
bool imap_append_fits(struct imap_append_data *d, uint64_t size);

/* Count bytes that fit. */
void imap_append_count(struct imap_append_data *d, uint64_t size);

/* Ask for the literal that was announced and take it. enum imap_append_step or a failure. */
int may_suspend must_check imap_append_literal(struct imap_append_data *d,
					       const struct imap_literal *lit);

/* "(URL "..." TEXT {5} ...)" enum imap_append_step or a failure. */
int may_suspend must_check imap_append_catenate(struct imap_append_data *d);
