#include "daemon/demo/news.h"

#include "common/error.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    NEWS_MAX = 1024
};

struct news {
    pthread_mutex_t lock;
    size_t first, n;
    struct news_item items[NEWS_MAX];
};

struct news *news_create(void)
{
    struct news *news = must_zalloc(sizeof *news);
    pthread_mutex_init(&news->lock, NULL);
    return news;
}

void news_destroy(struct news *news)
{
    if (!news) return;
    pthread_mutex_destroy(&news->lock);
    free(news);
}

void news_put(struct news *news, const struct feed_event *event, int64_t sent_us)
{
    struct news_item item = { .tenant = event->tenant, .sent_us = sent_us, .mark = event->mark, .spot = event->spot };
    memcpy(item.headline, event->headline, sizeof item.headline);
    pthread_mutex_lock(&news->lock);
    if (news->n == NEWS_MAX) news->first = (news->first + 1) % NEWS_MAX, news->n--;
    news->items[(news->first + news->n++) % NEWS_MAX] = item;
    pthread_mutex_unlock(&news->lock);
}

bool news_take(struct news *news, struct news_item *item)
{
    pthread_mutex_lock(&news->lock);
    bool some = news->n > 0;
    if (some) {
        *item = news->items[news->first];
        news->first = (news->first + 1) % NEWS_MAX;
        news->n--;
    }
    pthread_mutex_unlock(&news->lock);
    return some;
}
