// Reads a log in pieces and sums it up.
#pragma once

#include <array>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "line.hpp"

struct Installed {
  std::string version;
};
struct Upgraded {
  std::string from, to;
};
struct Removed {
  std::string version;
};
struct Purged {};
using Change = std::variant<Installed, Upgraded, Removed, Purged>;

struct Package {
  std::optional<State> state;
  std::uint32_t entries = 0;
  std::vector<std::pair<std::int64_t, Change>> history;
};

class Reader {
public:
  explicit Reader(const logs_options_t &options) : options_(options) {}

  const logs_options_t &options() const { return options_; }
  std::uint64_t feed(std::string_view text);
  std::expected<logs_summary_t, logs_parse_error_t> finish();

private:
  struct BadLine {
    std::uint64_t number;
    Fault fault;
    std::string text;
  };
  using Activities = example_logs_types_list_activity_t;

  void read(std::string_view line);
  void count(const Entry &entry);
  void count(std::int64_t time, const Acted &acted);
  Package &package(std::string_view name);
  std::expected<Activities, example_logs_types_refusal_t> busiest() const;

  logs_options_t options_;
  std::string partial_; // a line that has no end yet
  std::uint64_t lines_ = 0;
  std::uint32_t entries_ = 0;
  std::uint32_t unknown_ = 0;
  std::optional<BadLine> first_bad_;
  std::optional<std::pair<std::int64_t, std::int64_t>> span_;
  std::array<std::uint32_t, EXAMPLE_LOGS_TYPES_ACTION_PURGE + 1> actions_{};
  std::map<std::string, Package, std::less<>> packages_;
  std::vector<example_logs_types_pause_t> pauses_;
};
