#pragma once
/**
 * Reads all keys of a registry at one revision into a view (registry_view.h).
 *
 * Threads: one.  Memory: the view's arena; a page's own is freed after it.
 */
#include "spacedns/registry_view.h"

/** Fills a view that has its arena and report. Returns false with *err. */
bool registry_read(struct registry_view *view, const struct registry_reading *reading,
                   struct err *err);
