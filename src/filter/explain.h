/* What is said through explain.ipc. */
#pragma once

#define EXPLAIN_SOCKET "filter.socket" /* in the state directory */
