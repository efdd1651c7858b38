// Makes what the host reads of what C++ works with. The generated code frees it afterwards.
#pragma once

#include <cstdlib>
#include <ranges>
#include <string_view>
#include <type_traits>

#include "logs.h"

inline std::string_view view(const logs_string_t &text) {
  return {reinterpret_cast<const char *>(text.ptr), text.len};
}

inline logs_string_t lower(std::string_view text) {
  logs_string_t lowered;
  logs_string_dup_n(&lowered, text.data(), text.size());
  return lowered;
}

template <typename List, std::ranges::sized_range Range, typename Lower>
List lower_list(const Range &range, Lower lower_one) {
  using Element = std::remove_pointer_t<decltype(List::ptr)>;
  List list{};
  // Nobody frees the memory of an empty list.
  if (std::ranges::empty(range))
    return list;
  list.ptr = static_cast<Element *>(std::calloc(std::ranges::size(range), sizeof(Element)));
  if (!list.ptr)
    std::abort();
  for (const auto &element : range)
    list.ptr[list.len++] = lower_one(element);
  return list;
}
