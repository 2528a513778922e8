#include "etcd/method.h"

const char *etcd_method_path(enum etcd_method method)
{
    static const char *const paths[] = {
#define METHOD(name, path) path,
#include "etcd/methods.def"
#undef METHOD
    };

    return paths[method];
}
