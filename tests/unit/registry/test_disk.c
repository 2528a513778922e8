/* STATE/registry: a replica that starts again. */
#include "registry/disk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer/stored.h"
#include "base/file.h"
#include "support/registry_rig.h"
#include "support/scratch.h"
#include "support/suite.h"

static struct registry_rig rig;
static struct scratch scratch;
static char folder[512];

static void set_up(void)
{
    char zones[600];

    rig_init(&rig);
    scratch_init(&scratch);
    snprintf(folder, sizeof folder, "%s", scratch.path);
    snprintf(zones, sizeof zones, "%s/zones", folder);
    ck_assert_int_eq(mkdir(zones, 0700), 0);
    rig.options.state_path = folder;
}

static void tear_down(void)
{
    rig_close(&rig);
    scratch_remove_folder(folder);
}

FIXTURE(set_up, tear_down)

/* What answer/state.h writes of a text that is in force. */
static void accept_text(const char *space)
{
    char path[700], key[64];

    snprintf(key, sizeof key, "/spacedns/eu/z/%s", space);
    const char *text = etcd_store_value(rig.store, key);
    snprintf(path, sizeof path, "%s/zones/%s.yaml", folder, space);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "# spacedns zone 1 %016" PRIx64 " %zu\n%s", stored_checksum(text, strlen(text)),
            strlen(text), text);
    ck_assert_int_eq(fclose(out), 0);
}

static bool save(void)
{
    struct registry_save *one = registry_begin_save(rig.registry);
    struct err err;

    if (one == NULL)
        return false;
    bool written = registry_run_save(one, &err);
    registry_end_save(rig.registry, one, written ? NULL : &err);
    return written;
}

static void follow_two(void)
{
    rig_put_space(&rig, "ant", "bill! shop");
    rig_put_space(&rig, "bee", "news!");
    rig_put(&rig, "f/ant", "space cidr=10.0.0.0/16\napp bill internal_routing=true id=-\n");
    rig_put(&rig, "d/ant/bill/web", "1 up 10.0.130.1");
    rig_put(&rig, "d/ant/later/web", "1 idle");
    rig_start(&rig);
    rig_follow(&rig);
    rig_put(&rig, "d/ant/bill/run", "1 crashed");
    rig_run(&rig, 10);
    accept_text("ant");
    accept_text("bee");
    ck_assert(save());
}

static void start_without_registry(void)
{
    rig.is_cut = true;
    rig_restart(&rig);
    rig_run(&rig, 1000);
}

TEST(a_registry_may_have_an_id_of_words)
{
    rig.is_bare = true;
    rig_put(&rig, "meta", "format: 1\nid: our own\tregistry\n");
    follow_two();
    ck_assert_str_eq(rig_status(&rig).id, "our_own_registry");
    start_without_registry();
    ck_assert(registry_is_known(rig.registry));
    ck_assert_uint_eq(rig.told[REGISTRY_DISK], 0);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    rig.is_cut = false;
    rig_follow(&rig);
    ck_assert_uint_eq(rig.told[REGISTRY_OTHER], 0);
}

TEST(a_replica_starts_without_its_registry)
{
    follow_two();
    uint64_t revision = rig_status(&rig).in_force;
    start_without_registry();
    ck_assert(registry_is_known(rig.registry));
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_ptr_nonnull(strstr(rig_dynos(&rig, "ant", "bill", "web"), "1 up 10.0.130.1 @"));
    ck_assert_ptr_nonnull(strstr(rig_dynos(&rig, "ant", "bill", "run"), "1 crashed @"));
    ck_assert_uint_eq(rig_status(&rig).waiting_count, 1);
    ck_assert_uint_eq(rig_status(&rig).revision, revision);
    ck_assert_str_eq(rig_status(&rig).id, "one");
    ck_assert_uint_eq(rig.current->generation, revision);
}

