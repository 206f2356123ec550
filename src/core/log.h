/* The log: one event per fact, with fields, from the table in core/log_event.def.
 *
 *	log_event(LOG_SMTP_REJECTED, LOG_STR("to", rcpt), LOG_STR("reply", reply));
 *
 * Who decides what a failure means logs it, once; library code does not log. What is true of a
 * whole session (its id, peer, user) is attached to its fiber as a context and repeated nowhere.
 * Values may hold any byte: they are escaped and cut. Never log a password, a token or a message's
 * content.
 *
 * Lines collect in memory and are written when the loop is about to sleep (log_flush). Only the
 * thread of the loop may log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

#define LOG_EVENT(id, name, level, tag, text) LOG_##id,
enum log_event_id {
#include "core/log_event.def"
	LOG_EVENT_COUNT
};

struct log_field {
	const char *key; /* literal */
	struct str text;
	int64_t number;
	bool is_number;
};

#define LOG_STR(k, s)	((struct log_field){ .key = (k), .text = (s) })
#define LOG_CSTR(k, s)	((struct log_field){ .key = (k), .text = str_from(s) })
#define LOG_INT(k, i)	((struct log_field){ .key = (k), .number = (i), .is_number = true })
#define LOG_REASON(err) LOG_CSTR("reason", (err)->text)

/* The fields are evaluated only when the event's level is logged. */
#define log_event(id, ...)                                                                         \
	do {                                                                                       \
		if (log_is_wanted(id))                                                             \
			log_write((id), (const struct log_field[]){                                \
						__VA_ARGS__ __VA_OPT__(, ){ .key = NULL } });      \
	} while (0)

bool log_is_wanted(enum log_event_id id);

/* `fields` ends with one without a key. */
void log_write(enum log_event_id id, const struct log_field *fields);

/* What the lines of a session share. Lives on the session's stack or in its arena. */
#define LOG_CONTEXT_FIELDS 8

struct log_context {
	const struct log_context *parent;
	const char *tag; /* literal, see log_event.def; NULL: the parent's */
	struct log_field fields[LOG_CONTEXT_FIELDS];
	size_t count;
};

/* Attach a context to the running fiber, within the one that is attached: it becomes the parent.
 * Fibers started from then on inherit it. */
void log_context_enter(struct log_context *c, const char *tag);

/* Back to the parent. */
void log_context_leave(const struct log_context *c);

/* Add a field, or replace the one with its key. */
void log_context_set(struct log_context *c, struct log_field field);

struct log_config {
	const char *role; /* literal: "front" */
	struct str host;  /* outlives the log */
	enum log_level level;
	enum log_format format;
	int fd; /* opened with O_APPEND; borrowed */
};

/* Before this, lines go to standard error, level info. Takes over failed checks. */
void log_init(const struct log_config *config);

/* What log_init wants, from the settings of this process; fd is the number in POSTHORN_LOG_FD, else
 * standard error. */
#define LOG_FD_ENV "POSTHORN_LOG_FD"
struct log_config log_config_from_settings(const char *role);

/* The file was opened anew. */
void log_set_fd(int fd);

/* Write what has collected. When the file takes no more (ENOSPC), the lines go to standard error as
 * far as that does not block. */
void log_flush(void);
