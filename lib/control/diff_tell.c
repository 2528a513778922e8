#include "control/diff_tell.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "decide/client.h"

enum { LINE_MOST = 2048, ADDRESSES_SHOWN = 8 };

static const char *const kind_names[DIFF_KIND_COUNT] = {
    [DIFF_APPEARS] = "appears",
    [DIFF_VANISHES] = "vanishes",
    [DIFF_CODE] = "code",
    [DIFF_ADDRESSES] = "addresses",
};

/* ---- text ---- */

/* A line under way, with room for the closing zero. */
struct line {
    char octets[LINE_MOST];
    struct text text;
};

static void begin(struct line *line)
{
    line->text = text_over(line->octets, sizeof line->octets - 1);
}

static void tell(struct line *line, diff_on_line *on_line, void *context)
{
    *line->text.next = '\0';
    on_line(context, line->octets);
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
    static const char *const signs[DIFF_KIND_COUNT] = {"  + ", "  - ", "  ~ ", "  ~ "};
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

static void tell_changes(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct line line;

    for (size_t i = 0; i < diff->change_count; i++) {
        const struct diff_change *change = &diff->changes[i];
        if (i == 0 || !is_of_same_app(change, change - 1)) {
            begin(&line);
            text_add_string(&line.text, "space ");
            text_add_string(&line.text, change->space);
            text_add_string(&line.text, change->app == NULL ? ", static records" : ", app ");
            text_add_string(&line.text, change->app == NULL ? "" : change->app);
            tell(&line, on_line, context);
        }
        begin(&line);
        add_change(&line.text, change);
        tell(&line, on_line, context);
    }
    if (diff->left_out == 0)
        return;
    begin(&line);
    text_add_string(&line.text, "and ");
    text_add_number(&line.text, diff->left_out);
    text_add_string(&line.text, " more changes");
    tell(&line, on_line, context);
}

static void add_count(struct text *text, size_t count, const char *one, const char *many)
{
    text_add_number(text, count);
    text_add_string(text, count == 1 ? one : many);
}

static void tell_class(const struct diff *diff, enum client_class class, diff_on_line *on_line,
                       void *context)
{
    const struct diff_class *names = &diff->classes[class];
    struct line line;

    begin(&line);
    text_add_string(&line.text, class_text(class));
    text_add_string(&line.text, ": ");
    add_count(&line.text, names->counts[DIFF_APPEARS], " appears, ", " appear, ");
    add_count(&line.text, names->counts[DIFF_VANISHES], " vanishes, ", " vanish, ");
    add_count(&line.text, names->counts[DIFF_CODE], " changes code, ", " change code, ");
    add_count(&line.text, names->counts[DIFF_ADDRESSES], " changes addresses, of ",
              " change addresses, of ");
    add_count(&line.text, names->names, " name", " names");
    tell(&line, on_line, context);
}

static bool class_has_changes(const struct diff_class *names)
{
    for (unsigned kind = 0; kind < DIFF_KIND_COUNT; kind++)
        if (names->counts[kind] > 0)
            return true;
    return false;
}

static void add_lost(struct text *text, const struct diff_lost *lost)
{
    text_add_string(text, "app ");
    text_add_string(text, lost->app);
    text_add_string(text, " of space ");
    text_add_string(text, lost->space);
    text_add_string(text, " loses all its addresses (");
    add_count(text, lost->names, " name", " names");
    text_add_string(text, ")");
}

static void add_vanishing(struct text *text, const struct diff *diff, enum client_class class)
{
    text_add_number(text, diff->classes[class].counts[DIFF_VANISHES]);
    text_add_string(text, " of ");
    add_count(text, diff->classes[class].names, " name vanishes", " names vanish");
    text_add_string(text, " for class ");
    text_add_string(text, class_text(class));
    text_add_string(text, ", more than ");
    text_add_number(text, GUARD_PERCENT);
    text_add_string(text, " %");
}

static void tell_guard(const struct diff *diff, diff_on_line *on_line, void *context)
{
    struct line line;

    for (size_t i = 0; i < diff->lost_count && i < GUARD_APPS_MOST; i++) {
        begin(&line);
        text_add_string(&line.text, "guard: ");
        add_lost(&line.text, &diff->lost[i]);
        tell(&line, on_line, context);
    }
    if (diff->lost_count > GUARD_APPS_MOST) {
        begin(&line);
        text_add_string(&line.text, "guard: the same of ");
        add_count(&line.text, diff->lost_count - GUARD_APPS_MOST, " more app", " more apps");
        tell(&line, on_line, context);
    }
    for (unsigned class = 0; class < DIFF_CLASSES; class ++) {
        if (!diff_loses_names(diff, class))
            continue;
        begin(&line);
        text_add_string(&line.text, "guard: ");
        add_vanishing(&line.text, diff, class);
        tell(&line, on_line, context);
    }
}

void diff_tell(const struct diff *diff, diff_on_line *on_line, void *context)
{
    if (!diff_has_changes(diff)) {
        on_line(context, "no answer changes");
        return;
    }
    tell_changes(diff, on_line, context);
    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        if (class_has_changes(&diff->classes[class]))
            tell_class(diff, class, on_line, context);
    tell_guard(diff, on_line, context);
}

bool diff_guard(const struct diff *diff, struct err *err)
{
    char octets[sizeof err->text] = "";
    struct text text = text_over(octets, sizeof octets - 1);

    if (!diff_is_refused(diff))
        return true;
    if (diff->lost_count > 0)
        add_lost(&text, &diff->lost[0]);
    if (diff->lost_count > 1) {
        text_add_string(&text, diff->lost_count == 2 ? ", as does " : ", as do ");
        add_count(&text, diff->lost_count - 1, " more app", " more apps");
    }
    for (unsigned class = 0; class < DIFF_CLASSES; class ++) {
        if (!diff_loses_names(diff, class))
            continue;
        text_add_string(&text, text.next == text.start ? "" : "; ");
        add_vanishing(&text, diff, class);
    }
    return err_set(err, ERR_RULE, "%s", octets);
}

/* ---- JSON ---- */

/* Null for a name that is not there: which code says so differs from class to class. */
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

char *diff_to_json(const struct diff *diff)
{
    json_t *changes = json_array(), *classes = json_object(), *lost = json_array();

    for (size_t i = 0; i < diff->change_count; i++)
        json_array_append_new(changes, change_to_json(&diff->changes[i]));
    for (unsigned class = 0; class < DIFF_CLASSES; class ++)
        json_object_set_new(classes, class_text(class), class_to_json(&diff->classes[class]));
    for (size_t i = 0; i < diff->lost_count && i < GUARD_APPS_MOST; i++)
        json_array_append_new(lost, json_pack("{s:s, s:s, s:I}", "space", diff->lost[i].space,
                                              "app", diff->lost[i].app, "names",
                                              (json_int_t)diff->lost[i].names));
    json_t *root =
        json_pack("{s:b, s:o, s:I, s:o, s:o, s:I}", "refused", diff_is_refused(diff), "changes",
                  changes, "left_out", (json_int_t)diff->left_out, "classes", classes, "apps_lost",
                  lost, "apps_lost_count", (json_int_t)diff->lost_count);
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
