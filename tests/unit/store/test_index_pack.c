/* Records of an index in few bytes: what goes in comes out. */
#include "store/index_pack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

#define MANY (2 * INDEX_BLOCK + 1)

static struct buf pack(const struct store_rec *v, uint32_t n)
{
	struct buf out;
	struct index_packer p = { .out = &out };

	buf_init(&out, NULL, (size_t)1 << 20);
	for (uint32_t i = 0; i < n; i++)
		index_pack(&p, &v[i]);
	index_pack_end(&p);
	return out;
}

static void assert_kept(const struct store_rec *v, uint32_t n)
{
	struct store_rec *got = calloc(n + 1, sizeof(*got));
	auto_buf struct buf out = pack(v, n);

	assert_int_equal(index_unpack(buf_str(&out), got, n), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_memory_equal(&got[i], &v[i], sizeof(*v));
	free(got);
}

static struct store_rec usual(uint32_t i)
{
	return (struct store_rec){ .uid = i + 1,
				   .modseq = 5,
				   .size = 5000 + i % 77,
				   .date = 1700000000 + (int64_t)i,
				   .bare = 60,
				   .name = 40 * i,
				   .name_len = 39,
				   .facts = i + 1 };
}

static void no_record_and_one(void **state)
{
	struct store_rec r = usual(0);

	(void)state;
	assert_kept(&r, 0);
	assert_kept(&r, 1);
}

static void a_usual_mailbox_takes_few_bytes(void **state)
{
	struct store_rec v[MANY];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		v[i] = usual(i);
	assert_kept(v, MANY);
	auto_buf struct buf out = pack(v, MANY);
	assert_true(out.n < 8 * MANY);
}

static uint64_t some(void)
{
	static const uint64_t edges[] = { 0,	      1,	 0x7f,		 0x80,
					  UINT32_MAX, INT64_MAX, UINT64_MAX - 1, UINT64_MAX };
	uint64_t r = (uint64_t)random() << 33 ^ (uint64_t)random();

	return random() % 3 ? edges[random() % ARRAY_LEN(edges)] : r >> random() % 64;
}

/* Whatever stands in the fields, near to what was before or far from it. */
static void any_record_is_kept(void **state)
{
	struct store_rec v[MANY];

	(void)state;
	srandom(9);
	for (int round = 0; round < 50; round++) {
		uint32_t uid = 0;
		for (uint32_t i = 0; i < MANY; i++) {
			v[i] = random() % 2 && i ? v[i - 1] : usual(i);
			v[i].uid = uid += 1 + (uint32_t)(random() % 3);
			if (random() % 2)
				v[i].modseq = some();
			if (random() % 2)
				v[i].size = some();
			if (random() % 2)
				v[i].date = (int64_t)some();
			if (random() % 2)
				v[i].bare = (uint32_t)some();
			if (random() % 4 == 0) {
				v[i].letters = (uint32_t)some();
				v[i].keywords = (uint32_t)some();
				v[i].file_letters = (uint32_t)some();
				v[i].file_keywords = (uint32_t)some();
				v[i].flags = (uint8_t)some();
				v[i].state = (uint8_t)some();
			}
			if (random() % 4 == 0)
				v[i].name = (uint32_t)some();
			if (random() % 4 == 0)
				v[i].name_len = (uint16_t)some();
			if (random() % 4 == 0)
				v[i].facts = (uint32_t)some();
		}
		assert_kept(v, MANY);
	}
}

static void uids_may_be_as_large_as_they_get(void **state)
{
	struct store_rec v[] = { usual(0), usual(1) };

	(void)state;
	v[1].uid = UINT32_MAX;
	assert_kept(v, 2);
}

/* Each bit of it is under a checksum, or says how much is. */
static void a_bit_that_was_flipped_is_noticed(void **state)
{
	struct store_rec v[MANY], got[MANY];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		v[i] = usual(i);
	auto_buf struct buf out = pack(v, MANY);
	for (size_t bit = 0; bit < 8 * out.n; bit += bit < 64 ? 1 : 37) {
		out.p[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(index_unpack(buf_str(&out), got, MANY), -EBADMSG);
		out.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < out.n; n += 7)
		assert_int_equal(index_unpack(str_of(out.p, n), got, MANY), -EBADMSG);
	assert_int_equal(index_unpack(buf_str(&out), got, MANY - 1), -EBADMSG);
	assert_int_equal(index_unpack(buf_str(&out), got, INDEX_BLOCK), -EBADMSG);
}

/* A number of 32 bits with more of them, one without an end. */
static void numbers_that_are_none_are_noticed(void **state)
{
	static const char *const bad[] = { "\x08\x01\xff\xff\xff\xff\x7f", "\x00\x80",
					   "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
					   "\x00" };
	static const size_t sizes[] = { 7, 2, 13, 1 };
	struct store_rec got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf struct buf out;
		struct index_block head = { (uint32_t)sizes[i], crc32c(0, bad[i], sizes[i]) };
		buf_init(&out, NULL, 100);
		buf_put(&out, &head, sizeof(head));
		buf_put(&out, bad[i], sizes[i]);
		assert_int_equal(index_unpack(buf_str(&out), &got, 1), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_record_and_one),
		cmocka_unit_test(a_usual_mailbox_takes_few_bytes),
		cmocka_unit_test(any_record_is_kept),
		cmocka_unit_test(uids_may_be_as_large_as_they_get),
		cmocka_unit_test(a_bit_that_was_flipped_is_noticed),
		cmocka_unit_test(numbers_that_are_none_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
