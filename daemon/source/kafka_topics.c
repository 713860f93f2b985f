#include "daemon/source/kafka_topics.h"

#include "common/arena.h"

#include <string.h>

/* By their names: a topic of which nothing is read is not among those that the library knows by itself. */
const struct rd_kafka_metadata *kafka_topics_ask(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *of, int timeout_ms)
{
    struct arena arena = { 0 };
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t **known = arena_alloc(&arena, ((size_t)of->cnt + 1) * sizeof *known);
    size_t n = 0;
    for (int i = 0; i < of->cnt; i++) {
        bool same = n && strcmp(rd_kafka_topic_name(known[n - 1]), of->elems[i].topic) == 0;
        rd_kafka_topic_t *topic = same ? NULL : rd_kafka_topic_new(handle, of->elems[i].topic, NULL);
        if (topic) known[n++] = topic;
    }
    if (n && rd_kafka_metadata(handle, 0, NULL, &metadata, timeout_ms)) metadata = NULL;
    for (size_t i = 0; i < n; i++) rd_kafka_topic_destroy(known[i]);
    arena_deinit(&arena);
    return metadata;
}
