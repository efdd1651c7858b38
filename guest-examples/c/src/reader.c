#include "reader.h"

static logs_string_t copy(const void *text, size_t length) {
  logs_string_t string;
  logs_string_dup_n(&string, text, length);
  return string;
}

static logs_string_t copy_slice(struct slice text) { return copy(text.start, text.length); }

static logs_string_t copy_string(logs_string_t text) { return copy(text.ptr, text.len); }

// Where the package is in the table, or the empty place where it belongs.
static activity_t **find_place(activity_t **table, size_t room, struct slice name) {
  uint32_t hash = 2166136261; // FNV-1a
  for (size_t i = 0; i < name.length; i++)
    hash = (hash ^ (uint8_t)name.start[i]) * 16777619;
  for (size_t i = hash;; i++) {
    activity_t **place = &table[i & (room - 1)];
    if (!*place || equals(name, slice((*place)->name.ptr, (*place)->name.len)))
      return place;
  }
}

static void make_place(struct reader *reader) {
  size_t room = reader->package_room ? 2 * reader->package_room : 64;
  activity_t **table = resize(NULL, room, sizeof(activity_t *));
  memset(table, 0, room * sizeof(activity_t *));
  for (size_t i = 0; i < reader->package_room; i++) {
    activity_t *package = reader->packages[i];
    if (package)
      *find_place(table, room, slice(package->name.ptr, package->name.len)) = package;
  }
  free(reader->packages);
  reader->packages = table;
  reader->package_room = room;
}

static activity_t *find_package(struct reader *reader, struct slice name) {
  if (2 * reader->package_count >= reader->package_room)
    make_place(reader);
  activity_t **place = find_place(reader->packages, reader->package_room, name);
  if (!*place) {
    *place = resize(NULL, 1, sizeof(activity_t));
    **place = (activity_t){.name = copy_slice(name)};
    reader->package_count++;
  }
  return *place;
}

// What the action changed, if it did.
static bool change_of(const struct entry *entry, change_t *change) {
  switch (entry->action) {
  case EXAMPLE_LOGS_TYPES_ACTION_INSTALL:
    change->tag = EXAMPLE_LOGS_TYPES_CHANGE_INSTALLED;
    change->val.installed = copy_slice(entry->new);
    return true;
  case EXAMPLE_LOGS_TYPES_ACTION_UPGRADE:
    change->tag = EXAMPLE_LOGS_TYPES_CHANGE_UPGRADED;
    change->val.upgraded.f0 = copy_slice(entry->old);
    change->val.upgraded.f1 = copy_slice(entry->new);
    return true;
  case EXAMPLE_LOGS_TYPES_ACTION_DISAPPEAR:
  case EXAMPLE_LOGS_TYPES_ACTION_REMOVE:
    change->tag = EXAMPLE_LOGS_TYPES_CHANGE_REMOVED;
    change->val.removed = copy_slice(entry->old);
    return true;
  case EXAMPLE_LOGS_TYPES_ACTION_PURGE:
    change->tag = EXAMPLE_LOGS_TYPES_CHANGE_PURGED;
    return true;
  default:
    return false;
  }
}

static void count_package(struct reader *reader, const struct entry *entry) {
  activity_t *package = find_package(reader, entry->package);
  package->entries++;
  if (entry->event == STATUS) {
    package->state.is_some = true;
    package->state.val = entry->state;
    return;
  }
  reader->actions[entry->action]++;
  event_t event = {.f0 = entry->time};
  if (change_of(entry, &event.f1)) {
    package->history.ptr =
        grow(package->history.ptr, package->history.len, sizeof(package->history.ptr[0]));
    package->history.ptr[package->history.len++] = event;
  }
}

static void count_entry(struct reader *reader, const struct entry *entry) {
  if (reader->entries++ == 0)
    reader->first = reader->last = entry->time;
  double seconds = entry->time - reader->last;
  if (reader->entries > 1 && seconds > reader->options.quiet) {
    reader->pauses = grow(reader->pauses, reader->pause_count, sizeof(reader->pauses[0]));
    reader->pauses[reader->pause_count++] = (pause_t){reader->last, seconds};
  }
  reader->last = entry->time;
  if (entry->event != OTHER)
    count_package(reader, entry);
}

static void read_line(struct reader *reader, struct slice line) {
  if (line.length > 0 && line.start[line.length - 1] == '\r')
    line.length--;
  reader->lines++;
  if (reader->lines <= reader->options.skip || line.length == 0)
    return;
  struct entry entry;
  fault_t fault;
  if (parse_line(line, &entry, &fault)) {
    if (!reader->options.since.is_some || entry.time >= reader->options.since.val)
      count_entry(reader, &entry);
    return;
  }
  reader->unknown++;
  if (!reader->has_bad) {
    reader->has_bad = true;
    reader->first_bad = (bad_line_t){reader->lines, fault, copy_slice(line)};
  }
}

static void end_partial(struct reader *reader) {
  read_line(reader, slice(reader->partial.bytes, reader->partial.length));
  reader->partial.length = 0;
}