TEST(a_start_keeps_the_generation_though_a_beat_came_after_it)
{
    follow_two();
    rig_put(&rig, "d/ant/later/web", "1 down");
    rig_put(&rig, "beat", "at_ms: 1");
    rig_run(&rig, 10);
    uint64_t generation = rig.current->generation;
    ck_assert_uint_eq(generation, (uint64_t)rig.store->revision - 1);
    ck_assert(save());
    start_without_registry();
    ck_assert_uint_eq(rig.current->generation, generation);
    rig.is_cut = false;
    rig_follow(&rig);
    ck_assert_uint_eq(rig.current->generation, generation);
}

TEST(and_resumes_without_a_full_read)
{
    follow_two();
    start_without_registry();
    rig_put(&rig, "d/ant/bill/run", "1 idle");
    rig_put_space(&rig, "bee", "other");
    rig.is_cut = false;
    rig_follow(&rig);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(other)");
    ck_assert_ptr_nonnull(strstr(rig_dynos(&rig, "ant", "bill", "run"), "1 idle @"));
    ck_assert_uint_eq(rig_status(&rig).full_reads, 0);
    rig_run(&rig, 300000);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 0);
}

TEST(what_is_fixed_is_known_again)
{
    follow_two();
    start_without_registry();
    rig_put(&rig, "z/ant", "space: ant\ncidr: 10.77.0.0/16\nrouters: [10.77.0.37]\n");
    rig.is_cut = false;
    rig_follow(&rig);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert_str_eq(rig_status(&rig).kept[0].code, "E-IMMUTABLE");
}

static const char *line_of(const char *begin)
{
    static char file[4096];
    char path[600];
    size_t length;
    struct err err;

    snprintf(path, sizeof path, "%s/" DISK_FILE, folder);
    char *text = file_read_text(path, sizeof file - 1, &length, &err);
    ck_assert_ptr_nonnull(text);
    memcpy(file, text, length + 1);
    free(text);
    char *line = strstr(file, begin);
    ck_assert_ptr_nonnull(line);
    line[strcspn(line, "\n")] = '\0';
    return line;
}

TEST(what_is_fixed_and_not_agreed_with_is_known_again)
{
    static const char other[] = "space cidr=10.99.0.0/16\napp bill internal_routing=true id=-\n";

    follow_two();
    ck_assert_ptr_nonnull(strstr(line_of("f ant "), "/0 0 0 1 1"));
    rig_put(&rig, "f/ant", other);
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert(save());
    ck_assert_ptr_nonnull(strstr(line_of("f ant "), "/0 0 0 1 0"));
    ck_assert_ptr_nonnull(line_of("z ant "));
    rig_put_space(&rig, "bee", "other"); /* another load goes on with it */
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_status(&rig).kept[0].space, "ant");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
}

TEST(nothing_new_is_not_written_again)
{
    follow_two();
    ck_assert(!save());
    rig_put(&rig, "d/ant/bill/run", "1 idle");
    rig_run(&rig, 10);
    ck_assert(save());
}

TEST(a_document_that_was_kept_out_is_read_again)
{
    follow_two();
    rig_put(&rig, "z/bee", "space: bee\ncidr: nonsense\n");
    rig_run(&rig, 10);
    ck_assert(save());
    start_without_registry();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 0);
    rig.is_cut = false;
    rig_follow(&rig);
    rig_run(&rig, 5000);
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

TEST(a_removal_that_was_held_is_held_again)
{
    follow_two();
    rig.refused = "bee";
    rig_delete(&rig, "z/bee");
    rig_run(&rig, 10);
    ck_assert(save());
    start_without_registry();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_uint_eq(rig_status(&rig).kept_count, 1);
    ck_assert_int_eq(rig_status(&rig).kept[0].kind, REGISTRY_HELD);
}

