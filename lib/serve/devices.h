#pragma once
/**
 * Looks up the numbers of the network interfaces that a snapshot's connections name as devices.
 *
 * Interfaces come and go, and one of the same name then has another number, so they are looked up
 * again and again. Between two look-ups a device may be taken for gone that is there again; the
 * other way round, the system gives a number anew only when somebody asks for that very number.
 *
 * Sources: netdevice(7), if_nametoindex(3).
 * Threads: the control thread; workers read the numbers meanwhile.  Memory: never allocates.
 */
#include <stdbool.h>

#include "answer/access.h"

enum { DEVICES_INTERVAL_MS = 1000 };

/**
 * Looks all devices up, and logs which are gone and which are there again; for a snapshot that is
 * new, which are not there.
 */
void devices_look_up(const struct access *access, bool is_new);
