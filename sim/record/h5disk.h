/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HDF5 file driver that traces are written with: a plain file whose writes
 * always succeed. HDF5 1.10 cannot close a file once a write has failed; it
 * keeps its objects, and the process crashes when it ends. So the first failed
 * write is remembered, and from then on writes go to memory: HDF5 can close,
 * and the caller looks at the error and drops the file.
 */
#ifndef RECORD_H5DISK_H
#define RECORD_H5DISK_H

#include <hdf5.h>

/* Makes |access| use the driver. |*error|, which must outlive the file, becomes
   the errno of the first failed write. */
void h5disk_use(hid_t access, int *error);

#endif
