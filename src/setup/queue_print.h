/* How messages of the queue look on a terminal and in JSON. Nothing from outside reaches the
 * terminal as a control character. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct operator_message;
struct operator_recipient;
struct queue_reasons;

/* What is a control character, or no UTF-8, is a question mark. */
void print_text(struct str s);

/* The same for lines of text in pieces, with their ends and tabs: how many bytes of the piece were
 * taken; the others begin the next one, unless this is the last. */
size_t print_lines_piece(struct str piece, bool last);

/* "Thu Nov 26 10:05:24", and "2026-11-26 10:05:24". */
void print_arrival(uint64_t id);
void print_time(int64_t unix_s);

/* An entry as `mailq` shows it, between queue_print_head and queue_print_foot. */
void queue_print_head(void);
void queue_print_message(const struct operator_message *m,
			 const struct operator_recipient *recipients,
			 const struct queue_reasons *reasons);
void queue_print_foot(uint64_t count, uint64_t bytes);

/* A string in JSON, quotes included. Bytes that are no UTF-8 are U+FFFD. */
void print_json_string(struct str s);

/* The same in pieces, without the quotes: `last` ends it. How many bytes of the piece were taken;
 * the others begin the next one. */
size_t print_json_piece(struct str piece, bool last);

/* `, "name": "value"`; nothing for a value that is empty. */
void print_json_field(const char *name, struct str value);

/* The same as members of a JSON object without its braces, with the names of `postqueue -j`. */
void queue_print_json(const struct operator_message *m, const struct operator_recipient *recipients,
		      const struct queue_reasons *reasons);

/* "incoming", "active", "deferred", "hold". */
const char *queue_state_word(unsigned state);
