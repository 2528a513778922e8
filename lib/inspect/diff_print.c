#include "inspect/diff_print.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/escape.h"
#include "base/text.h"
#include "decide/client.h"

enum { LINE_MOST = 2048, LINE_ESCAPED_MOST = 4 * LINE_MOST, ADDRESSES_SHOWN = 8 };

static const char *const kind_names[DIFF_KIND_COUNT] = {
    [DIFF_APPEARS] = "appears",
    [DIFF_VANISHES] = "vanishes",
    [DIFF_CODE] = "code",
    [DIFF_ADDRESSES] = "addresses",
};

/* ---- text ---- */

/* A line while it is written, with room for the closing zero. */
struct diff_line {
    char octets[LINE_MOST];
    struct text text;
};

static void begin(struct diff_line *line)
{
    line->text = text_over(line->octets, sizeof line->octets - 1);
}

/* Escapes texts of connections and settings: they must not reach a terminal or the log as such. */
static void print_line(struct diff_line *line, diff_on_line *on_line, void *context)
{
    char escaped[LINE_ESCAPED_MOST];

    *line->text.next = '\0';
    escape_string(escaped, sizeof escaped, line->octets);
    on_line(context, escaped);
}

static void add_classes(struct text *text, unsigned classes)
{
    const char *between = "";

    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        if ((classes >> class & 1) != 0) {
            text_add_string(text, between);
            text_add_string(text, class_text(class));
            between = ", ";
        }
}

static void add_answer(struct text *text, const struct diff_answer *answer)
{
    if (answer->state == DIFF_ANSWERED) {
        for (size_t i = 0; i < answer->count && i < ADDRESSES_SHOWN; i++) {
            text_add_string(text, i == 0 ? "" : " ");
            text_add_ipv4(text, answer->addresses[i]);
        }
        if (answer->count > ADDRESSES_SHOWN) {
            text_add_string(text, " and ");
            text_add_number(text, answer->count - ADDRESSES_SHOWN);
            text_add_string(text, " more");
        }
        return;
    }
    text_add_string(text, "no address");
    if (answer->reason != REASON_NONE) {
        text_add_string(text, ", ");
        text_add_string(text, reason_entry(answer->reason)->code);
    }
}

static void add_change(struct text *text, const struct diff_change *change)
{
    static const char *const signs[DIFF_KIND_COUNT] = {
        [DIFF_APPEARS] = "  + ",
        [DIFF_VANISHES] = "  - ",
        [DIFF_CODE] = "  ~ ",
        [DIFF_ADDRESSES] = "  ~ ",
    };
    bool is_same_count = change->before.count == change->after.count;

    text_add_string(text, signs[change->kind]);
    text_add_string(text, change->name);
    text_add_string(text, " (");
    add_classes(text, change->classes);
    text_add_string(text, "): ");
    if (change->kind != DIFF_APPEARS)
        add_answer(text, &change->before);
    if (change->kind == DIFF_CODE || change->kind == DIFF_ADDRESSES)
        text_add_string(text, " -> ");
    if (change->kind != DIFF_VANISHES)
        add_answer(text, &change->after);
    if (change->kind == DIFF_ADDRESSES && is_same_count &&
        (change->before.count == 0 ||
         memcmp(change->before.addresses, change->after.addresses,
                change->before.count * sizeof *change->before.addresses) == 0))
        text_add_string(text, ", other records");
}

static bool is_of_same_app(const struct diff_change *a, const struct diff_change *b)
{
    if ((a->app == NULL) != (b->app == NULL) || strcmp(a->space, b->space) != 0)
        return false;
    return a->app == NULL || strcmp(a->app, b->app) == 0;
}

static bool loses_answer(const struct diff_change *change)
{
    return change->before.state == DIFF_ANSWERED && change->after.state != DIFF_ANSWERED;
}

