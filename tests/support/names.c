#include "support/names.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LETTERS_MOST = 253, LABEL_MOST = 63 };

static bool is_name(const char *text)
{
    while (*text != '\0') {
        size_t label = strcspn(text, ".");
        if (label == 0 || label > LABEL_MOST)
            return false;
        text += label + (text[label] == '.');
    }
    return true;
}

/* Adds a name; one that is too long for the DNS is skipped. */
static void add(struct names *names, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct names *names, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (strlen(text) > NAME_LETTERS_MOST || !is_name(text))
        return;
    if (names->count == names->capacity) {
        names->capacity = 2 * names->capacity + 1024;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        if (names->items == NULL)
            abort();
    }
    snprintf(names->items[names->count++], NAME_TEXT_MOST, "%.*s.", NAME_LETTERS_MOST, text);
}

static void add_reverse(struct names *names, uint32_t ip)
{
    add(names, "%u.%u.%u.%u.in-addr.arpa", ip & 255, ip >> 8 & 255, ip >> 16 & 255, ip >> 24);
}

static void add_formation(struct names *names, const char *app, const struct formation *formation)
{
    const char *type = formation->type.text;

    add(names, "%s.%s.app.localspace", type, app);
    add(names, "_tcp.%s.%s.app.localspace", type, app);
    add(names, "0.%s.%s.app.localspace", type, app);
    add(names, "999.%s.%s.app.localspace", type, app);
    for (size_t i = 0; i < formation->dyno_count; i++) {
        add(names, "%u.%s.%s.app.localspace", formation->dynos[i].number, type, app);
        add_reverse(names, formation->dynos[i].ip);
    }
    for (size_t i = 0; i < formation->port_count; i++) {
        add(names, "_%s._tcp.%s.%s.app.localspace", formation->ports[i].name.text, type, app);
        add(names, "_%s._udp.%s.%s.app.localspace", formation->ports[i].name.text, type, app);
    }
}

static void add_app(struct names *names, const struct app *app)
{
    const char *name = app->name.text;

    add(names, "%s.herokuapp.com", name);
    if (app->default_domain.text != NULL)
        add(names, "%s", app->default_domain.text);
    for (size_t i = 0; i < app->domain_count; i++) {
        const struct domain *domain = &app->domains[i];
        add(names, "%s", domain->hostname.text);
        if (domain->cname.text != NULL)
            add(names, "%s", domain->cname.text);
    }
    add(names, "%s.app.localspace", name);
    add(names, "_dynos.%s.app.localspace", name);
    add(names, "missing.%s.app.localspace", name);
    for (size_t i = 0; i < app->formation_count; i++)
        add_formation(names, name, &app->formations[i]);
}

static void add_space(struct names *names, const struct space *space)
{
    uint32_t first = cidr_first(space->cidr.cidr);

    for (size_t i = 0; i < space->app_count; i++)
        add_app(names, &space->apps[i]);
    add(names, "%s.space.localspace", space->name.text);
    for (size_t i = 0; i <= space->router_count; i++)
        add(names, "router-%zu.%s.space.localspace", i + 1, space->name.text);
    for (size_t i = 0; i < space->router_count; i++)
        add_reverse(names, space->routers[i].ip);
    add_reverse(names, first);
    add_reverse(names, first | 0xffff);
    add_reverse(names, first | 0x7f01);
    add(names, "%u.%u.in-addr.arpa", first >> 16 & 255, first >> 24);
    for (size_t i = 0; i < space->record_count; i++) {
        const char *line = (const char *)space->records[i].owner;
        char text[NAME_TEXT_MOST] = "";
        size_t length = 0;
        for (const char *label = line; *label != 0; label += *label + 1)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%.*s",
                                       length > 0 ? "." : "", *label, label + 1);
        add(names, "%s", text);
    }
}

static void add_strangers(struct names *names)
{
    static const char *const strangers[] = {
        "localspace",
        "app.localspace",
        "space.localspace",
        "_whoami.localspace",
        "_apps.localspace",
        "version.localspace",
        "upcheck.localspace",
        "_why",
        "local",
        "herokuapp.com",
        "herokuspace.com",
        "herokudns.com",
        "com",
        "www.debian.org",
        "xn--bcher-kva.example",
        "in-addr.arpa",
        "10.in-addr.arpa",
        "4.3.20.10.in-addr.arpa",
        "9.113.0.203.in-addr.arpa",
        "x.y.0.10.in-addr.arpa",
        "256.0.0.10.in-addr.arpa",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.ip6.arpa",
        "id.server",
        "version.bind",
        "localhost",
        "invalid",
        "test",
        "onion",
        "web.nobody-here-1.app.localspace",
        "nobody-here-1.herokuapp.com",
    };

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        add(names, "%s", strangers[i]);
}

static void add_in_capitals(struct names *names, const char *name)
{
    char text[NAME_TEXT_MOST];
    size_t i = 0;

    for (; name[i] != '\0'; i++)
        text[i] = (char)(i % 3 == 0 ? toupper((unsigned char)name[i]) : name[i]);
    text[i] = '\0';
    add(names, "%s", text);
}

/* The last letter of the first label becomes another one. */
static void add_with_a_slip(struct names *names, const char *name)
{
    char text[NAME_TEXT_MOST];
    size_t label = strcspn(name, ".");

    snprintf(text, sizeof text, "%s", name);
    if (label > 0)
        text[label - 1] = text[label - 1] == 'q' ? 'z' : 'q';
    add(names, "%s", text);
}

static void add_neighbours(struct names *names, const char *absolute)
{
    static const char *const fronts[] = {
        "a",      "b.a", "c.b.a",  "d.c.b.a", "e.d.c.b.a", "*", "_acme-challenge",
        "_dmarc", "www", "a._tcp", "_why",    "x\\.y"};
    char name[NAME_TEXT_MOST];

    snprintf(name, sizeof name, "%.*s", (int)strlen(absolute) - 1, absolute);
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++)
        add(names, "%s.%s", fronts[i], name);
    const char *dot = strchr(name, '.');
    if (dot != NULL)
        add(names, "%s", dot + 1);
    add_in_capitals(names, name);
    add_with_a_slip(names, name);
}

void names_init(struct names *names, const struct space *const *spaces, size_t count)
{
    *names = (struct names){.items = NULL};
    for (size_t i = 0; i < count; i++)
        add_space(names, spaces[i]);
    add_strangers(names);
    size_t first = names->count;
    for (size_t i = 0; i < first; i++) {
        char name[NAME_TEXT_MOST]; /* a copy: the list moves while it grows */
        memcpy(name, names->items[i], sizeof name);
        add_neighbours(names, name);
    }
    add(names, "%s", "");
}

void names_close(struct names *names)
{
    free(names->items);
    *names = (struct names){.items = NULL};
}
