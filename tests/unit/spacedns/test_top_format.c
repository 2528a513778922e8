#include "spacedns/top_format.h"

#include "support/suite.h"

static char text[TOP_NUMBER_OCTETS];

static const struct {
    uint64_t number;
    const char *text;
} numbers[] = {
    {0, "0"},
    {999, "999"},
    {1000, "1,000"},
    {999999, "999,999"},
    {1000000, "1.0M"},
    {9999999, "9.9M"},
    {UINT64_C(9999999999), "9999.9M"},
    {UINT64_C(10000000000), "10.0G"},
    {UINT64_MAX, "18446744073.7G"},
};

TEST_OVER(a_number_has_seven_characters_at_most_while_it_is_usual, numbers)
{
    ck_assert_str_eq(top_format_number(numbers[_i].number, text), numbers[_i].text);
}

static const struct {
    uint64_t seconds;
    const char *text;
} ages[] = {
    {0, "0 s"},    {119, "119 s"},   {120, "2 min"},  {7199, "119 min"},
    {7200, "2 h"}, {172799, "47 h"}, {172800, "2 d"},
};

TEST_OVER(an_age_is_in_the_unit_that_it_has_two_of, ages)
{
    ck_assert_str_eq(top_format_age(ages[_i].seconds, text), ages[_i].text);
}

static const struct {
    uint32_t us;
    const char *text;
} latencies[] = {
    {0, "<0us"},        {25, "<25us"},      {2500, "<2.5ms"},
    {500000, "<500ms"}, {2500000, "<2.5s"}, {UINT32_MAX, ">5s"},
};

TEST_OVER(a_latency_is_a_bound, latencies)
{
    ck_assert_str_eq(top_format_latency(latencies[_i].us, text), latencies[_i].text);
}
