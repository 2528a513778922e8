#pragma once
/**
 * Whether this is a debug build (CMAKE_BUILD_TYPE Debug), which may spend time on checks that a
 * production server does not repeat.
 *
 * Threads, memory: a constant.
 */
#ifdef SPACEDNS_DEBUG
enum { IS_DEBUG_BUILD = 1 };
#else
enum { IS_DEBUG_BUILD = 0 };
#endif
