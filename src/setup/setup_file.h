/* The files of the config volume, as `setup` edits them: only the lines that are meant change,
 * comments and line ends stay, and of commands that run at the same time none loses a line. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "setup/setup.h"

struct err;

#define SETUP_FILE_MAX ((size_t)256 << 20)

struct str setup_file_path(struct setup *s, const char *file);

/* The whole file, empty when it does not exist. 0 or -Exxx. */
int must_check setup_file_read(struct setup *s, const char *file, struct str *text,
			       struct err *err);

/* One editor at a time: held from before the file is read until it is written. The config
 * directory is created when it is missing. Close the descriptor to let go. Negative: -Exxx,
 * -ETIMEDOUT. */
int must_check setup_lock(struct setup *s, struct err *err);

/* Replace the file, or create it, readable for the server whoever that runs as. */
int must_check setup_file_write(struct setup *s, const char *file, struct str text,
				struct err *err);

/* A line of a file with everything around it. */
struct setup_line {
	struct str raw;	 /* with its line end */
	struct str text; /* without blanks around it */
	bool counts;	 /* neither blank nor a comment */
	bool indented;	 /* in alias files: continues the entry before it */
};

/* Take the next line off *rest. False at the end. */
bool setup_line_next(struct str *rest, struct setup_line *line);

/* Append an entry as a line of its own, also behind a last line without end. */
void setup_append_line(struct buf *out, struct str line);

/* The part of an entry before the separator, and what follows it; blanks around the key are no
 * part of it. separator ' ' stands for any run of blanks. */
struct str setup_key(struct str text, char separator);

/* Does an entry (not a continuation) with this key exist? Case does not matter. */
bool setup_has_key(struct str text, struct str key, char separator);

/* Copy `text` without the entries of a key (and their continuations). Returns how many went. */
unsigned setup_remove_key(struct str text, struct str key, char separator, struct buf *out);
