/* SPDX-License-Identifier: MIT */
/*
 * origin-only: what every other policy is measured against.
 *
 * A BITS 4.0 client without BranchCache (R506): it asks the current remote name
 * for what is missing, in order, and goes on to the next remote name of the
 * file after |switch_after| failures in a row.
 *
 * Deviations. BITS chooses the size of its requests by the speed of the path
 * and has one under way; here both are parameters, and one request for the
 * rest of the file is the default. BITS has no list of mirrors of its own: an
 * application calls SetRemoteName when a server fails (R211); |failed| stands
 * for that application.
 */
#include <xl/policy.h>

enum { P_REQUEST, P_REQUESTS, P_SWITCH_AFTER, NPARAMS };

static const xl_param params[NPARAMS] = {
    [P_REQUEST] = {"request", XL_PARAM_BYTES, "16TiB", "64KiB", NULL, NULL,
                   "bytes of one request; the default asks for the rest of the "
                   "file (assumed)"},
    [P_REQUESTS] = {"requests", XL_PARAM_COUNT, "1", "1", "64", NULL,
                    "requests under way at once for a file (assumed)"},
    [P_SWITCH_AFTER] =
        {"switch_after", XL_PARAM_COUNT, "1", "1", "100", NULL,
         "failures in a row before the next remote name is used (assumed)"},
};

static bool pick(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  xl_bytes request = (xl_bytes)h->param(v, P_REQUEST).i;
  xl_range gap;

  *again = XL_NEVER;
  if (f->origin_requests >= (uint64_t)h->param(v, P_REQUESTS).i ||
      !h->next_gap(v, 0, &gap)) {
    return false;
  }
  if (gap.end - gap.begin > request) {
    gap.end = gap.begin + request;
  }
  *out = (xl_pick){.kind = XL_SOURCE_ORIGIN,
                   .peer = XL_NONE,
                   .range = gap,
                   .reason = XL_REASON_POLICY_ORIGIN};
  return true;
}

/* Says whether the origin is to blame, rather than this side. */
static bool origin_failed(xl_end end) {
  return end != XL_END_CANCELLED && end != XL_END_LINK_LOST &&
         end != XL_END_RUN_ENDED && end != XL_END_DONE;
}

static void failed(const xl_host *h, xl_view *v, const xl_failure *why,
                   xl_remedy *out) {
  const xl_file_view *f = h->file(v);
  uint32_t limit = (uint32_t)h->param(v, P_SWITCH_AFTER).i;

  *out = (xl_remedy){.mirror = XL_NONE};
  if (f->nmirrors > 1 && why->in_row >= limit && origin_failed(why->end)) {
    out->mirror = (f->mirror + 1) % f->nmirrors;
  }
}

const xl_policy xl_policy_origin_only = {
    .size = sizeof(xl_policy),
    .version = XL_POLICY_ABI,
    .name = "origin-only",
    .help = "every device fetches everything from the origin",
    .source = "BITS 4.0 without BranchCache (bits-semantics R506, R211). "
              "Deviations: the size and number of requests are parameters; "
              "remote names are switched by the policy.",
    .flavour = XL_FLAVOUR_BITS4,
    .params = params,
    .nparams = NPARAMS,
    .pick = pick,
    .failed = failed,
};
