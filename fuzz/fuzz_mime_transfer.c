/* Decoding does not depend on where the body is cut; what is encoded is decoded again. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "mime/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str decode(struct arena *a, enum mime_encoding e, struct str text, size_t step)
{
	struct mime_decoder d;
	struct buf out;
	buf_init(&out, a, text.n);
	mime_decoder_init(&d, e);
	for (size_t at = 0; at < text.n; at += step)
		mime_decoder_put(&d, str_sub(text, at, step), &out);
	mime_decoder_finish(&d, &out);
	check(!buf_failed(&out));
	return buf_str(&out);
}

static struct str encode(struct arena *a, enum mime_encoding e, struct str text, size_t step)
{
	struct mime_encoder encoder;
	struct buf out;
	buf_init(&out, a, 5 * text.n + 100);
	mime_encoder_init(&encoder, e);
	for (size_t at = 0; at < text.n; at += step)
		mime_encoder_put(&encoder, str_sub(text, at, step), &out);
	mime_encoder_finish(&encoder, &out);
	check(!buf_failed(&out));
	return buf_str(&out);
}

static void check_lines(struct str text)
{
	check(str_is_ascii(text));
	STR_FOREACH_LINE (text, line)
		check(line.n <= 76);
}

/* Bare LF becomes CRLF on the way; nothing else changes. */
static bool is_same_text(struct str got, struct str sent)
{
	size_t g = 0;
	for (size_t i = 0; i < sent.n; i++) {
		if (sent.p[i] == '\n' && (i == 0 || sent.p[i - 1] != '\r') &&
		    (g == got.n || got.p[g++] != '\r'))
			return false;
		if (g == got.n || got.p[g++] != sent.p[i])
			return false;
	}
	return g == got.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	auto_arena struct arena a = ARENA_INIT;
	size_t step = (size_t)data[0] + 1;
	struct str text = str_of(data + 1, size - 1);
	enum mime_encoding qp = MIME_ENCODING_QUOTED_PRINTABLE, b64 = MIME_ENCODING_BASE64;

	check(str_eq(decode(&a, qp, text, step), decode(&a, qp, text, size)));
	check(str_eq(decode(&a, b64, text, step), decode(&a, b64, text, size)));

	struct str encoded = encode(&a, b64, text, step);
	check_lines(encoded);
	check(str_eq(decode(&a, b64, encoded, step), text));
	encoded = encode(&a, qp, text, step);
	check_lines(encoded);
	check(is_same_text(decode(&a, qp, encoded, step), text));
	return 0;
}
