#pragma once
/**
 * Command doctor: finds out, on a dyno or a laptop, why names do not resolve there. Reads
 * resolv.conf as a client does, queries each nameserver in each way that clients use, and prints
 * which hop fails.
 */
#include "spacedns/session.h"

session_command run_doctor;
