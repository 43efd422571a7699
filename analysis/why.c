/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `why FILE`: every byte that came from an origin has a reason, and the reasons
 * add up to the bytes that origins delivered. When they do not, the table is
 * printed all the same and the command fails.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "analysis/compare.h"
#include "analysis/human.h"
#include "analysis/reasons.h"

#define MASK(table) (UINT32_C(1) << SCHEMA_##table)

/* 1234567 as "1,234,567": sums are compared by eye. */
static const char *exact(char *buf, uint64_t n) {
  char digits[24];
  size_t len =
      (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  char *to = buf;

  for (size_t i = 0; i < len; i++) {
    if (i > 0 && (len - i) % 3 == 0) {
      *to++ = ',';
    }
    *to++ = digits[i];
  }
  *to = '\0';
  return buf;
}

static double share_of(const reasons *r, uint64_t bytes) {
  return r->delivered > 0 ? (double)bytes / (double)r->delivered : 0;
}

static void put_row(const reasons *r, xl_reason reason, FILE *out) {
  const reason_row *row = &r->row[reason];
  char a[HUMAN_LEN], b[HUMAN_LEN], c[HUMAN_LEN];
  xl_reason rejected;
  double share;

  human_pad(out, xl_reason_name(reason), 18);
  human_pad(out, human(a, "B", (double)row->bytes), -12);
  snprintf(b, sizeof b, "%.2f %%", 100 * share_of(r, row->bytes));
  human_pad(out, b, -10);
  human_pad(out, exact(c, row->requests), -12);
  human_pad(out, human(a, "s", row->waited_p50_s), -12);
  if (reasons_most_rejected(row, &rejected, &share)) {
    fprintf(out, "   %s (%.0f %% of requests)", xl_reason_name(rejected),
            100 * share);
  } else {
    fputs("   nothing", out);
  }
  fputc('\n', out);
}

static void put_sum(const reasons *r, FILE *out) {
  char a[HUMAN_LEN], b[HUMAN_LEN];

  if (!r->checked) {
    fputs("sum: not checked, the run was interrupted before it wrote the "
          "ledgers of its files\n",
          out);
    return;
  }
  fprintf(out, "sum: %s B by reason %s %s B received from origins\n",
          exact(a, r->delivered),
          r->delivered == r->received ? "=" : "!=", exact(b, r->received));
  fprintf(out, "     %s B of them first copies, %s B wasted\n",
          exact(a, r->first_copies), exact(b, r->wasted));
  if (r->files_off == 0) {
    fprintf(out,
            "     the transfers of all %zu files add up to their ledgers\n",
            r->nfiles);
  } else {
    fprintf(out,
            "     the transfers of %zu of %zu files do not add up to their "
            "ledgers\n",
            r->files_off, r->nfiles);
  }
  if (r->egress > r->received) {
    fprintf(out,
            "     origins sent %s B; the rest was under way or lost when a "
            "device went down\n",
            exact(a, r->egress));
  }
}

static void put_table(const trace *t, const reasons *r, FILE *out) {
  xl_reason order[XL_NREASONS];
  size_t n = reasons_order(r, order);
  char a[HUMAN_LEN];

  fprintf(out, "%s, %s, seed %llu: %s from origins in %zu reasons\n\n",
          t->scenario_name != NULL ? t->scenario_name : "unnamed",
          t->policy != NULL ? t->policy : "unknown",
          (unsigned long long)t->seed, human(a, "B", (double)r->delivered), n);
  human_pad(out, "reason", 18);
  human_pad(out, "bytes", -12);
  human_pad(out, "share", -10);
  human_pad(out, "requests", -12);
  human_pad(out, "waited p50", -12);
  fputs("   ruled out most often\n", out);
  for (size_t i = 0; i < n; i++) {
    put_row(r, order[i], out);
  }
  fputc('\n', out);
  for (size_t i = 0; i < n; i++) {
    human_pad(out, xl_reason_name(order[i]), 18);
    fprintf(out, "%s\n", xl_reason_text(order[i]));
  }
  fputc('\n', out);
  put_sum(r, out);
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *count(uint64_t n) {
  return json_integer((json_int_t)n);
}

static json_t *row_json(const reasons *r, xl_reason reason) {
  const reason_row *row = &r->row[reason];
  json_t *o = json_object(), *rejected = json_object();

  json_object_set_new(o, "reason", json_string(xl_reason_name(reason)));
  json_object_set_new(o, "text", json_string(xl_reason_text(reason)));
  json_object_set_new(o, "bytes", count(row->bytes));
  json_object_set_new(o, "share", json_real(share_of(r, row->bytes)));
  json_object_set_new(o, "requests", count(row->requests));
  json_object_set_new(o, "waited_p50_s",
                      isfinite(row->waited_p50_s) ? json_real(row->waited_p50_s)
                                                  : json_null());
  for (size_t i = 0; i < XL_NREASONS; i++) {
    if (row->rejected[i] > 0) {
      json_object_set_new(rejected, xl_reason_name((xl_reason)i),
                          count(row->rejected[i]));
    }
  }
  json_object_set_new(o, "ruled_out_requests", rejected);
  return o;
}

static bool put_json(const trace *t, const reasons *r, FILE *out, fail *why) {
  xl_reason order[XL_NREASONS];
  size_t n = reasons_order(r, order);
  json_t *o = json_object(), *rows = json_array();

  json_object_set_new(o, "scenario",
                      t->scenario_name != NULL ? json_string(t->scenario_name)
                                               : json_null());
  json_object_set_new(o, "policy",
                      t->policy != NULL ? json_string(t->policy) : json_null());
  json_object_set_new(o, "seed", count(t->seed));
  json_object_set_new(o, "origin_bytes", count(r->delivered));
  json_object_set_new(o, "origin_received", count(r->received));
  json_object_set_new(o, "first_copies", count(r->first_copies));
  json_object_set_new(o, "wasted", count(r->wasted));
  json_object_set_new(o, "origin_egress", count(r->egress));
  json_object_set_new(
      o, "adds_up", r->checked ? json_boolean(reasons_add_up(r)) : json_null());
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(rows, row_json(r, order[i]));
  }
  json_object_set_new(o, "reasons", rows);
  int bad = json_dumpf(o, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  json_decref(o);
  return (bad == 0 && fputc('\n', out) != EOF) ||
         fail_set(why, EXIT_RUN_FAILED, "cannot write the JSON");
}

static bool tell(const char *path, const trace *t, bool json, FILE *out,
                 fail *why) {
  reasons r;

  if (!reasons_present(t)) {
    return fail_set(why, EXIT_USAGE,
                    "%s holds no transfers: record the run with `--trace "
                    "transfers` to know why bytes came from the origin",
                    path);
  }
  reasons_count(t, &r);
  if (json) {
    if (!put_json(t, &r, out, why)) {
      return false;
    }
  } else {
    put_table(t, &r, out);
  }
  if (r.checked && !reasons_add_up(&r)) {
    return fail_set(why, EXIT_RUN_FAILED,
                    "the reasons do not add up to the bytes that origins "
                    "delivered: %llu of %llu B, %zu files differ",
                    (unsigned long long)r.delivered,
                    (unsigned long long)r.received, r.files_off);
  }
  return true;
}

bool why_print(const char *path, bool json, FILE *out, fail *why) {
  trace t = {0};
  bool good = trace_read(&t, path,
                         MASK(TRANSFERS) | MASK(FILES) | MASK(ORIGINS), why) &&
              tell(path, &t, json, out, why);

  trace_free(&t);
  return good;
}
