#pragma once
/**
 * The calls of etcd's API that we make.
 *
 * Sources: etcd's rpc.proto.
 * Threads: constants.  Memory: never allocates.
 */

/** ETCD_RANGE, ETCD_PUT, ... */
enum etcd_method {
#define METHOD(name, path) ETCD_##name,
#include "etcd/methods.def"
#undef METHOD
};

/** "/etcdserverpb.KV/Range" */
const char *etcd_method_path(enum etcd_method method);
