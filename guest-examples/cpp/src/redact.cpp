#include "redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "line.hpp"
#include "lower.hpp"

namespace {

bool in_word(unsigned char c) { return std::isalnum(c) || std::string_view("@.:+~_-").contains(c); }

bool is_digits(std::string_view text, std::size_t most) {
  auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  return !text.empty() && text.size() <= most && std::ranges::all_of(text, is_digit);
}

bool is_time(std::string_view word) {
  return has_shape(word, "0000-00-00") || has_shape(word, "00:00:00");
}

bool is_email(std::string_view word) {
  auto parts = split(word, '@');
  return parts.size() == 2 && !parts[0].empty() && parts[1].contains('.');
}

bool is_address(std::string_view word) {
  auto colon = word.find(':');
  if (colon != word.npos && !is_digits(word.substr(colon + 1), 5))
    return false;
  auto parts = split(word.substr(0, colon), '.');
  // As text, 255 is the greatest of three digits that fits a byte.
  auto is_byte = [](std::string_view part) {
    return is_digits(part, 3) && (part.size() < 3 || part <= "255");
  };
  return parts.size() == 4 && std::ranges::all_of(parts, is_byte);
}

bool is_version(std::string_view word) {
  return !word.empty() && is_digits(word.substr(0, 1), 1) &&
         word.find_first_of(".+~-") != word.npos;
}

bool is_package(std::string_view word) {
  auto parts = split(word, ':');
  return parts.size() == 2 && !parts[0].empty() && !parts[1].empty() &&
         std::isalnum(static_cast<unsigned char>(parts[0][0])) &&
         std::islower(static_cast<unsigned char>(parts[1][0]));
}

// In the order of the world's flags, whose bits they are.
constexpr std::array KINDS = {is_time, is_email, is_address, is_version, is_package};

// The first kind of secret that the word looks like.
std::size_t kind_of(std::string_view word) {
  auto is_kind = [&](auto is) { return is(word); };
  return std::ranges::find_if(KINDS, is_kind) - KINDS.begin();
}

std::string encode(char32_t c) {
  if (c < 0x80)
    return {static_cast<char>(c)};
  std::size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  std::string bytes(length, '\0');
  for (std::size_t i = length - 1; i > 0; i--, c >>= 6)
    bytes[i] = static_cast<char>(0x80 | (c & 0x3f));
  bytes[0] = static_cast<char>((0xf00 >> length) | c);
  return bytes;
}

} // namespace

logs_redacted_t redact(std::string_view text, logs_secrets_t what, char32_t mask) {
  auto letter = encode(mask);
  std::array<std::uint32_t, KINDS.size()> counts{};
  std::string out;
  out.reserve(text.size());

  for (auto at = text.begin(); at != text.end();) {
    auto start = std::find_if(at, text.end(), in_word);
    out.append(at, start);
    at = std::find_if_not(start, text.end(), in_word);
    std::string_view run(start, at);
    auto word = run.substr(0, run.find_last_not_of(".:-") + 1);
    auto kind = kind_of(word);
    if (kind < KINDS.size() && (what & (1 << kind))) {
      counts[kind]++;
      for (std::size_t i = 0; i < word.size(); i++)
        out += letter;
      out += run.substr(word.size());
    } else {
      out += run;
    }
  }

  std::vector<example_logs_types_tuple2_secrets_u32_t> counted;
  for (std::size_t kind = 0; kind < counts.size(); kind++)
    if (counts[kind] > 0)
      counted.push_back({static_cast<logs_secrets_t>(1 << kind), counts[kind]});
  return {lower(out),
          lower_list<example_logs_types_list_tuple2_secrets_u32_t>(counted, std::identity{})};
}
