#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void rand_bytes(void *p, size_t n)
{
	char *to = p;
	while (n) {
		ssize_t r = getrandom(to, n, 0);
		if (r < 0) {
			check(errno == EINTR);
			continue;
		}
		to += r;
		n -= (size_t)r;
	}
}

uint64_t rand_u64(void)
{
	uint64_t v;
	rand_bytes(&v, sizeof(v));
	return v;
}

uint64_t rand_seed(void)
{
	static uint64_t seed;
	while (!seed)
		seed = rand_u64();
	return seed;
}
