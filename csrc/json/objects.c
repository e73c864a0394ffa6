/* objects.c: the damaged text is read forward, to the byte where it stops being JSON, and the row
 * of objects at the line's end backward. There can be only one such row: two readings of the same
 * bytes that both end outside of a string agree on which bytes are in one. */
#include "json/objects.h"

#include "json/json.h"
#include "json/walk.h"
#include "base/hidden.h"

static const char MARK[] = "\xef\xbb\xbf";

enum { MARK_SIZE = sizeof MARK - 1 };

const char *const PLAIN_MEMBERS[PLAIN_OF_MEMORY] = {"id", "uid",  "ts",      "kind", "target",
                                                    "of", "role", "content", "tags", "source"};

static bool is_blank(char byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\0';
}

const char *objects_skip(const char *p, const char *newline)
{
  while (p < newline) {
    if (is_blank(*p)) p++;
    else if (memcmp(p, MARK, MARK_SIZE) == 0) p += MARK_SIZE;
    else break;
  }
  return p;
}

static const char *skip_separators_back(const char *p, const char *start)
{
  while (p > start) {
    if (is_blank(p[-1])) p--;
    else if (p - start >= MARK_SIZE && memcmp(p - MARK_SIZE, MARK, MARK_SIZE) == 0) p -= MARK_SIZE;
    else break;
  }
  return p;
}

/* The opening quote of a string, p being its closing one; `start` if there is none. In an object no
 * backslash comes before an opening quote, and in a string one does before each quote. */
static const char *string_start(const char *p, const char *start)
{
  while (p > start) {
    p--;
    if (*p == '"' && (p == start || p[-1] != '\\')) break;
  }
  return p;
}

/* The start of the object that ends at `end`; NULL if none does. */
static const char *object_before(const char *end, const char *start)
{
  struct json_error error;
  size_t depth = 0;
  if (end == start || end[-1] != '}') return NULL;
  for (const char *p = end; p > start;) {
    p--;
    if (*p == '"') p = string_start(p, start);
    else if (*p == '}' || *p == ']') depth++;
    else if ((*p == '{' || *p == '[') && --depth == 0)
      return json_value(p, p, 0, &error) == end ? p : NULL;
  }
  return NULL;
}

/* Whether an object is directly the value of a member of the damaged text that never has one. */
static bool is_misplaced(const char *object, const char *text, bool memory)
{
  struct walk members;
  if (*text != '{') return false;
  for (walk_begin(&members, text); walk_next(&members);) {
    if (members.value != object) continue;
    for (int i = 0; i < (memory ? PLAIN_OF_MEMORY : PLAIN_OF_ALL); i++)
      if (walk_key_is(&members, PLAIN_MEMBERS[i])) return true;
  }
  return false;
}

/* Where the objects at the end of a damaged text begin, which stops being JSON at `stop`; its end
 * if there are none. */
static const char *find_row(const char *text, const char *stop, const char *newline, bool memory)
{
  const char *start = newline, *end;
  do {
    end = skip_separators_back(start, text);
    start = object_before(end, text);
    if (start == NULL) return newline;
  } while (start > stop);
  bool has_member = *json_space(start + 1, start) != '}';
  bool found = end > stop ? has_member : stop == newline && is_misplaced(start, text, memory);
  return found ? start : newline;
}

/* The text from p on, `line` or what comes after an object, is no object. */
static void find_damage(struct objects *objects, const char *p, const char *behind, bool memory)
{
  struct json_error error;
  const char *stop = json_value(p, p, 0, &error);
  stop = stop != NULL ? json_space(stop, stop) : error.at;
  objects->damage.start = behind == objects->next ? behind : p;
  objects->damage.end = find_row(p, stop, objects->newline, memory);
  objects->damage.reason = *p == '{'                 ? error.reason
                           : behind == objects->next ? "not an object"
                                                     : "text after the object";
  objects->torn = *p == '{' && stop == objects->newline && behind == objects->next;
}

void objects_begin(struct objects *objects, const char *line, const char *newline, bool memory)
{
  struct json_error error;
  const char *p, *behind = line, *end;
  *objects = (struct objects){.next = line, .newline = newline};
  for (;; behind = end) {
    p = objects_skip(behind, newline);
    if (*p != '{' || (end = json_value(p, p, 0, &error)) == NULL) break;
  }
  bool blank = behind == line && json_space(line, line) == newline;
  if (p < newline || (behind == line && !blank)) find_damage(objects, p, behind, memory);
}

bool objects_next(struct objects *objects, struct part *part)
{
  struct json_error error;
  const char *p = objects->next;
  if (p != objects->damage.start) p = objects_skip(p, objects->newline);
  objects->next = p; /* at its end for good: the line's memory may be another's then */
  if (p == objects->newline) return false;
  if (p == objects->damage.start) *part = objects->damage;
  else *part = (struct part){p, json_value(p, p, 0, &error), NULL};
  objects->next = part->end;
  return true;
}
