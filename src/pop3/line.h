/* A POP3 command line (RFC 1939 section 3): a keyword and its arguments, each after one space. */
#pragma once

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

/* RFC 2449 4: 255 octets with CRLF; some room for passwords and initial SASL responses. */
#define POP3_LINE_MAX 16384
#define POP3_ARGS_MAX 3

struct pop3_line {
	struct str keyword; /* as sent; compare without case */
	struct str args;    /* everything behind the first space */
	struct str arg[POP3_ARGS_MAX];
	unsigned count; /* of words in args; more than POP3_ARGS_MAX are not kept */
};

/* The strings point into `line`, which may end with CRLF or LF. */
struct pop3_line pop3_line_parse(struct str line);

/* A decimal number that fits 32 bits. 0 or -EINVAL. */
int must_check pop3_number_parse(struct str s, uint32_t *out);
