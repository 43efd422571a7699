/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const struct {
  const char *name, *title, *text;
} figures[NFIGURES] = {
#define X(id, name, title, text) [FIGURE_##id] = {name, title, text},
    FIGURE_MAP(X)
#undef X
};

static plot_fn *const draws[NFIGURES] = {
    [FIGURE_COMPLETION] = plot_completion, [FIGURE_BYTES] = plot_bytes,
    [FIGURE_RATES] = plot_rates,           [FIGURE_TRADEOFF] = plot_tradeoff,
    [FIGURE_PROGRESS] = plot_progress,
};

const char *figure_name(figure f) {
  return figures[f].name;
}
const char *figure_title(figure f) {
  return figures[f].title;
}
const char *figure_text(figure f) {
  return figures[f].text;
}

bool figure_drawn(const study *st, figure f) {
  return f != FIGURE_TRADEOFF || st->npolicies * st->nseeds > 1;
}

/* Told apart by luminance, hue and dash, so also in greyscale and by readers
   who see few colours. */
const plot_style plot_styles[FIGURE_NAMED] = {
    {"000000", "solid", 7},          {"d55e00", "(12,4)", 5},
    {"56b4e9", "solid", 9},          {"004d40", "(3,3)", 13},
    {"cc79a7", "(12,4,3,4)", 11},    {"0072b2", "(6,3)", 6},
    {"e69f00", "(16,3,3,3,3,3)", 4}, {"777777", "(2,4)", 8},
};

/* ---- what all plots share ------------------------------------------------ */

void plot_quote(FILE *gp, const char *text) {
  fputc('\'', gp);
  for (; *text != '\0'; text++) {
    if (*text == '\'') {
      fputc('\'', gp);
    }
    fputc(*text == '\n' || *text == '\r' ? ' ' : *text, gp);
  }
  fputc('\'', gp);
}

enum { WIDTH = 800, FOOT = 76, KEY_ROW = 25, HEAD = 20 };

void plot_begin(plot *p, int panel_px, size_t nkeys, size_t longest) {
  size_t fit = (size_t)(WIDTH - 30) / (longest * 10 + 85);

  p->key_columns = (int)(fit < 1 ? 1 : fit > nkeys ? nkeys : fit);
  p->key_columns += p->key_columns == 0;
  p->key_rows = ((int)nkeys + p->key_columns - 1) / p->key_columns;
  p->width = WIDTH;
  p->height = HEAD + panel_px + FOOT + p->key_rows * KEY_ROW + 6;
  fprintf(p->gp,
          "# remake with: gnuplot %s.gp\n"
          "reset session\n"
          "set encoding utf8\n"
          "set datafile separator \"\\t\"\n"
          "set datafile missing \"NaN\"\n"
          "do for [kind in \"svg png\"] {\n"
          "if (kind eq \"svg\") {\n"
          "  set terminal svg size %d,%d font \"sans-serif,14\" noenhanced "
          "name \"%s\" background rgb \"white\" linewidth 1\n"
          "} else {\n"
          "  set terminal pngcairo size %d,%d font \"sans,13\" noenhanced "
          "fontscale 1.9 linewidth 2 pointscale 1.6 background rgb \"white\"\n"
          "}\n"
          "set output \"%s.\".kind\n",
          p->name, p->width, p->height, p->name, 2 * p->width, 2 * p->height,
          p->name);
  fprintf(p->gp,
          "set border 3 linecolor rgb \"#444444\"\n"
          "set tics nomirror out textcolor rgb \"#222222\"\n"
          "set format \"%%g\"\n"
          "set grid back linecolor rgb \"#dddddd\" linetype 1 linewidth 0.5\n");
}

void plot_end(plot *p) {
  fprintf(p->gp, "unset output\n}\n");
}

void plot_key(plot *p) {
  if (p->key_rows == 0) {
    fprintf(p->gp, "unset key\n");
    return;
  }
  fprintf(p->gp,
          "set key at screen %.5f, screen %.5f left top Left reverse "
          "vertical maxrows %d samplen 3 spacing 1.15 width 1\n",
          20.0 / WIDTH, (p->key_rows * KEY_ROW + 4.0) / p->height, p->key_rows);
}

void plot_axes(plot *p, const char *x, const char *y) {
  double h = p->height, key = p->key_rows * KEY_ROW;

  fprintf(p->gp,
          "set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
          "set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
          84.0 / WIDTH, 1 - 24.0 / WIDTH, 1 - HEAD / h, (FOOT + key) / h);
  fprintf(p->gp,
          "set xlabel \"%s\" offset 0,0.2\nset ylabel \"%s\" offset 0.2\n", x,
          y);
  plot_key(p);
}

