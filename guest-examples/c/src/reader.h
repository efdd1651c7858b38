// Reads a log in pieces and sums it up.
#pragma once

#include "line.h"
#include "memory.h"

typedef example_logs_types_activity_t activity_t;
typedef example_logs_types_bad_line_t bad_line_t;
typedef example_logs_types_change_t change_t;
typedef example_logs_types_pause_t pause_t;
typedef example_logs_types_tuple2_s64_change_t event_t;

struct reader {
  logs_options_t options;
  // A line that has no end yet.
  struct buffer partial;

  uint64_t lines;
  uint32_t entries;
  uint32_t unknown;
  bool has_bad;
  bad_line_t first_bad;
  // The times of the first and the last entry.
  int64_t first;
  int64_t last;
  uint32_t actions[EXAMPLE_LOGS_TYPES_ACTION_PURGE + 1];
  // A hash table, at least half of which is empty. Its room is a power of two.
  activity_t **packages;
  size_t package_room;
  uint32_t package_count;
  pause_t *pauses;
  size_t pause_count;
};

void reader_init(struct reader *reader, const logs_options_t *options);
void reader_free(struct reader *reader);
uint64_t reader_feed(struct reader *reader, struct slice text);
// Gives a summary, or an error and false. Both share nothing with the reader.
bool reader_finish(struct reader *reader, logs_summary_t *summary, logs_parse_error_t *error);
