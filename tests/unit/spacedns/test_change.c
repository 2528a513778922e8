// wrap: edit_mark_end
#include "spacedns/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/apps.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct scratch zones;
static char path[SCRATCH_PATH_MOST + 32];
static char socket_path[SCRATCH_PATH_MOST + 32];
static char *printed;
static size_t printed_length;
static bool has_memory;

bool __real_edit_mark_end(struct edit *edit, struct err *err);
bool __wrap_edit_mark_end(struct edit *edit, struct err *err);

bool __wrap_edit_mark_end(struct edit *edit, struct err *err)
{
    return has_memory ? __real_edit_mark_end(edit, err) : err_set(err, ERR_MEMORY, "out of memory");
}

static void set_up(void)
{
    scratch_init(&zones);
    scratch_copy(&zones, "zones/test-space.yaml");
    ck_assert(scratch_edit(&zones, "test-space.yaml", "\n...\n", "\n"));
    snprintf(path, sizeof path, "%s/test-space.yaml", zones.path);
    snprintf(socket_path, sizeof socket_path, "%s/none.sock", zones.path);
}

static void tear_down(void)
{
    scratch_close(&zones);
    free(printed);
    printed = NULL;
}

/* Adds an app to the file, as the command does. */
static int create_app(void)
{
    char *arguments[] = {"apps:create", "new-app",  "--space",  "test-space",
                         "--zones",     zones.path, "--socket", socket_path};
    struct session session = {.out = stdout, .err = open_memstream(&printed, &printed_length)};
    struct err err;

    ck_assert_ptr_nonnull(session.err);
    ck_assert_msg(invocation_read(sizeof arguments / sizeof arguments[0], arguments,
                                  &session.invocation, &err),
                  "%s", err.text);
    ck_assert(session_init(&session));
    int code = run_apps_create(&session);
    session_close(&session);
    fclose(session.err);
    return code;
}

FIXTURE(set_up, tear_down)

TEST(a_change_leaves_its_file_with_the_end_mark)
{
    size_t length;

    has_memory = true;
    ck_assert_int_eq(create_app(), EXIT_DONE);
    char *after = file_read(path, &length);
    ck_assert_ptr_nonnull(strstr(after, "new-app"));
    ck_assert_str_eq(after + length - 5, "\n...\n");
    free(after);
}

TEST(a_change_that_cannot_be_marked_is_not_made)
{
    size_t before_length, length;

    has_memory = false;
    char *before = file_read(path, &before_length);
    ck_assert_int_eq(create_app(), EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(printed, "out of memory"));
    char *after = file_read(path, &length);
    ck_assert_uint_eq(length, before_length);
    ck_assert_mem_eq(after, before, length);
    free(before);
    free(after);
}
