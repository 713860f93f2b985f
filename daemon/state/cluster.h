/* A Redis Cluster as one state: each tenant's operations go to the server that has its slot. Used inside daemon/state only. */
#pragma once

#include "daemon/state/connection.h"

/* `any`: made from the cluster's url, leads to no server; becomes the cluster's own. */
struct state *cluster_create(struct connection *any);

/* Finds out who has which slot, if a server is lost, or has said that it has not, or is to be tried again, and reaches as many of
 * them as can be. Only here a slot comes to be asked of another server than before. True with an error: some are out. */
bool cluster_connect(struct state *cluster, struct error *error) MUST_USE;
/* False: it is time for cluster_connect. Servers that are out are tried again from time to time. */
bool cluster_connected(const struct state *cluster);
bool cluster_reaches(const struct state *cluster, uint16_t slot);
bool cluster_reaches_all(const struct state *cluster);
const char *cluster_where(const struct state *cluster);

struct state *cluster_server(struct state *cluster, uint16_t slot);
size_t cluster_owner(const struct state *cluster, uint16_t slot); /* its server's place among all; NO_OWNER */
struct state *cluster_node(struct state *cluster, size_t i);      /* NULL: there are no more */
