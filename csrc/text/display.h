/* display.h: text as a terminal may be given it, whoever wrote it.
 *
 * Shown as an escape, in ASCII, is what a terminal would act on or not show:
 *   \n \r \t           newline, carriage return, tab
 *   \x1b               any other ASCII control character
 *   \xff               a byte that is no part of valid UTF-8, each of a surrogate's among them
 *   \u0085 \U000e0041  a code point: other controls, line and paragraph separators, noncharacters,
 *                      and what Unicode calls default ignorable: marks and overrides of direction,
 *                      spaces without width, soft hyphens, fillers, and tags, those in flags too
 * Joiners and variation selectors are left as they are directly after a character with which they
 * have a meaning (in Arabic, Indic and Mongolian text, emoji, mathematics, Han), as such text cannot
 * do without, and one could not hide much in them. A combining mark is left after the character that
 * it goes with; one at the start of the text or after an escape would change what was printed before,
 * and those after the 30th in a row, which no language has, would run over other lines.
 *
 * A backslash is left as it is, so that paths and patterns can be read and text that was shown once is
 * not changed again: `\n` in the result may also be a backslash and an n. Code points that Unicode has
 * given to no character yet are left too. */
#pragma once

#include "base/buf.h"

/* Appends as much of the text, as it may be shown, as `width` columns hold; no more of the text is
 * read. It is not cut within an escape, between a character and its marks, or after a joiner. Wide
 * characters, and others with emoji style (U+FE0F), take 2 columns, marks 0, or 1 and 2 where they
 * have a place of their own: a terminal that draws several emoji as one may take fewer. There are at
 * most 124 bytes a column. *columns is how many were taken. False with errno ENOMEM. */
bool display(struct buf *out, const char *text, size_t length, size_t width, size_t *columns);
