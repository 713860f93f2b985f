/* A look at Kafka before the daemon relies on it: are properties, brokers and topics as they have to be? For `check`. */
#pragma once

#include "daemon/settings/settings.h"

/* Are all properties of the settings such that librdkafka takes them and the daemon need not set them otherwise? */
bool kafka_properties_check(const struct settings *settings, struct problems *problems);

/* Asks the brokers, for at most `timeout_ms` each time it has to wait (twice). Creates and changes nothing. Properties have to be
 * right (kafka_properties_check). */
void kafka_probe(const struct settings *settings, int timeout_ms, struct findings *findings);