TEST(a_pause_goes_on)
{
    follow_two();
    rig_put(&rig, "pause", "by: me\n");
    rig_put_space(&rig, "bee", "other");
    rig_put(&rig, "d/ant/bill/run", "1 idle");
    rig_run(&rig, 10);
    ck_assert(save());
    start_without_registry();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert(rig_status(&rig).is_paused);
    rig.is_cut = false;
    rig_follow(&rig);
    rig_delete(&rig, "pause");
    rig_run(&rig, 120000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(other)");
}

TEST(a_text_that_is_not_in_the_folder_is_read_from_the_registry)
{
    char path[700];

    follow_two();
    snprintf(path, sizeof path, "%s/zones/bee.yaml", folder);
    ck_assert_int_eq(unlink(path), 0);
    start_without_registry();
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(unready)");
    rig.is_cut = false;
    rig_follow(&rig);
    rig_run(&rig, 120000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

/* ---- damage ---- */

static char *read_file(size_t *length)
{
    char path[700];
    struct err err;

    snprintf(path, sizeof path, "%s/" DISK_FILE, folder);
    char *text = file_read_text(path, 1 << 20, length, &err);
    ck_assert_ptr_nonnull(text);
    return text;
}

static void write_file(const char *text, size_t length)
{
    char path[700];

    snprintf(path, sizeof path, "%s/" DISK_FILE, folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(text, 1, length, out), length);
    ck_assert_int_eq(fclose(out), 0);
}

static void expect_unused(void)
{
    rig_restart(&rig);
    ck_assert(!registry_is_known(rig.registry));
    rig.told[REGISTRY_DISK] = 0;
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig.told[REGISTRY_DISK], 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DISK], "everything is read from the registry"));
}

TEST(a_torn_file_is_not_used_wherever_it_was_torn)
{
    size_t length;

    follow_two();
    char *text = read_file(&length);
    rig.is_cut = true;
    for (size_t cut = 0; cut < length; cut += cut < 100 ? 1 : 13) {
        write_file(text, cut);
        expect_unused();
    }
    free(text);
    rig.is_cut = false;
    rig_follow(&rig);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
}

TEST(a_changed_octet_is_found)
{
    size_t length;

    follow_two();
    char *text = read_file(&length);
    rig.is_cut = true;
    for (size_t at = 0; at < length; at += 7) {
        text[at] ^= 1;
        write_file(text, length);
        expect_unused();
        text[at] ^= 1;
    }
    free(text);
}

TEST(a_file_of_another_cell_is_not_used)
{
    follow_two();
    rig.is_cut = true;
    rig.options.cell = "us";
    expect_unused();
}

/* ---- another selection, another channel ---- */

static void expect_partial(const char *served)
{
    rig_restart(&rig);
    ck_assert(registry_is_known(rig.registry));
    rig.told[REGISTRY_DISK] = 0;
    rig_run(&rig, 10);
    ck_assert_str_eq(rig_served(&rig), served);
    ck_assert_uint_eq(rig.told[REGISTRY_DISK], 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DISK], "another selection or channel"));
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "another selection or channel"));
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "refused"));
    /* It would be taken for all that is selected now. */
    ck_assert_ptr_null(registry_begin_save(rig.registry));
}

TEST(a_file_of_another_selection_serves_what_is_selected_until_the_registry_answers)
{
    static const char *const selected[] = {"ant", "cat"};

    follow_two();
    rig_put_space(&rig, "cat", "new");
    rig_put(&rig, "pause", "by: me\n");
    rig.is_cut = true;
    rig_cut(&rig);
    rig.options.spaces = selected;
    rig.options.space_count = 2;
    expect_partial("ant(bill,shop)");
    ck_assert_str_ne(rig_dynos(&rig, "ant", "bill", "web"), "-");
    rig.is_cut = false;
    rig_run(&rig, 5000); /* at once: not when its turn among many comes */
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) cat(new)");
    ck_assert_str_eq(rig_status(&rig).problem, "");
    ck_assert(save());
}

