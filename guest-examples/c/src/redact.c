// Hides what should not leave the house.

#include <ctype.h>

#include "logs.h"
#include "memory.h"
#include "slice.h"

#define KINDS 5

// Writes a character as UTF-8, and returns how many bytes that took.
static size_t encode(uint32_t c, char bytes[4]) {
  if (c < 0x80) {
    bytes[0] = c;
    return 1;
  }
  size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, c >>= 6)
    bytes[i] = 0x80 | (c & 0x3f);
  bytes[0] = (0xf00 >> length) | c;
  return length;
}

static bool in_word(char c) {
  return isalnum((unsigned char)c) || (c != '\0' && strchr("@.:+~_-", c));
}

static bool contains(struct slice text, char c) {
  return memchr(text.start, c, text.length) != NULL;
}

static bool starts(struct slice text, int (*is_of_class)(int)) {
  return text.length > 0 && is_of_class((unsigned char)text.start[0]);
}

static bool is_digits(struct slice text, size_t most) {
  for (size_t i = 0; i < text.length; i++)
    if (!isdigit((unsigned char)text.start[i]))
      return false;
  return text.length >= 1 && text.length <= most;
}

static bool is_time(struct slice word) {
  return has_shape(word, "0000-00-00") || has_shape(word, "00:00:00");
}

static bool is_email(struct slice word) {
  struct slice user;
  return cut(&word, '@', &user) && user.length > 0 && contains(word, '.') && !contains(word, '@');
}

static bool is_address(struct slice word) {
  struct slice host, part;
  if (cut(&word, ':', &host) && !is_digits(word, 5))
    return false;
  size_t parts = 0;
  bool more;
  do {
    more = cut(&host, '.', &part);
    // As text, 255 is the greatest of three digits that fits a byte.
    if (!is_digits(part, 3) || (part.length == 3 && memcmp(part.start, "255", 3) > 0))
      return false;
    parts++;
  } while (more);
  return parts == 4;
}

static bool is_version(struct slice word) {
  return starts(word, isdigit) &&
         (contains(word, '.') || contains(word, '+') || contains(word, '~') || contains(word, '-'));
}

static bool is_package(struct slice word) {
  struct slice name;
  return cut(&word, ':', &name) && starts(name, isalnum) && starts(word, islower) &&
         !contains(word, ':');
}

// The index of the first kind of secret that the word looks like, or `KINDS`.
static size_t kind_of(struct slice word) {
  static bool (*const IS[KINDS])(struct slice) = {is_time, is_email, is_address, is_version,
                                                  is_package};
  size_t kind = 0;
  while (kind < KINDS && !IS[kind](word))
    kind++;
  return kind;
}

void exports_logs_redact(logs_string_t *text, logs_secrets_t what, uint32_t mask,
                         logs_redacted_t *ret) {
  char encoded[4];
  struct slice letter = slice(encoded, encode(mask, encoded));
  struct buffer out = {0};
  uint32_t counts[KINDS] = {0};

  const char *at = (const char *)text->ptr, *end = at + text->len;
  while (at < end) {
    const char *start = at;
    while (at < end && !in_word(*at))
      at++;
    append(&out, slice(start, at - start));

    start = at;
    while (at < end && in_word(*at))
      at++;
    struct slice word = slice(start, at - start);
    while (word.length > 0 && strchr(".:-", word.start[word.length - 1]))
      word.length--;
    size_t kind = kind_of(word);
    if (kind < KINDS && what & (1 << kind)) {
      counts[kind]++;
      for (size_t i = 0; i < word.length; i++)
        append(&out, letter);
    } else {
      append(&out, word);
    }
    append(&out, slice(start + word.length, at - start - word.length));
  }

  *ret = (logs_redacted_t){.text = {(uint8_t *)out.bytes, out.length}};
  for (size_t kind = 0; kind < KINDS; kind++) {
    if (counts[kind] > 0) {
      ret->counts.ptr = grow(ret->counts.ptr, ret->counts.len, sizeof(ret->counts.ptr[0]));
      ret->counts.ptr[ret->counts.len++] =
          (example_logs_types_tuple2_secrets_u32_t){1 << kind, counts[kind]};
    }
  }
  logs_string_free(text);
}
