#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/arena.h"
#include "filter/dkim_keys.h"

/* A key record of its own for each number. */
static struct str record(struct arena *a, unsigned number)
{
	struct dkim_private_key key;
	struct buf b;

	buf_init(&b, a, 4096);
	buf_printf(&b, "v=DKIM1; n=%u; ", number);
	dkim_private_key_generate(DKIM_ED25519_SHA256, 0, &key);
	dkim_private_key_write_record(&key, &b);
	dkim_private_key_done(&key);
	return buf_str(&b);
}

static void a_record_is_read_once(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_keys *k = dkim_keys_new(10);
	const struct dkim_public_key *first, *again;
	struct str text = record(&a, 1);
	const char *reason;

	assert_int_equal(dkim_keys_find(k, text, &first, &reason), 0);
	assert_int_equal(first->algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(dkim_keys_find(k, arena_str(&a, text), &again, &reason), 0);
	assert_ptr_equal(first, again);
	assert_int_equal(dkim_keys_count(k), 1);
	dkim_keys_free(k);
}

static void those_used_last_are_kept(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_keys *k = dkim_keys_new(3);
	const struct dkim_public_key *kept, *key;
	struct str texts[5];
	const char *reason;

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		texts[i] = record(&a, i);
	assert_int_equal(dkim_keys_find(k, texts[0], &kept, &reason), 0);
	for (unsigned i = 1; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(dkim_keys_find(k, texts[i], &key, &reason), 0);
		assert_int_equal(dkim_keys_find(k, texts[0], &key, &reason), 0);
		assert_ptr_equal(key, kept);
	}
	assert_int_equal(dkim_keys_count(k), 3);
	dkim_keys_free(k);
}

/* Whose records are long does not get more memory for it. */
static void long_records_take_the_place_of_several(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct dkim_keys *k = dkim_keys_new(20);
	const struct dkim_public_key *key;
	const char *reason;
	struct buf b;

	for (unsigned i = 0; i < 20; i++) {
		buf_init(&b, &a, 16384);
		buf_put_str(&b, record(&a, i));
		buf_puts(&b, "; x=");
		while (b.n < 8192)
			buf_putc(&b, 'x');
		assert_int_equal(dkim_keys_find(k, buf_str(&b), &key, &reason), 0);
	}
	assert_int_equal(dkim_keys_count(k), 2);
	dkim_keys_free(k);

	/* One is always kept: *out refers to it. */
	k = dkim_keys_new(1);
	assert_int_equal(dkim_keys_find(k, buf_str(&b), &key, &reason), 0);
	assert_int_equal(key->algorithm, DKIM_ED25519_SHA256);
	assert_int_equal(dkim_keys_count(k), 1);
	dkim_keys_free(k);
}

static void what_is_no_key_is_not_remembered(void **state)
{
	(void)state;
	struct dkim_keys *k = dkim_keys_new(3);
	const struct dkim_public_key *key;
	const char *reason = NULL;

	assert_int_equal(dkim_keys_find(k, STR("v=DKIM1; p="), &key, &reason), -ENODATA);
	assert_string_equal(reason, "key was revoked");
	assert_int_equal(dkim_keys_find(k, STR("v=DKIM1; p=AAAA"), &key, &reason), -EINVAL);
	assert_int_equal(dkim_keys_count(k), 0);
	dkim_keys_free(k);
	dkim_keys_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_once),
		cmocka_unit_test(those_used_last_are_kept),
		cmocka_unit_test(long_records_take_the_place_of_several),
		cmocka_unit_test(what_is_no_key_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
