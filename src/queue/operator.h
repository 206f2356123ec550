/* What is said through operator.ipc. */
#pragma once

#define OPERATOR_SOCKET	 "queue.socket" /* in the state directory */
#define OPERATOR_IDS_MAX 200		/* asked about at a time */
#define OPERATOR_ACT_MAX 1000		/* acted on at a time: other mail must not feel it */

enum operator_state {
	OPERATOR_INCOMING,
	OPERATOR_ACTIVE,
	OPERATOR_DEFERRED,
	OPERATOR_HELD,
};

enum operator_action {
	OPERATOR_RETRY,
	OPERATOR_HOLD,
	OPERATOR_RELEASE,
	OPERATOR_DELETE,
	OPERATOR_ACTIONS,
};