size_t plot_longest(const plot *p) {
  size_t longest = 0;

  for (size_t i = 0; i < p->nnamed; i++) {
    size_t len = human_width(p->st->in->policies[p->named[i]]);
    longest = len > longest ? len : longest;
  }
  return longest;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

void plot_spread(double *x, size_t n, double out[3]) {
  out[0] = out[1] = out[2] = NAN;
  if (n > 0) {
    qsort(x, n, sizeof *x, by_value);
    out[0] = x[0];
    out[1] = n % 2 == 1 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
    out[2] = x[n - 1];
  }
}

/* ---- which policies are named -------------------------------------------- */

/* Smaller is better: p95 completion, then origin bytes, then order. */
static bool ahead(const study *st, size_t a, size_t b) {
  static const char *const names[] = {"completion_p95_s", "origin_egress"};

  for (size_t i = 0; i < 2; i++) {
    double x = study_mean_of(st, a, names[i])->in.mean;
    double y = study_mean_of(st, b, names[i])->in.mean;
    x = isnan(x) ? INFINITY : x;
    y = isnan(y) ? INFINITY : y;
    if (x < y || x > y) {
      return x < y;
    }
  }
  return a < b;
}

/* All when they fit; else the baseline and the best. */
static void choose_named(plot *p) {
  const study *st = p->st;
  size_t n = 1;

  p->named[0] = 0;
  for (size_t i = 1; i < st->npolicies; i++) {
    size_t at = n < FIGURE_NAMED ? n++ : FIGURE_NAMED;
    while (at > 1 && ahead(st, i, p->named[at - 1])) {
      if (at < FIGURE_NAMED) {
        p->named[at] = p->named[at - 1];
      }
      at--;
    }
    if (at < FIGURE_NAMED) {
      p->named[at] = i;
    }
  }
  p->nnamed = n;
  p->nothers = 0;
  if (st->npolicies <= FIGURE_NAMED) {
    for (size_t i = 0; i < n; i++) {
      p->named[i] = i;
    }
    return;
  }
  for (size_t i = 0; i < st->npolicies; i++) {
    bool named = false;
    for (size_t k = 0; k < n; k++) {
      named = named || p->named[k] == i;
    }
    if (!named && p->nothers < sizeof p->others / sizeof *p->others) {
      p->others[p->nothers++] = i;
    }
  }
}

/* ---- files and gnuplot --------------------------------------------------- */

static FILE *open_in(const char *dir, const char *name, const char *end,
                     fail *why) {
  char path[4096];

  snprintf(path, sizeof path, "%s/%s.%s", dir, name, end);
  FILE *f = fopen(path, "w");
  if (f == NULL) {
    fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
             strerror(errno));
  }
  return f;
}

static bool close_good(FILE *f, const char *dir, fail *why) {
  bool good = ferror(f) == 0;

  good = fclose(f) == 0 && good;
  return good || fail_set(why, EXIT_RUN_FAILED, "cannot write into %s: %s", dir,
                          strerror(errno));
}

static bool write_figure(plot *p, figure f, const char *dir, fail *why) {
  p->name = figures[f].name;
  p->tsv = open_in(dir, p->name, "tsv", why);
  if (p->tsv == NULL) {
    return false;
  }
  p->gp = open_in(dir, p->name, "gp", why);
  if (p->gp == NULL) {
    fclose(p->tsv);
    return false;
  }
  draws[f](p);
  bool good = close_good(p->tsv, dir, why);
  return close_good(p->gp, dir, why) && good;
}

/* The first line of what gnuplot complained about. */
static void read_complaint(const char *path, char *out, size_t len) {
  FILE *f = fopen(path, "r");
  char line[512];

  out[0] = '\0';
  while (f != NULL && fgets(line, sizeof line, f) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const char *text = line + strspn(line, " \t^");
    if (*text != '\0') {
      snprintf(out, len, "%s", text);
      if (strstr(text, ".gp") != NULL) {
        break;
      }
    }
  }
  if (f != NULL) {
    fclose(f);
  }
}

/* The command that goes to |dir|, quoted for gnuplot. */
static char *cd_command(const char *dir) {
  char *text = NULL;
  size_t len = 0;
  FILE *mem = open_memstream(&text, &len);

  if (mem == NULL) {
    return NULL;
  }
  fputs("cd ", mem);
  plot_quote(mem, dir);
  fclose(mem);
  return text;
}

/* Runs |cd| and then every script. */
static int spawn_gnuplot(const study *st, char *cd, const char *log,
                         pid_t *pid) {
  posix_spawn_file_actions_t actions;
  char names[NFIGURES][64];
  char program[] = "gnuplot", defaults[] = "-d", command[] = "-e";
  char *argv[NFIGURES + 5] = {program, defaults, command, cd};
  size_t n = 0;

  for (figure f = 0; f < NFIGURES; f++) {
    if (figure_drawn(st, f)) {
      snprintf(names[n], sizeof names[n], "%s.gp", figures[f].name);
      argv[n + 4] = names[n];
      n++;
    }
  }
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, log,
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  int error = posix_spawnp(pid, program, &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static bool run_gnuplot(const study *st, const char *dir, fail *why) {
  char log[4096], complaint[512];
  int status = 0;
  pid_t pid = 0;
  char *cd = cd_command(dir);

  snprintf(log, sizeof log, "%s/gnuplot.log", dir);
  int error = cd == NULL ? ENOMEM : spawn_gnuplot(st, cd, log, &pid);
  free(cd);
  if (error == ENOENT) {
    return fail_set(why, EXIT_RUN_FAILED,
                    "gnuplot is not installed (`make deps`): no figures; their "
                    "scripts and data are in %s",
                    dir);
  }
  if (error != 0) {
    return fail_set(why, EXIT_RUN_FAILED, "gnuplot did not start: %s",
                    strerror(error));
  }
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    remove(log);
    return true;
  }
  read_complaint(log, complaint, sizeof complaint);
  return fail_set(
      why, EXIT_RUN_FAILED,
      "gnuplot failed (%s); scripts, data and gnuplot.log are in %s",
      complaint[0] ? complaint : "no message", dir);
}

bool figures_write(const study *st, const char *dir, fail *why) {
  plot p = {.st = st};

  if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
    return fail_set(why, EXIT_RUN_FAILED, "cannot make %s: %s", dir,
                    strerror(errno));
  }
  choose_named(&p);
  for (figure f = 0; f < NFIGURES; f++) {
    if (figure_drawn(st, f) && !write_figure(&p, f, dir, why)) {
      return false;
    }
  }
  return run_gnuplot(st, dir, why);
}
