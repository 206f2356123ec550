/* Reading the blobs. */
#include "mime/facts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "mime/facts_layout.h"

#define VARINT_MAX ((uint64_t)1 << 48) /* sums of some of them do not overflow */

/* In order. They are numbered by their places here, so a new one means a new version. Fields that
 * are absent cost nothing; one that the mail clients of this world ask for and that is not here
 * costs them the reading of every message. */
static const struct str field_names[] = {
	STR_INIT("Bcc"),
	STR_INIT("Cc"),
	STR_INIT("Chat-Version"),
	STR_INIT("Content-Description"),
	STR_INIT("Content-Disposition"),
	STR_INIT("Content-ID"),
	STR_INIT("Content-Language"),
	STR_INIT("Content-Transfer-Encoding"),
	STR_INIT("Content-Type"),
	STR_INIT("Date"),
	STR_INIT("Delivered-To"),
	STR_INIT("Disposition-Notification-To"),
	STR_INIT("Followup-To"),
	STR_INIT("From"),
	STR_INIT("Importance"),
	STR_INIT("In-Reply-To"),
	STR_INIT("Keywords"),
	STR_INIT("Lines"),
	STR_INIT("List-Archive"),
	STR_INIT("List-Help"),
	STR_INIT("List-Id"),
	STR_INIT("List-Owner"),
	STR_INIT("List-Post"),
	STR_INIT("List-Subscribe"),
	STR_INIT("List-Unsubscribe"),
	STR_INIT("List-Unsubscribe-Post"),
	STR_INIT("Mail-Followup-To"),
	STR_INIT("Mail-Reply-To"),
	STR_INIT("Message-ID"),
	STR_INIT("MIME-Version"),
	STR_INIT("Newsgroups"),
	STR_INIT("Organization"),
	STR_INIT("Precedence"),
	STR_INIT("Priority"),
	STR_INIT("References"),
	STR_INIT("Reply-To"),
	STR_INIT("Return-Path"),
	STR_INIT("Return-Receipt-To"),
	STR_INIT("Sender"),
	STR_INIT("Status"),
	STR_INIT("Subject"),
	STR_INIT("To"),
	STR_INIT("User-Agent"),
	STR_INIT("X-Account-Key"),
	STR_INIT("X-Draft-Info"),
	STR_INIT("X-Forwarded-Message-Id"),
	STR_INIT("X-Identity-Key"),
	STR_INIT("X-K9mail-Identity"),
	STR_INIT("X-Label"),
	STR_INIT("X-Mailer"),
	STR_INIT("X-Mozilla-Keys"),
	STR_INIT("X-Mozilla-Status"),
	STR_INIT("X-Mozilla-Status2"),
	STR_INIT("X-MSMail-Priority"),
	STR_INIT("X-MSOESRec"),
	STR_INIT("X-Original-To"),
	STR_INIT("X-Priority"),
	STR_INIT("X-Ref"),
	STR_INIT("X-Spam-Flag"),
	STR_INIT("X-Spam-Level"),
	STR_INIT("X-Status"),
	STR_INIT("X-Uniform-Type-Identifier"),
	STR_INIT("X-Universally-Unique-Identifier"),
};
_Static_assert(ARRAY_LEN(field_names) <= 64, "a set of them is a uint64_t");

static int by_name(const void *a, const void *b)
{
	return str_cmp_nocase(*(const struct str *)a, *(const struct str *)b);
}

int facts_field_id(struct str name)
{
	const struct str *found =
		bsearch(&name, field_names, ARRAY_LEN(field_names), sizeof(*field_names), by_name);
	return found ? (int)(found - field_names) : -1;
}

size_t mime_facts_hot_size(struct str s)
{
	if (s.n < HOT_REFS || s.p[HOT_VERSION] != MIME_FACTS_VERSION)
		return 0;
	size_t n = facts_u16(s, HOT_SIZE);
	return n >= HOT_REFS && n <= s.n ? n : 0;
}

size_t mime_facts_cold_size(struct str s)
{
	if (s.n < COLD_DATA || s.p[COLD_VERSION] != MIME_FACTS_VERSION)
		return 0;
	size_t n = facts_u32(s, COLD_SIZE);
	return n >= COLD_DATA && n <= s.n ? n : 0;
}

