/* SPDX-License-Identifier: MIT */
#include "local.h"

#include <string.h>

#include "agent.h"
#include "engine.h"
#include "file.h"
#include "job.h"

#define LOCAL_MAX 260u /* MAX_PATH, R105 */

static bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What follows the drive or root of a full path; NULL when it is none. */
static const char *after_root(const char *s) {
  if (strncmp(s, "\\\\?", 3) == 0) {
    return NULL;
  }
  if (is_letter(s[0]) && s[1] == ':' && (s[2] == '\\' || s[2] == '/')) {
    return s + 3;
  }
  return s[0] == '/' || strncmp(s, "\\\\", 2) == 0 ? s + 1 : NULL;
}

/* No wildcards, no streams. */
static bool is_plain(const char *s) {
  for (; *s != '\0'; s++) {
    if (*s == '*' || *s == '?' || *s == ':') {
      return false;
    }
  }
  return true;
}

static bool is_full_path(const char *s) {
  const char *rest = after_root(s);

  return rest != NULL && *rest != '\0' && strlen(s) <= LOCAL_MAX &&
         is_plain(rest);
}

xl_err xli_local_check(const xl_job *j, const char *local) {
  xl_engine *eng = j->agent->engine;

  if (local == NULL || local[0] == '\0') {
    return XL_E_INVALIDARG;
  }
  if (!xli_job_is_do(j) && !is_full_path(local)) { /* R105; R485 */
    return XL_E_INVALIDARG;
  }
  if (eng->env.check_local == NULL) {
    return XL_OK;
  }
  eng->inside = true;
  xl_err err = eng->env.check_local(eng->env.arg, j->agent, local);
  eng->inside = false;
  return err;
}

/* "%X" */
static char *put_hex(char *at, uint32_t n) {
  int shift = 28;

  while (shift > 0 && n >> shift == 0) {
    shift -= 4;
  }
  for (; shift >= 0; shift -= 4) {
    *at++ = "0123456789ABCDEF"[n >> shift & 15];
  }
  return at;
}

/* In the folder of the local name: BIT<job>-<file>.TMP, which no other file of
   the agent has. */
const char *xl_file_temporary_name(xl_file *f) {
  xl_engine *eng = f->job->agent->engine;
  const char *local = xl_engine_string(eng, f->local);
  char text[LOCAL_MAX + 32], *at = text;
  size_t folder = strlen(local);

  while (folder > 0 && local[folder - 1] != '\\' && local[folder - 1] != '/') {
    folder--;
  }
  folder = folder <= LOCAL_MAX ? folder : 0;
  memcpy(at, local, folder);
  at += folder;
  memcpy(at, "BIT", 3);
  at = put_hex(at + 3, f->job->id);
  *at++ = '-';
  at = put_hex(at, f->index);
  memcpy(at, ".TMP", 5);
  return xl_engine_string(eng, xl_engine_name(eng, text));
}
