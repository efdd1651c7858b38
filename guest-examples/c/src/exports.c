// The world `example:logs/logs` in C: sums up and redacts a log of dpkg.
//
// What an export is given and what it returns is the guest's to free: the former here, the latter
// by the generated code when the host has read it.

#include "reader.h"

struct exports_example_logs_sessions_session_t {
  struct reader reader;
};

bool exports_logs_analyze(logs_string_t *log, logs_options_t *options, logs_summary_t *ret,
                          logs_parse_error_t *err) {
  struct reader reader;
  reader_init(&reader, options);
  reader_feed(&reader, slice(log->ptr, log->len));
  logs_string_free(log);
  bool ok = reader_finish(&reader, ret, err);
  reader_free(&reader);
  return ok;
}

exports_example_logs_sessions_own_session_t
exports_example_logs_sessions_constructor_session(logs_options_t *options) {
  exports_example_logs_sessions_session_t *session = resize(NULL, 1, sizeof *session);
  reader_init(&session->reader, options);
  return exports_example_logs_sessions_session_new(session);
}

void exports_example_logs_sessions_session_destructor(
    exports_example_logs_sessions_session_t *session) {
  reader_free(&session->reader);
  free(session);
}

void exports_example_logs_sessions_method_session_settings(
    exports_example_logs_sessions_session_t *session, logs_options_t *ret) {
  *ret = session->reader.options;
}

uint64_t
exports_example_logs_sessions_method_session_feed(exports_example_logs_sessions_session_t *session,
                                                  logs_string_t *text) {
  uint64_t lines = reader_feed(&session->reader, slice(text->ptr, text->len));
  logs_string_free(text);
  return lines;
}

bool exports_example_logs_sessions_method_session_finish(
    exports_example_logs_sessions_session_t *session, logs_summary_t *ret,
    logs_parse_error_t *err) {
  return reader_finish(&session->reader, ret, err);
}
