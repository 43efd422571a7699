/* SPDX-License-Identifier: MIT */
#include "servers.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "machine.h"

const servers *xli_servers(const xl_agent *a) {
  static const servers none;

  return a->extra == NULL ? &none : &a->extra->servers;
}

bool xli_servers_live(const server *s, xl_time now) {
  return now < xl_time_add(s->heard, SERVER_LIFE);
}

static uint32_t place_of(const servers *t, uint32_t id) {
  uint32_t i = 0;

  while (i < t->n && t->list[i].id != id) {
    i++;
  }
  return i < t->n ? i : XL_NONE;
}

uint32_t xli_servers_find(const xl_agent *a, uint32_t id) {
  const servers *t = xli_servers(a);
  uint32_t i = place_of(t, id);

  return i != XL_NONE && xli_servers_live(&t->list[i], a->engine->now)
             ? i
             : XL_NONE;
}

static void take_out(servers *t, uint32_t i) {
  t->n--;
  memmove(&t->list[i], &t->list[i + 1], (t->n - i) * sizeof *t->list);
}

static uint32_t oldest(const servers *t) {
  uint32_t best = 0;

  for (uint32_t i = 1; i < t->n; i++) {
    best = t->list[i].heard < t->list[best].heard ? i : best;
  }
  return best;
}

static bool add(xl_agent *a, const server *s) {
  extra *o = xli_extra_need(a);

  if (o == NULL) {
    return false;
  }
  servers *t = &o->servers;
  if (t->n == SERVERS_MAX) {
    take_out(t, oldest(t));
  }
  server *list = xli_grow(a->engine, t->list, &t->cap, t->n + 1, sizeof *list);
  if (list == NULL) {
    return false;
  }
  t->list = list;
  list[t->n++] = *s;
  return true;
}

void xli_servers_heard(xl_agent *a, uint32_t id, xl_scope scope) {
  const server s = {.heard = a->engine->now, .id = id, .scope = (uint8_t)scope};

  if (a->policy->flavour != XL_FLAVOUR_BITS3 || id == a->id ||
      (uint32_t)scope >= XL_SCOPE_NONE) {
    return;
  }
  uint32_t i = place_of(xli_servers(a), id);
  if (i == XL_NONE) {
    add(a, &s);
  } else {
    a->extra->servers.list[i] = s;
  }
}

void xli_servers_drop(xl_agent *a, uint32_t id) {
  uint32_t i = place_of(xli_servers(a), id);

  if (i != XL_NONE) {
    take_out(&a->extra->servers, i);
  }
}

void xli_servers_clear(xl_agent *a) {
  if (a->extra != NULL) {
    a->extra->servers.n = 0;
  }
}

bool xli_servers_load(xl_agent *a, const server *s) {
  const servers *t = xli_servers(a);

  return s->id != a->id && t->n < SERVERS_MAX &&
         place_of(t, s->id) == XL_NONE && add(a, s);
}

const char *xli_servers_check(const xl_agent *a) {
  const servers *t = xli_servers(a);

  if (t->n > SERVERS_MAX) {
    return "too many servers are known";
  }
  for (uint32_t i = 0; i < t->n; i++) {
    const server *s = &t->list[i];
    if (s->id == a->id || place_of(t, s->id) != i ||
        s->scope >= XL_SCOPE_NONE || s->heard > a->engine->now) {
      return "a known server is the device, is there twice or is not yet known";
    }
  }
  return NULL;
}
