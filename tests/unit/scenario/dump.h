/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario as text, every field of it: what two of them are compared by. */
#ifndef TESTS_SCENARIO_DUMP_H
#define TESTS_SCENARIO_DUMP_H

#include <stdio.h>
#include <stdlib.h>

#include "scenario/scenario.h"

static const char *dump_word(const char *s) {
  return s != NULL ? s : "-";
}

static void dump_dist(FILE *f, const dist *d) {
  fprintf(f, " {%d %.17g %.17g [%.17g %.17g]", d->kind, d->a, d->b, d->min,
          d->max);
  for (size_t i = 0; i < d->ntable; i++) {
    fprintf(f, " %.17g", d->table[i]);
  }
  fputs("}", f);
}

static void dump_network(FILE *f, const scenario *s) {
  for (size_t i = 0; i < s->nnodes; i++) {
    const scn_node *n = &s->nodes[i];
    fprintf(f, "node %s %s %llu %llu %lld\n", n->name, n->parent,
            (unsigned long long)n->up_Bps, (unsigned long long)n->down_Bps,
            (long long)n->latency);
  }
  for (size_t i = 0; i < s->norigins; i++) {
    const scn_origin *o = &s->origins[i];
    fprintf(f, "origin %s %s %llu %lld %u %llu %d %lld\n", o->name, o->at,
            (unsigned long long)o->rate_Bps, (long long)o->latency,
            o->connections, (unsigned long long)o->per_connection, o->ranges,
            (long long)o->mtime_offset_s);
  }
  for (size_t i = 0; i < s->nservices; i++) {
    const scn_service *v = &s->services[i];
    fprintf(f, "service %s %s %.17g %lld\n", v->name, v->at, v->queries_per_s,
            (long long)v->latency);
  }
  for (size_t i = 0; i < s->nsites; i++) {
    const scn_site *t = &s->sites[i];
    fprintf(f, "site %s %s %u lan %llu subnet %u %s %s", t->name, t->at,
            t->count, (unsigned long long)t->lan_rate, t->subnet,
            dump_word(t->domain), dump_word(t->group));
    dump_dist(f, &t->wan_down);
    dump_dist(f, &t->wan_up);
    dump_dist(f, &t->wan_latency);
    dump_dist(f, &t->lan_latency);
    for (size_t j = 0; j < t->ndevices; j++) {
      fprintf(f, " %u %s", t->devices[j].count, t->devices[j].cls);
    }
    fputs("\n", f);
  }
}

static void dump_classes(FILE *f, const scenario *s) {
  for (size_t i = 0; i < s->nclasses; i++) {
    const scn_class *c = &s->classes[i];
    fprintf(f, "class %s ratio %d cache %llu ram %llu disk %llu", c->name,
            c->up_is_ratio, (unsigned long long)c->cache_bytes,
            (unsigned long long)c->ram_bytes,
            (unsigned long long)c->disk_bytes);
    fprintf(f, " power %d %.17g %.17g always %d", c->power, c->metered, c->vpn,
            c->always_online);
    dump_dist(f, &c->down);
    dump_dist(f, &c->up);
    dump_dist(f, &c->cap);
    for (size_t k = 0; k < c->nthrottles; k++) {
      const scn_throttle *t = &c->throttles[k];
      fprintf(f, " throttle %u %lld %lld %llu %llu %llu", t->days,
              (long long)t->from, (long long)t->to, (unsigned long long)t->high,
              (unsigned long long)t->normal, (unsigned long long)t->low);
    }
    fputs("\n", f);
  }
}

static void dump_contents(FILE *f, const scenario *s) {
  for (size_t i = 0; i < s->ncontents; i++) {
    const scn_content *c = &s->contents[i];
    fprintf(f, "content %s %llu %u held %.17g at %lld %.17g of %d", c->name,
            (unsigned long long)c->size, c->piece_bytes, c->held_by,
            (long long)c->released, c->popularity, c->catalogue);
    for (size_t j = 0; j < c->norigins; j++) {
      fprintf(f, " %s", c->origins[j]);
    }
    fputs("\n", f);
  }
  for (size_t i = 0; i < s->ncatalogues; i++) {
    const scn_catalogue *c = &s->catalogues[i];
    fprintf(f, "catalogue %s %.17g %u %u\n", c->name, c->zipf, c->first,
            c->files);
  }
}

static void dump_jobs(FILE *f, const scenario *s) {
  for (size_t i = 0; i < s->njobs; i++) {
    const scn_job *j = &s->jobs[i];
    fprintf(f, "job %s of %d select %d %.17g %s at %lld %u %u %u %u %u",
            j->name, j->catalogue, j->select, j->share,
            dump_word(j->select_name), (long long)j->start, j->priority,
            j->peercaching, j->min_retry_s, j->no_progress_s,
            j->max_download_s);
    dump_dist(f, &j->arrival);
    if (j->catalogue >= 0) {
      dump_dist(f, &j->requests);
    }
    for (size_t k = 0; k < j->ncontents; k++) {
      fprintf(f, " %u", j->contents[k]);
    }
    fputs("\n", f);
  }
}

static void dump_rest(FILE *f, const scenario *s) {
  if (s->churn) {
    dump_dist(f, &s->churn_online);
    dump_dist(f, &s->churn_offline);
  }
  for (size_t i = 0; i < s->nfaults; i++) {
    const scn_fault *x = &s->faults[i];
    fprintf(f, "fault %lld %lld %d %s %s %u %llu %llu\n", (long long)x->at,
            (long long)x->duration, x->what, dump_word(x->target),
            dump_word(x->content), x->status, (unsigned long long)x->down_Bps,
            (unsigned long long)x->up_Bps);
  }
  for (size_t i = 0; i < s->npolicies; i++) {
    fprintf(f, "policy %s", s->policies[i].name);
    for (size_t j = 0; j < s->policies[i].nsettings; j++) {
      fprintf(f, " %s=%s", s->policies[i].settings[j].key,
              s->policies[i].settings[j].value);
    }
    fputs("\n", f);
  }
}

/* To be freed. */
static char *scenario_dump(const scenario *s) {
  char *text = NULL;
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);

  fprintf(f, "%s|%s|%s|%lld %d|%lld|\n", s->name, s->description, s->source,
          (long long)s->start_unix_s, s->utc_offset_s, (long long)s->duration);
  dump_classes(f, s);
  dump_network(f, s);
  dump_contents(f, s);
  dump_jobs(f, s);
  dump_rest(f, s);
  fclose(f);
  return text;
}

#endif
