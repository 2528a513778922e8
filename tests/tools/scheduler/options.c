#include "scheduler/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { PASSWORD_MOST = 4096 };

static bool read_endpoints(struct scheduler *scheduler, char *text)
{
    char *rest = text;
    const char *endpoint;

    while ((endpoint = strsep(&rest, ",")) != NULL &&
           scheduler->options.endpoint_count < ENDPOINTS_MOST)
        scheduler->endpoints[scheduler->options.endpoint_count++] = endpoint;
    scheduler->options.endpoints = scheduler->endpoints;
    return endpoint == NULL;
}

static bool read_replicas(struct scheduler *scheduler, char *text)
{
    char *rest = text;
    const char *replica;

    scheduler->replicas = calloc(FOLLOW_REPLICAS_MOST, sizeof *scheduler->replicas);
    while (scheduler->replicas != NULL && (replica = strsep(&rest, ",")) != NULL)
        if (scheduler->replica_count == FOLLOW_REPLICAS_MOST ||
            !endpoint_read(replica, 53, &scheduler->replicas[scheduler->replica_count++]))
            return false;
    return scheduler->replicas != NULL;
}

static char *read_password(const char *path)
{
    struct err err;
    size_t length;
    char *text = file_read_text(path, PASSWORD_MOST, &length, &err);

    if (text == NULL)
        fprintf(stderr, "scheduler: %s: %s\n", path, err.text);
    else
        text[strcspn(text, "\r\n")] = '\0';
    return text;
}

const char options_usage[] =
    "usage: --endpoints URL,... [--root R] [--cell C] [--ca F] [--certificate F "
    "--key F] [--user U --password-file F] [--spaces N] [--apps N] [--rate N] "
    "[--seconds N] [--gather-ms N] [--follow ADDR:PORT,...]; or --zones DIR [--dynos]";

static const struct option options[] = {
    {"endpoints", required_argument, NULL, 'e'},
    {"root", required_argument, NULL, 'r'},
    {"cell", required_argument, NULL, 'c'},
    {"ca", required_argument, NULL, 'C'},
    {"certificate", required_argument, NULL, 'x'},
    {"key", required_argument, NULL, 'k'},
    {"user", required_argument, NULL, 'u'},
    {"password-file", required_argument, NULL, 'p'},
    {"spaces", required_argument, NULL, 's'},
    {"apps", required_argument, NULL, 'a'},
    {"rate", required_argument, NULL, 'n'},
    {"seconds", required_argument, NULL, 't'},
    {"gather-ms", required_argument, NULL, 'g'},
    {"follow", required_argument, NULL, 'f'},
    {"zones", required_argument, NULL, 'z'},
    {"dynos", no_argument, NULL, 'd'},
    {NULL, 0, NULL, 0},
};

struct names {
    const char *root, *cell;
};

static bool take_option(struct scheduler *scheduler, struct names *names, int option)
{
    struct etcd_client_options *client = &scheduler->options;

    switch (option) {
    case 'e':
        return read_endpoints(scheduler, optarg);
    case 'f':
        return read_replicas(scheduler, optarg);
    case 'r':
        names->root = optarg;
        return true;
    case 'c':
        names->cell = optarg;
        return true;
    case 'C':
        client->ca = optarg;
        return true;
    case 'x':
        client->certificate = optarg;
        return true;
    case 'k':
        client->key = optarg;
        return true;
    case 'u':
        client->user = optarg;
        return true;
    case 'p':
        client->password = read_password(optarg);
        return client->password != NULL;
    case 's':
        scheduler->platform.spaces = (unsigned)atoi(optarg);
        return true;
    case 'a':
        scheduler->platform.apps = (unsigned)atoi(optarg);
        return true;
    case 'n':
        scheduler->rate = atof(optarg);
        return true;
    case 't':
        scheduler->seconds = (uint64_t)atoll(optarg);
        return true;
    case 'g':
        scheduler->batch.gather_ms = (uint64_t)atoll(optarg);
        return true;
    case 'd':
        scheduler->platform.has_dynos = true;
        return true;
    case 'z':
        scheduler->zones = optarg;
        return true;
    default:
        return false;
    }
}

bool options_read(struct scheduler *scheduler, int argc, char **argv)
{
    struct names names = {"/spacedns", "test"};
    struct platform *platform = &scheduler->platform;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
        if (!take_option(scheduler, &names, option))
            return false;
    snprintf(scheduler->prefix, sizeof scheduler->prefix, "%.100s/%.100s/", names.root, names.cell);
    platform->prefix = scheduler->prefix;
    return optind == argc && platform->spaces >= 1 && platform->apps >= 1 &&
           platform->spaces <= PLATFORM_SPACES_MOST && platform->apps <= PLATFORM_APPS_MOST &&
           scheduler->rate >= 0 &&
           (scheduler->zones != NULL || scheduler->options.endpoint_count > 0);
}
