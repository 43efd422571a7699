/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/keys.h"

#include <string.h>

#include "scenario/reader.h"

#define TO(type_, owner, field)                                                \
  .type = KEY_##type_, .at = offsetof(owner, field),                           \
  .size = sizeof(((owner *)NULL)->field)
#define DIST(unit_, owner, field) TO(DIST, owner, field), .unit = UNIT_##unit_
#define ITEMS(type_, owner, field, count, item)                                \
  TO(type_, owner, field), .count_at = offsetof(owner, count),                 \
                           .item_size = sizeof(item)
#define OWN(owner, field, fn) TO(OWN, owner, field), .read = fn
/* Beyond any link; keeps every draw a whole number of bytes/s. */
#define RATE_MAX "1000Tbit/s"
#define NEED .flags = KEY_REQUIRED
#define LATER .type = KEY_OWN, .flags = KEY_LATER

const scn_key scenario_keys[] = {
    {"name", TO(NAME, draft, s.name), NEED,
     .help = "what the scenario is called in results"},
    {"description", TO(TEXT, draft, s.description), .def = "\"\"",
     .help = "one or two sentences"},
    {"source", TO(TEXT, draft, s.source), .def = "assumed",
     .help = "where the numbers come from"},
    {"start", TO(DATE, draft, s.start_unix_s), .def = "2026-01-01T00:00Z",
     .count_at = offsetof(draft, s.utc_offset_s),
     .help = "date and time of the start, with its time zone"},
    {"duration", TO(TIME, draft, s.duration), NEED, .min = "1s", .max = "520w",
     .help = "how long a run lasts at most"},

    {"classes", ITEMS(NAMED, draft, s.classes, s.nclasses, scn_class), NEED,
     .max = "1000", .help = "kinds of devices, each by its name"},
    {"classes.*.down", DIST(RATE, scn_class, down), NEED, .min = "1B/s",
     .max = RATE_MAX, .help = "rate of the device's own link, towards it"},
    {"classes.*.up", OWN(scn_class, up, read_up), NEED, .unit = UNIT_RATE,
     .min = "1B/s", .max = RATE_MAX,
     .expects = "a rate, a distribution of rates, or {ratio: x} of down",
     .help = "rate of the device's own link, from it; {ratio: x} is x times "
             "its down rate (x a number or a distribution)"},
    {"classes.*.cap", DIST(RATE, scn_class, cap), .def = "unlimited",
     .min = "1B/s", .max = RATE_MAX, .flags = KEY_UNLIMITED,
     .help = "largest rate of one transfer (disk, CPU, client limit)"},
    {"classes.*.cache", TO(BYTES, scn_class, cache_bytes),
     .help = "largest peer cache; without it the policy decides"},
    {"classes.*.ram", TO(BYTES, scn_class, ram_bytes), .def = "8GiB",
     .help = "memory, which policies may ask for before a device serves"},
    {"classes.*.disk", TO(BYTES, scn_class, disk_bytes), .def = "256GiB",
     .help = "disk, which policies may ask for before a device serves"},
    {"classes.*.power", TO(CHOICE, scn_class, power), .def = "mains",
     .choices = "mains|battery", .help = "power supply"},
    {"classes.*.metered", TO(FRACTION, scn_class, metered), .def = "0",
     .min = "0", .max = "1", .help = "share of devices on a metered network"},
    {"classes.*.vpn", TO(FRACTION, scn_class, vpn), .def = "0", .min = "0",
     .max = "1", .help = "share of devices connected through a VPN"},
    {"classes.*.online", TO(CHOICE, scn_class, always_online), .def = "always",
     .choices = "churn|always",
     .help = "churn: devices come and go as the key churn says"},
    {"classes.*.throttles",
     ITEMS(ITEMS, scn_class, throttles, nthrottles, scn_throttle), .max = "16",
     .help = "what background jobs of a device may take from origins by the "
             "hours of the week; the first item in force counts (R457)"},
    {"classes.*.throttles[].days", TO(FLAGS, scn_throttle, days),
     .def = "[sun, mon, tue, wed, thu, fri, sat]",
     .choices = "sun|mon|tue|wed|thu|fri|sat",
     .help = "days on which the hours begin"},
    {"classes.*.throttles[].hours", OWN(scn_throttle, from, read_hours),
     .def = "00:00-24:00",
     .expects = "hours of the day such as 08:00-17:00 or 22:00-05:00",
     .help = "local time, by the zone of start; may end on the next day"},
    {"classes.*.throttles[].rate", TO(RATE, scn_throttle, rate),
     .def = "unlimited",
     .help = "all jobs of a priority together; 0B/s: they wait"},
    {"classes.*.throttles[].high", OWN(scn_throttle, high, read_throttle),
     .def = "rate", .expects = "a rate, or rate: the same as rate",
     .help = "of jobs of high priority"},
    {"classes.*.throttles[].normal", OWN(scn_throttle, normal, read_throttle),
     .def = "rate", .expects = "a rate, or rate: the same as rate",
     .help = "of jobs of normal priority"},
    {"classes.*.throttles[].low", OWN(scn_throttle, low, read_throttle),
     .def = "rate", .expects = "a rate, or rate: the same as rate",
     .help = "of jobs of low priority"},
    {"classes.*.online.diurnal", LATER, .help = "presence by the hour"},
    {"classes.*.online.always", LATER, .help = "share that never leaves"},
    {"classes.*.nat", LATER, .help = "kind of address translation"},
    {"classes.*.disk_write", LATER, .help = "rate of the disk"},

    {"network", .type = KEY_MAP, NEED, .help = "everything with a link"},
    {"network.nodes", ITEMS(ITEMS, draft, s.nodes, s.nnodes, scn_node),
     .max = "10000",
     .help = "the tree above the sites; its root is the node core"},
    {"network.nodes[].name", TO(NAME, scn_node, name), NEED,
     .help = "what 'at', 'parent' and faults call it"},
    {"network.nodes[].parent", TO(REF, scn_node, parent), .def = "core",
     .help = "the node above"},
    {"network.nodes[].up", TO(RATE, scn_node, up_Bps), .def = "unlimited",
     .min = "1B/s", .help = "rate towards the parent"},
    {"network.nodes[].down", TO(RATE, scn_node, down_Bps), .def = "unlimited",
     .min = "1B/s", .help = "rate from the parent"},
    {"network.nodes[].latency", TO(TIME, scn_node, latency), .def = "0s",
     .max = "10min", .help = "one way, to the parent"},
    {"network.nodes[].utc", LATER, .help = "time zone of the sites below"},
    {"network.origins", ITEMS(ITEMS, draft, s.origins, s.norigins, scn_origin),
     NEED,
     .help = "authoritative servers; several that hold the same content "
             "are mirrors"},
    {"network.origins[].name", TO(NAME, scn_origin, name), NEED,
     .help = "what contents and faults call it"},
    {"network.origins[].at", TO(REF, scn_origin, at), .def = "core",
     .help = "its node"},
    {"network.origins[].rate", TO(RATE, scn_origin, rate_Bps), NEED,
     .min = "1B/s", .help = "rate it sends at, all connections together"},
    {"network.origins[].latency", TO(TIME, scn_origin, latency), .def = "10ms",
     .max = "10min", .help = "one way, to its node"},
    {"network.origins[].connections", TO(LIMIT, scn_origin, connections),
     .def = "unlimited", .min = "1",
     .help = "at once; above it requests are refused with 503"},
    {"network.origins[].per_connection", TO(RATE, scn_origin, per_connection),
     .def = "unlimited", .min = "1B/s",
     .help = "largest rate of one connection"},
    {"network.origins[].ranges", TO(BOOL, scn_origin, ranges), .def = "true",
     .help = "whether it honours Range"},
    {"network.origins[].mtime_offset", TO(OFFSET, scn_origin, mtime_offset_s),
     .def = "0s", .max = "3650d",
     .help = "added to the time stamps of its contents: a mirror whose "
             "validators differ"},
    {"network.caches", LATER, .help = "pull-through cache servers"},
    {"network.services",
     ITEMS(ITEMS, draft, s.services, s.nservices, scn_service),
     .help = "trackers, schedulers and discovery of policies"},
    {"network.services[].name", TO(NAME, scn_service, name), NEED,
     .help = "what policies call it, such as tracker"},
    {"network.services[].at", TO(REF, scn_service, at), .def = "core",
     .help = "its node"},
    {"network.services[].queries", TO(EVENTS, scn_service, queries_per_s),
     .def = "5000/s", .min = "0.001/s", .help = "queries it can answer"},
    {"network.services[].latency", TO(TIME, scn_service, latency),
     .def = "10ms", .max = "10min", .help = "one way, to its node"},
    {"network.sites", ITEMS(ITEMS, draft, s.sites, s.nsites, scn_site), NEED,
     .help = "places with devices behind one uplink; {csv: ..} stands for one "
             "item a row"},
    {"network.sites[].csv", TO(TEXT, scn_site, name), .flags = KEY_EXPANDED,
     .help = "a CSV file, see below; the other keys of the item are what rows "
             "leave out"},
    {"network.sites[].name", TO(NAME, scn_site, name), NEED,
     .help = "site i of it is NAME[i]"},
    {"network.sites[].at", TO(REF, scn_site, at), .def = "core",
     .help = "its node"},
    {"network.sites[].count", TO(COUNT, scn_site, count), .def = "1",
     .min = "1", .max = "10000000", .help = "sites of this kind"},
    {"network.sites[].wan", .type = KEY_MAP, NEED, .help = "the uplink"},
    {"network.sites[].wan.down", DIST(RATE, scn_site, wan_down), NEED,
     .min = "1B/s", .max = RATE_MAX, .help = "towards the site"},
    {"network.sites[].wan.up", DIST(RATE, scn_site, wan_up), NEED,
     .min = "1B/s", .max = RATE_MAX, .help = "from the site"},
    {"network.sites[].wan.latency", DIST(TIME, scn_site, wan_latency),
     .def = "10ms", .min = "0s", .max = "10min",
     .help = "one way, to its node"},
    {"network.sites[].lan", .type = KEY_MAP, .help = "inside the site"},
    {"network.sites[].lan.latency", DIST(TIME, scn_site, lan_latency),
     .def = "200us", .min = "0s", .max = "10min",
     .help = "one way, between two devices"},
    {"network.sites[].lan.rate", TO(RATE, scn_site, lan_rate),
     .def = "unlimited", .min = "1B/s",
     .help = "of the site's backbone, all devices together"},
    {"network.sites[].devices",
     ITEMS(ITEMS, scn_site, devices, ndevices, scn_group_of_devices), NEED,
     .help = "how many of which class"},
    {"network.sites[].devices[].class", TO(REF, scn_group_of_devices, cls),
     NEED, .help = "a name of classes"},
    {"network.sites[].devices[].count", TO(COUNT, scn_group_of_devices, count),
     NEED, .min = "1", .max = "10000000", .help = "in each site"},
    {"network.sites[].subnet", OWN(scn_site, subnet, read_subnet),
     .def = "site", .expects = "a prefix length from 8 to 30, or site",
     .help = "prefix length of its IPv4 subnets: 24 puts 254 devices into "
             "each; site makes the site one subnet"},
    {"network.sites[].domain", TO(NAME, scn_site, domain),
     .help = "directory domain of its devices; without it they are in none"},
    {"network.sites[].group", TO(NAME, scn_site, group),
     .help = "peer group of its devices; without it they are in none"},

    {"background", LATER, .help = "load of others on links"},

    {"content", ITEMS(ITEMS, draft, contents, ncontents, raw_content), NEED,
     .help = "files, and catalogues of many files"},
    {"content[].name", TO(NAME, raw_content, c.name), NEED,
     .help = "what jobs call it; file i of a catalogue is NAME[i]"},
    {"content[].size", DIST(BYTES, raw_content, size), NEED, .min = "1B",
     .max = "1024TiB", .help = "a distribution only in a catalogue"},
    {"content[].piece", TO(BYTES32, raw_content, c.piece_bytes), .def = "1MiB",
     .min = "1KiB", .max = "1GiB",
     .help = "size of the pieces that are hashed and shared"},
    {"content[].origins", TO(REFS, raw_content, c.origins), NEED,
     .count_at = offsetof(raw_content, c.norigins),
     .help = "which origins hold it: the first is used, the others are its "
             "mirrors"},
    {"content[].held_by", TO(FRACTION, raw_content, c.held_by), .def = "0",
     .min = "0", .max = "1",
     .help = "share of devices that hold a copy at the start"},
    {"content[].released", DIST(TIME, raw_content, released), .def = "0s",
     .min = "0s", .max = "520w",
     .help = "after the start; a distribution only in a "
             "catalogue"},
    {"content[].files", TO(COUNT, raw_content, files), .min = "1",
     .max = "1000000", .help = "makes it a catalogue of so many files"},
    {"content[].zipf", TO(NUMBER, raw_content, zipf), .def = "0", .min = "0",
     .max = "10",
     .help = "catalogue: file i (from 0) is asked for in proportion to "
             "1/(i+1)^zipf"},
    {"content[].delta_from", LATER, .help = "sizes of differences"},

    {"jobs", ITEMS(ITEMS, draft, jobs, njobs, raw_job), NEED,
     .help = "what devices are told to fetch"},
    {"jobs[].name", TO(NAME, raw_job, j.name), NEED,
     .help = "what results call it"},
    {"jobs[].content", TO(REFS, raw_job, contents), NEED,
     .count_at = offsetof(raw_job, ncontents),
     .help = "names of contents, or of one catalogue"},
    {"jobs[].requests", DIST(NUMBER, raw_job, j.requests), .min = "0",
     .max = "1000000",
     .help = "catalogue: how many different files a device asks for during the "
             "run"},
    {"jobs[].devices", OWN(raw_job, j.select, read_selection), .def = "all",
     .expects = "all, {share: 10%}, {rest: true}, {class: NAME} or "
                "{site: NAME}",
     .help = "which devices: all of them, a share, those that no job before "
             "chose, a class, a site"},
    {"jobs[].devices.share", TO(FRACTION, raw_job, share), .min = "0",
     .max = "1", .help = "so many of all devices, drawn by the seed"},
    {"jobs[].devices.rest", TO(BOOL, raw_job, rest),
     .help = "devices that no job before chose"},
    {"jobs[].devices.class", TO(REF, raw_job, cls), .help = "of a class"},
    {"jobs[].devices.site", TO(REF, raw_job, site),
     .help = "of the sites of one name"},
    {"jobs[].start", TO(TIME, raw_job, j.start), .def = "0s",
     .help = "release, after the start of the run"},
    {"jobs[].arrival", DIST(TIME, raw_job, j.arrival), .def = "0s",
     .flags = KEY_POISSON, .min = "0s", .max = "520w",
     .help = "on each device, after the release (of a catalogue: of each "
             "file); poisson is the rate of all devices together"},
    {"jobs[].priority", TO(CHOICE, raw_job, j.priority), .def = "normal",
     .choices = "foreground|high|normal|low", .help = "of the transfer"},
    {"jobs[].peer_caching", TO(FLAGS, raw_job, j.peercaching),
     .def = "[client, server]", .choices = "client|server",
     .help = "client: may download from peers; server: may be served to them"},
    {"jobs[].redirects", TO(CHOICE, raw_job, j.redirects), .def = "silent",
     .choices = "silent|report|disallow",
     .help = "redirections: followed, followed and kept as the remote name, or "
             "an error (R812)"},
    {"jobs[].min_retry_delay", TO(SECONDS, raw_job, j.min_retry_s),
     .def = "600s", .min = "5s", .help = "before a failed transfer is retried"},
    {"jobs[].no_progress_timeout", TO(SECONDS, raw_job, j.no_progress_s),
     .def = "14d", .help = "without a byte, then the job fails"},
    {"jobs[].max_download_time", TO(SECONDS, raw_job, j.max_download_s),
     .def = "90d", .min = "1s",
     .help = "time spent transferring, then the job "
             "fails"},
    {"jobs[].after", LATER, .help = "release once another job is done"},
    {"jobs[].poll", LATER, .help = "devices look for new jobs now and then"},
    {"jobs[].window", LATER, .help = "hours of the day"},
    {"jobs[].in_flight", LATER, .help = "devices at work at once"},
    {"jobs[].healthy", LATER, .help = "a wait between rings"},

    {"churn", .type = KEY_MAP,
     .help = "how devices with online: churn come "
             "and go"},
    {"churn.online", DIST(TIME, draft, s.churn_online), NEED, .min = "1s",
     .max = "520w", .help = "length of a time online"},
    {"churn.offline", DIST(TIME, draft, s.churn_offline), NEED, .min = "1s",
     .max = "520w", .help = "length of a time offline"},

    {"faults", ITEMS(ITEMS, draft, faults, nfaults, raw_fault),
     .help = "what breaks, and when"},
    {"faults[].at", TO(TIME, raw_fault, f.at), NEED,
     .help = "after the start of the run"},
    {"faults[].for", TO(TIME, raw_fault, f.duration), .min = "1ns",
     .max = "520w", .help = "then all is as before; without it, for good"},
    {"faults[].what", TO(CHOICE, raw_fault, what), NEED,
     .choices = "down|error|wan-down|link|crash|change|no-ranges|no-size|"
                "no-last-modified|reject-ranges|truncate|overlong|stall|"
                "redirect",
     .help = "see the table below"},
    {"faults[].origin", TO(REF, raw_fault, origin), .help = "at an origin"},
    {"faults[].site", TO(TEXT, raw_fault, site),
     .help = "at a site, \"branch[3]\"; \"branch\" means all of that name"},
    {"faults[].device", TO(TEXT, raw_fault, device),
     .help = "at a device, \"branch[3].pc[0]\""},
    {"faults[].node", TO(REF, raw_fault, node), .help = "at a node"},
    {"faults[].content", TO(REF, raw_fault, f.content),
     .help = "change: which content"},
    {"faults[].status", TO(COUNT, raw_fault, f.status), .def = "503",
     .min = "400", .max = "599", .help = "error: the HTTP status"},
    {"faults[].down", TO(RATE, raw_fault, down), .help = "link: the new rate"},
    {"faults[].up", TO(RATE, raw_fault, up), .help = "link: the new rate"},
    {"faults[].share", TO(FRACTION, raw_fault, f.share), .min = "0.0001",
     .max = "1",
     .help = "truncate: what is sent of a body; overlong: what is "
             "sent beyond it"},
    {"faults[].to", TO(REF, raw_fault, f.to),
     .help = "redirect: the origin that has it"},

    {"tariff", LATER, .help = "what the origin's traffic costs"},

    {"policies", OWN(draft, s.policies, read_policies),
     .count_at = offsetof(draft, s.npolicies),
     .expects = "a list of names or {name: {parameter: value}}",
     .help = "what compare compares unless told otherwise"},
    {"small", .type = KEY_OWN, .read = read_small,
     .expects = "a mapping from paths to values",
     .help = "the small variant: values put at paths, as --set does"},
};
const size_t scenario_nkeys = sizeof scenario_keys / sizeof *scenario_keys;

