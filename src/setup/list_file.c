#include "setup/list_file.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "setup/message.h"
#include "setup/setup_file.h"

enum setup_exit list_file_check(struct setup *s, const char *file)
{
	const char *path = setup_file_path(s, file).p;
	struct stat st;

	if (stat(path, &st) < 0)
		return message_fail(s, "'%s' does not exist", path);
	if (st.st_size == 0)
		return message_fail(s, "'%s' is empty, nothing to list", path);
	return SETUP_OK;
}

enum setup_exit list_file_print(struct setup *s, const char *file, char separator)
{
	struct str text;
	struct setup_line line;
	struct err err;

	if (list_file_check(s, file) != SETUP_OK)
		return SETUP_ERROR;
	if (setup_file_read(s, file, &text, &err) < 0)
		return message_fail(s, "%s", err.text);
	while (setup_line_next(&text, &line)) {
		if (!line.counts)
			continue;
		struct str shown = separator ? setup_key(line.text, separator) : line.text;
		printf("* %" STR_FMT "\n\n", STR_ARG(shown));
	}
	return SETUP_OK;
}
