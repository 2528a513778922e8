#pragma once
/**
 * Whether this build is one for finding mistakes (CMAKE_BUILD_TYPE Debug): it may take its time
 * over checks that a server in use does not repeat.
 */
#ifdef SPACEDNS_DEBUG
enum { IS_DEBUG_BUILD = 1 };
#else
enum { IS_DEBUG_BUILD = 0 };
#endif
