/* SPDX-License-Identifier: MIT */
#include <xl/err.h>

static bool is_http(xl_err err) {
  uint32_t code = XL_HRESULT(err);

  return code >= 0x80190000u + 100 && code < 0x80190000u + 600;
}

/* "HTTP_100" .. "HTTP_599", so that a name needs no memory. */
#define HTTP_1(a, b, c) "HTTP_" #a #b #c
#define HTTP_10(a, b)                                                          \
  HTTP_1(a, b, 0), HTTP_1(a, b, 1), HTTP_1(a, b, 2), HTTP_1(a, b, 3),          \
      HTTP_1(a, b, 4), HTTP_1(a, b, 5), HTTP_1(a, b, 6), HTTP_1(a, b, 7),      \
      HTTP_1(a, b, 8), HTTP_1(a, b, 9)
#define HTTP_100(a)                                                            \
  HTTP_10(a, 0), HTTP_10(a, 1), HTTP_10(a, 2), HTTP_10(a, 3), HTTP_10(a, 4),   \
      HTTP_10(a, 5), HTTP_10(a, 6), HTTP_10(a, 7), HTTP_10(a, 8),              \
      HTTP_10(a, 9)
static const char *const http_name[] = {HTTP_100(1), HTTP_100(2), HTTP_100(3),
                                        HTTP_100(4), HTTP_100(5)};

const char *xl_err_name(xl_err err) {
  if (is_http(err)) {
    return http_name[XL_HRESULT(err) - 0x80190000u - 100];
  }
  switch (err) {
#define ERR_NAME(name, code, text)                                             \
  case XL_##name:                                                              \
    return #name;
    XL_ERR_MAP(ERR_NAME)
#undef ERR_NAME
  }
  return "UNKNOWN";
}

const char *xl_err_text(xl_err err) {
  if (is_http(err)) {
    return "the server answered with an error status";
  }
  switch (err) {
#define ERR_TEXT(name, code, text)                                             \
  case XL_##name:                                                              \
    return text;
    XL_ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
  }
  return "unknown error";
}

/* The classes of R806. */
static bool http_transient(uint32_t status) {
  if (status / 100 == 3) {
    return status > 307 || status == 306;
  }
  if (status / 100 == 4) {
    return status == 408 || status == 409;
  }
  return status != 501 && status != 505;
}

bool xl_err_transient(xl_err err) {
  static const xl_err transient[] = {XL_E_PENDING,
                                     XL_E_DESTINATION_LOCKED,
                                     XL_E_NO_PROGRESS,
                                     XL_E_NETWORK_DISCONNECTED,
                                     XL_E_CONNECT_FAILURE,
                                     XL_E_CONNECTION_CLOSED,
                                     XL_E_BLOCKED_BY_POLICY,
                                     XL_E_BUSYCACHERECORD,
                                     XL_E_COST_POLICY,
                                     XL_E_POWER_SAVING,
                                     XL_E_BATTERY,
                                     XL_E_BATTERY_SAVER,
                                     XL_E_GAME_MODE,
                                     XL_E_RESOURCES,
                                     XL_E_TIMEOUT};

  if (XL_HRESULT(err) >> 16 == 0x80d0u) { /* Delivery Optimization, 0.3 */
    return (XL_HRESULT(err) & 0xf800u) == 0x3800u;
  }
  if (is_http(err)) {
    return http_transient(XL_HRESULT(err) - 0x80190000u);
  }
  for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
    if (transient[i] == err) {
      return true;
    }
  }
  return false;
}
