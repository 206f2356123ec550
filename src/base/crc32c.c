#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#define CRC32C_POLYNOMIAL 0x82f63b78u /* bit-reversed */

static uint32_t crc_table[256];

static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ CRC32C_POLYNOMIAL : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc_by_table(uint32_t crc, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		crc = crc >> 8 ^ crc_table[(crc ^ p[i]) & 0xff];
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_by_cpu(uint32_t crc, const unsigned char *p,
							     size_t n)
{
	uint64_t c = crc;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		c = __builtin_ia32_crc32di(c, w);
	}
	for (; n; p++, n--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p);
	return (uint32_t)c;
}

static bool cpu_has_crc(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t crc_by_cpu(uint32_t crc, const unsigned char *p, size_t n)
{
	return crc_by_table(crc, p, n);
}

static bool cpu_has_crc(void)
{
	return false;
}
#endif

static uint32_t (*crc_impl)(uint32_t crc, const unsigned char *p, size_t n);

__attribute__((constructor)) static void choose_impl(void)
{
	fill_table();
	crc_impl = cpu_has_crc() ? crc_by_cpu : crc_by_table;
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	return ~crc_impl(~crc, p, n);
}
