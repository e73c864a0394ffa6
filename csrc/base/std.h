/* std.h: what every file may use of the C library: types, errno, and bytes in memory. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
