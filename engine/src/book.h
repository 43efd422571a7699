/* SPDX-License-Identifier: MIT */
/*
 * Counts of bytes by class. Most files and nearly all requests waste nothing:
 * the wasted classes are a block allocated at the first such byte (B10).
 */
#ifndef ENGINE_BOOK_H
#define ENGINE_BOOK_H

#include <xl/agent.h>

#define NWASTED (XL_NCLASSES - XL_CLASS_USEFUL_END)

/* Adds |n| bytes of class |c| to |*wasted|, made if need be. Out of memory they
   are lost. */
void xli_waste(xl_engine *eng, xl_bytes **wasted, xl_class c, xl_bytes n);

/* Of a file. */
typedef struct books {
  xl_bytes first[XL_CLASS_USEFUL_END]; /* copies, by class */
  xl_bytes *wasted;                    /* owned; NULL: none */
} books;

void xli_books_add(xl_engine *eng, books *b, xl_class c, xl_bytes n);
xl_ledger xli_books_ledger(const books *b);

#endif
