#include "filter/dkim_hash.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/arena.h"
#include "base/buf.h"
#include "filter/dkim_tag.h"
#include "mime/header.h"

static EVP_MD_CTX *new_digest(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		check_no_memory();
	return md;
}

static void add_to_hash(void *ctx, struct str bytes)
{
	struct dkim_body_hash *h = ctx;
	uint64_t left = h->length < h->limit ? h->limit - h->length : 0;

	h->length += bytes.n;
	check(EVP_DigestUpdate(h->md, bytes.p, left < bytes.n ? (size_t)left : bytes.n));
}

int dkim_hashes_add(struct dkim_hashes *h, enum dkim_canon canon, uint64_t limit, struct arena *a)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i]->body.canon == canon && h->v[i]->limit == limit)
			return (int)i;
	if (h->n == DKIM_HASHES_MAX)
		return -E2BIG;
	struct dkim_body_hash *new = ARENA_NEW(a, struct dkim_body_hash);
	new->limit = limit;
	new->md = new_digest();
	dkim_canon_body_init(&new->body, canon, add_to_hash, new);
	h->v[h->n] = new;
	return (int)h->n++;
}

void dkim_hashes_feed(struct dkim_hashes *h, struct str piece)
{
	for (size_t i = 0; i < h->n; i++)
		dkim_canon_body_feed(&h->v[i]->body, piece);
}

void dkim_hashes_end(struct dkim_hashes *h)
{
	check(!h->ended);
	h->ended = true;
	for (size_t i = 0; i < h->n; i++) {
		dkim_canon_body_end(&h->v[i]->body);
		check(EVP_DigestFinal_ex(h->v[i]->md, h->v[i]->digest, NULL));
	}
}

void dkim_hashes_done(struct dkim_hashes *h)
{
	for (size_t i = 0; i < h->n; i++)
		EVP_MD_CTX_free(h->v[i]->md);
	h->n = 0;
}

int dkim_fields_parse(struct str header, struct arena *a, struct dkim_fields *out)
{
	struct mime_header_iter it;
	struct mime_field f;
	size_t n = 0;
	int r;

	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while ((r = mime_header_next(&it, &f)) > 0)
		n += !f.is_garbage;
	if (n > DKIM_FIELDS_MAX)
		return -E2BIG;
	out->v = ARENA_NEW_ARRAY(a, struct mime_field, n);
	out->n = 0;
	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while ((r = mime_header_next(&it, &f)) > 0)
		if (!f.is_garbage)
			out->v[out->n++] = f;
	return r;
}

/* The last field of that name that is not taken yet, which then is. */
static const struct mime_field *take_field(const struct dkim_fields *fields, struct str name,
					   bool taken[DKIM_FIELDS_MAX])
{
	for (size_t i = fields->n; i-- > 0;) {
		if (taken[i] || !str_eq_nocase(fields->v[i].name, name))
			continue;
		taken[i] = true;
		return &fields->v[i];
	}
	return NULL;
}

static void add_field(EVP_MD_CTX *md, enum dkim_canon canon, struct str field, struct str end)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, field.n + end.n + 2);
	dkim_canon_field(&b, canon, field);
	buf_put_str(&b, end);
	check(!buf_failed(&b));
	check(EVP_DigestUpdate(md, b.p, b.n));
}

int dkim_header_digest(const struct dkim_fields *fields, const struct dkim_header_spec *spec,
		       unsigned char digest[DKIM_HASH_SIZE])
{
	bool taken[DKIM_FIELDS_MAX] = { false };
	struct str rest = spec->names, name;
	size_t names = 0;

	check(fields->n <= DKIM_FIELDS_MAX);
	EVP_MD_CTX *md = new_digest();
	while (dkim_tag_next(&rest, ':', &name) && names++ < DKIM_SIGNED_MAX) {
		/* RFC 6376 5.4.2: a name without a field adds nothing. */
		const struct mime_field *f = take_field(fields, name, taken);
		if (f)
			add_field(md, spec->canon, str_chomp(f->whole), STR("\r\n"));
	}
	add_field(md, spec->canon, spec->signature, STR_NONE);
	check(EVP_DigestFinal_ex(md, digest, NULL));
	EVP_MD_CTX_free(md);
	return names > DKIM_SIGNED_MAX ? -E2BIG : 0;
}

void dkim_chain_digest(const struct str *fields, size_t n, unsigned char digest[DKIM_HASH_SIZE])
{
	EVP_MD_CTX *md = new_digest();

	for (size_t i = 0; i < n; i++)
		add_field(md, DKIM_RELAXED, fields[i], i + 1 < n ? STR("\r\n") : STR_NONE);
	check(EVP_DigestFinal_ex(md, digest, NULL));
	EVP_MD_CTX_free(md);
}

struct str dkim_without(struct str field, struct str value, struct arena *a)
{
	struct buf b;
	size_t at = (size_t)(value.p - field.p);

	check(value.p >= field.p && at + value.n <= field.n);
	buf_init(&b, a, field.n + 1);
	buf_put_str(&b, str_sub(field, 0, at));
	buf_put_str(&b, str_skip(field, at + value.n));
	return buf_str(&b);
}
