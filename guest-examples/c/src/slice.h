// Parts of texts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// A part of a text that somebody else owns. It need not end with a zero.
struct slice {
  const char *start;
  size_t length;
};

static inline struct slice slice(const void *start, size_t length) {
  return (struct slice){start, length};
}

static inline bool equals(struct slice text, struct slice other) {
  return text.length == other.length && memcmp(text.start, other.start, text.length) == 0;
}

static inline bool is(struct slice text, const char *word) {
  return equals(text, slice(word, strlen(word)));
}

// Whether the text has this shape, in which 0 stands for any digit.
static inline bool has_shape(struct slice text, const char *shape) {
  if (text.length != strlen(shape))
    return false;
  for (size_t i = 0; i < text.length; i++) {
    char c = text.start[i];
    if (shape[i] == '0' ? c < '0' || c > '9' : c != shape[i])
      return false;
  }
  return true;
}

// Takes `part` off the text, up to the first separator, which goes too. Without a separator `part`
// is all there is, and the answer is false.
static inline bool cut(struct slice *text, char separator, struct slice *part) {
  const char *end = memchr(text->start, separator, text->length);
  *part = slice(text->start, end ? (size_t)(end - text->start) : text->length);
  size_t taken = part->length + (end != NULL);
  *text = slice(text->start + taken, text->length - taken);
  return end != NULL;
}
