#include "support/server_script.h"

struct server_script server_script;

void __wrap_server_publish(struct server *server, struct snapshot *snapshot);
void __wrap_server_reclaim(struct server *server);
const struct snapshot *__wrap_server_current(const struct server *server);
size_t __wrap_server_worker_count(const struct server *server);
const struct worker_report *__wrap_server_worker_report(const struct server *server, size_t worker);
void __wrap_server_sum(const struct server *server, struct totals *totals);
void __wrap_server_set_log(struct server *server, const struct settings *settings);

struct server *server_script_server(void)
{
    static char place;

    return (struct server *)&place;
}

void __wrap_server_publish(struct server *server, struct snapshot *snapshot)
{
    __wrap_server_reclaim(server);
    server_script.previous = server_script.current;
    server_script.current = snapshot;
    server_script.publications++;
}

void __wrap_server_reclaim(struct server *server)
{
    (void)server;
    snapshot_free(server_script.previous);
    server_script.previous = NULL;
}

const struct snapshot *__wrap_server_current(const struct server *server)
{
    (void)server;
    return server_script.current;
}

size_t __wrap_server_worker_count(const struct server *server)
{
    (void)server;
    return server_script.worker_count;
}

const struct worker_report *__wrap_server_worker_report(const struct server *server, size_t worker)
{
    (void)server;
    return server_script.reports[worker];
}

void __wrap_server_sum(const struct server *server, struct totals *totals)
{
    (void)server;
    *totals = server_script.totals;
}

void __wrap_server_set_log(struct server *server, const struct settings *settings)
{
    (void)server;
    server_script.log_queries = settings->log_queries;
}

void server_script_close(void)
{
    snapshot_free(server_script.previous);
    snapshot_free(server_script.current);
    server_script = (struct server_script){.current = NULL};
}
