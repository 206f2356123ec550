/* Whatever a peer sends, a log line stays one line of printable text and one JSON object whose
 * strings end where they should. */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/utf8.h"
#include "core/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct str line)
{
	check(line.n > 1 && line.n <= LOG_LINE_MAX && line.p[line.n - 1] == '\n');
	line.n--;
	check(utf8_is_valid(line));
	for (size_t i = 0; i < line.n; i++)
		check((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
}

static void check_json(struct str line)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i + 1 < line.n; i++) {
		if (in_string && line.p[i] == '\\')
			i++;
		else if (line.p[i] == '"')
			in_string = !in_string;
		else if (!in_string)
			depth += line.p[i] == '{' ? 1 : line.p[i] == '}' ? -1 : 0;
	}
	check(!in_string && depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str first, second;
	str_cut(str_of(data, size), '\n', &first, &second);
	const struct log_field fields[] = { LOG_STR("to", first),
					    LOG_STR("reply", second),
					    LOG_STR("other", second),
					    { .key = NULL } };
	struct log_context context = { .fields = { LOG_STR("client", second) }, .count = 1 };
	struct log_line l = { .time = 1795492949000123,
			      .event = &log_events[size % LOG_EVENT_COUNT],
			      .role = "front",
			      .host = STR("mx"),
			      .fields = fields,
			      .context = &context };
	auto_buf struct buf b;

	buf_init(&b, NULL, size % 2 ? LOG_LINE_MAX : 600);
	log_line_write_text(&b, &l);
	check_line(buf_str(&b));
	buf_clear(&b);
	log_line_write_json(&b, &l);
	check_line(buf_str(&b));
	check_json(buf_str(&b));
	return 0;
}
