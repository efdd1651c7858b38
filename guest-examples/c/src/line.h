// One line of a log.
#pragma once

#include "logs.h"
#include "slice.h"

typedef example_logs_types_action_t action_t;
typedef example_logs_types_state_t state_t;
typedef example_logs_types_fault_t fault_t;

// What a line says, and when.
struct entry {
  int64_t time;
  enum { ACTION, STATUS, OTHER } event;
  // Of an action and a status.
  struct slice package;
  // Of an action.
  action_t action;
  struct slice old, new;
  // Of a status.
  state_t state;
};

// Understands a line, or says what is wrong with it and returns false.
bool parse_line(struct slice line, struct entry *entry, fault_t *fault);