/* Of the changes of one app, the first is given. */
static bool loses_answers(const struct diff *diff, size_t first)
{
    for (size_t i = first; i < diff->change_count; i++) {
        if (!is_of_same_app(&diff->changes[first], &diff->changes[i]))
            break;
        if (loses_answer(&diff->changes[i]))
            return true;
    }
    return false;
}

/* 0 as well when it is not known, or nothing is lost. */
static uint64_t count_asked(const struct diff *diff, size_t first)
{
    const struct diff_change *change = &diff->changes[first];

    if (diff->asked == NULL || change->app == NULL || !loses_answers(diff, first))
        return 0;
    return diff->asked(diff->asked_context, change->space, change->app);
}

static void add_asked(struct text *text, uint64_t asked)
{
    if (asked == 0)
        return;
    text_add_string(text, ": ");
    text_add_number(text, asked);
    text_add_string(text, " asked in the last minute");
}

static void print_changes(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct diff_line line;

    for (size_t i = 0; i < diff->change_count; i++) {
        const struct diff_change *change = &diff->changes[i];
        if (i == 0 || !is_of_same_app(change, change - 1)) {
            begin(&line);
            text_add_string(&line.text, "space ");
            text_add_string(&line.text, change->space);
            text_add_string(&line.text, change->app == NULL ? ", static records" : ", app ");
            text_add_string(&line.text, change->app == NULL ? "" : change->app);
            add_asked(&line.text, count_asked(diff, i));
            print_line(&line, on_line, context);
        }
        begin(&line);
        add_change(&line.text, change);
        print_line(&line, on_line, context);
    }
    if (diff->left_out == 0)
        return;
    begin(&line);
    text_add_string(&line.text, "and ");
    text_add_number(&line.text, diff->left_out);
    text_add_string(&line.text, " more changes");
    print_line(&line, on_line, context);
}

static void add_count(struct text *text, size_t count, const char *one, const char *many)
{
    text_add_number(text, count);
    text_add_string(text, count == 1 ? one : many);
}

static void print_class(const struct diff *diff, enum client_class class, diff_on_line *on_line,
                        void *context)
{
    const struct diff_class *names = &diff->classes[class];
    struct diff_line line;

    begin(&line);
    text_add_string(&line.text, class_text(class));
    text_add_string(&line.text, ": ");
    add_count(&line.text, names->counts[DIFF_APPEARS], " appears, ", " appear, ");
    add_count(&line.text, names->counts[DIFF_VANISHES], " vanishes, ", " vanish, ");
    add_count(&line.text, names->counts[DIFF_CODE], " changes code, ", " change code, ");
    add_count(&line.text, names->counts[DIFF_ADDRESSES], " changes addresses, of ",
              " change addresses, of ");
    add_count(&line.text, names->names, " name", " names");
    print_line(&line, on_line, context);
}

static bool class_has_changes(const struct diff_class *names)
{
    for (unsigned kind = 0; kind < DIFF_KIND_COUNT; kind++)
        if (names->counts[kind] > 0)
            return true;
    return false;
}

static void print_access(const struct diff *diff, diff_on_line *on_line, void *context)
{
    const struct access_changes *access = &diff->access;
    struct diff_line line;

    if (access->count > 0)
        on_line(context, "access");
    for (size_t i = 0; i < access->count; i++) {
        begin(&line);
        text_add_string(&line.text, "  ");
        access_format(&access->items[i], &line.text);
        print_line(&line, on_line, context);
    }
    if (access->left_out == 0)
        return;
    begin(&line);
    text_add_string(&line.text, "and ");
    text_add_number(&line.text, access->left_out);
    text_add_string(&line.text, " more changes of access");
    print_line(&line, on_line, context);
}

static bool is_of_same_space(const struct policy_change *a, const struct policy_change *b)
{
    if (a->space == NULL || b->space == NULL)
        return a->space == b->space;
    return strcmp(a->space, b->space) == 0;
}

