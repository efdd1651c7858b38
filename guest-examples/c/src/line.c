#include "line.h"

#include <ctype.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// In the order of the world's enums.
static const char *const ACTIONS[] = {"install",   "upgrade", "configure", "trigproc",
                                      "disappear", "remove",  "purge"};
static const char *const STATES[] = {"not-installed",    "config-files",    "half-installed",
                                     "unpacked",         "half-configured", "triggers-awaited",
                                     "triggers-pending", "installed"};

// The words of a line. Only the first few are kept, and the last.
struct words {
  struct slice first[6];
  struct slice last;
  size_t count;
};

static struct words split(struct slice line) {
  struct words words = {0};
  bool more;
  do {
    more = cut(&line, ' ', &words.last);
    if (words.count < COUNT(words.first))
      words.first[words.count] = words.last;
    words.count++;
  } while (more);
  return words;
}

// The index of the word in the table, or `count`.
static size_t find(struct slice word, const char *const table[], size_t count) {
  size_t i = 0;
  while (i < count && !is(word, table[i]))
    i++;
  return i;
}

static int64_t number(const char *digits, size_t length) {
  int64_t value = 0;
  for (size_t i = 0; i < length; i++)
    value = value * 10 + (digits[i] - '0');
  return value;
}

// Seconds since 1970. A day beyond its month counts on into the next.
static bool parse_time(struct slice date, struct slice clock, int64_t *time) {
  if (!has_shape(date, "0000-00-00") || !has_shape(clock, "00:00:00"))
    return false;
  int64_t year = number(date.start, 4);
  int64_t month = number(date.start + 5, 2);
  int64_t day = number(date.start + 8, 2);
  int64_t hour = number(clock.start, 2);
  int64_t minute = number(clock.start + 3, 2);
  int64_t second = number(clock.start + 6, 2);
  bool in_year = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (year < 1970 || !in_year || hour > 23 || minute > 59 || second > 59)
    return false;
  // Years that start in March have their leap day last.
  int64_t y = month > 2 ? year : year - 1;
  int64_t m = month > 2 ? month - 3 : month + 9;
  int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
  *time = ((days * 24 + hour) * 60 + minute) * 60 + second;
  return true;
}

// Leaves out the architecture.
static bool parse_package(struct slice word, struct slice *name) {
  cut(&word, ':', name);
  for (size_t i = 0; i < name->length; i++) {
    unsigned char c = name->start[i];
    if (!isalnum(c) && !memchr("+.-_", c, 4))
      return false;
  }
  return name->length > 0;
}

bool parse_line(struct slice line, struct entry *entry, fault_t *fault) {
  struct words words = split(line);
  *fault = EXAMPLE_LOGS_TYPES_FAULT_TIME;
  if (words.count < 2 || !parse_time(words.first[0], words.first[1], &entry->time))
    return false;

  *fault = EXAMPLE_LOGS_TYPES_FAULT_VERB;
  struct slice verb = words.first[2];
  size_t action = find(verb, ACTIONS, COUNT(ACTIONS));
  bool startup = is(verb, "startup");
  bool conffile = is(verb, "conffile");
  bool status = is(verb, "status");
  if (words.count < 3 || !(action < COUNT(ACTIONS) || startup || conffile || status))
    return false;

  *fault = EXAMPLE_LOGS_TYPES_FAULT_FIELDS;
  struct slice *fields = &words.first[3];
  size_t count = words.count - 3;
  if (startup) {
    entry->event = OTHER;
    return count == 2 && (is(fields[0], "archives") || is(fields[0], "packages"));
  }
  if (conffile) {
    entry->event = OTHER;
    return count >= 2 && (is(words.last, "install") || is(words.last, "keep"));
  }
  if (count != 3)
    return false;
  if (status) {
    entry->event = STATUS;
    entry->state = find(fields[0], STATES, COUNT(STATES));
    return entry->state < COUNT(STATES) && parse_package(fields[1], &entry->package);
  }
  entry->event = ACTION;
  entry->action = action;
  entry->old = fields[1];
  entry->new = fields[2];
  return parse_package(fields[0], &entry->package);
}
