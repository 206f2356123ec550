#include "filter/dkim_sign.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/base64.h"
#include "mime/header.h"

/* Lines of the field stay below this. */
#define LINE_MAX_ 76

/* What is signed when it is there, and whether once more than that. RFC 6376 5.4.1, and what tells
 * a program what to do. */
static const struct signed_name {
	struct str name;
	bool again;
	bool by_arc_only;
} signed_names[] = {
	{ STR_INIT("From"), true },
	{ STR_INIT("Sender"), false },
	{ STR_INIT("Reply-To"), true },
	{ STR_INIT("To"), true },
	{ STR_INIT("Cc"), true },
	{ STR_INIT("Subject"), true },
	{ STR_INIT("Date"), true },
	{ STR_INIT("Message-ID"), true },
	{ STR_INIT("In-Reply-To"), false },
	{ STR_INIT("References"), false },
	{ STR_INIT("MIME-Version"), true },
	{ STR_INIT("Content-Type"), true },
	{ STR_INIT("Content-Transfer-Encoding"), true },
	{ STR_INIT("Content-Disposition"), false },
	{ STR_INIT("Content-ID"), false },
	{ STR_INIT("Content-Description"), false },
	{ STR_INIT("Resent-From"), false },
	{ STR_INIT("Resent-Sender"), false },
	{ STR_INIT("Resent-To"), false },
	{ STR_INIT("Resent-Cc"), false },
	{ STR_INIT("Resent-Date"), false },
	{ STR_INIT("Resent-Message-ID"), false },
	{ STR_INIT("Autocrypt"), false },
	{ STR_INIT("DKIM-Signature"), false, true },
};

int dkim_sign_begin(struct dkim_signer *s, struct str header, struct arena *a)
{
	*s = (struct dkim_signer){ .hash = 0 };
	int r = dkim_fields_parse(header, a, &s->fields);
	if (r < 0)
		return r;
	s->hash = dkim_hashes_add(&s->hashes, DKIM_RELAXED, DKIM_WHOLE_BODY, a);
	check(s->hash >= 0);
	return 0;
}

void dkim_sign_body(struct dkim_signer *s, struct str piece)
{
	dkim_hashes_feed(&s->hashes, piece);
}

void dkim_sign_body_end(struct dkim_signer *s)
{
	dkim_hashes_end(&s->hashes);
}

static size_t occurrences(const struct dkim_fields *fields, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < fields->n; i++)
		n += str_eq_nocase(fields->v[i].name, name);
	return n;
}

/* A field's text, folded where it gets long. */
struct folded {
	struct buf *out;
	size_t column;
};

static void put_word(struct folded *f, struct str word)
{
	if (f->column + word.n > LINE_MAX_) {
		buf_puts(f->out, "\r\n\t");
		f->column = 8;
	}
	buf_put_str(f->out, word);
	f->column += word.n;
}

static void put_names(const struct dkim_signer *s, bool arc, struct folded *f)
{
	bool first = true;
	size_t room = DKIM_SIGNED_MAX;

	for (size_t i = 0; i < ARRAY_LEN(signed_names); i++) {
		const struct signed_name *n = &signed_names[i];
		size_t times = occurrences(&s->fields, n->name) + n->again;
		if (n->by_arc_only && !arc)
			continue;
		/* Room is left for all other names. */
		if (times > room / 2)
			times = room / 2;
		room -= times;
		while (times--) {
			if (!first)
				put_word(f, STR(":"));
			put_word(f, n->name);
			first = false;
		}
	}
}

static void put_base64(struct folded *f, struct str bytes)
{
	auto_buf struct buf text;

	buf_init(&text, NULL, 2 * DKIM_SIGNATURE_MAX);
	base64_write(&text, bytes);
	check(!buf_failed(&text));
	for (struct str rest = buf_str(&text); rest.n;) {
		size_t n = f->column < LINE_MAX_ ? LINE_MAX_ - f->column : LINE_MAX_ - 8;
		if (n > rest.n)
			n = rest.n;
		put_word(f, str_sub(rest, 0, n));
		rest = str_skip(rest, n);
	}
}

