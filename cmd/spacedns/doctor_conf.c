#include "spacedns/doctor_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILE_OCTETS_MOST = 1 << 20, NDOTS_USUAL = 1, NDOTS_MOST = 15, TYPES_ASKED = 2, PORT = 53 };

static const char blanks[] = " \t\r\n";

static void read_nameserver(struct resolv_conf *conf, char **rest)
{
    const char *word = strtok_r(NULL, blanks, rest);

    if (word == NULL)
        return;
    if (conf->server_count == NAMESERVERS_MOST ||
        !endpoint_read(word, PORT, &conf->servers[conf->server_count]))
        conf->ignored++;
    else
        conf->server_count++;
}

static void read_search(struct resolv_conf *conf, char **rest)
{
    const char *word;

    conf->search_count = 0;
    while ((word = strtok_r(NULL, blanks, rest)) != NULL && conf->search_count < SEARCH_MOST)
        if (strcmp(word, ".") != 0)
            snprintf(conf->search[conf->search_count++], SEARCH_TEXT_MAX, "%.255s", word);
}

static void read_options(struct resolv_conf *conf, char **rest)
{
    const char *word;

    while ((word = strtok_r(NULL, blanks, rest)) != NULL)
        if (strncmp(word, "ndots:", strlen("ndots:")) == 0) {
            unsigned long ndots = strtoul(word + strlen("ndots:"), NULL, 10);
            conf->ndots = ndots > NDOTS_MOST ? NDOTS_MOST : (unsigned)ndots;
        }
}

static void read_line(struct resolv_conf *conf, char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, blanks, &rest);

    if (word == NULL)
        return;
    if (strcmp(word, "nameserver") == 0)
        read_nameserver(conf, &rest);
    else if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0)
        read_search(conf, &rest);
    else if (strcmp(word, "options") == 0)
        read_options(conf, &rest);
}

bool resolv_conf_read(const char *path, struct resolv_conf *conf, struct err *err)
{
    struct err cause;
    size_t length;
    char *rest = NULL, *text = file_read_text(path, FILE_OCTETS_MOST, &length, &cause);

    if (text == NULL)
        return err_set(err, cause.code, "%.300s %s; name another with --resolv-conf FILE", path,
                       cause.text);
    *conf = (struct resolv_conf){.ndots = NDOTS_USUAL};
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        read_line(conf, line);
    free(text);
    conf->names_none = conf->server_count == 0;
    if (conf->names_none)
        conf->server_count = endpoint_read("127.0.0.1", PORT, &conf->servers[0]) ? 1 : 0;
    return true;
}

unsigned resolv_conf_waste(const struct resolv_conf *conf, const char *name)
{
    size_t length = strlen(name);
    unsigned dots = 0;

    if (length > 0 && name[length - 1] == '.')
        return 0;
    for (size_t i = 0; i < length; i++)
        dots += name[i] == '.';
    return dots >= conf->ndots ? 0 : TYPES_ASKED * (unsigned)conf->search_count;
}