int mime_facts_parse(struct str hot, struct str cold, struct mime_facts *out)
{
	hot.n = mime_facts_hot_size(hot);
	if (hot.n == 0)
		return -EBADMSG;
	if (cold.p) {
		cold.n = mime_facts_cold_size(cold);
		if (cold.n == 0)
			return -EBADMSG;
	}
	struct mime_facts f = {
		.hot = hot,
		.cold = cold,
		.flags = (unsigned char)hot.p[HOT_FLAGS],
		.present = facts_u16(hot, HOT_PRESENT),
		.missing = facts_u16(hot, HOT_MISSING),
		.sent = (int64_t)facts_u64(hot, HOT_SENT),
		.zone_min = (int16_t)facts_u16(hot, HOT_ZONE),
		.nrefs = facts_u16(hot, HOT_NREFS),
		.id = facts_u64(hot, HOT_ID),
	};
	if (f.nrefs > MIME_FACTS_REFS_MAX || HOT_REFS + (size_t)f.nrefs * 8 > hot.n)
		return -EBADMSG;
	*out = f;
	return 0;
}

struct str mime_facts_key(const struct mime_facts *f, enum mime_facts_key key)
{
	size_t at = HOT_KEYS + 4 * (size_t)key;

	return str_sub(f->hot, facts_u16(f->hot, at), facts_u16(f->hot, at + 2));
}

uint64_t mime_facts_ref(const struct mime_facts *f, unsigned i)
{
	uint64_t ref = facts_u64(f->hot, HOT_REFS + 8 * (size_t)i);

	return ref ? ref : 1;
}

static int section(const struct mime_facts *f, enum mime_facts_section which, struct str *out)
{
	size_t at = COLD_DATA;

	if (!f->cold.p || ((unsigned char)f->cold.p[COLD_MISSING] >> which & 1))
		return -ENODATA;
	for (int i = 0; i < (int)which; i++)
		at += facts_u32(f->cold, COLD_SIZES + 4 * (size_t)i);
	size_t n = facts_u32(f->cold, COLD_SIZES + 4 * (size_t)which);
	if (at > f->cold.n || n > f->cold.n - at)
		return -EBADMSG;
	*out = str_sub(f->cold, at, n);
	return 0;
}

bool mime_facts_has(const struct mime_facts *f, enum mime_facts_section which)
{
	struct str s;

	return section(f, which, &s) == 0;
}

int mime_facts_envelope(const struct mime_facts *f, struct str *out)
{
	return section(f, MIME_FACTS_ENVELOPE, out);
}

int mime_facts_bodystructure(const struct mime_facts *f, struct str *out)
{
	return section(f, MIME_FACTS_BODYSTRUCTURE, out);
}

int mime_facts_preview(const struct mime_facts *f, struct str *out)
{
	return section(f, MIME_FACTS_PREVIEW, out);
}

int mime_facts_body_put(const struct mime_facts *f, struct buf *out)
{
	struct str text, extensions;
	size_t at = 0;

	int r = section(f, MIME_FACTS_BODYSTRUCTURE, &text);
	if (r == 0)
		r = section(f, MIME_FACTS_EXTENSIONS, &extensions);
	if (r < 0)
		return r;
	for (; extensions.n; extensions = str_skip(extensions, FACTS_EXTENSION_SIZE)) {
		if (extensions.n < FACTS_EXTENSION_SIZE)
			return -EBADMSG;
		size_t from = facts_u32(extensions, 0), to = facts_u32(extensions, 4);
		if (from < at || to < from || to > text.n)
			return -EBADMSG;
		buf_put_str(out, str_sub(text, at, from - at));
		at = to;
	}
	buf_put_str(out, str_skip(text, at));
	return 0;
}

bool mime_facts_fields_add(struct mime_facts_fields *f, struct str name)
{
	int id = facts_field_id(name);

	if (id < 0)
		return false;
	f->set |= UINT64_C(1) << id;
	return true;
}

int mime_facts_fields_put(const struct mime_facts *f, const struct mime_facts_fields *fields,
			  struct buf *out)
{
	struct str rest;

