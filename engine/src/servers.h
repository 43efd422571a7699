/* SPDX-License-Identifier: MIT */
/*
 * The servers a BITS 3 client knows (R615, R624): devices that answered one of
 * its searches or supplied bytes within 7 days. A part of the agent, and kept
 * over a restart. Other flavours know peers for as long as a file needs them,
 * and keep no table.
 */
#ifndef ENGINE_SERVERS_H
#define ENGINE_SERVERS_H

#include <xl/cache.h>

#define SERVERS_MAX 100u      /* assumed: as R626's certificates */
#define SERVER_LIFE XL_DAY(7) /* R624 */

typedef struct server {
  xl_time heard; /* last answer to a search, or bytes */
  uint32_t id;
  uint8_t scope;
} server;

typedef struct servers {
  server *list; /* owned; in order of becoming known */
  uint32_t n, cap;
} servers;

const servers *xli_servers(const xl_agent *a);
/* Adds the device, unless it is |a| itself or of no scope, or begins its 7 days
   anew; the one that was heard longest ago makes room. */
void xli_servers_heard(xl_agent *a, uint32_t id, xl_scope scope);
/* R616. */
void xli_servers_drop(xl_agent *a, uint32_t id);
void xli_servers_clear(xl_agent *a);
/* Index of the device; XL_NONE: not known, or not heard of for too long. */
uint32_t xli_servers_find(const xl_agent *a, uint32_t id);
bool xli_servers_live(const server *s, xl_time now);
/* Puts one back as it was saved; false: it cannot be, or out of memory. */
bool xli_servers_load(xl_agent *a, const server *s);
/* NULL, or what is wrong with the table. */
const char *xli_servers_check(const xl_agent *a);

#endif
