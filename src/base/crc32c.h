/* CRC-32C (Castagnoli), as in RFC 3720 B.4: guards journal and index records. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Continue `crc` (0 to begin with) over n bytes. Uses the processor's instruction where it has
 * one. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
