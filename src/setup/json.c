#include "setup/json.h"

#include <inttypes.h>

#include "base/utf8.h"

void json_write_string(struct buf *out, struct str s)
{
	uint32_t cp;

	buf_putc(out, '"');
	while (s.n) {
		if (utf8_next(&s, &cp) < 0)
			cp = 0xfffd;
		if (cp < 0x20 || cp == 0x7f)
			buf_printf(out, "\\u%04x", cp);
		else if (cp == '"' || cp == '\\')
			buf_printf(out, "\\%c", (char)cp);
		else
			utf8_put(out, cp);
	}
	buf_putc(out, '"');
}

static void begin(struct json *j, const char *key)
{
	if (j->comma)
		buf_puts(j->out, ", ");
	j->comma = true;
	if (key) {
		json_write_string(j->out, str_from(key));
		buf_puts(j->out, ": ");
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	buf_putc(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_putc(j->out, bracket);
	j->comma = true;
}

void json_str(struct json *j, const char *key, struct str value)
{
	begin(j, key);
	json_write_string(j->out, value);
}

void json_str_if(struct json *j, const char *key, struct str value)
{
	if (value.n)
		json_str(j, key, value);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	buf_puts(j->out, value ? "true" : "false");
}
