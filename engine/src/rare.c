/* SPDX-License-Identifier: MIT */
#include "rare.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "machine.h"

static const job_rare defaults = {.min_retry_s = RARE_DEFAULT,
                                  .no_progress_s = RARE_DEFAULT,
                                  .max_download_s = RARE_DEFAULT,
                                  .owner = MACHINE_SERVICE,
                                  .command_due = XL_NEVER,
                                  .notices = {.flags = XL_NOTIFY_DEFAULT,
                                              .told = XL_NNOTICES,
                                              .again = XL_NEVER}};

const job_rare *xli_rare(const xl_job *j) {
  return j->rare != NULL ? j->rare : &defaults;
}

job_rare *xli_rare_need(xl_job *j) {
  if (j->rare == NULL) {
    j->rare = xli_new(j->agent->engine, sizeof *j->rare);
    if (j->rare != NULL) {
      *j->rare = defaults;
    }
  }
  return j->rare;
}

void xli_rare_del(xl_engine *eng, job_rare *r) {
  if (r != NULL) {
    xli_free(eng, r->credentials);
    xli_free(eng, r->notices.files);
    xli_free(eng, r);
  }
}

xl_err xli_text_check(const char *text, size_t max, bool may_be_null) {
  if (text == NULL) {
    return may_be_null ? XL_OK : XL_E_INVALIDARG;
  }
  return strlen(text) > max ? XL_E_STRING_TOO_LONG : XL_OK;
}

const credential *xli_rare_credential(const xl_job *j, uint8_t target) {
  const job_rare *r = xli_rare(j);

  for (uint32_t i = 0; i < r->ncredentials; i++) {
    if (r->credentials[i].target == target) {
      return &r->credentials[i];
    }
  }
  return NULL;
}
