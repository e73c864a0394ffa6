/* bm25.h: what a term adds to the score of a text that has it, by BM25 (Robertson and Zaragoza, "The
 * Probabilistic Relevance Framework", 2009), with the k1 of SQLite FTS5's bm25(). */
#ifndef AISH_BM25_H
#define AISH_BM25_H

#pragma GCC visibility push(hidden)

/* The b of what is recalled by terms (see grams.h). */
#define BM25_TERMS_B 0.4

/* idf: how rare the term is among all texts; count: how often the text has it; length: of the text, the
 * mean being 1; b: the part of it that counts. */
static inline double bm25(double idf, double count, double length, double b)
{
  const double k1 = 1.2;
  return idf * count * (k1 + 1) / (count + k1 * (1 - b + b * length));
}

#pragma GCC visibility pop
#endif
