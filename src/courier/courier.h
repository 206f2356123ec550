/* What came of an attempt to deliver to another server. */
#pragma once

enum courier_outcome {
	COURIER_DELIVERED,
	COURIER_TRY_AGAIN,
	COURIER_REFUSED,
};

/* What an attempt tells about its destination: the feedback for how many run at once. */
enum courier_trouble {
	COURIER_FINE,	     /* the server works, whatever it said of this message */
	COURIER_BUSY,	     /* it takes connections, and sent this one away: 421, too many */
	COURIER_UNREACHABLE, /* no server of the destination could be spoken to */
};
