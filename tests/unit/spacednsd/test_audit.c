// forks: its tests leave something behind
#include "spacednsd/audit.h"

#include <stdio.h>
#include <string.h>

#include "support/capture.h"
#include "support/suite.h"

enum { UNKNOWN_UID = 61234, LINES_MOST = 4, WORDS_MOST = 8 };

static struct audit audit;

static void add(uid_t uid, const char *line, const char *note)
{
    struct call call = {.peer.uid = uid};
    char copy[256], *words[WORDS_MOST], *rest = NULL;
    int count = 0;
    struct err err;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    ck_assert_msg(invocation_read(count, words, &call.invocation, &err), "%s", err.text);
    call.invocation.options[OPTION_NOTE] = note;
    audit_add_call(&audit, &call);
}

static void expect(const char *pairs)
{
    struct capture capture;
    struct log_line line;
    char expected[1024];

    capture_start(&capture);
    log_start(&line, LOG_INFO, "tried");
    audit_log(&audit, &line);
    log_send(&line);
    capture_stop(&capture);
    snprintf(expected, sizeof expected, " info tried%s\n", pairs);
    ck_assert_msg(strstr(capture.text, expected) != NULL, "%s", capture.text);
}

static const struct signal_sender unknown = {.pid = 0};

TEST(what_nobody_caused_names_nobody)
{
    expect("");
}

TEST(a_signal_whose_sender_is_not_known_has_no_user)
{
    audit_add_signal(&audit, &unknown);
    expect(" by=signal");
}

TEST(a_signal_names_the_user_who_sent_it)
{
    audit_add_signal(&audit, &(struct signal_sender){.pid = 4711, .uid = 0});
    expect(" by=0 user=root command=SIGHUP");
}

TEST(a_call_names_its_user_and_its_command)
{
    add(0, "reload --force", NULL);
    expect(" by=0 user=root command=\"reload --force\"");
}

TEST(a_user_without_a_name_is_a_number)
{
    add(UNKNOWN_UID, "reload", "apps:create calm-bay-1");
    expect(" by=61234 command=reload note=\"apps:create calm-bay-1\"");
}

TEST(root_may_claim_to_call_for_another_user)
{
    add(0, "reload --sudo alice", NULL);
    expect(" by=0 user=root sudo=alice command=reload");
}

TEST(nobody_else_may)
{
    add(UNKNOWN_UID, "reload --sudo alice", NULL);
    expect(" by=61234 command=reload");
}

TEST(operands_are_not_repeated)
{
    add(UNKNOWN_UID, "forget a.example b.example", NULL);
    expect(" by=61234 command=forget");
}

TEST(calls_that_share_a_reload_are_listed_once_each)
{
    audit_add_signal(&audit, &unknown);
    add(UNKNOWN_UID, "reload", "first");
    add(0, "reload", "second");
    add(UNKNOWN_UID, "reload", "first");
    add(6123, "reload", NULL); /* no part of another number counts */
    expect(" by=signal,61234,0,6123 user=root command=reload note=first,second");
}

TEST(a_note_cannot_forge_a_pair_or_a_line)
{
    add(UNKNOWN_UID, "reload", "x\" by=0\n2026 info ready\x1b[31m");
    expect(" by=61234 command=reload note=\"x\\\" by=0\\u000a2026 info ready\\u001b[31m\"");
}

TEST(long_lists_end_in_dots)
{
    char note[2 * AUDIT_NOTE_MOST];

    memset(note, 'n', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    add(UNKNOWN_UID, "reload", "first");
    add(UNKNOWN_UID, "reload", note);
    add(UNKNOWN_UID, "reload", "after");
    ck_assert_uint_lt(strlen(audit.notes), AUDIT_NOTE_MOST);
    ck_assert_str_eq(audit.notes + strlen(audit.notes) - 5, "nn...");
    ck_assert_ptr_eq(strstr(audit.notes, "first,nnn"), audit.notes);
    for (uid_t uid = UNKNOWN_UID; uid < UNKNOWN_UID + 1000; uid++)
        add(uid, "reload", NULL);
    ck_assert_str_eq(audit.by + strlen(audit.by) - 3, "...");
    ck_assert_uint_lt(strlen(audit.by), AUDIT_BY_MOST);
}
