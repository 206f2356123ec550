#include "core/fiber_log.h"

#include <signal.h>

#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"

static void log_fiber(const char *line)
{
	log_event(LOG_FIBERS, LOG_CSTR("text", line));
}

static void log_fibers(void)
{
	fiber_dump(log_fiber);
}

void fiber_log_on_signal(void)
{
	loop_on_signal(SIGUSR2, log_fibers);
}
