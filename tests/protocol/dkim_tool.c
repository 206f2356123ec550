/* Our DKIM as a program, for test_dkim.py: a message comes on standard input, in pieces of an odd
 * size.
 *
 * usage: dkim-tool sign KEY-FILE DOMAIN SELECTOR	writes the field
 *        dkim-tool verify RECORD-FILE	writes "RESULT DOMAIN SELECTOR REASON" for each one
 *
 *        dkim-tool arc RECORD-FILE		writes "RESULT SETS REASON" for the ARC chain
 *        dkim-tool seal KEY-FILE DOMAIN SELECTOR RECORD-FILE
 *						writes the next set of it
 *
 * A line of the record file is NAME TEXT. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "filter/arc.h"
#include "filter/arc_seal.h"
#include "filter/dkim_sign.h"
#include "filter/dkim_verify.h"
#include "mime/header.h"

#define MESSAGE_MAX (64u << 20)
#define PIECE	    4093

static struct arena arena;

static struct str file(const char *path)
{
	struct str text;
	struct err err;

	if (fd_read_file(path, &arena, MESSAGE_MAX, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	return text;
}

static struct str message(void)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, MESSAGE_MAX);
	for (;;) {
		char *to = buf_space(&b, 65536);
		ssize_t n = to ? read(0, to, 65536) : -1;
		if (n <= 0)
			break;
		buf_added(&b, (size_t)n);
	}
	return arena_str(&arena, buf_str(&b));
}

static int sign(const char *key_file, const char *domain, const char *selector)
{
	struct str m = message();
	size_t header = mime_header_size(m);
	struct dkim_private_key key;
	struct dkim_signer s;
	struct err err;
	struct buf out;

	if (dkim_private_key_parse(file(key_file), &key, &err) < 0)
		return 2;
	struct dkim_identity id = { str_from(domain), str_from(selector), &key, time(NULL) };
	if (dkim_sign_begin(&s, str_sub(m, 0, header), &arena) < 0)
		return 2;
	for (size_t at = header; at < m.n; at += PIECE)
		dkim_sign_body(&s, str_sub(m, at, PIECE));
	dkim_sign_body_end(&s);
	buf_init(&out, &arena, 65536);
	dkim_sign_write(&s, &id, &out);
	dkim_sign_done(&s);
	dkim_private_key_done(&key);
	return fwrite(out.p, 1, out.n, stdout) == out.n ? 0 : 2;
}

static void find_key(struct dkim_verifier *v, struct dkim_signature *s, struct str records)
{
	struct str texts[8];
	size_t n = 0;

	STR_FOREACH_LINE (records, line) {
		struct str name, text;
		if (str_cut(line, ' ', &name, &text) && str_eq_nocase(name, s->key_name) &&
		    n < ARRAY_LEN(texts))
			texts[n++] = text;
	}
	dkim_verify_key(v, s, texts, n);
}

static int verify(const char *record_file)
{
	struct str m = message(), records = file(record_file);
	size_t header = mime_header_size(m);
	struct dkim_verifier v;

	if (dkim_verify_begin(&v, str_sub(m, 0, header), time(NULL), &arena) < 0)
		return 2;
	for (size_t at = header; at < m.n; at += PIECE)
		dkim_verify_body(&v, str_sub(m, at, PIECE));
	dkim_verify_body_end(&v);
	for (size_t i = 0; i < v.n; i++) {
		struct dkim_signature *s = &v.v[i];
		find_key(&v, s, records);
		printf("%s %" STR_FMT " %" STR_FMT " %s\n", dkim_result_name(s->result),
		       STR_ARG(s->domain), STR_ARG(s->selector), s->reason ? s->reason : "");
	}
	dkim_verify_done(&v);
	return 0;
}

/* A message whose chain is checked, and may get another set. */
struct chained {
	struct dkim_verifier v;
	struct arc_chain chain;
	int hash;
};

static int check_chain(struct chained *c, const char *record_file)
{
	struct str m = message(), records = file(record_file);
	size_t header = mime_header_size(m);
	struct dkim_signature *s;

	if (dkim_verify_begin(&c->v, str_sub(m, 0, header), time(NULL), &arena) < 0)
		return -1;
	arc_begin(&c->chain, &c->v);
	c->hash = arc_seal_begin(&c->v);
	for (size_t at = header; at < m.n; at += PIECE)
		dkim_verify_body(&c->v, str_sub(m, at, PIECE));
	dkim_verify_body_end(&c->v);
	arc_body_end(&c->chain, &c->v);
	for (size_t i = 0; (s = arc_signature(&c->chain, i)); i++)
		if (s->result == DKIM_NONE)
			find_key(&c->v, s, records);
	arc_end(&c->chain);
	return 0;
}

static int verify_chain(const char *record_file)
{
	struct chained c;

	if (check_chain(&c, record_file) < 0)
		return 2;
	printf("%s %zu %s\n", arc_result_name(c.chain.result), c.chain.n,
	       c.chain.reason ? c.chain.reason : "");
	dkim_verify_done(&c.v);
	return 0;
}

static int seal(char **argv)
{
	struct dkim_private_key key;
	struct chained c;
	struct err err;
	struct buf out;

	if (dkim_private_key_parse(file(argv[0]), &key, &err) < 0 || check_chain(&c, argv[3]) < 0)
		return 2;
	struct arc_seal s = {
		.verifier = &c.v,
		.chain = &c.chain,
		.hash = c.hash,
		.identity = { str_from(argv[1]), str_from(argv[2]), &key, time(NULL) },
		.results = STR("mx.example.com;\r\n\tdmarc=pass header.from=example.com"),
	};
	buf_init(&out, &arena, 1 << 20);
	arc_seal_write(&s, &out);
	dkim_verify_done(&c.v);
	dkim_private_key_done(&key);
	return fwrite(out.p, 1, out.n, stdout) == out.n ? 0 : 2;
}

int main(int argc, char **argv)
{
	int r = 2;

	if (argc == 5 && strcmp(argv[1], "sign") == 0)
		r = sign(argv[2], argv[3], argv[4]);
	else if (argc == 3 && strcmp(argv[1], "verify") == 0)
		r = verify(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "arc") == 0)
		r = verify_chain(argv[2]);
	else if (argc == 6 && strcmp(argv[1], "seal") == 0)
		r = seal(argv + 2);
	arena_done(&arena);
	return r;
}
