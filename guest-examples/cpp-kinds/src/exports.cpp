// The world `example:kinds/outside` in C++: asks the host for files, time and the rest.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <dirent.h>
#include <expected>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "outside.h"

namespace {

using Failure = std::unexpected<std::string>;
template <typename T> using Result = std::expected<T, std::string>;

Failure failure(int code = errno) { return Failure(std::strerror(code)); }

// A text that the host gave, and that is the guest's to free.
class Given {
public:
  explicit Given(outside_string_t *text) : text_(text) {}
  Given(const Given &) = delete;
  Given &operator=(const Given &) = delete;
  ~Given() { outside_string_free(text_); }

  operator std::string_view() const {
    return {reinterpret_cast<const char *>(text_->ptr), text_->len};
  }

private:
  outside_string_t *text_;
};

// A text for libc, to which a zero inside would be its end.
Result<std::string> for_libc(std::string_view text) {
  if (text.contains('\0'))
    return failure(EINVAL);
  return std::string(text);
}

// What the host reads. The generated code frees it, in C.
outside_string_t lower(std::string_view text) {
  outside_string_t lowered;
  outside_string_dup_n(&lowered, text.data(), text.size());
  return lowered;
}

outside_list_string_t lower(const std::vector<std::string> &texts) {
  outside_list_string_t list{};
  // Nobody frees the memory of an empty list.
  if (texts.empty())
    return list;
  list.ptr = static_cast<outside_string_t *>(std::calloc(texts.size(), sizeof(outside_string_t)));
  if (!list.ptr)
    std::abort();
  for (const auto &text : texts)
    list.ptr[list.len++] = lower(text);
  return list;
}

template <typename T> bool answer(const Result<T> &result, auto *ret, outside_string_t *err) {
  if (result)
    *ret = lower(*result);
  else
    *err = lower(result.error());
  return result.has_value();
}

struct Close {
  void operator()(std::FILE *file) const { std::fclose(file); }
  void operator()(DIR *folder) const { closedir(folder); }
};
using File = std::unique_ptr<std::FILE, Close>;
using Folder = std::unique_ptr<DIR, Close>;

bool is_utf8(std::string_view text) {
  // In C's own locale every byte is a letter.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  std::mbstate_t state{};
  while (!text.empty()) {
    auto size = std::mbrtowc(nullptr, text.data(), text.size(), &state);
    // The codes of errors are greater than any length.
    if (size > text.size())
      return false;
    // That of a zero is 0.
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return true;
}

// Reads to the end.
Result<std::string> read_text(std::FILE *file) {
  std::string text;
  std::array<char, 4096> part;
  while (auto size = std::fread(part.data(), 1, part.size(), file))
    text.append(part.data(), size);
  if (std::ferror(file))
    return failure();
  if (!is_utf8(text))
    return failure(EILSEQ);
  return text;
}

Result<std::string> read_file(const std::string &path) {
  File file(std::fopen(path.c_str(), "r"));
  if (!file)
    return failure();
  return read_text(file.get());
}

Result<std::vector<std::string>> list_folder(const std::string &path) {
  Folder folder(opendir(path.c_str()));
  if (!folder)
    return failure();
  std::vector<std::string> names;
  // Only `errno` tells an error from the end.
  for (errno = 0; const auto *entry = readdir(folder.get()); errno = 0) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      names.emplace_back(name);
  }
  if (errno != 0)
    return failure();
  std::ranges::sort(names);
  return names;
}

struct {
  std::optional<std::string> text;
  File file;
} kept;

bool print(const std::string &text, std::FILE *file) {
  return std::fputs(text.c_str(), file) != EOF && std::fflush(file) != EOF;
}

Result<void> leave(const std::string &text, const std::string &folder) {
  kept.text = text;
  if (setenv("LEFT", text.c_str(), true) != 0 || !print(text, stdout))
    return failure();
  File file(std::fopen((folder + "/left").c_str(), "w+"));
  if (!file)
    return failure();
  kept.file = std::move(file);
  if (!print(text, kept.file.get()))
    return failure();
  return {};
}

} // namespace

bool exports_outside_list_folder(outside_string_t *path, outside_list_string_t *ret,
                                 outside_string_t *err) {
  return answer(for_libc(Given(path)).and_then(list_folder), ret, err);
}

bool exports_outside_read_file(outside_string_t *path, outside_string_t *ret,
                               outside_string_t *err) {
  return answer(for_libc(Given(path)).and_then(read_file), ret, err);
}

bool exports_outside_variable(outside_string_t *name, outside_string_t *ret) {
  auto variable = for_libc(Given(name));
  const char *value = variable ? std::getenv(variable->c_str()) : nullptr;
  if (value)
    *ret = lower(value);
  return value;
}

std::uint64_t exports_outside_now() {
  auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(since_1970).count();
}

std::uint32_t exports_outside_random() { return std::random_device{}(); }

void exports_outside_say(outside_string_t *line) {
  Given given(line);
  std::string_view text = given;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::putchar('\n');
  // What stays in the buffer arrives with a later call, or never.
  std::fflush(stdout);
}

bool exports_outside_leave(outside_string_t *text, outside_string_t *folder,
                           outside_string_t *err) {
  auto left = for_libc(Given(text)), name = for_libc(Given(folder));
  auto done = left.and_then([&](const auto &left) {
    return name.and_then([&](const auto &name) { return leave(left, name); });
  });
  if (!done)
    *err = lower(done.error());
  return done.has_value();
}

void exports_outside_left(outside_list_string_t *ret) {
  std::vector<std::string> found;
  if (const char *variable = std::getenv("LEFT"))
    found.emplace_back(variable);
  if (kept.text)
    found.push_back(*kept.text);
  if (kept.file) {
    std::rewind(kept.file.get());
    auto text = read_text(kept.file.get());
    found.push_back(text ? *text : text.error());
  }
  *ret = lower(found);
}