/* The part of |k|'s path below |section|, or NULL when it is elsewhere. */
static const char *below(const char *section, const scn_key *k) {
  size_t n = strlen(section);

  if (n == 0) {
    return k->path;
  }
  return strncmp(k->path, section, n) == 0 && k->path[n] == '.'
             ? k->path + n + 1
             : NULL;
}

const scn_key *key_next(const char *section, const scn_key *k) {
  k = k == NULL ? scenario_keys : k + 1;
  for (; k < scenario_keys + scenario_nkeys; k++) {
    const char *rest = below(section, k);
    if (rest != NULL && strchr(rest, '.') == NULL) {
      return k;
    }
  }
  return NULL;
}

const scn_key *key_find(const char *section, const char *name) {
  const scn_key *k = NULL;

  while ((k = key_next(section, k)) != NULL) {
    if (strcmp(below(section, k), name) == 0) {
      return k;
    }
  }
  return NULL;
}

bool key_is_section(const char *section) {
  return key_next(section, NULL) != NULL;
}

const char *key_name(const scn_key *k) {
  const char *dot = strrchr(k->path, '.');

  return dot == NULL ? k->path : dot + 1;
}

/* ---- what to write ------------------------------------------------------- */

static const char *words(const scn_key *k) {
  static const char *const by_type[] = {
      [KEY_TEXT] = "text",
      [KEY_NAME] = "a name of letters, digits, '-' and '_'",
      [KEY_REF] = "a name",
      [KEY_REFS] = "a name or a list of names",
      [KEY_DATE] = "a date such as 2026-11-10T08:00+01:00",
      [KEY_TIME] = "a time such as 90s, 4h or 2d",
      [KEY_SECONDS] = "a time in whole seconds such as 90s or 10min",
      [KEY_OFFSET] = "a time in whole seconds such as 90s or -1h",
      [KEY_BYTES] = "a size such as 650MiB or 1.5GB",
      [KEY_BYTES32] = "a size such as 1MiB",
      [KEY_RATE] = "a rate such as 20Mbit/s or 300MB/s, or unlimited",
      [KEY_EVENTS] = "events over time such as 5000/s or 20/h",
      [KEY_FRACTION] = "a fraction such as 0.3 or 30%",
      [KEY_NUMBER] = "a number such as 0.8",
      [KEY_COUNT] = "a count such as 25",
      [KEY_LIMIT] = "a count such as 20000, or unlimited",
      [KEY_BOOL] = "true or false",
      [KEY_DIST] = NULL,
      [KEY_CHOICE] = NULL,
      [KEY_FLAGS] = NULL,
      [KEY_MAP] = "a mapping",
      [KEY_ITEMS] = "a list of mappings",
      [KEY_NAMED] = "a mapping from names to mappings",
      [KEY_OWN] = "a value",
  };

  return k->expects != NULL ? k->expects : by_type[k->type];
}

