#include "space/edit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "space/editing.h"
#include "space/zone_text.h"

bool edit_init(struct edit *edit, const char *text, size_t length)
{
    *edit = (struct edit){.arena = arena_new(), .text = text, .length = length};
    return edit->arena != NULL;
}

void edit_close(struct edit *edit)
{
    arena_free(edit->arena);
}

/* ---- finding ---- */

static bool is_same_host(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);

    a_length -= a_length > 0 && a[a_length - 1] == '.';
    b_length -= b_length > 0 && b[b_length - 1] == '.';
    return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static const struct yaml_mark *find_app(const struct edit_text *change, const char *name)
{
    return editing_find(editing_value(change->root, "apps"), "name", name, editing_is_same_text);
}

/* Begins an edit of an existing app. Returns its mapping, or NULL with err. */
static const struct yaml_mark *begin_app(const struct edit *edit, struct edit_text *change,
                                         const char *name, struct err *err)
{
    if (!editing_begin(edit, change, err))
        return NULL;
    const struct yaml_mark *app = find_app(change, name);
    if (app == NULL)
        err_set(err, ERR_RULE, "there is no app %.64s in the file", name);
    return app;
}

static const struct yaml_mark *list_of_dynos(const struct yaml_mark *app, const char *type)
{
    return editing_value(editing_value(editing_value(app, "formation"), type), "dynos");
}

static const struct yaml_mark *find_dyno(const struct yaml_mark *app, const struct dyno_name *dyno)
{
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned)dyno->number);
    return editing_find(list_of_dynos(app, dyno->type), "number", number, editing_is_same_text);
}

/* ---- apps ---- */

bool edit_add_app(struct edit *edit, const char *name, bool internal_routing, struct err *err)
{
    static const char *const keys[] = {"apps", NULL};
    struct edit_text change;

    if (!editing_begin(edit, &change, err))
        return false;
    if (find_app(&change, name) != NULL)
        return err_set(err, ERR_RULE, "app %.64s is in the file already", name);
    const char *written = editing_scalar(&change, name);
    if (written == NULL)
        return false;
    const struct piece item = {
        .flow = edit_text_print(edit->arena, "{name: %s%s}", written,
                                internal_routing ? ", internal_routing: true" : ""),
        .block = edit_text_print(edit->arena, "name: %s%s", written,
                                 internal_routing ? "\ninternal_routing: true" : "")};
    return edit_text_add(&change, change.root, keys, item) && editing_finish(edit, &change);
}

bool edit_remove_app(struct edit *edit, const char *name, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *app = begin_app(edit, &change, name, err);

    if (app == NULL)
        return false;
    return edit_text_remove(&change, editing_value(change.root, "apps"), app) &&
           editing_finish(edit, &change);
}

bool edit_rename_app(struct edit *edit, const char *name, const char *new_name, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *app = begin_app(edit, &change, name, err);

    if (app == NULL)
        return false;
    if (find_app(&change, new_name) != NULL)
        return err_set(err, ERR_RULE, "app %.64s is in the file already", new_name);
    const char *written = editing_scalar(&change, new_name);
    return written != NULL && edit_text_set(&change, app, "name", written) &&
           editing_finish_value(edit, &change, strlen(name));
}

/* ---- domains ---- */

bool edit_add_domain(struct edit *edit, const char *app, const char *hostname, const char *cname,
                     struct err *err)
{
    static const char *const keys[] = {"domains", NULL};
    struct edit_text change;
    const struct yaml_mark *found = begin_app(edit, &change, app, err);

    if (found == NULL)
        return false;
    if (editing_find(editing_value(found, "domains"), "hostname", hostname, is_same_host) != NULL)
        return err_set(err, ERR_RULE, "domain %.255s is already added to app %.64s", hostname, app);
    const char *host = editing_scalar(&change, hostname);
    const char *target = cname == NULL || host == NULL ? "" : editing_scalar(&change, cname);
    if (host == NULL || target == NULL)
        return false;
    const char *item = edit_text_print(edit->arena, "{hostname: %s%s%s}", host,
                                       cname == NULL ? "" : ", cname: ", target);
    return edit_text_add(&change, found, keys, editing_on_a_line(item)) &&
           editing_finish(edit, &change);
}

