//! The world `example:logs/logs` in Zig: sums up and redacts a log of dpkg.
//!
//! What an export is given and what it returns is the guest's to free: the former here, the latter
//! by the generated code when the host has read it.

const std = @import("std");
const logs = @import("logs");
const lower = @import("lower.zig");
const Reader = @import("reader.zig").Reader;
const redact = @import("redact.zig").redact;

/// A panic traps at once. Its message would need WASI's files.
pub const panic = std.debug.no_panic;

const Session = logs.exports_example_logs_sessions_session_t;

export fn exports_logs_analyze(
    log: *logs.logs_string_t,
    options: *const logs.logs_options_t,
    ret: *logs.logs_summary_t,
    err: *logs.logs_parse_error_t,
) bool {
    defer logs.logs_string_free(log);
    var reader: Reader = .init(options.*);
    defer reader.deinit();
    _ = reader.feed(lower.view(log.*)) catch outOfMemory();
    return finish(&reader, ret, err);
}

export fn exports_logs_redact(
    text: *logs.logs_string_t,
    what: logs.logs_secrets_t,
    mask: u32,
    ret: *logs.logs_redacted_t,
) void {
    defer logs.logs_string_free(text);
    ret.* = redact(lower.view(text.*), what, @intCast(mask)) catch outOfMemory();
}

export fn exports_example_logs_sessions_constructor_session(
    options: *const logs.logs_options_t,
) logs.exports_example_logs_sessions_own_session_t {
    const reader = lower.allocator.create(Reader) catch outOfMemory();
    reader.* = .init(options.*);
    return logs.exports_example_logs_sessions_session_new(@ptrCast(reader));
}

export fn exports_example_logs_sessions_session_destructor(session: *Session) void {
    of(session).deinit();
    lower.allocator.destroy(of(session));
}

export fn exports_example_logs_sessions_method_session_settings(
    session: *Session,
    ret: *logs.logs_options_t,
) void {
    ret.* = of(session).options;
}

export fn exports_example_logs_sessions_method_session_feed(
    session: *Session,
    text: *logs.logs_string_t,
) u64 {
    defer logs.logs_string_free(text);
    return of(session).feed(lower.view(text.*)) catch outOfMemory();
}

export fn exports_example_logs_sessions_method_session_finish(
    session: *Session,
    ret: *logs.logs_summary_t,
    err: *logs.logs_parse_error_t,
) bool {
    return finish(of(session), ret, err);
}

fn of(session: *Session) *Reader {
    return @ptrCast(@alignCast(session));
}

fn finish(reader: *Reader, ret: *logs.logs_summary_t, err: *logs.logs_parse_error_t) bool {
    switch (reader.finish() catch outOfMemory()) {
        .summary => |summary| ret.* = summary,
        .err => |reason| {
            err.* = reason;
            return false;
        },
    }
    return true;
}

fn outOfMemory() noreturn {
    @panic("out of memory");
}
