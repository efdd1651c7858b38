#include "reader.hpp"

#include <algorithm>
#include <ranges>

#include "lower.hpp"

namespace {

std::optional<Change> change_of(const Acted &acted) {
  switch (acted.action) {
  case EXAMPLE_LOGS_TYPES_ACTION_INSTALL:
    return Installed{std::string(acted.after)};
  case EXAMPLE_LOGS_TYPES_ACTION_UPGRADE:
    return Upgraded{std::string(acted.before), std::string(acted.after)};
  case EXAMPLE_LOGS_TYPES_ACTION_DISAPPEAR:
  case EXAMPLE_LOGS_TYPES_ACTION_REMOVE:
    return Removed{std::string(acted.before)};
  case EXAMPLE_LOGS_TYPES_ACTION_PURGE:
    return Purged{};
  default:
    return std::nullopt;
  }
}

struct LowerChange {
  example_logs_types_change_t operator()(const Installed &change) const {
    return {EXAMPLE_LOGS_TYPES_CHANGE_INSTALLED, {.installed = lower(change.version)}};
  }
  example_logs_types_change_t operator()(const Upgraded &change) const {
    return {EXAMPLE_LOGS_TYPES_CHANGE_UPGRADED,
            {.upgraded = {lower(change.from), lower(change.to)}}};
  }
  example_logs_types_change_t operator()(const Removed &change) const {
    return {EXAMPLE_LOGS_TYPES_CHANGE_REMOVED, {.removed = lower(change.version)}};
  }
  example_logs_types_change_t operator()(const Purged &) const {
    return {EXAMPLE_LOGS_TYPES_CHANGE_PURGED, {}};
  }
};

using Label = std::optional<std::string>;

std::expected<Label, example_logs_types_refusal_t> ask_label(std::string_view name) {
  logs_string_t text = lower(name);
  logs_option_string_t label;
  example_logs_types_refusal_t refusal;
  bool ok = example_logs_lookup_label(&text, &label, &refusal);
  logs_string_free(&text);
  if (!ok)
    return std::unexpected(refusal);
  Label copied;
  if (label.is_some)
    copied = view(label.val);
  logs_option_string_free(&label);
  return copied;
}

// One of the busiest packages.
struct Labelled {
  std::string_view name;
  const Package *package;
  Label label;

  example_logs_types_activity_t lowered() const {
    using History = example_logs_types_list_tuple2_s64_change_t;
    auto lower_event = [](const auto &event) {
      return example_logs_types_tuple2_s64_change_t{event.first,
                                                    std::visit(LowerChange{}, event.second)};
    };
    return {
        .name = lower(name),
        .label = label ? logs_option_string_t{true, lower(*label)} : logs_option_string_t{},
        .state = {package->state.has_value(), package->state.value_or(0)},
        .entries = package->entries,
        .history = lower_list<History>(package->history, lower_event),
    };
  }
};

} // namespace

std::uint64_t Reader::feed(std::string_view text) {
  std::size_t end;
  while ((end = text.find('\n')) != text.npos) {
    auto line = text.substr(0, end);
    if (partial_.empty()) {
      read(line);
    } else {
      read(std::exchange(partial_, {}).append(line));
    }
    text.remove_prefix(end + 1);
  }
  partial_ += text;
  return lines_;
}

std::expected<logs_summary_t, logs_parse_error_t> Reader::finish() {
  if (!partial_.empty())
    read(std::exchange(partial_, {}));
  if (lines_ == 0)
    return std::unexpected(logs_parse_error_t{EXAMPLE_LOGS_TYPES_PARSE_ERROR_EMPTY, {}});
  if (options_.strict && first_bad_) {
    const auto &[number, fault, text] = *first_bad_;
    return std::unexpected(logs_parse_error_t{EXAMPLE_LOGS_TYPES_PARSE_ERROR_LINE,
                                              {.line = {number, fault, lower(text)}}});
  }
  auto activities = busiest();
  if (!activities)
    return std::unexpected(
        logs_parse_error_t{EXAMPLE_LOGS_TYPES_PARSE_ERROR_LOOKUP, {.lookup = activities.error()}});

  using Counted = example_logs_types_tuple2_action_u32_t;
  std::vector<Counted> counted;
  for (Action action = 0; action < actions_.size(); action++)
    if (actions_[action] > 0)
      counted.push_back({action, actions_[action]});
  auto [first, last] = span_.value_or(std::pair(0, 0));
  return logs_summary_t{
      .lines = lines_,
      .entries = entries_,
      .unknown = unknown_,
      .span = {span_.has_value(), {first, last}},
      .per_hour = entries_ * 3600.0 / static_cast<double>(last - first),
      .actions = lower_list<example_logs_types_list_tuple2_action_u32_t>(counted, std::identity{}),
      .packages = static_cast<std::uint32_t>(packages_.size()),
      .busiest = *activities,
      .pauses = lower_list<example_logs_types_list_pause_t>(pauses_, std::identity{}),
  };
}

void Reader::read(std::string_view line) {
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  lines_++;
  if (lines_ <= options_.skip || line.empty())
    return;
  if (auto entry = parse(line)) {
    if (!options_.since.is_some || entry->time >= options_.since.val)
      count(*entry);
  } else {
    unknown_++;
    if (!first_bad_)
      first_bad_ = BadLine{lines_, entry.error(), std::string(line)};
  }
}

void Reader::count(const Entry &entry) {
  entries_++;
  auto [first, after] = span_.value_or(std::pair(entry.time, entry.time));
  span_ = {first, entry.time};
  auto seconds = static_cast<double>(entry.time - after);
  if (entries_ > 1 && seconds > options_.quiet)
    pauses_.push_back({after, seconds});
  if (auto *acted = std::get_if<Acted>(&entry.event))
    count(entry.time, *acted);
  else if (auto *reached = std::get_if<Reached>(&entry.event))
    package(reached->package).state = reached->state;
}

void Reader::count(std::int64_t time, const Acted &acted) {
  actions_[acted.action]++;
  auto &acted_on = package(acted.package);
  if (auto change = change_of(acted))
    acted_on.history.emplace_back(time, std::move(*change));
}

Package &Reader::package(std::string_view name) {
  auto found = packages_.find(name);
  if (found == packages_.end())
    found = packages_.emplace(name, Package{}).first;
  found->second.entries++;
  return found->second;
}

std::expected<Reader::Activities, example_logs_types_refusal_t> Reader::busiest() const {
  std::vector<Labelled> ranked;
  for (const auto &[name, package] : packages_)
    ranked.push_back({name, &package, {}});
  // The map has them in the order of their names.
  std::ranges::stable_sort(ranked, std::greater{},
                           [](const auto &one) { return one.package->entries; });
  ranked.resize(std::min<std::size_t>(ranked.size(), options_.top));
  for (auto &one : ranked) {
    auto label = ask_label(one.name);
    if (!label)
      return std::unexpected(label.error());
    one.label = std::move(*label);
  }
  return lower_list<Activities>(ranked, [](const auto &one) { return one.lowered(); });
}
