/* bm25.h: what a term adds to the score of a text that has it, by BM25 (Robertson and Zaragoza, "The
 * Probabilistic Relevance Framework", 2009), with the k1 of SQLite FTS5's bm25(). */
#pragma once

#include <float.h>
#include <math.h>

#include "base/timestamp.h"

/* idf: how rare the term is among all texts; count: how often the text has it; length: of the text, the
 * mean being 1; b: the part of it that counts. */
static inline double bm25(double idf, double count, double length, double b)
{
  const double k1 = 1.2;
  return idf * count * (k1 + 1) / (count + k1 * (1 - b + b * length));
}

/* The same of a term that a text is recalled by (see grams.h), with b = 0.4. */
static inline double bm25_term(double idf, double count, double length)
{
  return bm25(idf, count, length, 0.4);
}

/* The idf of such a term, which `holding` of all texts have: it counts also where most do. */
static inline double bm25_term_idf(double texts, double holding)
{
  return log((texts + 1) / (holding + 0.5));
}

/* How much of a score is left of what was said at that time, in seconds since 1970, MOMENT_NONE: not
 * known, then nothing; else it is always something; half_life: in seconds; 0: all of it. */
static inline double faded(double half_life, int64_t now, int64_t second)
{
  if (half_life <= 0) return 1;
  if (second == MOMENT_NONE) return 0;
  double age = (double)(now - second);
  double left = age > 0 ? exp2(-age / half_life) : 1;
  return left > DBL_MIN ? left : DBL_MIN;
}
