/* What every fiber is doing, in the log. */
#pragma once

/* From now on SIGUSR2 logs a line for each fiber: its name, age, what it waits for and for how
 * long at most. Call it before threads are started and after other signals have been blocked. */
void fiber_log_on_signal(void);
