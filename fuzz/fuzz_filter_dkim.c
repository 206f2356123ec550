/* A message with signatures and a chain of ARC, and a key record: however the body is cut into
 * pieces, the result is the same, and what is decided without a key stays so. The input is the
 * record, a NUL, the message. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "filter/arc.h"
#include "filter/dkim_verify.h"
#include "mime/header.h"

#define NOW 1600000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int verify(struct str message, struct str record, size_t step, enum dkim_result *results,
		  enum arc_result *arc)
{
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_verifier v;
	struct arc_chain chain;
	size_t header = mime_header_size(message);

	if (dkim_verify_begin(&v, str_sub(message, 0, header), NOW, &a) < 0)
		return 0;
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
	return 0;
}
