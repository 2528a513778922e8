#include "space/edit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/text.h"
#include "space/zone_text.h"
#include "yaml/edit_text.h"

bool edit_init(struct edit *edit, const char *text, size_t length)
{
    *edit = (struct edit){.arena = arena_new(), .text = text, .length = length};
    return edit->arena != NULL;
}

void edit_close(struct edit *edit)
{
    arena_free(edit->arena);
}

/* ---- one edit ---- */

static bool begin(const struct edit *edit, struct edit_text *change, struct err *err)
{
    *change = (struct edit_text){
        .arena = edit->arena, .text = edit->text, .length = edit->length, .err = err};
    change->root = yaml_marks_read(edit->arena, edit->text, edit->length, err);
    return change->root != NULL;
}

/* Returns the most octets that write_meaning needs. */
static size_t meaning_size(const struct yaml_mark *node)
{
    size_t size = 3 + (node->text == NULL ? 0 : strlen(node->text));

    for (const struct yaml_mark *child = node->first; child != NULL; child = child->next)
        size += meaning_size(child); /* at most YAML_DEPTH_MAX deep */
    return size;
}

/* Writes a tree independently of its style: two texts mean the same if the results are equal. */
static void write_meaning(const struct yaml_mark *node, struct text *out)
{
    static const char *const opening[] = {"\x01", "\x02", "\x03"};

    text_add_string(out, yaml_marks_is_null(node) ? "\x04" : opening[node->kind]);
    if (node->text != NULL && !yaml_marks_is_null(node))
        text_add_string(out, node->text);
    for (const struct yaml_mark *child = node->first; child != NULL; child = child->next)
        write_meaning(child, out);
    text_add_string(out, "\x05");
}

static bool take_meaning(struct arena *arena, const struct yaml_mark *root, struct text *out)
{
    size_t size = meaning_size(root);
    char *buffer = arena_take(arena, size);

    *out = text_over(buffer, buffer == NULL ? 0 : size);
    if (buffer != NULL)
        write_meaning(root, out);
    return buffer != NULL;
}

/* Returns the octets of the shorter text outside the common beginning and end. */
static size_t count_changed(const struct text *a, const struct text *b)
{
    size_t a_length = text_length(a), b_length = text_length(b);
    size_t least = a_length < b_length ? a_length : b_length;
    size_t begin = 0, end = 0;

    while (begin < least && a->start[begin] == b->start[begin])
        begin++;
    while (begin + end < least && a->next[-1 - (long)end] == b->next[-1 - (long)end])
        end++;
    return least - begin - end;
}

/* A new value may replace a null or a word, and nothing else. */
enum { CHANGED_MOST = 16 };

/* Applies the changes, provided that they change the meaning in one point only. */
static bool finish(struct edit *edit, struct edit_text *change)
{
    struct text before, after;
    size_t length = 0;
    const char *text = edit_text_apply(change, &length);
    const struct yaml_mark *root =
        text == NULL ? NULL : yaml_marks_read(edit->arena, text, length, change->err);

    if (text != NULL && root == NULL)
        return err_set(change->err, ERR_SYNTAX,
                       "the file is written in a form that cannot be edited safely; edit it by "
                       "hand");
    if (root == NULL || !take_meaning(edit->arena, change->root, &before) ||
        !take_meaning(edit->arena, root, &after))
        return err_set(change->err, ERR_MEMORY, "out of memory");
    if (count_changed(&before, &after) > CHANGED_MOST)
        return err_set(change->err, ERR_SYNTAX,
                       "the edit would change more than requested; edit the file by hand");
    edit->text = text;
    edit->length = length;
    return true;
}

/* ---- finding ---- */

static const struct yaml_mark *value_of(const struct yaml_mark *mapping, const char *key)
{
    const struct yaml_mark *found = mapping == NULL ? NULL : yaml_marks_find(mapping, key);

    return found == NULL ? NULL : found->next;
}

static bool is_same_host(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);

    a_length -= a_length > 0 && a[a_length - 1] == '.';
    b_length -= b_length > 0 && b[b_length - 1] == '.';
    return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

typedef bool compare_texts(const char *a, const char *b);

/* Finds the item of a list whose key has the text. */
static const struct yaml_mark *find_item(const struct yaml_mark *list, const char *key,
                                         const char *text, compare_texts *is_same)
{
    if (list == NULL || list->kind != YAML_SEQUENCE)
        return NULL;
    for (const struct yaml_mark *item = list->first; item != NULL; item = item->next) {
        const struct yaml_mark *value = value_of(item, key);
        if (value != NULL && value->kind == YAML_SCALAR && is_same(value->text, text))
            return item;
    }
    return NULL;
}

static const struct yaml_mark *find_app(const struct edit_text *change, const char *name)
{
    return find_item(value_of(change->root, "apps"), "name", name, is_same_text);
}

/* Begins an edit of an existing app. Returns its mapping, or NULL with err. */
static const struct yaml_mark *begin_app(const struct edit *edit, struct edit_text *change,
                                         const char *name, struct err *err)
{
    if (!begin(edit, change, err))
        return NULL;
    const struct yaml_mark *app = find_app(change, name);
    if (app == NULL)
        err_set(err, ERR_RULE, "there is no app %.64s in the file", name);
    return app;
}

static const struct yaml_mark *list_of_dynos(const struct yaml_mark *app, const char *type)
{
    return value_of(value_of(value_of(app, "formation"), type), "dynos");
}

