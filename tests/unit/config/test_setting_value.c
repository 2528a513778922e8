#include "config/setting_value.h"

#include <stdlib.h>
#include <string.h>

#include "support/scratch.h"
#include "support/suite.h"

enum { SECRETS_MOST = 4 };

static const char file_text[] = "listen: [10.0.0.2, \"127.0.0.1:5300\"]\n"
                                "cookie_secrets: [0123456789ABCDEF0123456789abcdef, "
                                "00112233445566778899aabbccddeeff]\n"
                                "http_token: planted-token-4711\n"
                                "state_dir: /var/lib/spacedns\n";

static struct {
    struct scratch folder;
    struct report *report;
    struct settings settings;
    const char *found[SECRETS_MOST];
    size_t count;
    char *text;
} stand;

static void set_up(void)
{
    char path[SCRATCH_PATH_MOST + 32];

    memset(&stand, 0, sizeof stand);
    scratch_init(&stand.folder);
    scratch_write(&stand.folder, "spacednsd.yaml", file_text, strlen(file_text));
    snprintf(path, sizeof path, "%s/spacednsd.yaml", stand.folder.path);
    char *const arguments[] = {"spacednsd", "--settings", path, NULL};
    stand.report = report_new();
    ck_assert_int_eq(settings_init(&stand.settings, 3, arguments, stand.report), SETTINGS_READY);
}

static void tear_down(void)
{
    for (size_t i = 0; i < stand.count; i++)
        free((char *)stand.found[i]);
    free(stand.text);
    settings_close(&stand.settings);
    report_free(stand.report);
    scratch_close(&stand.folder);
}

FIXTURE(set_up, tear_down)

static const char *print_values(void)
{
    size_t length;
    FILE *out = open_memstream(&stand.text, &length);

    ck_assert(settings_print_values(&stand.settings, out));
    fclose(out);
    return stand.text;
}

/* ---- no secret is forgotten ---- */

/* A new setting that could be one has to be marked, or named here after thought. */
static const char *const words[] = {"secret", "token", "password", "psk", "tsig", "_key"};

TEST_LOOP(a_setting_that_may_be_secret_is_marked, 0, SETTING_COUNT)
{
    const struct setting *setting = &settings_table[_i];
    bool may_be = setting->type == SETTING_TOKEN || setting->type == SETTING_SECRETS;

    for (size_t i = 0; i < sizeof words / sizeof words[0] && setting->key != NULL; i++)
        may_be |= strstr(setting->key, words[i]) != NULL;
    may_be &= setting != &settings_table[INDEX_registry_password_file]; /* only the file's name */
    ck_assert_msg(setting_is_secret(setting) == may_be, "%s", setting->key);
}

TEST(a_secret_cannot_be_a_flag)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) /* or any user of the host would see it */
        ck_assert(!setting_is_secret(&settings_table[i]) || settings_table[i].flag == NULL);
}

/* ---- what is shown ---- */

TEST(of_secrets_only_that_they_are_set_is_printed)
{
    const char *text = print_values();

    ck_assert_ptr_nonnull(strstr(text, "\nhttp_token: (set)\n"));
    ck_assert_ptr_nonnull(strstr(text, "\ncookie_secrets: (set)\n"));
    ck_assert_ptr_null(strstr(text, "4711"));
    ck_assert_ptr_null(strcasestr(text, "0123456789abcdef"));
}

TEST(other_values_are_printed_as_in_the_file)
{
    const char *text = print_values();

    ck_assert_ptr_nonnull(strstr(text, "listen: 10.0.0.2:53,127.0.0.1:5300\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nstate_dir: /var/lib/spacedns\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n# dnstap is not set\n"));
    ck_assert_ptr_null(strstr(text, "(null)"));
}

TEST(every_setting_of_the_file_is_printed)
{
    const char *text = print_values();
    char line[64];

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings_table[i].key == NULL)
            continue;
        snprintf(line, sizeof line, "%s", settings_table[i].key);
        ck_assert_msg(strstr(text, line) != NULL, "%s", line);
    }
}

/* ---- to find them elsewhere ---- */

static void on_secret(void *context, const char *secret)
{
    (void)context;
    ck_assert_uint_lt(stand.count, SECRETS_MOST);
    stand.found[stand.count++] = strdup(secret);
}

TEST(each_secret_is_walked_over)
{
    ck_assert(settings_walk_secrets(&stand.settings, on_secret, NULL));

    ck_assert_uint_eq(stand.count, 3);
    ck_assert_str_eq(stand.found[0], "0123456789abcdef0123456789abcdef");
    ck_assert_str_eq(stand.found[1], "00112233445566778899aabbccddeeff");
    ck_assert_str_eq(stand.found[2], "planted-token-4711");
}
