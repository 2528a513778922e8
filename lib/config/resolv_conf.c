#include "config/resolv_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FILE_OCTETS_MOST = 1 << 20, NDOTS_USUAL = 1, NDOTS_MOST = 15 };

static const char blanks[] = " \t\r";

static void read_nameserver(struct resolv_conf *conf, char *address, struct location at)
{
    address[strcspn(address, blanks)] = '\0';
    if (conf->server_count < RESOLV_CONF_SERVERS_MOST)
        conf->servers[conf->server_count++] = (struct resolv_conf_server){address, at};
}

static void read_search(struct resolv_conf *conf, char *words)
{
    char *rest = NULL;

    conf->search_count = 0;
    for (const char *word = strtok_r(words, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest))
        if (strcmp(word, ".") != 0 && conf->search_count < RESOLV_CONF_SEARCH_MOST)
            conf->search[conf->search_count++] = word;
}

static void read_options(struct resolv_conf *conf, char *words)
{
    static const char ndots[] = "ndots:";
    char *rest = NULL;

    for (const char *word = strtok_r(words, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        if (strncmp(word, ndots, strlen(ndots)) != 0)
            continue;
        unsigned long number = strtoul(word + strlen(ndots), NULL, 10);
        conf->ndots = number > NDOTS_MOST ? NDOTS_MOST : (unsigned)number;
    }
}

static void read_line(struct resolv_conf *conf, char *line, unsigned number)
{
    size_t length = strcspn(line, " \t");
    char *words = line + length + strspn(line + length, " \t");

    if (line[length] == '\0') /* no blank: a keyword alone */
        return;
    line[length] = '\0';
    if (strcmp(line, "nameserver") == 0)
        read_nameserver(conf, words, location_at(number, (uint32_t)(words - line) + 1));
    else if (strcmp(line, "search") == 0 || strcmp(line, "domain") == 0)
        read_search(conf, words);
    else if (strcmp(line, "options") == 0)
        read_options(conf, words);
}

bool resolv_conf_read(const char *path, struct resolv_conf *conf, struct err *err)
{
    size_t length;
    char *text = file_read_text(path, FILE_OCTETS_MOST, &length, err);

    if (text == NULL)
        return false;
    *conf = (struct resolv_conf){.ndots = NDOTS_USUAL, .text = text};
    unsigned number = 1;
    for (char *line = strsep(&text, "\n"); line != NULL; line = strsep(&text, "\n"))
        read_line(conf, line, number++);
    return true;
}

void resolv_conf_close(struct resolv_conf *conf)
{
    free(conf->text);
}