static void print_settings(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct diff_line line;

    for (size_t i = 0; i < diff->settings.count; i++) {
        const struct policy_change *change = &diff->settings.items[i];
        if (i == 0 || !is_of_same_space(change, change - 1)) {
            begin(&line);
            text_add_string(&line.text, change->space == NULL ? "settings" : "space ");
            text_add_string(&line.text, change->space == NULL ? "" : change->space);
            print_line(&line, on_line, context);
        }
        begin(&line);
        text_add_string(&line.text, "  ");
        setting_change_format(change, &line.text);
        print_line(&line, on_line, context);
    }
}

static void print_others(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct diff_line line;

    for (size_t i = 0; i < diff->other_count; i++) {
        begin(&line);
        text_add_string(&line.text, "space ");
        text_add_string(&line.text, diff->others[i].space);
        text_add_string(&line.text, ": no other addresses, but ");
        text_add_string(&line.text, diff->others[i].kind);
        print_line(&line, on_line, context);
    }
}

static void print_guard(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct diff_line line;

    for (size_t i = 0; i < diff->guard.count; i++) {
        begin(&line);
        text_add_string(&line.text, "guard: ");
        guard_format(&diff->guard.refusals[i], diff->guard.share_percent, &line.text);
        print_line(&line, on_line, context);
    }
}

void diff_print_refusal(const struct diff *diff, diff_on_line *on_line, void *context)
{
    print_access(diff, on_line, context);
    print_settings(diff, on_line, context);
    print_guard(diff, on_line, context);
}

void diff_print(const struct diff *diff, diff_on_line *on_line, void *context)
{
    if (!diff_has_changes(diff)) {
        on_line(context, "no answer changes");
        return;
    }
    print_access(diff, on_line, context);
    print_settings(diff, on_line, context);
    print_changes(diff, on_line, context);
    print_others(diff, on_line, context);
    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        if (class_has_changes(&diff->classes[class]))
            print_class(diff, class, on_line, context);
    print_guard(diff, on_line, context);
}

bool diff_guard(const struct diff *diff, struct err *err)
{
    char octets[sizeof err->text] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    if (!diff_is_refused(diff))
        return true;
    guard_format(&diff->guard.refusals[0], diff->guard.share_percent, &text);
    if (diff->guard.count > 1) {
        text_add_string(&text, "; and ");
        add_count(&text, diff->guard.count - 1, " refusal more", " refusals more");
    }
    return err_set(err, ERR_RULE, "%s", octets);
}

/* ---- JSON ---- */

/* Null for an absent name: the code that it gets differs from class to class. */
static json_t *answer_to_json(const struct diff_answer *answer)
{
    char octets[CIDR_TEXT_MAX];
    const char *reason = answer->reason == REASON_NONE ? NULL : reason_entry(answer->reason)->code;

    if (answer->state == DIFF_ABSENT)
        return json_null();
    json_t *addresses = json_array();
    for (size_t i = 0; i < answer->count; i++) {
        ipv4_write(answer->addresses[i], octets);
        json_array_append_new(addresses, json_string(octets));
    }
    return json_pack("{s:s?, s:o}", "reason", reason, "addresses", addresses);
}

static json_t *change_to_json(const struct diff_change *change)
{
    json_t *classes = json_array();

    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        if ((change->classes >> class & 1) != 0)
            json_array_append_new(classes, json_string(class_text(class)));
    return json_pack("{s:s, s:s?, s:s, s:s, s:o, s:o, s:o}", "space", change->space, "app",
                     change->app, "name", change->name, "change", kind_names[change->kind],
                     "classes", classes, "before", answer_to_json(&change->before), "after",
                     answer_to_json(&change->after));
}

static json_t *class_to_json(const struct diff_class *names)
{
    json_t *object = json_pack("{s:I}", "names", (json_int_t)names->names);

    for (unsigned kind = 0; kind < DIFF_KIND_COUNT; kind++)
        json_object_set_new(object, kind_names[kind],
                            json_integer((json_int_t)names->counts[kind]));
    return object;
}