static const struct yaml_mark *find_dyno(const struct yaml_mark *app, const struct dyno_name *dyno)
{
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned)dyno->number);
    return find_item(list_of_dynos(app, dyno->type), "number", number, is_same_text);
}

/* ---- writing ---- */

static bool is_plain(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return strspn(text, safe) == strlen(text) && text[0] != '.' && text[0] != '-' &&
           text[0] != '\0' && strcmp(text, "null") != 0;
}

/* Returns the text as a scalar, quoted if needed; NULL with *err if it cannot be written. */
static const char *scalar(const struct edit_text *change, const char *text)
{
    bool is_writable = true;

    for (const char *next = text; *next != '\0'; next++)
        is_writable = is_writable && *next != '"' && *next != '\\' && (unsigned char)*next >= ' ' &&
                      *next != '\x7f';
    if (!is_writable) {
        err_set(change->err, ERR_RULE, "a name has quotes, backslashes or control characters");
        return NULL;
    }
    const char *out = is_plain(text) ? text : edit_text_print(change->arena, "\"%s\"", text);
    if (out == NULL)
        err_set(change->err, ERR_MEMORY, "out of memory");
    return out;
}

/* An item written on one line, whatever the style of the list. */
static struct piece on_a_line(const char *text)
{
    return (struct piece){.flow = text, .block = text};
}

/* ---- apps ---- */

bool edit_add_app(struct edit *edit, const char *name, bool internal_routing, struct err *err)
{
    static const char *const keys[] = {"apps", NULL};
    struct edit_text change;

    if (!begin(edit, &change, err))
        return false;
    if (find_app(&change, name) != NULL)
        return err_set(err, ERR_RULE, "app %.64s is in the file already", name);
    const char *written = scalar(&change, name);
    if (written == NULL)
        return false;
    const struct piece item = {
        .flow = edit_text_print(edit->arena, "{name: %s%s}", written,
                                internal_routing ? ", internal_routing: true" : ""),
        .block = edit_text_print(edit->arena, "name: %s%s", written,
                                 internal_routing ? "\ninternal_routing: true" : "")};
    return edit_text_add(&change, change.root, keys, item) && finish(edit, &change);
}

bool edit_remove_app(struct edit *edit, const char *name, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *app = begin_app(edit, &change, name, err);

    if (app == NULL)
        return false;
    return edit_text_remove(&change, value_of(change.root, "apps"), app) && finish(edit, &change);
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
    if (find_item(value_of(found, "domains"), "hostname", hostname, is_same_host) != NULL)
        return err_set(err, ERR_RULE, "domain %.255s is already added to app %.64s", hostname, app);
    const char *host = scalar(&change, hostname);
    const char *target = cname == NULL || host == NULL ? "" : scalar(&change, cname);
    if (host == NULL || target == NULL)
        return false;
    const char *item = edit_text_print(edit->arena, "{hostname: %s%s%s}", host,
                                       cname == NULL ? "" : ", cname: ", target);
    return edit_text_add(&change, found, keys, on_a_line(item)) && finish(edit, &change);
}

bool edit_remove_domain(struct edit *edit, const char *app, const char *hostname, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = begin_app(edit, &change, app, err);

    if (found == NULL)
        return false;
    const struct yaml_mark *list = value_of(found, "domains");
    const struct yaml_mark *domain = find_item(list, "hostname", hostname, is_same_host);
    if (domain == NULL)
        return err_set(err, ERR_RULE, "app %.64s has no domain %.255s", app, hostname);
    return edit_text_remove(&change, list, domain) && finish(edit, &change);
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
    const char *type = scalar(&change, dyno->type);
    if (type == NULL)
        return false;
    /* Existing keys are compared as texts; a new key is inserted as written. */
    bool is_new = value_of(value_of(app, "formation"), dyno->type) == NULL;
    const char *const keys[] = {"formation", is_new ? type : dyno->type, "dynos", NULL};
    ipv4_write(ip, address);
    const char *item = edit_text_print(edit->arena, "{number: %u, private_ip: %s, state: up}",
                                       (unsigned)dyno->number, address);
    return edit_text_add(&change, app, keys, on_a_line(item)) && finish(edit, &change);
}

bool edit_remove_dyno(struct edit *edit, const struct dyno_name *dyno, struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = NULL;

    if (!begin_dyno(edit, &change, dyno, &found, err))
        return false;
    const struct yaml_mark *list = list_of_dynos(find_app(&change, dyno->app), dyno->type);
    return edit_text_remove(&change, list, found) && finish(edit, &change);
}

bool edit_set_state(struct edit *edit, const struct dyno_name *dyno, enum dyno_state state,
                    struct err *err)
{
    struct edit_text change;
    const struct yaml_mark *found = NULL;

    if (!begin_dyno(edit, &change, dyno, &found, err))
        return false;
    if (value_of(found, "state") == NULL && state == DYNO_UP)
        return true; /* the default state */
    return edit_text_set(&change, found, "state", dyno_state_text(state)) && finish(edit, &change);
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
    if (!begin(edit, &change, err))
        return false;
    bool is_whole_line = edit->text[edit->length - 1] == '\n';
    const char *end = has_crlf(edit) ? "\r\n" : "\n";
    const char *line = edit_text_print(edit->arena, "%s...%s", is_whole_line ? "" : end, end);
    if (line == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    change.splices[change.splice_count++] = (struct text_change){.at = edit->length, .text = line};
    return finish(edit, &change);
}
