#include "spacedns/doctor_conf.h"

#include <string.h>

#include "config/resolv_conf.h"

enum { TYPES_ASKED = 2, PORT = 53 };

static void add_server(struct doctor_conf *conf, const char *address)
{
    if (*address == '\0')
        return;
    if (conf->server_count == NAMESERVERS_MOST ||
        !endpoint_read(address, PORT, &conf->servers[conf->server_count]))
        conf->ignored++;
    else
        conf->server_count++;
}

bool doctor_conf_read(const char *path, struct doctor_conf *conf, struct err *err)
{
    struct resolv_conf file;
    struct err cause;

    if (!resolv_conf_read(path, &file, &cause))
        return err_set(err, cause.code, "%.300s %s; name another with --resolv-conf FILE", path,
                       cause.text);
    *conf = (struct doctor_conf){.search_count = file.search_count, .ndots = file.ndots};
    for (size_t i = 0; i < file.server_count; i++)
        add_server(conf, file.servers[i].address);
    resolv_conf_close(&file);
    conf->names_none = conf->server_count == 0;
    if (conf->names_none)
        conf->server_count = endpoint_read("127.0.0.1", PORT, &conf->servers[0]) ? 1 : 0;
    return true;
}

unsigned doctor_conf_waste(const struct doctor_conf *conf, const char *name)
{
    size_t length = strlen(name);
    unsigned dots = 0;

    if (length > 0 && name[length - 1] == '.')
        return 0;
    for (size_t i = 0; i < length; i++)
        dots += name[i] == '.';
    return dots >= conf->ndots ? 0 : TYPES_ASKED * (unsigned)conf->search_count;
}
