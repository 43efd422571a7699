/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driver_world.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "job.h"

const char *const world_urls[NURLS] = {"http://a/f", "http://b/f", "http://c/f",
                                       "https://d/f"};

static const char *broken;
driver_sums driver_total;
bool driver_loud;

void driver_broken(const char *text) {
  broken = broken == NULL ? text : broken;
}

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

/* ---- memory ---- */

static void *world_realloc(void *arg, void *ptr, size_t size) {
  world *w = arg;

  if (size == 0) {
    w->held--;
    free(ptr);
    return NULL;
  }
  if (w->fuse == 0) {
    w->blown = driver_blown = true;
    return NULL;
  }
  w->fuse -= w->fuse > 0;
  void *p = realloc(ptr, size);
  if (ptr == NULL) {
    w->held++;
    memset(p, 0xa5, size);
  }
  return p;
}

static void *grow(void *ptr, uint32_t n, uint32_t *cap, size_t size) {
  if (n < *cap) {
    return ptr;
  }
  *cap = *cap * 2 + 16;
  ptr = realloc(ptr, *cap * size);
  if (ptr == NULL) {
    abort();
  }
  return ptr;
}

/* ---- content ---- */

static unsigned char content_byte(const world *w, xl_version v, xl_bytes at) {
  uint64_t id = v.size * 31 + (w->no_mtime ? 0 : (uint64_t)v.mtime_s);
  uint64_t x = (at + 1) * 0x9e3779b97f4a7c15u ^ (id + 1) * 0x2545f4914f6cdd1du;

  return (unsigned char)(x >> 29 ^ x >> 53);
}

/* Where byte |at| of the local file lies in the remote one. */
static xl_bytes remote_of(const xl_file *f, xl_bytes size, xl_bytes at) {
  const xl_range_spec *r;
  uint32_t n;

  if (xl_file_ranges(f, &r, &n) != XL_OK) {
    return at;
  }
  for (uint32_t i = 0; i < n; i++) {
    xl_bytes len =
        r[i].length == XL_LENGTH_TO_EOF ? size - r[i].offset : r[i].length;
    if (at < len) {
      return r[i].offset + at;
    }
    at -= len;
  }
  return size + at;
}

void world_content(const world *w, const xl_file *f, xl_version v, xl_range r,
                   bool corrupt, unsigned char *out) {
  for (xl_bytes at = r.begin; at < r.end; at++) {
    unsigned char b = content_byte(w, v, remote_of(f, v.size, at));
    out[at - r.begin] = corrupt ? (unsigned char)~b : b;
  }
}

bool world_tainted(world *w, const open_request *o, xl_bytes upto) {
  const have *h = &o->file->have;
  const shadow *s = world_shadow(w, o->file);
  uint32_t begin, end;
  xl_bytes run;

  upto = upto < h->size ? upto : h->size;
  if (h->map == NULL || o->range.begin >= upto) {
    return false;
  }
  xli_have_pieces(h, (xl_range){o->range.begin, upto}, &begin, &end);
  for (uint32_t p = begin; p < end; p++) {
    xl_range r = xli_have_bytes(h, p);
    for (xl_bytes at = r.begin; at < r.end; at++) {
      if (s->bad[at] && xli_have_run(h, at, r.end, &run)) {
        return true;
      }
    }
  }
  return false;
}

/* All bytes are those of one version. */
static bool one_version(const world *w, const shadow *s, xl_bytes size,
                        xl_bytes full) {
  unsigned char want[FILE_BYTES];

  for (int64_t mtime = -1; mtime < 70; mtime++) {
    xl_version v = {full, mtime};
    world_content(w, s->file, v, (xl_range){0, size}, false, want);
    if (memcmp(want, s->bytes, size) == 0) {
      return true;
    }
  }
  return false;
}

