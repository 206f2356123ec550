/* A loop for one test: run_in_fiber starts a fiber and runs the loop until
 * all fibers have ended. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fiber.h"
#include "core/group.h"
#include "core/loop.h"
#include "core/work.h"

static inline int loop_setup(void **state)
{
	(void)state;
	loop_init(LOOP_CLOCK_VIRTUAL);
	work_init(2);
	return 0;
}

static inline int loop_teardown(void **state)
{
	(void)state;
	/* A failed assertion jumped out of a fiber: leave the wreck alone, so
	 * that it is reported. */
	if (fiber_count() > 0)
		return -1;
	work_done();
	loop_done();
	return 0;
}

static inline void run_in_fiber(fiber_fn *fn, void *arg)
{
	struct group g;

	group_init(&g);
	assert_int_equal(fiber_spawn(&g, "test", fn, arg), 0);
	loop_run();
	assert_int_equal(fiber_count(), 0);
}

#define fiber_test(f) cmocka_unit_test_setup_teardown(f, loop_setup, loop_teardown)
