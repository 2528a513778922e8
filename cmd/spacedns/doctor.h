#pragma once
/** Command doctor: a diagnosis (diagnosis.h) with the server's suffix of discovery names. */
#include "spacedns/session.h"

session_command run_doctor;