static void check_content(world *w, shadow *s) {
  if (s->checked || s->file->phase != FILE_DONE ||
      s->file->have.size > FILE_BYTES) {
    return;
  }
  s->checked = true;
  driver_total.whole_files++;
  must(!w->data || one_version(w, s, s->file->have.size, s->file->version.size),
       "a whole file is not the bytes of one version in their places");
}

shadow *world_shadow(world *w, const xl_file *f) {
  for (uint32_t i = w->nshadows; i-- > 0;) {
    if (w->shadows[i]->file == f) {
      return w->shadows[i];
    }
  }
  w->shadows =
      grow(w->shadows, w->nshadows, &w->shadow_cap, sizeof *w->shadows);
  shadow *s = calloc(1, sizeof *s);
  if (s == NULL) {
    abort();
  }
  s->file = f;
  s->agent = f->job->agent;
  return w->shadows[w->nshadows++] = s;
}

/* ---- requests ---- */

open_request *world_open(world *w, const xl_agent *a, uint32_t number) {
  for (uint32_t i = 0; i < w->nopen; i++) {
    if (w->open[i].agent == a && w->open[i].request == number) {
      return &w->open[i];
    }
  }
  return NULL;
}

void world_forget(world *w, open_request *o) {
  *o = w->open[--w->nopen];
}

static uint32_t index_of(const world *w, const xl_agent *a) {
  uint32_t i = 0;

  while (i < NAGENTS && w->agents[i] != a) {
    i++;
  }
  return i;
}

void world_forget_traffic(world *w, const xl_agent *a) {
  for (uint32_t k = w->nopen; k-- > 0;) {
    if (w->open[k].agent == a) {
      world_forget(w, &w->open[k]);
    }
  }
  for (uint32_t k = w->nsearches; k-- > 0;) {
    if (w->searches[k].agent == a) {
      w->searches[k] = w->searches[--w->nsearches];
    }
  }
  for (uint32_t k = w->nasks; k-- > 0;) {
    if (w->asks[k].agent == a) {
      w->asks[k] = w->asks[--w->nasks];
    }
  }
}

void world_forget_agent(world *w, uint32_t i) {
  const xl_agent *a = w->agents[i];

  world_forget_traffic(w, a);
  for (uint32_t k = w->nshadows; k-- > 0;) {
    if (w->shadows[k]->agent == a) {
      free(w->shadows[k]);
      w->shadows[k] = w->shadows[--w->nshadows];
    }
  }
  memset(w->jobs[i], 0, sizeof w->jobs[i]);
  w->agents[i] = NULL;
  w->sent[i] = 0;
}

/* ---- what the engine asks and tells ---- */

