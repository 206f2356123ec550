/* Decoded values are valid UTF-8 on one line; what is encoded is decoded again. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/utf8.h"
#include "mime/encoded_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(struct str text)
{
	check(utf8_is_valid(text));
	for (size_t i = 0; i < text.n; i++)
		check((unsigned char)text.p[i] >= ' ' || text.p[i] == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(data, size);
	struct buf decoded, encoded, again;
	buf_init(&decoded, &a, 16 * size + 16);
	buf_init(&encoded, &a, 256 * size + 16);
	buf_init(&again, &a, 16 * size + 16);

	mime_encoded_word_decode(text, &decoded);
	check(!buf_failed(&decoded));
	check_clean(buf_str(&decoded));

	mime_encoded_word_write(&encoded, buf_str(&decoded), 9);
	mime_encoded_word_decode(buf_str(&encoded), &again);
	check(!buf_failed(&encoded) && !buf_failed(&again));
	struct str back = buf_str(&again);
	/* A fold before the first word is white space of the value. */
	check(str_eq(back, buf_str(&decoded)) || (str_starts(buf_str(&encoded), STR("\r\n ")) &&
						  str_eq(str_skip(back, 3), buf_str(&decoded))));
	return 0;
}
