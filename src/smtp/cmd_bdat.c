#include "smtp/reply.h"
#include "smtp/session.h"
#include "smtp/transfer.h"

/* "BDAT 1000", "BDAT 0 LAST" (RFC 3030 2). */
static bool parse(struct str arg, uint64_t *size, bool *last)
{
	struct str word;
	if (!str_next_word(&arg, &word) || str_to_u64(word, INT64_MAX, size) < 0)
		return false;
	*last = str_next_word(&arg, &word);
	return !*last || (str_eq_nocase(word, STR("LAST")) && str_trim(arg).n == 0);
}

/* Why the chunk cannot be taken, or NULL. */
static const char *objection(const struct smtp_session *s)
{
	const struct smtp_tx *tx = s->tx;
	if (!tx || tx->failed)
		return "503 5.5.1 Error: need RCPT command";
	if (!tx->rcpt_count)
		return tx->rcpts_tried ? "554 5.5.1 Error: no valid recipients"
				       : "503 5.5.1 Error: need RCPT command";
	return NULL;
}

/* A chunk is refused as soon as it is clear that the message will be: RFC 3030 2 wants every chunk
 * answered. */
static void end_chunk(struct smtp_session *s, uint64_t size)
{
	struct smtp_receive *r = s->tx->body;
	if (r->refusal || smtp_receive_is_smuggling(r)) {
		smtp_tx_finish(s, r);
		smtp_receive_done(r);
		s->tx->body = NULL;
		s->tx->failed = true;
	} else {
		smtp_reply(s, "250 2.0.0 Ok: %llu bytes", (unsigned long long)size);
	}
}

void cmd_bdat(struct smtp_session *s, struct str arg)
{
	uint64_t size;
	bool last;
	if (!parse(arg, &size, &last)) {
		/* Where the chunk ends and commands begin is anybody's guess. */
		smtp_reply(s, "501 5.5.4 Syntax: BDAT count [LAST]");
		s->closing = true;
		return;
	}

	const char *refusal = objection(s);
	if (!refusal && !s->tx->body)
		s->tx->body = smtp_tx_receive(s, false);
	int error = smtp_transfer_chunk(s, refusal ? NULL : s->tx->body, size);
	if (error < 0) {
		smtp_abandon(s, error);
	} else if (refusal) {
		smtp_reply(s, "%s", refusal);
	} else if (last) {
		smtp_tx_finish(s, s->tx->body);
		smtp_tx_end(s);
	} else {
		end_chunk(s, size);
	}
}
