#pragma once
/**
 * Finds out, on a dyno or a laptop, why names do not resolve there: reads resolv.conf as a client
 * does, asks each nameserver in each way that clients use, and says which hop fails.
 */
#include "spacedns/session.h"

session_command run_doctor;
