/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REMOTE_H
#define ENGINE_REMOTE_H

#include "request.h"

/* The same version of a remote file; an unknown time stamp matches any. */
bool xli_version_same(xl_version a, xl_version b);
/* A reply to |r|. May end the request. */
void xli_remote_reply(request *r, const xl_reply *reply);

#endif