static uint64_t world_draw(void *arg, uint32_t id, uint64_t n) {
  const world *w = arg;
  uint64_t x = w->seed + id * 0x9e3779b97f4a7c15u + n * 0xbf58476d1ce4e5b9u;

  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static xl_bytes world_arrived(void *arg, const xl_agent *a, uint32_t number) {
  const open_request *o = world_open(arg, a, number);

  return o == NULL ? 0 : o->arrived;
}

static const xl_map *world_map(void *arg, const xl_agent *reader, uint32_t id,
                               xl_name key, xl_version version,
                               uint32_t *visible) {
  world *w = arg;
  uint32_t lie = id < NAGENTS ? w->lie[id] : 1, from = id;
  const xl_map *m = NULL;

  (void)reader;
  *visible = 0;
  if (lie == 1) { /* gone */
    return NULL;
  }
  for (uint32_t i = 1; i < NAGENTS && lie == 3; i++) { /* what another has */
    uint32_t k = (id + i) % NAGENTS;
    if (w->agents[k] != NULL &&
        xl_agent_map(w->agents[k], key, version) != NULL) {
      from = k;
    }
  }
  if (from < NAGENTS && w->agents[from] != NULL) {
    m = xl_agent_map(w->agents[from], key, version);
  }
  if (m != NULL) {
    *visible = xl_map_visible(m, w->now, 0);
    *visible = lie == 2 ? *visible / 2 : lie == 4 ? 0 : *visible;
  }
  return m;
}

static void world_transfer(void *arg, const xl_transfer *row) {
  world *w = arg;
  open_request *o = world_open(w, row->agent, row->request);
  uint32_t i = index_of(w, row->agent);

  driver_total.requests++;
  driver_total.bytes += row->delivered;
  driver_total.ended[row->outcome]++;
  driver_total.peer_bytes += row->kind == XL_SOURCE_PEER ? row->delivered : 0;
  must(xl_ledger_total(&row->booked) == row->delivered,
       "a request's classes do not sum to what it delivered");
  if (o == NULL) {
    must(w->erratic || row->delivered == 0,
         "bytes of a request that is not under way");
    return;
  }
  xl_bytes all = w->ending ? o->arrived : o->told;
  if (w->fresh > 0 && row->delivered == all - w->fresh) {
    all = o->told -= w->fresh; /* what its first bytes said ended it: late */
    world_shadow(w, row->file)->told -= w->fresh;
  }
  must(row->delivered == all, "a request ends with other bytes than came");
  must(row->first < 0 || (row->first >= row->asked && row->first <= row->end),
       "the first byte came before it was asked for, or after the end");
  w->sent[i] += all - o->told;
  world_shadow(w, row->file)->told += all - o->told;
  world_forget(w, o);
}

static bool may_follow(int64_t from, int64_t to) {
  uint32_t n;
  const xl_transition *t = xl_job_transitions(&n);

  for (uint32_t i = 0; i < n; i++) {
    if (t[i].from == (xl_job_state)from && t[i].to == (xl_job_state)to) {
      return true;
    }
  }
  return false;
}

static void state_event(world *w, uint32_t i, const xl_event *ev) {
  must(may_follow(ev->a, ev->b), "a change of state that cannot be");
  for (uint32_t k = 0; k < NSLOTS && i < NAGENTS; k++) {
    if (w->jobs[i][k] == ev->job) {
      must(w->states[i][k] == ev->a, "a job leaves a state it was not in");
      w->states[i][k] = (uint8_t)ev->b;
      w->added[i][k] = false;
      notices_state(w, i, k, (xl_job_state)ev->b);
    }
  }
}

static void world_event(void *arg, const xl_event *ev) {
  world *w = arg;
  uint32_t i = index_of(w, ev->agent);

  if (driver_loud) {
    printf("    %lld ns: event %d: %lld %lld %lld\n", (long long)ev->at,
           (int)ev->kind, (long long)ev->a, (long long)ev->b, (long long)ev->c);
  }
  if (ev->kind == XL_EVENT_RESTART) {
    shadow *s = world_shadow(w, ev->file);
    memset(s->bytes, 0, sizeof s->bytes);
    s->checked = false;
  } else if (ev->kind == XL_EVENT_JOB_STATE) {
    state_event(w, i, ev);
  } else if (i < NAGENTS && ev->kind == XL_EVENT_CACHE_ADMIT) {
    w->machine[i].cached += (xl_bytes)ev->a;
  } else if (i < NAGENTS && ev->kind == XL_EVENT_CACHE_EVICT) {
    must(w->machine[i].cached >= (xl_bytes)ev->a,
         "more is evicted than was admitted");
    w->machine[i].cached -= (xl_bytes)ev->a;
  }
}

static void world_store(void *arg, const xl_file *f, xl_range r,
                        const void *data) {
  world *w = arg;
  shadow *s = world_shadow(w, f);

  if (r.begin >= r.end || r.end > FILE_BYTES) {
    driver_broken("bytes are stored beyond the end of the file");
    return;
  }
  memcpy(s->bytes + r.begin, data, r.end - r.begin);
  memset(s->bad + r.begin, w->lying, r.end - r.begin);
}

/* ---- what the engine wants ---- */

xl_name world_key(world *w, uint32_t i) {
  static const char *const keys[] = {"content",         "other",
                                     "http://a/f",      "none",
                                     "content#0+150",   "content#300+200,0+150",
                                     "content#500+500", "content#1+1"};

  return xl_engine_name(w->eng, keys[i % 8]);
}

static void opened(world *w, const xl_action *a) {
  open_request o = {.agent = a->agent,
                    .file = a->file,
                    .request = a->request,
                    .head = a->kind == XL_ACT_HEAD,
                    .peer = a->source == XL_SOURCE_PEER,
                    .range = a->range,
                    .version = a->version};

  must(world_open(w, a->agent, a->request) == NULL,
       "two requests with one number");
  if (!o.peer) {
    const char *url = xl_engine_string(w->eng, a->url);
    if (w->redirected == a->file && !w->followed &&
        strcmp(url, w->location) == 0) {
      w->followed = true;
      o.hops = w->hops;
    }
    o.url = url;
    o.version = (xl_version){XL_SIZE_UNKNOWN, 0}; /* 404 */
    for (uint32_t u = 0; u < NURLS; u++) {
      o.version = strcmp(world_urls[u], url) == 0 ? w->origin[u] : o.version;
    }
    must(o.head || a->whole || o.version.size == XL_SIZE_UNKNOWN ||
             a->offset == remote_of(a->file, a->version.size, a->range.begin),
         "a GET asks for bytes of another place");
    if (a->whole) {
      o.range = (xl_range){0, o.version.size};
    }
  }
  if (o.range.end > FILE_BYTES) {
    o.range.end = o.range.begin < FILE_BYTES ? FILE_BYTES : o.range.begin;
  }
  w->open = grow(w->open, w->nopen, &w->open_cap, sizeof *w->open);
  w->open[w->nopen++] = o;
}

void world_act(world *w) {
  xl_action a;

  while (xl_engine_next(w->eng, &a)) {
    open_request *o = NULL;
    if (driver_loud) {
      printf("    action %d: request %u, bytes %llu to %llu\n", (int)a.kind,
             a.request, (unsigned long long)a.range.begin,
             (unsigned long long)a.range.end);
    }
    switch (a.kind) {
    case XL_ACT_HEAD:
    case XL_ACT_GET:
      opened(w, &a);
      break;
    case XL_ACT_CANCEL:
      o = world_open(w, a.agent, a.request);
      if (o != NULL) {
        must(!o->cancelled, "a request is cancelled twice");
        o->cancelled = true;
      }
      break;
    case XL_ACT_FIND:
      if (w->nsearches < NSEARCHES) {
        w->searches[w->nsearches++] = (search){a.agent, a.request};
      }
      break;
    case XL_ACT_ANSWER:
      if (a.answer.accept && w->nasks < NASKS) {
        w->asks[w->nasks++] = (asked){a.agent, a.ask};
      }
      break;
    case XL_ACT_NOTIFY:
      notices_take(w, &a);
      break;
    case XL_ACT_RATES:
      machine_rates(w, a.agent);
      break;
    case XL_ACT_PUBLISH:
    default:
      break;
    }
  }
}

/* ---- books ---- */

static void check_jobs(world *w, uint32_t i) {
  for (uint32_t k = 0; k < NSLOTS; k++) {
    const xl_job *j = w->jobs[i][k];
    if (j == NULL) {
      continue;
    }
    xl_job_progress p;
    xl_job_progress_of(j, &p);
    must((xl_job_state)w->states[i][k] == xl_job_state_of(j),
         "a job changed its state without an event");
    must(p.transferred <= p.total, "a job has transferred more than there is");
    must(p.files_transferred <= p.files_total, "more files than there are");
    must(xl_job_state_of(j) != XL_JOB_TRANSFERRED || w->added[i][k] ||
             (p.transferred == p.total && p.files_transferred == p.files_total),
         "a transferred job lacks bytes");
    notices_check(w, i, k);
  }
}

void world_check(world *w) {
  const char *text = NULL;

  if (xl_engine_status(w->eng, &text) != XL_OK) {
    must(w->erratic || w->blown, text);
    return; /* the run is given up: nothing may crash, that is all */
  }
  must(!w->blown, "a failed allocation went unnoticed");
  const char *bad = xl_engine_check(w->eng);
  must(bad == NULL, bad);
  must(driver_illegal == 0, "an illegal answer went unnoticed");
  for (uint32_t i = 0; i < NAGENTS; i++) {
    if (w->agents[i] != NULL) {
      must(xl_ledger_total(xl_agent_ledger(w->agents[i])) == w->sent[i],
           "an agent's ledger is not what was sent to it");
      check_jobs(w, i);
      machine_check(w, i);
      cache_check(w, i);
    }
  }
  for (uint32_t i = 0; i < w->nshadows; i++) {
    must(xl_ledger_total(xl_file_ledger(w->shadows[i]->file)) ==
             w->shadows[i]->told,
         "a file's ledger is not what was sent for it");
    check_content(w, w->shadows[i]);
  }
}

/* ---- made and freed ---- */

void world_new(world *w, const op *c) {
  xl_env env = {.size = sizeof env,
                .arg = w,
                .alloc = {world_realloc, w},
                .draw = world_draw,
                .peer_map = world_map,
                .arrived = world_arrived,
                .transfer = world_transfer,
                .event = world_event,
                .store = world_store,
                .check_local = machine_check_local,
                .hand_over = machine_hand_over,
                .discard = machine_discard};

  w->data = c->arg[0] % 2 != 0;
  w->no_mtime = c->arg[1] % 4 == 1;
  w->cfg = xl_engine_cfg_default();
  w->cfg.requests_max = 1 + c->arg[2] % 8;
  w->cfg.peers_max = c->arg[3] < 8 ? c->arg[3] % 6 : 4;
  w->cfg.time_slice = XL_SEC(30);
  w->erratic = c->arg[4] != 0;
  w->seed = c->arg[2] * 64u + c->arg[4];
  for (int i = 0; i < NURLS; i++) {
    w->origin[i] = (xl_version){1000, w->no_mtime && i == 2 ? INT64_MIN : 1};
  }
  if (xl_engine_new(&w->eng, &w->cfg, &env) != XL_OK) {
    must(w->blown, "no engine");
    w->eng = NULL;
  }
}

void world_del(world *w) {
  if (w->eng != NULL) {
    w->ending = true;
    for (uint32_t i = 0; i < NAGENTS; i++) {
      if (w->agents[i] != NULL) {
        xl_agent_settle(w->agents[i], w->now);
      }
    }
    w->ending = false;
    world_check(w);
    must(w->nopen == 0 || xl_engine_status(w->eng, NULL) != XL_OK,
         "a request never ends");
    xl_engine_del(w->eng);
  }
  must(w->held == 0, "memory is left over");
  for (uint32_t i = 0; i < w->nshadows; i++) {
    free(w->shadows[i]);
  }
  free(w->shadows);
  free(w->open);
}

const char *driver_play(const script *s, long fuse, bool *blown, uint32_t *at) {
  static const op plain = {.kind = OP_config, .arg = {1, 0, 4, 4, 0}};
  world *w = calloc(1, sizeof *w);

  if (w == NULL) {
    abort();
  }
  broken = NULL;
  driver_illegal = 0;
  driver_blown = false;
  w->fuse = fuse;
  *at = 0;
  driver_total.scripts++;
  world_new(w, s->n > 0 && s->ops[0].kind == OP_config ? &s->ops[0] : &plain);
  for (uint32_t i = 0; i < s->n && broken == NULL && w->eng != NULL; i++) {
    *at = i;
    driver_total.steps++;
    driver_total.open += w->nopen;
    ops_play(w, &s->ops[i]);
    world_act(w);
    world_check(w);
  }
  if (broken == NULL) {
    driver_total.illegal += driver_illegal;
    world_del(w);
    if (blown != NULL) {
      *blown = w->blown;
    }
    free(w);
  } /* else it is left as it is: the process is about to say so */
  return broken;
}
