#include "filter/message.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "filter/dkim_hash.h"
#include "mime/address.h"
#include "mime/header.h"

int message_open(struct message *m, int fd, uint64_t size, struct arena *a, struct err *err)
{
	*m = (struct message){ .fd = fd, .size = size };
	for (size_t n = MESSAGE_PIECE; n <= MESSAGE_HEADER_MAX; n *= 4) {
		size_t want = size < n ? (size_t)size : n;
		char *p = arena_alloc(a, want);
		ssize_t got = fd_pread_all(fd, p, want, 0);
		if (got < 0)
			return err_set(err, (int)got, "read a header: %s", strerror((int)-got));
		struct str text = str_of(p, (size_t)got);
		size_t header = mime_header_size(text);
		if (header < text.n || (size_t)got == size) {
			m->header = str_sub(text, 0, header);
			m->body = header;
			return 0;
		}
	}
	return err_set(err, -E2BIG, "the header is too large");
}

int message_put_head(struct message *m, struct str head, struct arena *a)
{
	struct buf b;

	if (str_ends(head, STR("\r\n\r\n"))) {
		m->header = head;
		m->body = 0;
		return 0;
	}
	buf_init(&b, a, 2 * MESSAGE_HEADER_MAX);
	buf_put_str(&b, head);
	buf_put_str(&b, m->header);
	m->header = buf_str(&b);
	return buf_failed(&b) ? -E2BIG : 0;
}

int message_read_body(const struct message *m, void (*sink)(void *ctx, struct str piece), void *ctx,
		      struct err *err)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, MESSAGE_PIECE);
	char *p = buf_space(&b, MESSAGE_PIECE);
	for (uint64_t at = m->body; at < m->size && p;) {
		uint64_t left = m->size - at;
		ssize_t n = fd_pread_all(m->fd, p,
					 left < MESSAGE_PIECE ? (size_t)left : MESSAGE_PIECE, at);
		if (n < 0)
			return err_set(err, (int)n, "read a body: %s", strerror((int)-n));
		if (n == 0)
			return err_set(err, -EIO, "a body is shorter than it was said to be");
		sink(ctx, str_of(p, (size_t)n));
		at += (uint64_t)n;
	}
	return 0;
}

static const struct mime_addr *first_mailbox(const struct mime_addr_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].kind == MIME_ADDR_MAILBOX && list->items[i].domain.n)
			return &list->items[i];
	return NULL;
}

struct str message_author(const struct dkim_fields *fields, struct arena *a)
{
	for (size_t i = 0; i < fields->n; i++) {
		struct mime_addr_list list;
		if (!str_eq_nocase(fields->v[i].name, STR("From")))
			continue;
		mime_addr_list_parse(fields->v[i].value, MIME_ADDR_LIMITS, a, &list);
		const struct mime_addr *first = first_mailbox(&list);
		if (!first)
			return STR_NONE;
		char *p =
			arena_cstr(a, arena_printf(a, "%" STR_FMT "@%" STR_FMT,
						   STR_ARG(first->local), STR_ARG(first->domain)));
		str_lower_bytes(p, strlen(p));
		return str_from(p);
	}
	return STR_NONE;
}

static void add_domain(struct str domain, struct arena *a, struct message_authors *out)
{
	char *lower = arena_cstr(a, domain);

	str_lower_bytes(lower, domain.n);
	domain.p = lower;
	for (size_t i = 0; i < out->count; i++)
		if (str_eq(out->domains[i], domain))
			return;
	out->more |= out->count == MESSAGE_AUTHORS_MAX;
	if (!out->more)
		out->domains[out->count++] = domain;
}

void message_author_domains(const struct dkim_fields *fields, struct arena *a,
			    struct message_authors *out)
{
	*out = (struct message_authors){ .count = 0 };
	for (size_t i = 0; i < fields->n; i++) {
		struct mime_addr_list list;
		if (!str_eq_nocase(fields->v[i].name, STR("From")))
			continue;
		mime_addr_list_parse(fields->v[i].value, MIME_ADDR_LIMITS, a, &list);
		out->more |= list.truncated;
		for (size_t k = 0; k < list.n; k++)
			if (list.items[k].kind == MIME_ADDR_MAILBOX && list.items[k].domain.n)
				add_domain(list.items[k].domain, a, out);
	}
}
