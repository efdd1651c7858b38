#include "line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace {

// In the order of the world's enums.
constexpr std::array<std::string_view, 7> ACTIONS = {
    "install", "upgrade", "configure", "trigproc", "disappear", "remove", "purge"};
constexpr std::array<std::string_view, 8> STATES = {
    "not-installed",   "config-files",     "half-installed",   "unpacked",
    "half-configured", "triggers-awaited", "triggers-pending", "installed"};

std::optional<std::uint8_t> find(const auto &words, std::string_view word) {
  auto found = std::ranges::find(words, word);
  if (found == words.end())
    return std::nullopt;
  return found - words.begin();
}

std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// Seconds since 1970. A day beyond its month counts on into the next.
std::optional<std::int64_t> parse_time(std::string_view date, std::string_view clock) {
  if (!has_shape(date, "0000-00-00") || !has_shape(clock, "00:00:00"))
    return std::nullopt;
  auto year = number(date.substr(0, 4));
  auto month = number(date.substr(5, 2));
  auto day = number(date.substr(8, 2));
  auto hour = number(clock.substr(0, 2));
  auto minute = number(clock.substr(3, 2));
  auto second = number(clock.substr(6, 2));
  bool in_year = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (year < 1970 || !in_year || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  // Years that start in March have their leap day last.
  auto y = month > 2 ? year : year - 1;
  auto m = month > 2 ? month - 3 : month + 9;
  auto days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719'469;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

// The name without the architecture.
std::optional<std::string_view> bare(std::string_view package) {
  auto name = package.substr(0, package.find(':'));
  auto is_letter = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("+.-_").contains(c);
  };
  if (name.empty() || !std::ranges::all_of(name, is_letter))
    return std::nullopt;
  return name;
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t end;
  while ((end = text.find(separator)) != text.npos) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

bool has_shape(std::string_view text, std::string_view shape) {
  auto fits = [](unsigned char c, char pattern) {
    return pattern == '0' ? std::isdigit(c) != 0 : c == pattern;
  };
  return std::ranges::equal(text, shape, fits);
}

std::expected<Entry, Fault> parse(std::string_view line) {
  using Failed = std::unexpected<Fault>;
  auto words = split(line, ' ');
  auto time = words.size() < 2 ? std::nullopt : parse_time(words[0], words[1]);
  if (!time)
    return Failed(EXAMPLE_LOGS_TYPES_FAULT_TIME);
  auto verb = words.size() < 3 ? "" : words[2];
  auto action = find(ACTIONS, verb);
  if (!action && verb != "startup" && verb != "conffile" && verb != "status")
    return Failed(EXAMPLE_LOGS_TYPES_FAULT_VERB);

  auto count = words.size() - 3;
  if (verb == "startup") {
    if (count == 2 && (words[3] == "archives" || words[3] == "packages"))
      return Entry{*time, {}};
  } else if (verb == "conffile") {
    if (count >= 2 && (words.back() == "install" || words.back() == "keep"))
      return Entry{*time, {}};
  } else if (count == 3 && verb == "status") {
    auto state = find(STATES, words[3]);
    auto package = bare(words[4]);
    if (state && package)
      return Entry{*time, Reached{*state, *package}};
  } else if (count == 3) {
    if (auto package = bare(words[3]))
      return Entry{*time, Acted{*action, *package, words[4], words[5]}};
  }
  return Failed(EXAMPLE_LOGS_TYPES_FAULT_FIELDS);
}
