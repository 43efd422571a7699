/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario reference, from the table of keys. As markdown it is
 * docs/scenario.md, which a test compares with it.
 */
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

#define SECTIONS_MAX 64

static const char intro[] =
    "# Scenarios\n"
    "\n"
    "A scenario is a YAML file that says who fetches what over which network. "
    "This page is\n"
    "made from the table that the reader itself uses "
    "(`sim/scenario/keys.c`).\n"
    "\n"
    "```yaml\n"
    "name: branch-office\n"
    "source: assumed\n"
    "duration: 12h\n"
    "classes:\n"
    "  pc: {down: 1Gbit/s, up: 1Gbit/s, cache: 10GiB}\n"
    "  laptop: {down: {lognormal: {median: 40Mbit/s, sigma: 0.8}}, up: "
    "{ratio: 0.5}, power: battery}\n"
    "network:\n"
    "  origins: [{name: cdn-a, rate: 2Gbit/s}, {name: cdn-b, rate: 2Gbit/s, "
    "latency: 35ms}]\n"
    "  sites:\n"
    "    - name: branch\n"
    "      count: 20\n"
    "      wan: {down: 20Mbit/s, up: 5Mbit/s, latency: 12ms}\n"
    "      devices: [{class: pc, count: 20}, {class: laptop, count: 5}]\n"
    "content:\n"
    "  - {name: update, size: 650MiB, origins: [cdn-a, cdn-b]}\n"
    "jobs:\n"
    "  - {name: ring0, content: update, devices: {share: 1%}}\n"
    "  - {name: ring1, content: update, devices: {rest: true}, start: 4h, "
    "arrival: {uniform: 2h}}\n"
    "faults:\n"
    "  - {at: 5h, for: 20min, origin: cdn-a, what: down}\n"
    "policies: [origin-only, bits-peer-cache]\n"
    "small: {network.sites.branch.count: 2}\n"
    "```\n"
    "\n"
    "- Everything with a dimension carries its unit: `12h`, `650MiB`, "
    "`20Mbit/s`, `30%`.\n"
    "- An unknown key, a repeated key, a missing unit or an impossible value "
    "is an error of one\n"
    "  line, `file:line:col: what is wrong; expected ..; did you mean ..?`, "
    "with exit status 2,\n"
    "  and nothing is written.\n"
    "- A key marked *later* is part of the format and not built yet; it is "
    "refused by name.\n"
    "- Names are 1 to 64 letters, digits, `-` and `_`. Names of nodes, origins "
    "and sites differ\n"
    "  from each other, and so do names of contents, of jobs and of services.\n"
    "- Anchors (`&x`) and aliases (`*x`) work; tags do not.\n"
    "\n"
    "## Paths\n"
    "\n"
    "A path, as in `--set PATH=VALUE`, is keys joined by dots. Items of a list "
    "are called by\n"
    "their `name` (devices of a site by their `class`) or by `[number]`:\n"
    "\n"
    "    --set duration=6h --set network.sites.branch.count=3\n"
    "    --set classes.pc.down=50Mbit/s --set 'policies=[origin-only]'\n"
    "    --set network.sites.branch.devices.pc.count=10 --set "
    "jobs[0].start=1h\n"
    "\n"
    "`small:` holds such paths and values for the small variant. Settings are "
    "applied in order,\n"
    "after the variant and before the check. Sites that come from a CSV file "
    "have no path.\n";

static const char after_units[] =
    "\n"
    "Whole numbers are exact: `1.5GiB` is 1610612736 bytes. `unlimited` is a "
    "rate or a limit where\n"
    "the key says so. Rates are stored as whole bytes per second, times as "
    "nanoseconds.\n"
    "\n"
    "## Distributions\n"
    "\n"
    "A key that takes a distribution takes a plain value or one of these; x is "
    "a value with the\n"
    "unit of the key. `min: x` and `max: x` beside the form clamp it; without "
    "them the range of\n"
    "the key does.\n"
    "\n";

static const char after_csv[] =
    "\n"
    "A CSV file is found relative to the scenario. It has commas, optional "
    "double quotes and `#`\n"
    "comments; what is wrong in it is named by its own file, line and column. "
    "Its values become\n"
    "part of the scenario's text in a trace, which therefore needs no other "
    "file.\n";

static const char after_sites[] =
    "\n"
    "### Sites from a CSV file\n"
    "\n"
    "`sites: [{csv: sites.csv, at: de, devices: [..]}]` stands for one site a "
    "row. The first row\n"
    "names the columns: ";

static const char after_columns[] =
    ".\n"
    "`devices_CLASS` is the count of a class; when a row has any, they replace "
    "the item's\n"
    "`devices`. A cell that is empty is as the item says, or its default.\n";

