/* A whole SMTP session with whatever a client may send: it ends, and no message that is taken on
 * port 25 holds a line end that somebody else could read differently.
 *
 * The first byte chooses the port, the rest is sent. */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../tests/sim/smtp/sim.h"
#include "base/check.h"
#include "core/work.h"
#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str input;

static bool has_strange_line_ends(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			return true;
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return true;
	}
	return false;
}

static void converse(struct sim *sim)
{
	sim_send(sim, input);
	shutdown(stream_io(sim->peer)->fd, SHUT_WR);
	while (stream_fill(sim->peer, SIZE_MAX) > 0)
		stream_consume(sim->peer, stream_peek(sim->peer).n);
	if (sim->submitted && sim->client.port == SMTP_PORT_MX &&
	    !(sim->flags & ENVELOPE_BINARYMIME)) {
		check(!has_strange_line_ends(sim->head));
		check(!has_strange_line_ends(sim->body));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const env[] = { "POSTHORN_ALLOW_PLAINTEXT_AUTH=1", NULL };
	static bool ready;

	if (!ready) {
		loop_init(LOOP_CLOCK_VIRTUAL);
		work_init(1);
		ready = true;
	}
	if (size < 1)
		return 0;
	input = str_of(data + 1, size - 1);
	sim_run(data[0] % 2 ? SMTP_PORT_SUBMISSION : SMTP_PORT_MX, env, converse);
	return 0;
}
