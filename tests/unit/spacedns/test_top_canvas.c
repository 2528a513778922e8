#include "spacedns/top_canvas.h"

#include <string.h>

#include "support/suite.h"

static struct top_canvas canvas;
static char text[TOP_WIDTH_MOST + 1];

static void set_up(void)
{
    ck_assert(top_canvas_init(&canvas, 10, 3));
}

static void tear_down(void)
{
    top_canvas_close(&canvas);
}

FIXTURE(set_up, tear_down)

/* A row up to its last cell that is not blank. */
static const char *row(unsigned number)
{
    unsigned count;
    const struct top_cell *cells = top_canvas_row(&canvas, number, &count);

    for (unsigned i = 0; i < count; i++)
        text[i] = cells[i].octet;
    text[count] = '\0';
    return text;
}

static struct top_span span(unsigned number, unsigned column, unsigned width)
{
    return (struct top_span){.row = number, .column = column, .width = width};
}

static const struct {
    unsigned row, column, width;
    const char *text, *left, *right;
} texts[] = {
    {1, 0, 10, "abc", "abc", "       abc"},
    {1, 4, 4, "abc", "    abc", "     abc"},
    {1, 4, 2, "abc", "    ab", "    ab"},
    {1, 8, 10, "abc", "        ab", ""},
    {1, 10, 5, "abc", "", ""},
    {3, 0, 5, "abc", "", ""},
    {1, 0, 0, "abc", "", ""},
    {1, UINT32_MAX, UINT32_MAX, "abc", "", ""},
};

TEST_OVER(a_text_is_cut_to_its_span_and_to_the_canvas, texts)
{
    top_canvas_put(&canvas, span(texts[_i].row, texts[_i].column, texts[_i].width), TOP_PLAIN,
                   texts[_i].text);
    ck_assert_str_eq(row(1), texts[_i].left);
    ck_assert_str_eq(row(0), "");
    ck_assert_str_eq(row(2), "");
}

TEST_OVER(a_text_at_the_right_ends_where_its_span_does, texts)
{
    top_canvas_put_right(&canvas, span(texts[_i].row, texts[_i].column, texts[_i].width), TOP_PLAIN,
                         texts[_i].text);
    ck_assert_str_eq(row(1), texts[_i].right);
    ck_assert_str_eq(row(0), "");
    ck_assert_str_eq(row(2), "");
}

TEST(the_width_that_was_used_comes_back)
{
    ck_assert_uint_eq(top_canvas_put(&canvas, span(0, 0, 10), TOP_PLAIN, "abc"), 3);
    ck_assert_uint_eq(top_canvas_put(&canvas, span(0, 8, 10), TOP_PLAIN, "abc"), 2);
    ck_assert_uint_eq(top_canvas_put(&canvas, span(7, 0, 10), TOP_PLAIN, "abc"), 0);
}

TEST_LOOP(an_octet_that_is_not_printable_ascii_is_a_question_mark, 1, 256)
{
    const char octets[] = {'a', (char)_i, 'b', '\0'};
    bool is_printable = _i >= ' ' && _i <= '~';

    top_canvas_put(&canvas, span(0, 0, 10), TOP_PLAIN, octets);
    ck_assert_int_eq(row(0)[1], is_printable ? _i : '?');
}

TEST(the_rest_of_a_row_of_keys_is_not_blank)
{
    unsigned count;

    top_canvas_put(&canvas, span(0, 0, 10), TOP_KEYS, "a         ");
    ck_assert_uint_eq(canvas.width, 10);
    ck_assert_uint_eq(top_canvas_row(&canvas, 0, &count)[9].style, TOP_KEYS);
    ck_assert_uint_eq(count, 10);
}

static const struct {
    unsigned width, height, has_width, has_height;
} sizes[] = {
    {0, 0, 1, 1},
    {20, 5, 20, 5},
    {UINT32_MAX, UINT32_MAX, TOP_WIDTH_MOST, TOP_HEIGHT_MOST},
};

TEST_OVER(a_size_is_brought_within_the_bounds, sizes)
{
    struct top_canvas other;

    ck_assert(top_canvas_init(&other, sizes[_i].width, sizes[_i].height));
    ck_assert_uint_eq(other.width, sizes[_i].has_width);
    ck_assert_uint_eq(other.height, sizes[_i].has_height);
    top_canvas_close(&other);
}
