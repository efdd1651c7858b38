// Memory, of which there is always enough: without it the guest traps.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "slice.h"

static inline void *resize(void *array, size_t length, size_t size) {
  void *resized = length <= SIZE_MAX / size ? realloc(array, length * size) : NULL;
  if (!resized)
    abort();
  return resized;
}

// Room for one element more. It doubles whenever the length is a power of two, so that no room need
// be noted beside the length.
static inline void *grow(void *array, size_t length, size_t size) {
  bool is_full = (length & (length - 1)) == 0;
  return is_full ? resize(array, length ? 2 * length : 1, size) : array;
}

// A text that grows.
struct buffer {
  char *bytes;
  size_t length;
  size_t room;
};

static inline void append(struct buffer *buffer, struct slice text) {
  size_t length = buffer->length + text.length;
  if (length > buffer->room) {
    buffer->room = 2 * length;
    buffer->bytes = resize(buffer->bytes, buffer->room, 1);
  }
  memcpy(buffer->bytes + buffer->length, text.start, text.length);
  buffer->length = length;
}
