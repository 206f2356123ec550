#include "filter/arc_seal.h"

#include "base/arena.h"
#include "filter/arc.h"
#include "filter/dkim_verify.h"

#define FIELD_MAX 65536
#define PARTS	  3 /* fields of a set */

int arc_seal_begin(struct dkim_verifier *v)
{
	int hash = dkim_hashes_add(&v->hashes, DKIM_RELAXED, DKIM_WHOLE_BODY, v->arena);

	check(hash >= 0);
	return hash;
}

static void write_seal(const struct arc_seal *s, size_t number, struct str results,
		       struct str message, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	/* RFC 8617 5.1.2: the seal of a chain that fails is about its own set alone. */
	size_t before = s->chain->result == ARC_PASS ? PARTS * s->chain->n : 0;
	struct str *fields = ARENA_NEW_ARRAY(&a, struct str, before + PARTS);
	struct dkim_seal seal = {
		.number = number,
		.verdict = arc_result_name(s->chain->result),
		.fields = fields,
		.count = before + PARTS - 1,
	};

	if (before)
		memcpy(fields, s->chain->fields, before * sizeof(fields[0]));
	fields[before] = str_chomp(results);
	fields[before + 1] = str_chomp(message);
	dkim_sign_write_seal(&s->identity, &seal, out);
}

void arc_seal_write(const struct arc_seal *s, struct buf *out)
{
	const struct dkim_signer signer = { s->verifier->fields, s->verifier->hashes, s->hash };
	size_t number = arc_next(s->chain);
	auto_buf struct buf results, message;

	buf_init(&results, NULL, FIELD_MAX);
	buf_init(&message, NULL, FIELD_MAX);
	if (!number)
		return;
	buf_printf(&results, "ARC-Authentication-Results: i=%zu; %" STR_FMT "\r\n", number,
		   STR_ARG(s->results));
	dkim_sign_write_arc_message(&signer, &s->identity, number, &message);
	if (buf_failed(&results) || buf_failed(&message))
		return;
	write_seal(s, number, buf_str(&results), buf_str(&message), out);
	buf_put_str(out, buf_str(&message));
	buf_put_str(out, buf_str(&results));
}
