/* Answers of Redis in one piece of memory: every form, however they come in, whole or broken. */
#include "daemon/state/replies.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static const char nested[] = "*5\r\n$5\r\nhello\r\n:42\r\n$-1\r\n*2\r\n$0\r\n\r\n*0\r\n-ERR no\r\n";

static redisReader *new_reader(struct replies *replies)
{
    redisReader *reader = redisReaderCreate();
    assert_non_null(reader);
    replies_use(replies, reader);
    return reader;
}

static void assert_nested(const redisReply *reply)
{
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    assert_int_equal(reply->elements, 5);
    assert_int_equal(reply->element[0]->type, REDIS_REPLY_STRING);
    assert_int_equal(reply->element[0]->len, 5);
    assert_string_equal(reply->element[0]->str, "hello");
    assert_int_equal(reply->element[1]->type, REDIS_REPLY_INTEGER);
    assert_int_equal(reply->element[1]->integer, 42);
    assert_int_equal(reply->element[2]->type, REDIS_REPLY_NIL);
    assert_int_equal(reply->element[3]->elements, 2);
    assert_int_equal(reply->element[3]->element[0]->len, 0);
    assert_string_equal(reply->element[3]->element[0]->str, "");
    assert_int_equal(reply->element[3]->element[1]->elements, 0);
    assert_int_equal(reply->element[4]->type, REDIS_REPLY_ERROR);
    assert_string_equal(reply->element[4]->str, "ERR no");
}

static void every_form_byte_by_byte(void **state)
{
    struct replies replies = { 0 };
    redisReader *reader = new_reader(&replies);
    (void)state;
    for (int round = 0; round < 3; round++) {
        void *reply = NULL;
        for (size_t i = 0; i < sizeof nested - 1; i++) {
            assert_null(reply);
            assert_int_equal(redisReaderFeed(reader, nested + i, 1), REDIS_OK);
            assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
        }
        assert_nested(reply);
        reply_free(reply);
    }
    reply_free(NULL);
    redisReaderFree(reader);
    replies_deinit(&replies);
}

/* Two are held at a time: what the one lies in is used again only when both were given back. */
static void one_may_be_held_while_others_come(void **state)
{
    struct replies replies = { 0 };
    redisReader *reader = new_reader(&replies);
    void *held = NULL, *next = NULL;
    (void)state;
    redisReaderFeed(reader, nested, sizeof nested - 1);
    assert_int_equal(redisReaderGetReply(reader, &held), REDIS_OK);
    for (int i = 0; i < 100; i++) {
        redisReaderFeed(reader, nested, sizeof nested - 1);
        assert_int_equal(redisReaderGetReply(reader, &next), REDIS_OK);
        assert_nested(next);
        reply_free(next);
    }
    assert_nested(held);
    assert_int_equal(replies.n_taken, 1);
    reply_free(held);
    assert_int_equal(replies.n_taken, 0);
    redisReaderFree(reader);
    replies_deinit(&replies);
}

static void memory_is_used_again(void **state)
{
    struct replies replies = { 0 };
    redisReader *reader = new_reader(&replies);
    size_t most = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        void *reply = NULL;
        redisReaderFeed(reader, nested, sizeof nested - 1);
        assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
        reply_free(reply);
        if (replies.arena.bytes > most) most = replies.arena.bytes;
    }
    assert_true(most <= 4096); /* what one answer takes, not ten thousand */
    redisReaderFree(reader);
    replies_deinit(&replies);
}

/* hiredis gives back by itself what it cannot end. */
static void broken_and_unfinished_ones_leave_nothing(void **state)
{
    static const char *const broken[] = { "*2\r\n$5\r\nhello\r\n!what\r\n", "$-7\r\n", "*3\r\n:1\r\n" };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct replies replies = { 0 };
        redisReader *reader = new_reader(&replies);
        void *reply = NULL;
        redisReaderFeed(reader, broken[i], strlen(broken[i]));
        int good = redisReaderGetReply(reader, &reply);
        assert_true(good != REDIS_OK || !reply);
        redisReaderFree(reader);
        assert_int_equal(replies.n_taken, 0);
        replies_deinit(&replies);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_byte_by_byte),
        cmocka_unit_test(one_may_be_held_while_others_come),
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(broken_and_unfinished_ones_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
