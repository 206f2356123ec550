/* The settings of the server, from environment variables by the table in core/settings.def.
 *
 * The supervisor loads them once, reports what it finds, and hands the result to the roles through
 * their environment (settings_export), so that all of them agree. After settings_use they never
 * change while the process lives. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct arena;
struct err;

/* enum setting_<tag>, one constant per word of a choice. */
#define SETTING_ENUM(tag)                                                                          \
	enum setting_##tag                                                                         \
	{
#define SETTING_WORD(constant, word) constant,
#define SETTING_ENUM_END                                                                           \
	}                                                                                          \
	;
#include "core/settings.def"

#define SETTING_GROUP(title)
#define SETTING(type, field, name, def, min, max, doc)	SETTING_ID_##field,
#define SETTING_CHOICE(field, name, def, tag, bad, doc) SETTING_ID_##field,
enum setting_id {
#include "core/settings.def"
	SETTING_COUNT
};

#define SETTING_C_SWITCH  bool
#define SETTING_C_INTEGER int64_t
#define SETTING_C_SIZE	  int64_t /* bytes */
#define SETTING_C_TIME	  int64_t /* milliseconds */
#define SETTING_C_TEXT	  struct str
#define SETTING_C_PATH	  struct str

/* All strings have a NUL behind their last byte and live as long as the arena given to
 * settings_load. */
struct settings {
#define SETTING_GROUP(title)
#define SETTING(type, field, name, def, min, max, doc)	SETTING_C_##type field;
#define SETTING_CHOICE(field, name, def, tag, bad, doc) enum setting_##tag field;
#include "core/settings.def"

	/* Computed. */
	struct str fqdn;       /* what the server calls itself */
	struct str domain;     /* fqdn without its first label, unless only two are left */
	struct str host;       /* first label of the kernel's host name: log lines, Maildir names */
	struct str config_dir; /* the volumes, with root in front */
	struct str mail_dir;
	struct str state_dir;
	struct str log_dir;
	struct str local_socket; /* where programs of this machine hand in mail */

	struct str text[SETTING_COUNT]; /* every value as it was written, or the default */
};

enum settings_severity {
	SETTINGS_ERROR, /* the server cannot start */
	SETTINGS_WARN,
	SETTINGS_INFO,
};

/* Told about everything worth a line in the log, in the order of the table. */
struct settings_reporter {
	void (*report)(void *ctx, enum settings_severity severity, const char *text);
	void *ctx;
};

/* Read a NULL-terminated list of NAME=value. Where a variable is unset or empty and NAME__FILE
 * names a regular file, the value is its contents. `r` may be NULL. Looks at every variable even
 * after an error; returns 0 or -EINVAL with the first error in *err. */
int must_check settings_load(const char *const *env, const struct settings_reporter *r,
			     struct arena *a, struct settings *out, struct err *err);

/* Make *s, which stays where it is, the settings of this process. */
void settings_use(const struct settings *s);

/* The settings of this process; a bug before settings_use. */
const struct settings *settings_get(void);

/* The resolved NAME=value list that gives a child the same settings, NULL-terminated. */
const char *const *settings_export(const struct settings *s, struct arena *a);

const char *settings_name(enum setting_id id);

/* Where an absolute path of the container is: behind POSTHORN_ROOT, if that is set. */
struct str settings_path(const struct settings *s, struct arena *a, const char *path);
