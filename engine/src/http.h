/* SPDX-License-Identifier: MIT */
/* What a job's HTTP options mean: redirections (R812). */
#ifndef ENGINE_HTTP_H
#define ENGINE_HTTP_H

#include "request.h"

/* A status that sends the client elsewhere, and where to. */
bool xli_http_redirects(const xl_reply *reply);
/* True: |r| is to be asked again at |location|. The remote name changes as the
   job's options say, also when it is not followed. */
bool xli_http_follow(request *r, const char *location);

#endif
