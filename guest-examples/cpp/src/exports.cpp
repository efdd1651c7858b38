// The world `example:logs/logs` in C++: sums up and redacts a log of dpkg.

#include "lower.hpp"
#include "reader.hpp"
#include "redact.hpp"

struct exports_example_logs_sessions_session_t {
  Reader reader;
};

namespace {

// A text that the host gave, and that is the guest's to free.
class Given {
public:
  explicit Given(logs_string_t *text) : text_(text) {}
  Given(const Given &) = delete;
  Given &operator=(const Given &) = delete;
  ~Given() { logs_string_free(text_); }

  operator std::string_view() const { return view(*text_); }

private:
  logs_string_t *text_;
};

bool finish(Reader &reader, logs_summary_t *ret, logs_parse_error_t *err) {
  auto summary = reader.finish();
  if (summary)
    *ret = *summary;
  else
    *err = summary.error();
  return summary.has_value();
}

} // namespace

bool exports_logs_analyze(logs_string_t *log, logs_options_t *options, logs_summary_t *ret,
                          logs_parse_error_t *err) {
  Reader reader(*options);
  reader.feed(Given(log));
  return finish(reader, ret, err);
}

void exports_logs_redact(logs_string_t *text, logs_secrets_t what, uint32_t mask,
                         logs_redacted_t *ret) {
  *ret = redact(Given(text), what, mask);
}

exports_example_logs_sessions_own_session_t
exports_example_logs_sessions_constructor_session(logs_options_t *options) {
  auto *session = new exports_example_logs_sessions_session_t{Reader(*options)};
  return exports_example_logs_sessions_session_new(session);
}

void exports_example_logs_sessions_session_destructor(
    exports_example_logs_sessions_session_t *session) {
  delete session;
}

void exports_example_logs_sessions_method_session_settings(
    exports_example_logs_sessions_session_t *session, logs_options_t *ret) {
  *ret = session->reader.options();
}

uint64_t
exports_example_logs_sessions_method_session_feed(exports_example_logs_sessions_session_t *session,
                                                  logs_string_t *text) {
  return session->reader.feed(Given(text));
}

bool exports_example_logs_sessions_method_session_finish(
    exports_example_logs_sessions_session_t *session, logs_summary_t *ret,
    logs_parse_error_t *err) {
  return finish(session->reader, ret, err);
}
