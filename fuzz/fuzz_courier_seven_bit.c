/* Whatever a message is, its 7-bit form is a file of bounded size. */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "base/check.h"
#include "courier/seven_bit.h"

/* A byte becomes three, and a part, of which there is one for some bytes, gets a header. */
#define GROWTH 100
#define ADDED  1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t length;
	int fd;

	if (seven_bit_write(str_of(data, size), &fd, &length, NULL) < 0)
		return 0;
	check((uint64_t)lseek(fd, 0, SEEK_END) == length);
	check(length <= ADDED + GROWTH * (uint64_t)size);
	close(fd);
	return 0;
}
