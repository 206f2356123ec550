#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "life.h"

/* Live for a while; cut the power at a random moment; come up again and be held to every
 * promise. What survived is the start of the next life. */
static void live_and_die(unsigned seed, unsigned lives, unsigned commits, bool errors)
{
	struct life l;
	const char *dir = disk_begin();
	unsigned dice = seed;

	life_init(&l, seed);
	for (unsigned life = 0; life < lives; life++) {
		assert_int_equal(life_open(&l, dir), 0);
		size_t first = disk_record_length();
		for (unsigned i = 0; i < commits; i++) {
			if (errors && rand_r(&dice) % 5 == 0)
				disk_fail(1 + (unsigned)rand_r(&dice) % 10, 1, EIO);
			life_commit(&l, (unsigned)rand_r(&dice) % 5, (unsigned)rand_r(&dice) % 6);
		}
		disk_mend();
		size_t last = disk_record_length();
		life_close(&l);

		size_t cut = first + (size_t)rand_r(&dice) % (last - first + 1);
		dir = disk_cut_power(cut, seed * 31 + life);
		disk_mend();
		assert_int_equal(life_open(&l, dir), 0);
		assert_int_equal(l.damages, 0);
		life_check_promises(&l, cut);
		life_be_reborn(&l);
		life_close(&l);
	}
	life_done(&l);
	disk_end();
}

static void a_power_cut_at_any_moment_breaks_no_promise(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 150; seed++)
		live_and_die(seed, 3, 25, false);
}

static void nor_does_one_after_errors_of_the_disk(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 150; seed++)
		live_and_die(seed, 3, 25, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_moment_breaks_no_promise),
		cmocka_unit_test(nor_does_one_after_errors_of_the_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