static const char after_content[] =
    "\n"
    "### Catalogues\n"
    "\n"
    "`{name: patches, files: 200, zipf: 0.8, size: {lognormal: ..}, released: "
    "{uniform: 30d},\n"
    "origins: [cdn]}` stands for the files `patches[0]` (the most popular) to "
    "`patches[199]`.\n"
    "Nothing is drawn: file i of n has the size at quantile (k + 0.5)/n of its "
    "distribution,\n"
    "k = i s mod n, s the first number above 0.618 n without a common factor "
    "with n; its release\n"
    "likewise with 0.755 n. So a catalogue has the distribution it asks for, "
    "popularity, size and\n"
    "release are not correlated, and every seed has the same files.\n";

static const char after_faults[] = "\n"
                                   "### Kinds of faults\n"
                                   "\n"
                                   "| `what` | at | meaning |\n"
                                   "|---|---|---|\n";

static const char after_all[] =
    "\n"
    "## Policies\n"
    "\n"
    "Each entry is a name or `{name: {parameter: value}}`, for example\n"
    "`[origin-only, {delivery-optimization: {http_delay: 60s}}]`. "
    "`xferlab describe policy NAME`\n"
    "prints the parameters of one.\n";

/* The section of a row: its path without the last part. */
static void section_of(const scn_key *k, char *buf, size_t len) {
  snprintf(buf, len, "%s", k->path);
  char *dot = strrchr(buf, '.');
  if (dot != NULL) {
    *dot = '\0';
  } else {
    buf[0] = '\0';
  }
}

static void cell(FILE *to, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '|' || *text == '*') {
      fputc('\\', to);
    }
    fputc(*text, to);
  }
}

static void row_print(FILE *to, const scn_key *k, bool markdown) {
  char expect[300];

  key_expects(k, expect, sizeof expect);
  if (k->flags & KEY_LATER) {
    fprintf(to, markdown ? "| `%s` | *later* | | %s |\n" : "  %s (later): %s\n",
            key_name(k), k->help);
    return;
  }
  const char *def = k->flags & KEY_REQUIRED ? "required"
                    : k->def == NULL        ? ""
                                            : k->def;
  if (!markdown) {
    fprintf(to, "  %s: %s\n      %s%s%s%s\n", key_name(k), k->help, expect,
            def[0] != '\0' ? " (" : "", def, def[0] != '\0' ? ")" : "");
    return;
  }
  fprintf(to, "| `%s` | ", key_name(k));
  cell(to, expect);
  fputs(" | ", to);
  const char *quote = def[0] == '\0' || k->flags & KEY_REQUIRED ? "" : "`";
  fprintf(to, "%s%s%s | ", quote, def, quote);
  cell(to, k->help);
  fputs(" |\n", to);
}

static void extras(FILE *to, const char *section, bool markdown) {
  if (strcmp(section, "network.sites[].devices[]") == 0) {
    fputs(after_sites, to);
    site_columns_print(to, markdown);
    fputs(after_columns, to);
  } else if (strcmp(section, "content[]") == 0) {
    fputs(after_content, to);
  } else if (strcmp(section, "faults[]") == 0) {
    fputs(after_faults, to);
    fault_forms_print(to, markdown);
  }
}

static void section_print(FILE *to, const char *section, bool markdown) {
  if (markdown) {
    fprintf(to,
            "\n## %s%s%s\n\n| key | value | default | |\n|---|---|---|---|\n",
            section[0] == '\0' ? "" : "`",
            section[0] == '\0' ? "Top level" : section,
            section[0] == '\0' ? "" : "`");
  } else {
    fprintf(to, "\n%s\n", section[0] == '\0' ? "top level" : section);
  }
  for (const scn_key *k = NULL; (k = key_next(section, k)) != NULL;) {
    row_print(to, k, markdown);
  }
  extras(to, section, markdown);
}

static void units_print(FILE *to, bool markdown) {
  static const struct {
    unit_kind kind;
    const char *what;
  } rows[] = {{UNIT_TIME, "time"},
              {UNIT_BYTES, "size"},
              {UNIT_RATE, "rate"},
              {UNIT_EVENTS, "events over time"}};
  char list[200];

  fputs(markdown ? "\n## Units\n\n| | |\n|---|---|\n" : "\nunits\n", to);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    unit_list(rows[i].kind, list, sizeof list);
    fprintf(to, markdown ? "| %s | %s |\n" : "  %s: %s\n", rows[i].what, list);
  }
  fputs(markdown ? "| fraction | a plain number, or % |\n"
                 : "  fraction: a plain number, or %\n",
        to);
}

void scenario_keys_print(FILE *to, bool markdown) {
  char seen[SECTIONS_MAX][64], section[64];
  size_t n = 0;

  fputs(intro, to);
  units_print(to, markdown);
  fputs(after_units, to);
  dist_forms_print(to, markdown);
  fputs(after_csv, to);
  for (size_t i = 0; i < scenario_nkeys && n < SECTIONS_MAX; i++) {
    size_t j = 0;
    section_of(&scenario_keys[i], section, sizeof section);
    while (j < n && strcmp(seen[j], section) != 0) {
      j++;
    }
    if (j == n) {
      snprintf(seen[n++], sizeof seen[0], "%s", section);
      section_print(to, section, markdown);
    }
  }
  fputs(after_all, to);
}