TEST(a_file_of_another_channel_is_served_until_the_registry_answers)
{
    follow_two();
    rig_put(&rig, "next/ant",
            "space: ant\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
            "apps:\n  - {name: candidate}\n");
    rig_run(&rig, 10);
    rig.is_cut = true;
    rig_cut(&rig);
    rig.options.is_canary = true;
    expect_partial("ant(bill,shop) bee(news)");
    rig.is_cut = false;
    rig_run(&rig, 5000);
    ck_assert_str_eq(rig_served(&rig), "ant(candidate) bee(news)");
}

/* ---- another root ---- */

/* Starts again with another root, which nobody can be asked about yet. */
static void change_root(void)
{
    follow_two();
    rig_cut(&rig);
    rig.is_cut = true;
    rig.options.root = "/wrong";
    rig_restart(&rig);
    rig_run(&rig, 100);
    ck_assert(!registry_is_known(rig.registry));
    ck_assert_ptr_nonnull(
        strstr(rig.texts[REGISTRY_DISK], "is of /spacedns/eu/, and the settings"));
    rig.is_cut = false;
}

static void put_wrong(const char *key, const char *value)
{
    char full[64];

    snprintf(full, sizeof full, "/wrong/eu/%s", key);
    etcd_store_put(rig.store, full, value);
}

static const char bee[] = "space: bee\ncidr: 10.1.0.0/16\nrouters: [10.1.0.37]\n"
                          "apps:\n  - {name: moved}\n";

TEST(a_root_without_meta_leaves_what_is_on_disk_served)
{
    change_root();
    rig_run(&rig, 90000);
    ck_assert_str_eq(rig_served(&rig), "ant(bill,shop) bee(news)");
    ck_assert_str_ne(rig_dynos(&rig, "ant", "bill", "web"), "-");
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "is of /spacedns/eu/, another root"));
    ck_assert_ptr_nonnull(strstr(rig_status(&rig).problem, "correct registry.root"));
    ck_assert_ptr_null(registry_begin_save(rig.registry));
    rig.options.root = "/spacedns";
    rig_restart(&rig);
    rig_follow(&rig);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 0);
}

TEST(the_same_id_below_another_root_is_the_same_cell)
{
    change_root();
    put_wrong("meta", "format: 1\nid: one\n");
    put_wrong("z/bee", bee);
    rig_run(&rig, 10000);
    ck_assert_str_eq(rig_served(&rig), "bee(moved)");
    ck_assert_str_eq(rig_status(&rig).problem, "");
    ck_assert(save());
}

TEST(another_id_below_another_root_is_named_and_its_cell_served_alone)
{
    change_root();
    put_wrong("meta", "format: 1\nid: two\n");
    put_wrong("z/bee", bee);
    rig.refused = "ant";
    rig_run(&rig, 10000);
    ck_assert_str_eq(rig_served(&rig), "bee(moved)");
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_OTHER], "/spacedns/eu/ with the id one"));
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_OTHER], "/wrong/eu/ with the id two"));
}

static void save_in_vain(void)
{
    struct registry_save *one = registry_begin_save(rig.registry);
    struct err err;
    char path[600];

    snprintf(path, sizeof path, "%s-away", folder);
    ck_assert_int_eq(rename(folder, path), 0);
    ck_assert(!registry_run_save(one, &err));
    ck_assert_int_eq(rename(path, folder), 0);
    registry_end_save(rig.registry, one, &err);
}

TEST(a_folder_that_cannot_be_written_is_told_once)
{
    follow_two();
    rig_put(&rig, "d/ant/bill/run", "1 idle");
    rig_run(&rig, 10);
    rig.told[REGISTRY_DISK] = 0;
    save_in_vain();
    save_in_vain();
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_DISK], "cannot be written"));
    ck_assert_uint_eq(rig.told[REGISTRY_DISK], 1);
    ck_assert(save());
    rig_put(&rig, "d/ant/bill/run", "1 up");
    rig_run(&rig, 10);
    save_in_vain();
    ck_assert_uint_eq(rig.told[REGISTRY_DISK], 2);
    ck_assert(save());
}