bool edit_remove_domain(struct edit *edit, const char *app, const char *hostname, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = begin_app(edit, &change, app, err);

    if (found == NULL)
        return false;
    const struct yaml_mark *list = editing_value(found, "domains");
    const struct yaml_mark *domain = editing_find(list, "hostname", hostname, is_same_host);
    if (domain == NULL)
        return err_set(err, ERR_RULE, "app %.64s has no domain %.255s", app, hostname);
    return edit_text_remove(&change, list, domain) && editing_finish(edit, &change);
}

/* ---- dynos ---- */

/* Begins an edit of an existing dyno. */
static bool begin_dyno(struct edit *edit, struct edit_text *change, const struct dyno_name *dyno,
                       const struct yaml_mark **found, struct err *err)
{
    const struct yaml_mark *app = begin_app(edit, change, dyno->app, err);

    if (app == NULL)
        return false;
    *found = find_dyno(app, dyno);
    return *found != NULL || err_set(err, ERR_RULE, "app %.64s has no dyno %.128s.%u", dyno->app,
                                     dyno->type, (unsigned)dyno->number);
}

bool edit_add_dyno(struct edit *edit, const struct dyno_name *dyno, uint32_t ip, struct err *err)
{
    struct edit_text change;
    char address[CIDR_TEXT_MAX];
    const struct yaml_mark *app = begin_app(edit, &change, dyno->app, err);

    if (app == NULL)
        return false;
    if (find_dyno(app, dyno) != NULL)
        return err_set(err, ERR_RULE, "app %.64s has a dyno %.128s.%u already", dyno->app,
                       dyno->type, (unsigned)dyno->number);
    const char *type = editing_scalar(&change, dyno->type);
    if (type == NULL)
        return false;
    /* Existing keys are compared as texts; a new key is inserted as written. */
    bool is_new = editing_value(editing_value(app, "formation"), dyno->type) == NULL;
    const char *const keys[] = {"formation", is_new ? type : dyno->type, "dynos", NULL};
    ipv4_write(ip, address);
    const char *item = edit_text_print(edit->arena, "{number: %u, private_ip: %s, state: up}",
                                       (unsigned)dyno->number, address);
    return edit_text_add(&change, app, keys, editing_on_a_line(item)) &&
           editing_finish(edit, &change);
}

bool edit_remove_dyno(struct edit *edit, const struct dyno_name *dyno, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = NULL;

    if (!begin_dyno(edit, &change, dyno, &found, err))
        return false;
    const struct yaml_mark *list = list_of_dynos(find_app(&change, dyno->app), dyno->type);
    return edit_text_remove(&change, list, found) && editing_finish(edit, &change);
}

bool edit_set_state(struct edit *edit, const struct dyno_name *dyno, enum dyno_state state,
                    struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = NULL;

    if (!begin_dyno(edit, &change, dyno, &found, err))
        return false;
    if (editing_value(found, "state") == NULL && state == DYNO_UP)
        return true; /* the default state */
    return edit_text_set(&change, found, "state", dyno_state_text(state)) &&
           editing_finish(edit, &change);
}

/* ---- the end mark ---- */

/* The first line decides the line ends of a file. */
static bool has_crlf(const struct edit *edit)
{
    const char *end = memchr(edit->text, '\n', edit->length);

    return end != NULL && end > edit->text && end[-1] == '\r';
}

bool edit_mark_end(struct edit *edit, struct err *err)
{
    struct edit_text change;

    if (zone_text_is_marked(edit->text, edit->length))
        return true;
    if (!editing_begin(edit, &change, err))
        return false;
    bool is_whole_line = edit->text[edit->length - 1] == '\n';
    const char *end = has_crlf(edit) ? "\r\n" : "\n";
    const char *line = edit_text_print(edit->arena, "%s...%s", is_whole_line ? "" : end, end);
    if (line == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    change.splices[change.splice_count++] = (struct text_change){.at = edit->length, .text = line};
    return editing_finish(edit, &change);
}
