/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/page.h"

static void put_char(FILE *out, char c) {
  switch (c) {
  case '&':
    fputs("&amp;", out);
    break;
  case '<':
    fputs("&lt;", out);
    break;
  case '>':
    fputs("&gt;", out);
    break;
  case '"':
    fputs("&quot;", out);
    break;
  case '\'':
    fputs("&#39;", out);
    break;
  default:
    fputc(c, out);
  }
}

void html_text(FILE *out, const char *text) {
  for (; *text != '\0'; text++) {
    put_char(out, *text);
  }
}

void html_label(FILE *out, const char *label) {
  for (; *label != '\0'; label++) {
    put_char(out, *label);
    if (strchr(":,=/-", *label) != NULL) {
      fputs("<wbr>", out);
    }
  }
}

static char *read_file(const char *path) {
  FILE *f = fopen(path, "rb");
  char *text = NULL;
  size_t len = 0;
  int c;

  if (f == NULL) {
    return NULL;
  }
  FILE *mem = open_memstream(&text, &len);
  while (mem != NULL && (c = fgetc(f)) != EOF) {
    fputc(c, mem);
  }
  fclose(f);
  if (mem != NULL) {
    fclose(mem);
  }
  return text;
}

/* What stands before a name of the document's own. */
static const char *const name_marks[] = {" id='", " id=\"", "href='#",
                                         "href=\"#", "url(#"};

static size_t mark_at(const char *at) {
  for (size_t i = 0; i < sizeof name_marks / sizeof *name_marks; i++) {
    size_t len = strlen(name_marks[i]);
    if (strncmp(at, name_marks[i], len) == 0) {
      return len;
    }
  }
  return 0;
}

/* gnuplot names its own title and itself; a caption says both better. */
static const char *skip_element(const char *at, const char *open,
                                const char *close) {
  if (strncmp(at, open, strlen(open)) == 0) {
    const char *end = strstr(at, close);
    return end != NULL ? end + strlen(close) : at;
  }
  return at;
}

bool html_svg(FILE *out, const char *path, const char *prefix) {
  char *text = read_file(path);
  const char *at = text != NULL ? strstr(text, "<svg") : NULL;

  if (at == NULL || strstr(at, "</svg>") == NULL) {
    free(text);
    return false;
  }
  while (*at != '\0') {
    const char *next = skip_element(at, "<title>", "</title>");
    next = next == at ? skip_element(at, "<desc>", "</desc>") : next;
    if (next != at) {
      at = next;
      continue;
    }
    size_t mark = mark_at(at);
    if (mark > 0) {
      fprintf(out, "%.*s%s-", (int)mark, at, prefix);
      at += mark;
    } else {
      fputc(*at++, out);
    }
  }
  free(text);
  return true;
}

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c1c1c;--soft:#5c5c5c;--line:#dcdcdc;"
    "--page:#fff;--card:#f6f6f4;--good:#0b6b3a;--bad:#a8320b;--warn:#8a5a00;"
    "--warnbg:#fff6e0;--bar:#0072b2}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',"
    "sans-serif}\n"
    "main{max-width:72rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 .2rem}\n"
    "h2{font-size:1.2rem;margin:2.4rem 0 .6rem;padding-bottom:.2rem;"
    "border-bottom:1px solid var(--line)}\n"
    "h3{font-size:1rem;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}\n"
    "p{margin:.5rem 0}\n"
    ".sub,.note,figcaption,footer{color:var(--soft)}\n"
    ".note,figcaption,footer{font-size:.9rem}\n"
    ".answer{background:var(--card);border-left:4px solid var(--bar);"
    "padding:.7rem 1.1rem;margin:1.2rem 0;font-size:1.05rem;"
    "overflow-wrap:anywhere}\n"
    ".warnings{background:var(--warnbg);border-left:4px solid var(--warn);"
    "padding:.5rem 1.1rem;margin:1.2rem 0;overflow-wrap:anywhere}\n"
    ".warnings ul{margin:.3rem 0;padding-left:1.2rem}\n"
    ".wide{overflow-x:auto;-webkit-overflow-scrolling:touch}\n"
    "table{border-collapse:collapse;width:100%;font-size:.88rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.35rem .45rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}\n"
    "thead th{color:var(--soft);font-weight:600;vertical-align:bottom}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    "tbody th{font-weight:600;white-space:normal;min-width:8.5rem}\n"
    ".half{display:block;color:var(--soft);font-size:.85em}\n"
    ".text{text-align:left}\n"
    ".better{color:var(--good);font-weight:600}\n"
    ".worse{color:var(--bad);font-weight:600}\n"
    ".refused{color:var(--warn)}\n"
    ".forest{vertical-align:middle}\n"
    ".forest .zero{stroke:var(--soft)}\n"
    ".forest .ci{stroke:var(--ink)}\n"
    ".forest circle{fill:var(--ink)}\n"
    "figure{margin:1.4rem 0;break-inside:avoid}\n"
    "figure .pic{background:#fff;border:1px solid var(--line);"
    "border-radius:4px;padding:.4rem;overflow-x:auto}\n"
    "figure svg{display:block;width:100%;min-width:34rem;max-width:800px;"
    "height:auto;margin:0 auto}\n"
    "figcaption{margin-top:.4rem}\n"
    "figcaption b{color:var(--ink)}\n"
    ".bars{display:grid;grid-template-columns:minmax(10rem,24rem) 1fr auto;"
    "gap:.25rem .8rem;align-items:center;font-size:.9rem}\n"
    ".bars .bar{background:var(--line);height:.8rem}\n"
    ".bars .bar i{display:block;height:100%;background:var(--bar);"
    "min-width:1px}\n"
    ".bars .num{text-align:right;font-variant-numeric:tabular-nums}\n"
    "pre{background:var(--card);padding:.7rem 1rem;white-space:pre-wrap;"
    "overflow-wrap:anywhere;"
    "font-size:.85rem;line-height:1.4}\n"
    "details{margin:.6rem 0}\n"
    "summary{cursor:pointer;overflow-wrap:anywhere}\n"
    "footer{margin-top:3rem}\n"
    "@media (max-width:36rem){.bars{grid-template-columns:1fr auto}"
    ".bars .bar{grid-column:1/3;grid-row:auto}"
    "main{padding:1rem .8rem 3rem}}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e8e8e6;"
    "--soft:#a8a8a4;--line:#3c3c3a;--page:#161616;--card:#222220;"
    "--good:#6fd39a;--bad:#ff9470;--warn:#e8b04a;--warnbg:#2c2410;"
    "--bar:#56b4e9}figure .pic{filter:invert(.92) hue-rotate(180deg);"
    "border-color:#ddd}}\n"
    "@media print{body{font-size:11pt}main{max-width:none;padding:0}"
    "h2{break-after:avoid}.wide,figure .pic{overflow:visible}"
    "figure svg{min-width:0}table{font-size:8pt}"
    "th,td{padding:.2rem .3rem}}\n";

void html_style(FILE *out) {
  fprintf(out, "<style>\n%s</style>\n", style);
}
