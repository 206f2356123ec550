/* A message with signatures and a chain of ARC, and a key record: however the body is cut into
 * pieces, the result is the same, and what is decided without a key stays so. A set of our own on
 * top passes where the chain did. The input is the record, a NUL, the message. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/err.h"
#include "filter/arc.h"
#include "filter/arc_seal.h"
#include "filter/dkim_keys.h"
#include "filter/dkim_verify.h"
#include "mime/header.h"

#define NOW 1600000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int verify(struct str message, struct str record, size_t step, enum dkim_result *results,
		  enum arc_result *arc)
{
	static struct dkim_keys *keys;
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_verifier v;
	struct arc_chain chain;
	size_t header = mime_header_size(message);

	if (dkim_verify_begin(&v, str_sub(message, 0, header), NOW, &a) < 0)
		return 0;
	/* One of the two runs with a memory: that makes no difference. */
	if (!keys)
		keys = dkim_keys_new(2);
	v.keys = step > 7 ? keys : NULL;
	arc_begin(&chain, &v);
	for (size_t at = header; at < message.n; at += step)
		dkim_verify_body(&v, str_sub(message, at, step));
	dkim_verify_body_end(&v);
	arc_body_end(&chain, &v);
	for (size_t i = 0; i < v.n; i++) {
		enum dkim_result before = v.v[i].result;
		dkim_verify_key(&v, &v.v[i], &record, 1);
		check(v.v[i].result != DKIM_NONE);
		check(before == DKIM_NONE || before == v.v[i].result);
		results[i] = v.v[i].result;
	}
	struct dkim_signature *s;
	for (size_t i = 0; (s = arc_signature(&chain, i)); i++)
		dkim_verify_key(&v, s, &record, 1);
	arc_end(&chain);
	*arc = chain.result;
	int n = (int)v.n;
	dkim_verify_done(&v);
	return n;
}

static bool has_header(struct str message)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_begin(&it, message, MIME_HEADER_NO_LIMITS);
	return mime_header_next(&it, &f) > 0 && !f.is_garbage;
}

static void find_keys(struct arc_chain *c, struct dkim_verifier *v, struct str record)
{
	static const struct str ours =
		STR_INIT("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	struct dkim_signature *s;

	for (size_t i = 0; (s = arc_signature(c, i)); i++)
		dkim_verify_key(v, s,
				str_eq(s->key_name, STR("fuzz._domainkey.example.org")) ? &ours
											: &record,
				1);
	arc_end(c);
}

/* Append the set that we put on top, and say what comes before it: an enum arc_result, or -1 when
 * there are too many fields. *number is 0 when there is no set. */
static int seal(struct str message, struct str record, struct buf *out, size_t *number)
{
	static struct dkim_private_key key;
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_verifier v;
	struct arc_chain chain;
	struct err err;
	size_t header = mime_header_size(message);

	*number = 0;
	if (!key.pkey) /* RFC 8463 A.2 */
		check(dkim_private_key_parse(STR("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="),
					     &key, &err) == 0);
	if (dkim_verify_begin(&v, str_sub(message, 0, header), NOW, &a) < 0)
		return -1;
	arc_begin(&chain, &v);
	struct arc_seal s = {
		.verifier = &v,
		.chain = &chain,
		.hash = arc_seal_begin(&v),
		.identity = { STR("example.org"), STR("fuzz"), &key, NOW },
		.results = STR("mx.example.org; none"),
	};
	dkim_verify_body(&v, str_skip(message, header));
	dkim_verify_body_end(&v);
	arc_body_end(&chain, &v);
	find_keys(&chain, &v, record);
	*number = arc_next(&chain);
	arc_seal_write(&s, out);
	dkim_verify_done(&v);
	return (int)chain.result;
}

static void check_seal(struct str message, struct str record)
{
	auto_buf struct buf once, twice;
	size_t first, second;

	buf_init(&once, NULL, SIZE_MAX / 4);
	buf_init(&twice, NULL, SIZE_MAX / 4);
	int before = seal(message, record, &once, &first);
	if (!first)
		return;
	buf_put_str(&once, message);
	int after = seal(buf_str(&once), record, &twice, &second);
	if (after < 0)
		return;
	check(after == (before == ARC_FAIL ? ARC_FAIL : ARC_PASS));
	check(second == (before == ARC_FAIL || first == ARC_SETS_MAX ? 0 : first + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dkim_result whole[DKIM_SIGNATURES_MAX], pieces[DKIM_SIGNATURES_MAX];
	enum arc_result whole_chain = ARC_NONE, pieces_chain = ARC_NONE;
	struct str record, message;

	str_cut(str_of(data, size), '\0', &record, &message);
	int n = verify(message, record, SIZE_MAX / 2, whole, &whole_chain);
	check(verify(message, record, 1 + record.n % 7, pieces, &pieces_chain) == n);
	check(whole_chain == pieces_chain);
	for (int i = 0; i < n; i++)
		check(whole[i] == pieces[i]);
	if (has_header(message))
		check_seal(message, record);
	return 0;
}
