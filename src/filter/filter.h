/* What the filter advises. */
#pragma once

enum filter_action {
	FILTER_ACCEPT,
	FILTER_QUARANTINE, /* accept, but do not trust: its author's domain asks for that */
	FILTER_REJECT,
};
