// One line of a log.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <variant>
#include <vector>

#include "logs.h"

using Action = example_logs_types_action_t;
using State = example_logs_types_state_t;
using Fault = example_logs_types_fault_t;

struct Acted {
  Action action;
  std::string_view package, before, after;
};

struct Reached {
  State state;
  std::string_view package;
};

// What a line says, and when.
struct Entry {
  std::int64_t time;
  std::variant<std::monostate, Acted, Reached> event;
};

// Understands a line, or says what is wrong with it.
std::expected<Entry, Fault> parse(std::string_view line);

std::vector<std::string_view> split(std::string_view text, char separator);

// Whether the text has this shape, in which 0 stands for any digit.
bool has_shape(std::string_view text, std::string_view shape);