static void begin_line(struct folded *f)
{
	buf_puts(f->out, "\r\n\t");
	f->column = 8;
}

static const char *algorithm(const struct dkim_identity *id)
{
	return id->key->algorithm == DKIM_ED25519_SHA256 ? "ed25519-sha256" : "rsa-sha256";
}

static void put_identity(const struct dkim_identity *id, struct folded *f)
{
	buf_printf(f->out, "\r\n\td=%" STR_FMT "; s=%" STR_FMT "; t=%" PRId64 ";",
		   STR_ARG(id->domain), STR_ARG(id->selector), id->now);
}

static void put_until_b(const struct dkim_signer *s, const struct dkim_identity *id,
			size_t arc_number, struct folded *f)
{
	const struct dkim_body_hash *body = s->hashes.v[s->hash];

	if (arc_number)
		buf_printf(f->out, "ARC-Message-Signature: i=%zu;", arc_number);
	else
		buf_puts(f->out, "DKIM-Signature: v=1;");
	buf_printf(f->out, " a=%s; c=relaxed/relaxed;", algorithm(id));
	put_identity(id, f);
	begin_line(f);
	put_word(f, STR("h="));
	put_names(s, arc_number > 0, f);
	put_word(f, STR(";"));
	begin_line(f);
	put_word(f, STR("bh="));
	put_base64(f, str_of(body->digest, sizeof(body->digest)));
	put_word(f, STR(";"));
	begin_line(f);
	put_word(f, STR("b="));
}

/* The names of h=, as they were just written. */
static struct str written_names(struct str field)
{
	struct str names = str_skip(field, (size_t)str_find(field, STR("\th=")) + 3);

	return str_sub(names, 0, (size_t)str_find_byte(names, ';'));
}

/* The value of b=, and the end of the field. */
static void put_signature(const struct dkim_identity *id,
			  const unsigned char digest[DKIM_HASH_SIZE], struct folded *f)
{
	auto_buf struct buf signature;

	buf_init(&signature, NULL, DKIM_SIGNATURE_MAX);
	dkim_private_key_sign(id->key, digest, &signature);
	put_base64(f, buf_str(&signature));
	buf_puts(f->out, "\r\n");
}

static void write_field(const struct dkim_signer *s, const struct dkim_identity *id,
			size_t arc_number, struct buf *out)
{
	unsigned char digest[DKIM_HASH_SIZE];
	struct folded f = { .out = out };
	size_t start = out->n;

	check(s->hashes.ended);
	put_until_b(s, id, arc_number, &f);
	if (buf_failed(out))
		return;
	struct str field = str_skip(buf_str(out), start);
	struct dkim_header_spec spec = { DKIM_RELAXED, written_names(field), field };
	int r = dkim_header_digest(&s->fields, &spec, digest);
	check(r == 0);
	put_signature(id, digest, &f);
}

void dkim_sign_write(const struct dkim_signer *s, const struct dkim_identity *id, struct buf *out)
{
	write_field(s, id, 0, out);
}

void dkim_sign_write_arc_message(const struct dkim_signer *s, const struct dkim_identity *id,
				 size_t number, struct buf *out)
{
	check(number > 0);
	write_field(s, id, number, out);
}

void dkim_sign_write_seal(const struct dkim_identity *id, const struct dkim_seal *seal,
			  struct buf *out)
{
	unsigned char digest[DKIM_HASH_SIZE];
	struct folded f = { .out = out };
	size_t start = out->n;

	buf_printf(out, "ARC-Seal: i=%zu; a=%s; cv=%s;", seal->number, algorithm(id),
		   seal->verdict);
	put_identity(id, &f);
	begin_line(&f);
	put_word(&f, STR("b="));
	if (buf_failed(out))
		return;
	seal->fields[seal->count] = str_skip(buf_str(out), start);
	dkim_chain_digest(seal->fields, seal->count + 1, digest);
	put_signature(id, digest, &f);
}

void dkim_sign_done(struct dkim_signer *s)
{
	dkim_hashes_done(&s->hashes);
}
