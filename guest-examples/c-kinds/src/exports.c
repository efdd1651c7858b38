// The world `example:kinds/outside` in C: asks the host for files, time and the rest.
//
// What an export is given is the guest's to free. Where something fails here, `errno` says why.

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "outside.h"

// Memory, of which there is always enough: without it the guest traps.
static void *resize(void *memory, size_t size) {
  void *resized = realloc(memory, size);
  if (!resized)
    abort();
  return resized;
}

// Makes a C string of a text of the host. One with a zero inside cannot be one.
static char *take(outside_string_t *given) {
  char *text = NULL;
  if (memchr(given->ptr, 0, given->len)) {
    errno = EINVAL;
  } else {
    text = resize(NULL, given->len + 1);
    memcpy(text, given->ptr, given->len);
    text[given->len] = 0;
  }
  outside_string_free(given);
  return text;
}

static bool fail(outside_string_t *err) {
  outside_string_dup(err, strerror(errno));
  return false;
}

static bool is_utf8(const char *text, size_t length) {
  // In C's own locale every byte is a letter.
  setlocale(LC_CTYPE, "C.UTF-8");
  mbstate_t state = {0};
  while (length > 0) {
    size_t size = mbrtowc(NULL, text, length, &state);
    // The codes of errors are greater than any length.
    if (size > length)
      return false;
    if (size == 0)
      size = 1; // of a zero
    text += size;
    length -= size;
  }
  return true;
}

// Reads to the end.
static bool read_text(FILE *file, outside_string_t *text) {
  char *bytes = NULL;
  size_t length = 0, room = 0, size;
  do {
    if (length == room) {
      room = room ? 2 * room : 4096;
      bytes = resize(bytes, room);
    }
    size = fread(bytes + length, 1, room - length, file);
    length += size;
  } while (size > 0);
  bool ok = !ferror(file);
  if (ok && !is_utf8(bytes, length)) {
    errno = EILSEQ;
    ok = false;
  }
  if (ok)
    outside_string_dup_n(text, bytes, length);
  free(bytes);
  return ok;
}

// Room for one text more. It doubles whenever the length is a power of two, and an empty list has
// none: nobody would free it.
static outside_string_t *add(outside_list_string_t *list) {
  size_t length = list->len++;
  if ((length & (length - 1)) == 0)
    list->ptr = resize(list->ptr, (length ? 2 * length : 1) * sizeof *list->ptr);
  return &list->ptr[length];
}

static int compare(const void *one, const void *other) {
  const outside_string_t *a = one, *b = other;
  int order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);
  return order ? order : (a->len > b->len) - (a->len < b->len);
}

// Reads the names of what is inside.
static bool read_names(DIR *folder, outside_list_string_t *names) {
  *names = (outside_list_string_t){0};
  struct dirent *entry;
  // Only `errno` tells an error from the end.
  for (errno = 0; (entry = readdir(folder)); errno = 0) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
      outside_string_dup(add(names), name);
  }
  if (errno != 0) {
    outside_list_string_free(names);
    return false;
  }
  qsort(names->ptr, names->len, sizeof *names->ptr, compare);
  return true;
}

bool exports_outside_list_folder(outside_string_t *path, outside_list_string_t *ret,
                                 outside_string_t *err) {
  char *name = take(path);
  DIR *folder = name ? opendir(name) : NULL;
  free(name);
  bool ok = (folder && read_names(folder, ret)) || fail(err);
  if (folder)
    closedir(folder);
  return ok;
}

bool exports_outside_read_file(outside_string_t *path, outside_string_t *ret,
                               outside_string_t *err) {
  char *name = take(path);
  FILE *file = name ? fopen(name, "r") : NULL;
  free(name);
  bool ok = (file && read_text(file, ret)) || fail(err);
  if (file)
    fclose(file);
  return ok;
}

bool exports_outside_variable(outside_string_t *name, outside_string_t *ret) {
  char *variable = take(name);
  const char *value = variable ? getenv(variable) : NULL;
  free(variable);
  if (value)
    outside_string_dup(ret, value);
  return value;
}

uint64_t exports_outside_now(void) {
  struct timespec now = {0};
  timespec_get(&now, TIME_UTC);
  return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

uint32_t exports_outside_random(void) {
  uint32_t number;
  // `rand` gives every instance the same numbers.
  if (getentropy(&number, sizeof number) != 0)
    abort();
  return number;
}

void exports_outside_say(outside_string_t *line) {
  fwrite(line->ptr, 1, line->len, stdout);
  putchar('\n');
  // What stays in the buffer arrives with a later call, or never.
  fflush(stdout);
  outside_string_free(line);
}

static struct {
  char *text;
  FILE *file;
} kept;

static bool print(const char *text, FILE *file) {
  return fputs(text, file) != EOF && fflush(file) != EOF;
}

static FILE *open_left(const char *folder) {
  char *path = resize(NULL, strlen(folder) + sizeof "/left");
  strcat(strcpy(path, folder), "/left");
  FILE *file = fopen(path, "w+");
  free(path);
  return file;
}

// Takes the text over.
static bool leave(char *text, const char *folder) {
  free(kept.text);
  kept.text = text;
  if (setenv("LEFT", text, true) != 0 || !print(text, stdout))
    return false;
  FILE *file = open_left(folder);
  if (!file)
    return false;
  if (kept.file)
    fclose(kept.file);
  kept.file = file;
  return print(text, file);
}

bool exports_outside_leave(outside_string_t *text, outside_string_t *folder,
                           outside_string_t *err) {
  char *left = take(text), *name = take(folder);
  bool whole = left && name;
  bool ok = (whole && leave(left, name)) || fail(err);
  if (!whole)
    free(left);
  free(name);
  return ok;
}

void exports_outside_left(outside_list_string_t *ret) {
  *ret = (outside_list_string_t){0};
  const char *variable = getenv("LEFT");
  if (variable)
    outside_string_dup(add(ret), variable);
  if (kept.text)
    outside_string_dup(add(ret), kept.text);
  if (kept.file) {
    rewind(kept.file);
    outside_string_t *text = add(ret);
    if (!read_text(kept.file, text))
      fail(text);
  }
}
