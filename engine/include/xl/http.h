/* SPDX-License-Identifier: MIT */
/*
 * HTTP options of a job (IBackgroundCopyJobHttpOptions and the property
 * DYNAMIC_CONTENT), and what one GET asks a server for.
 */
#ifndef XL_HTTP_H
#define XL_HTTP_H

#include <xl/agent.h>

/* Security flags (R812). The redirect policy is one of three. */
#define XL_HTTP_CHECK_CRL 0x1u    /* on while bytes are there: restarts files */
#define XL_HTTP_IGNORE_CERT 0x1eu /* four kinds of certificate trouble */
#define XL_HTTP_REDIRECT_MASK 0x700u
#define XL_HTTP_REDIRECT_SILENT 0u     /* followed; remote name unchanged */
#define XL_HTTP_REDIRECT_REPORT 0x100u /* followed; the remote name changes */
#define XL_HTTP_REDIRECT_DISALLOW                                              \
  0x200u                             /* the job goes to ERROR; the remote      \
                                        name changes */
#define XL_HTTP_HTTPS_TO_HTTP 0x800u /* may be redirected so */

#define XL_HTTP_HOPS_MAX 10u /* redirections of one request */

XL_BEGIN_DECLS

/* E_NOTIMPL for unknown flags; E_INVALID_STATE when the job is over. */
xl_err xl_job_set_security_flags(xl_job *j, uint32_t flags, xl_time now);
uint32_t xl_job_security_flags(const xl_job *j);

/* The job's contents are made as they are asked for (R802): no size need be
   told, and what is interrupted begins again at 0. A body whose size was not
   told is delivered with its version's size once it is complete. Only for
   FOREGROUND jobs (else E_INVALID_STATE) without ranges
   (E_RANDOM_ACCESS_NOT_SUPPORTED), before the first Resume
   (E_PROPERTY_AFTER_RESUME); E_NOTIMPL in Delivery Optimization. No peers. */
xl_err xl_job_set_dynamic_content(xl_job *j, bool on, xl_time now);
bool xl_job_dynamic_content(const xl_job *j);

/* The fetch window of R210: the ranges of the remote file that |window| of the
   local file touches, in the order of the list, the window clipped to the
   file. Writes the first |max|; returns how many there are, 0 before the size
   is known. A GET that is not |whole| asks for the window of its range. */
uint32_t xl_file_window(const xl_file *f, xl_range window, xl_range_spec *out,
                        uint32_t max);

XL_END_DECLS

#endif