static activity_t copy_package(const activity_t *package) {
  activity_t copied = *package;
  copied.name = copy_string(package->name);
  if (package->history.len > 0)
    copied.history.ptr = resize(NULL, package->history.len, sizeof(event_t));
  for (size_t i = 0; i < package->history.len; i++) {
    event_t event = package->history.ptr[i];
    change_t *change = &event.f1;
    switch (change->tag) {
    case EXAMPLE_LOGS_TYPES_CHANGE_INSTALLED:
      change->val.installed = copy_string(change->val.installed);
      break;
    case EXAMPLE_LOGS_TYPES_CHANGE_UPGRADED:
      change->val.upgraded.f0 = copy_string(change->val.upgraded.f0);
      change->val.upgraded.f1 = copy_string(change->val.upgraded.f1);
      break;
    case EXAMPLE_LOGS_TYPES_CHANGE_REMOVED:
      change->val.removed = copy_string(change->val.removed);
      break;
    }
    copied.history.ptr[i] = event;
  }
  return copied;
}

// The most entries first, then by name.
static int compare_packages(const void *left, const void *right) {
  const activity_t *a = *(activity_t *const *)left, *b = *(activity_t *const *)right;
  if (a->entries != b->entries)
    return a->entries < b->entries ? 1 : -1;
  size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
  int order = memcmp(a->name.ptr, b->name.ptr, shorter);
  return order ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

// Stops at the first package that the host refuses to label.
static bool copy_busiest(const struct reader *reader, example_logs_types_list_activity_t *busiest,
                         example_logs_types_refusal_t *refusal) {
  activity_t **ranked = NULL;
  size_t count = 0;
  for (size_t i = 0; i < reader->package_room; i++) {
    if (reader->packages[i]) {
      ranked = grow(ranked, count, sizeof(activity_t *));
      ranked[count++] = reader->packages[i];
    }
  }
  if (count > 0)
    qsort(ranked, count, sizeof(activity_t *), compare_packages);
  bool ok = true;
  for (size_t i = 0; ok && i < count && i < reader->options.top; i++) {
    logs_option_string_t label;
    ok = example_logs_lookup_label(&ranked[i]->name, &label, refusal);
    if (ok) {
      busiest->ptr = grow(busiest->ptr, busiest->len, sizeof(activity_t));
      activity_t *package = &busiest->ptr[busiest->len++];
      *package = copy_package(ranked[i]);
      package->label = label;
    }
  }
  free(ranked);
  return ok;
}

void reader_init(struct reader *reader, const logs_options_t *options) {
  *reader = (struct reader){.options = *options};
}

void reader_free(struct reader *reader) {
  for (size_t i = 0; i < reader->package_room; i++) {
    if (reader->packages[i])
      example_logs_types_activity_free(reader->packages[i]);
    free(reader->packages[i]);
  }
  free(reader->packages);
  free(reader->pauses);
  free(reader->partial.bytes);
  if (reader->has_bad)
    example_logs_types_bad_line_free(&reader->first_bad);
}

uint64_t reader_feed(struct reader *reader, struct slice text) {
  struct slice line;
  while (cut(&text, '\n', &line)) {
    if (reader->partial.length == 0) {
      read_line(reader, line);
    } else {
      append(&reader->partial, line);
      end_partial(reader);
    }
  }
  append(&reader->partial, line);
  return reader->lines;
}

bool reader_finish(struct reader *reader, logs_summary_t *summary, logs_parse_error_t *error) {
  if (reader->partial.length > 0)
    end_partial(reader);
  if (reader->lines == 0) {
    error->tag = EXAMPLE_LOGS_TYPES_PARSE_ERROR_EMPTY;
    return false;
  }
  if (reader->options.strict && reader->has_bad) {
    error->tag = EXAMPLE_LOGS_TYPES_PARSE_ERROR_LINE;
    error->val.line = reader->first_bad;
    error->val.line.text = copy_string(reader->first_bad.text);
    return false;
  }
  *summary = (logs_summary_t){
      .lines = reader->lines,
      .entries = reader->entries,
      .unknown = reader->unknown,
      .span = {reader->entries > 0, {reader->first, reader->last}},
      .per_hour = reader->entries * 3600.0 / (double)(reader->last - reader->first),
      .packages = reader->package_count,
  };
  if (!copy_busiest(reader, &summary->busiest, &error->val.lookup)) {
    error->tag = EXAMPLE_LOGS_TYPES_PARSE_ERROR_LOOKUP;
    logs_summary_free(summary);
    return false;
  }
  for (action_t action = 0; action <= EXAMPLE_LOGS_TYPES_ACTION_PURGE; action++) {
    if (reader->actions[action] > 0) {
      summary->actions.ptr =
          grow(summary->actions.ptr, summary->actions.len, sizeof(summary->actions.ptr[0]));
      summary->actions.ptr[summary->actions.len++] =
          (example_logs_types_tuple2_action_u32_t){action, reader->actions[action]};
    }
  }
  for (size_t i = 0; i < reader->pause_count; i++) {
    summary->pauses.ptr =
        grow(summary->pauses.ptr, summary->pauses.len, sizeof(summary->pauses.ptr[0]));
    summary->pauses.ptr[summary->pauses.len++] = reader->pauses[i];
  }
  return true;
}
