#include "setup/explain_log.h"

#include <stdio.h>

#include "core/settings.h"
#include "queue/queue_id.h"
#include "setup/server_settings.h"

#define LINE_ROOM 16384

/* A word that is a queue id. */
static uint64_t id_in(struct str line)
{
	uint64_t id;

	for (size_t i = 0; i < line.n;) {
		size_t n = 0;
		while (i + n < line.n && ascii_is_alnum((unsigned char)line.p[i + n]))
			n++;
		if (n == QUEUE_ID_LEN && queue_id_parse(str_sub(line, i, n), &id) == 0)
			return id;
		i += n + 1;
	}
	return 0;
}

static FILE *open_log(struct setup *s)
{
	struct str path = arena_printf(&s->arena, "%" STR_FMT "/mail.log",
				       STR_ARG(server_settings(s)->log_dir));

	return fopen(path.p, "re");
}

/* The last line with it counts. */
uint64_t explain_log_find(struct setup *s, struct str message_id)
{
	static char line[LINE_ROOM];
	FILE *log = open_log(s);
	uint64_t found = 0;

	while (log && message_id.n && fgets(line, sizeof(line), log)) {
		struct str text = str_from(line);
		uint64_t id = str_find(text, message_id) >= 0 ? id_in(text) : 0;
		if (id)
			found = id;
	}
	if (log)
		fclose(log);
	return found;
}

void explain_log_read(struct setup *s, uint64_t id, struct explain_log *out)
{
	static char line[LINE_ROOM];
	struct queue_id_text text = queue_id_text(id);
	FILE *log = id ? open_log(s) : NULL;

	out->count = 0;
	while (log && out->count < EXPLAIN_LOG_MAX && fgets(line, sizeof(line), log))
		if (str_find(str_from(line), str_from(text.c)) >= 0)
			out->lines[out->count++] = arena_str(&s->arena, str_chomp(str_from(line)));
	if (log)
		fclose(log);
}