	int r = section(f, MIME_FACTS_FIELDS, &rest);
	if (r < 0)
		return r;
	while (rest.n) {
		if (rest.n < FACTS_FIELD_HEAD)
			return -EBADMSG;
		unsigned id = (unsigned char)rest.p[0];
		size_t n = facts_u16(rest, 1);
		if (id >= ARRAY_LEN(field_names) || n > rest.n - FACTS_FIELD_HEAD)
			return -EBADMSG;
		if (fields->set >> id & 1)
			buf_put(out, rest.p + FACTS_FIELD_HEAD, n);
		rest = str_skip(rest, FACTS_FIELD_HEAD + n);
	}
	buf_put(out, "\r\n", 2);
	return 0;
}

static int varint(struct str *s, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 56 && s->n; shift += 7) {
		unsigned char c = (unsigned char)s->p[0];
		*s = str_skip(*s, 1);
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*out = v;
			return v < VARINT_MAX ? 0 : -EBADMSG;
		}
	}
	return -EBADMSG;
}

/* One part; `before` is the one before it, or NULL. */
static int parse_part(struct str *s, const struct mime_facts_part *before,
		      struct mime_facts_part *out)
{
	uint64_t v[7];

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		int r = varint(s, &v[i]);
		if (r < 0)
			return r;
	}
	uint64_t at = (before ? before->body.offset : 0) + v[2];
	bool deeper = before && v[1] > before->depth;
	if ((v[0] & 3) > MIME_PART_MESSAGE || v[0] >> 2 > MIME_ENCODING_UNKNOWN ||
	    at > VARINT_MAX || (before ? v[1] == 0 : v[1] != 0) ||
	    (deeper && (v[1] != before->depth + 1 || before->kind == MIME_PART_LEAF)) ||
	    (before && before->kind == MIME_PART_MESSAGE && !deeper))
		return -EBADMSG;
	*out = (struct mime_facts_part){
		.kind = (enum mime_part_kind)(v[0] & 3),
		.encoding = (enum mime_encoding)(v[0] >> 2),
		.depth = (unsigned)v[1],
		.header = { .offset = at, .size = v[3], .wire_size = v[3] + v[4] },
		.body = { .offset = at + v[3], .size = v[5], .wire_size = v[5] + v[6] },
	};
	return 0;
}

int mime_facts_parts(const struct mime_facts *f, struct arena *a, struct mime_facts_parts *out)
{
	struct str s;
	size_t n = 0;

	int r = section(f, MIME_FACTS_PARTS, &s);
	if (r < 0)
		return r;
	/* Each has at least seven bytes. */
	struct mime_facts_part *v = ARENA_NEW_ARRAY(a, struct mime_facts_part, s.n / 7 + 1);
	while (s.n) {
		r = parse_part(&s, n ? &v[n - 1] : NULL, &v[n]);
		if (r < 0)
			return r;
		n++;
	}
	if (n == 0 || v[n - 1].kind == MIME_PART_MESSAGE)
		return -EBADMSG;
	*out = (struct mime_facts_parts){ v, n };
	return 0;
}

static const struct mime_facts_part *nth_child(const struct mime_facts_parts *parts,
					       const struct mime_facts_part *p, uint32_t n)
{
	const struct mime_facts_part *end = parts->v + parts->n;

	for (const struct mime_facts_part *c = p + 1; c < end && c->depth > p->depth; c++)
		if (c->depth == p->depth + 1 && n && --n == 0)
			return c;
	return NULL;
}

const struct mime_facts_part *mime_facts_part_find(const struct mime_facts_parts *parts,
						   const uint32_t *path, size_t n)
{
	const struct mime_facts_part *whole = parts->v, *part = NULL;

	for (size_t i = 0; i < n && whole; i++) {
		if (whole->kind == MIME_PART_MULTIPART)
			part = nth_child(parts, whole, path[i]);
		else
			part = path[i] == 1 ? whole : NULL;

		if (part && part->kind == MIME_PART_MULTIPART)
			whole = part;
		else if (part && part->kind == MIME_PART_MESSAGE)
			whole = part + 1;
		else if (i + 1 < n)
			return NULL;
	}
	return part;
}
