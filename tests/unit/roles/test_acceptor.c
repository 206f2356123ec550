#include "core/fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "roles/acceptor.h"

#define CLIENTS 40

static unsigned accepted;

static void count(void *ctx, int fd, const union socket_address *peer)
{
	(void)ctx, (void)peer;
	accepted++;
	close(fd);
}

static int listen_on_loopback(struct sockaddr_in *address)
{
	socklen_t n = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)address, n), 0);
	assert_int_equal(listen(fd, 2 * CLIENTS), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &n), 0);
	return fd;
}

static void accept_a_crowd(void *unused)
{
	struct sockaddr_in address;
	struct acceptor a = { .connected = count };
	int clients[CLIENTS];
	struct group g;
	(void)unused;

	io_init(&a.io, listen_on_loopback(&address));
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof(address)),
				 0);
	}
	group_init(&g);
	assert_int_equal(acceptor_start(&a, &g), 0);
	assert_int_equal(fiber_yield(), 0);
	assert_in_range(accepted, 1, CLIENTS / 2);
	for (int i = 0; i < 100 && accepted < CLIENTS; i++)
		assert_int_equal(fiber_yield(), 0);
	assert_int_equal(accepted, CLIENTS);
	group_done(&g);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

static void a_crowd_at_the_door_does_not_keep_others_waiting(void **state)
{
	(void)state;
	run_in_fiber(accept_a_crowd, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fiber_test(a_crowd_at_the_door_does_not_keep_others_waiting),
	};
	return cmocka_run_group_tests_name("roles/acceptor", tests, NULL, NULL);
}
