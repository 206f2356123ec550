/* The words for what became of a signature (RFC 8601 2.7.1). */
#pragma once

enum dkim_result {
	DKIM_NONE,
	DKIM_PASS,
	DKIM_FAIL,
	DKIM_POLICY,  /* it may be right, and is not accepted: key too small, old, l= */
	DKIM_NEUTRAL, /* it cannot be read */
	DKIM_TEMPERROR,
	DKIM_PERMERROR,
};

const char *dkim_result_name(enum dkim_result r);