static json_t *access_to_json(const struct diff *diff)
{
    json_t *access = json_array();

    for (size_t i = 0; i < diff->access.count; i++) {
        const struct access_change *change = &diff->access.items[i];
        char first[CIDR_TEXT_MAX], last[CIDR_TEXT_MAX], asked_at[CIDR_TEXT_MAX];
        ipv4_write(change->first, first);
        ipv4_write(change->last, last);
        ipv4_write(change->asked_at, asked_at);
        json_array_append_new(
            access, json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:I, s:s?, s:s*}", "space",
                              change->space, "change", change->is_inside ? "inside" : "outside",
                              "class", class_text(change->class), "connection", change->connection,
                              "first", first, "last", last, "addresses",
                              (json_int_t)change->last - (json_int_t)change->first + 1, "asked_at",
                              change->asked_at == 0 ? NULL : asked_at, "device", change->device));
    }
    return access;
}

static json_t *settings_to_json(const struct diff *diff)
{
    json_t *settings = json_array();

    for (size_t i = 0; i < diff->settings.count; i++) {
        const struct policy_change *change = &diff->settings.items[i];
        json_array_append_new(settings, json_pack("{s:s?, s:s, s:s, s:s}", "space", change->space,
                                                  "key", change->key, "before", change->before,
                                                  "after", change->after));
    }
    return settings;
}

static json_t *others_to_json(const struct diff *diff)
{
    json_t *others = json_array();

    for (size_t i = 0; i < diff->other_count; i++)
        json_array_append_new(others, json_pack("{s:s, s:s}", "space", diff->others[i].space,
                                                "what", diff->others[i].kind));
    return others;
}

static json_t *guard_to_json(const struct diff *diff)
{
    json_t *refusals = json_array();

    for (size_t i = 0; i < diff->guard.count; i++) {
        const struct guard_refusal *refusal = &diff->guard.refusals[i];
        json_array_append_new(refusals,
                              json_pack("{s:s, s:s, s:I, s:I, s:s?}", "cause",
                                        guard_cause_text(refusal->cause), "space", refusal->space,
                                        "gone", (json_int_t)refusal->gone, "of",
                                        (json_int_t)refusal->of, "names", refusal->names));
    }
    return refusals;
}

static json_t *asked_to_json(const struct diff *diff)
{
    json_t *apps = json_array();

    for (size_t i = 0; i < diff->change_count; i++) {
        const struct diff_change *change = &diff->changes[i];
        if (i > 0 && is_of_same_app(change, change - 1))
            continue;
        uint64_t asked = count_asked(diff, i);
        if (asked > 0)
            json_array_append_new(apps,
                                  json_pack("{s:s, s:s, s:I}", "space", change->space, "app",
                                            change->app, "asked_last_minute", (json_int_t)asked));
    }
    return apps;
}

json_t *diff_json(const struct diff *diff)
{
    json_t *changes = json_array(), *classes = json_object();

    for (size_t i = 0; i < diff->change_count; i++)
        json_array_append_new(changes, change_to_json(&diff->changes[i]));
    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        json_object_set_new(classes, class_text(class), class_to_json(&diff->classes[class]));
    return json_pack("{s:b, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "refused",
                     diff_is_refused(diff), "changes", changes, "left_out",
                     (json_int_t)diff->left_out, "classes", classes, "access", access_to_json(diff),
                     "access_left_out", (json_int_t)diff->access.left_out, "settings",
                     settings_to_json(diff), "others", others_to_json(diff), "guard",
                     guard_to_json(diff), "asked", asked_to_json(diff));
}

char *diff_to_json(const struct diff *diff)
{
    json_t *root = diff_json(diff);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    json_decref(root);
    return text;
}
