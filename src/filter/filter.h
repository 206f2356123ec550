/* What the filter advises. */
#pragma once

enum filter_action {
	FILTER_ACCEPT,
	FILTER_QUARANTINE, /* accept, but do not trust: its author's domain asks for that */
	FILTER_REJECT,
};

/* What the DNS says of a client's address: does its name lead back to it? RFC 8601 2.7.3. */
enum filter_iprev {
	FILTER_IPREV_NONE, /* nobody has asked */
	FILTER_IPREV_PASS,
	FILTER_IPREV_FAIL, /* it has names, and none of them does */
	FILTER_IPREV_TEMPERROR,
	FILTER_IPREV_PERMERROR, /* it has no name */
	FILTER_IPREVS
};