/* "a|b|c" as "a, b or c". */
static void choice_words(const char *choices, char *buf, size_t len) {
  size_t n = 0;

  for (const char *p = choices; *p != '\0' && n + 8 < len; p++) {
    if (*p != '|') {
      buf[n++] = *p;
      continue;
    }
    const char *sep = strchr(p + 1, '|') != NULL ? ", " : " or ";
    n += (size_t)snprintf(buf + n, len - n, "%s", sep);
  }
  buf[n] = '\0';
}

void key_expects(const scn_key *k, char *buf, size_t len) {
  char list[256];
  int n;

  if (k->type == KEY_CHOICE || k->type == KEY_FLAGS) {
    choice_words(k->choices, list, sizeof list);
    n = snprintf(buf, len, "%s%s", k->type == KEY_FLAGS ? "a list of " : "",
                 list);
  } else if (k->type == KEY_DIST) {
    n = snprintf(buf, len, "%s%s, or a distribution", unit_expected(k->unit),
                 k->flags & KEY_UNLIMITED ? ", unlimited" : "");
  } else {
    n = snprintf(buf, len, "%s", words(k));
  }
  if (n < 0 || (size_t)n >= len || k->type == KEY_ITEMS ||
      k->type == KEY_NAMED) {
    return;
  }
  buf += n;
  len -= (size_t)n;
  if (k->min != NULL && k->max != NULL) {
    snprintf(buf, len, ", from %s to %s", k->min, k->max);
  } else if (k->min != NULL) {
    snprintf(buf, len, ", at least %s", k->min);
  } else if (k->max != NULL) {
    snprintf(buf, len, ", at most %s", k->max);
  }
}
