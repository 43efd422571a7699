/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/h5disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/io.h"

/* What could not be written, in the order of writing. */
typedef struct block {
  haddr_t at;
  size_t len;
  struct block *next;
  uint8_t data[];
} block;

typedef struct disk {
  H5FD_t pub; /* first: HDF5 sees only this */
  int fd;
  int *error;
  haddr_t eoa, eof;
  block *first, **last;
} disk;

static disk *disk_of(H5FD_t *file) {
  return (disk *)(void *)file;
}

static const disk *disk_at(const H5FD_t *file) {
  return (const disk *)(const void *)file;
}

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t access,
                         haddr_t max) {
  int *const *error = H5Pget_driver_info(access);
  disk *d = calloc(1, sizeof *d);
  int how = O_RDWR | O_CLOEXEC | O_CREAT;

  (void)max;
  if (d == NULL || error == NULL) {
    free(d);
    return NULL;
  }
  d->error = *error;
  d->last = &d->first;
  d->fd = open(name, (flags & H5F_ACC_TRUNC) != 0 ? how | O_TRUNC : how, 0666);
  if (d->fd < 0) {
    *d->error = errno;
    free(d);
    return NULL;
  }
  return &d->pub;
}

static herr_t disk_close(H5FD_t *file) {
  disk *d = disk_of(file);

  if (close(d->fd) != 0 && *d->error == 0) {
    *d->error = errno;
  }
  for (block *b = d->first, *next; b != NULL; b = next) {
    next = b->next;
    free(b);
  }
  free(d);
  return 0;
}

static herr_t disk_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
           H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t disk_eoa(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return disk_at(file)->eoa;
}

static herr_t disk_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t at) {
  (void)type;
  disk_of(file)->eoa = at;
  return 0;
}

static haddr_t disk_eof(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return disk_at(file)->eof;
}

/* Lays the part of |b| that is in [at, at + size) over |to|. */
static void overlay(const block *b, haddr_t at, size_t size, uint8_t *to) {
  haddr_t begin = b->at > at ? b->at : at;
  haddr_t end = b->at + b->len < at + size ? b->at + b->len : at + size;

  if (begin < end) {
    memcpy(to + (begin - at), b->data + (begin - b->at), end - begin);
  }
}

static herr_t disk_read(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t at,
                        size_t size, void *to) {
  disk *d = disk_of(file);

  (void)type;
  (void)dxpl;
  ssize_t n = io_read_at(d->fd, to, size, at);
  if (n < 0) {
    return -1;
  }
  memset((char *)to + n, 0, size - (size_t)n);
  for (const block *b = d->first; b != NULL; b = b->next) {
    overlay(b, at, size, to);
  }
  return 0;
}

static herr_t keep(disk *d, haddr_t at, size_t size, const void *from) {
  block *b = malloc(sizeof *b + size);

  if (b == NULL) {
    return -1;
  }
  b->at = at;
  b->len = size;
  b->next = NULL;
  memcpy(b->data, from, size);
  *d->last = b;
  d->last = &b->next;
  return 0;
}

static herr_t disk_write(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t at,
                         size_t size, const void *from) {
  disk *d = disk_of(file);

  (void)type;
  (void)dxpl;
  if (d->eof < at + size) {
    d->eof = at + size;
  }
  if (*d->error == 0 && !io_write_at(d->fd, from, size, at)) {
    *d->error = errno;
  }
  return *d->error == 0 ? 0 : keep(d, at, size, from);
}

static herr_t disk_truncate(H5FD_t *file, hid_t dxpl, hbool_t closing) {
  disk *d = disk_of(file);

  (void)dxpl;
  (void)closing;
  if (*d->error == 0 && ftruncate(d->fd, (off_t)d->eoa) != 0) {
    *d->error = errno;
  }
  d->eof = d->eoa;
  return 0;
}

static const H5FD_class_t disk_class = {
    .name = "xferlab",
    .maxaddr = (haddr_t)1 << 62,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(int *),
    .open = disk_open,
    .close = disk_close,
    .query = disk_query,
    .get_eoa = disk_eoa,
    .set_eoa = disk_set_eoa,
    .get_eof = disk_eof,
    .read = disk_read,
    .write = disk_write,
    .truncate = disk_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

void h5disk_use(hid_t access, int *error) {
  static hid_t driver = -1;

  if (driver < 0) {
    driver = H5FDregister(&disk_class);
  }
  H5Pset_driver(access, driver, &error);
}
