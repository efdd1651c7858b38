//! One line of a log.

const std = @import("std");

/// In the order of the world's enum.
pub const Action = enum(u8) { install, upgrade, configure, trigproc, disappear, remove, purge };

/// In the order of the world's enum.
pub const State = enum(u8) {
    @"not-installed",
    @"config-files",
    @"half-installed",
    unpacked,
    @"half-configured",
    @"triggers-awaited",
    @"triggers-pending",
    installed,
};

/// What is wrong with a line.
pub const Fault = error{ Time, Verb, Fields };

/// What a line says, and when.
pub const Entry = struct {
    time: i64,
    event: Event,
};

pub const Event = union(enum) {
    action: Acted,
    status: struct { state: State, package: []const u8 },
    other,
};

pub const Acted = struct {
    action: Action,
    package: []const u8,
    old: []const u8,
    new: []const u8,
};

const Words = std.mem.SplitIterator(u8, .scalar);

pub fn parse(line: []const u8) Fault!Entry {
    var words = std.mem.splitScalar(u8, line, ' ');
    const date = words.first();
    const clock = words.next() orelse return error.Time;
    const time = try parseTime(date, clock);
    const verb = words.next() orelse return error.Verb;
    return .{ .time = time, .event = try parseEvent(verb, &words) };
}

fn parseEvent(verb: []const u8, words: *Words) Fault!Event {
    if (is(verb, "startup")) {
        const what, _ = try exactly(2, words);
        return if (is(what, "archives") or is(what, "packages")) .other else error.Fields;
    }
    if (is(verb, "conffile")) {
        _ = words.next() orelse return error.Fields;
        var last: []const u8 = "";
        while (words.next()) |word| last = word;
        return if (is(last, "install") or is(last, "keep")) .other else error.Fields;
    }
    if (is(verb, "status")) {
        const state, const package, _ = try exactly(3, words);
        return .{ .status = .{
            .state = std.meta.stringToEnum(State, state) orelse return error.Fields,
            .package = try bare(package),
        } };
    }
    const action = std.meta.stringToEnum(Action, verb) orelse return error.Verb;
    const package, const old, const new = try exactly(3, words);
    return .{ .action = .{
        .action = action,
        .package = try bare(package),
        .old = old,
        .new = new,
    } };
}

/// The words that are left, which must be so many.
fn exactly(comptime count: usize, words: *Words) Fault![count][]const u8 {
    var found: [count][]const u8 = undefined;
    for (&found) |*word| word.* = words.next() orelse return error.Fields;
    return if (words.next() == null) found else error.Fields;
}

/// Seconds since 1970. A day beyond its month counts on into the next.
fn parseTime(date: []const u8, clock: []const u8) Fault!i64 {
    if (!hasShape(date, "0000-00-00") or !hasShape(clock, "00:00:00")) return error.Time;
    const year = number(date[0..4]);
    const month = number(date[5..7]);
    const day = number(date[8..10]);
    const hour = number(clock[0..2]);
    const minute = number(clock[3..5]);
    const second = number(clock[6..8]);
    const in_year = month >= 1 and month <= 12 and day >= 1 and day <= 31;
    if (year < 1970 or !in_year or hour > 23 or minute > 59 or second > 59) return error.Time;
    // Years that start in March have their leap day last.
    const y = if (month > 2) year else year - 1;
    const m = if (month > 2) month - 3 else month + 9;
    const leap_days = @divTrunc(y, 4) - @divTrunc(y, 100) + @divTrunc(y, 400);
    const days = 365 * y + leap_days + @divTrunc(153 * m + 2, 5) + day - 719_469;
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

fn number(digits: []const u8) i64 {
    var value: i64 = 0;
    for (digits) |digit| value = value * 10 + (digit - '0');
    return value;
}

/// Whether the text has this shape, in which 0 stands for any digit.
pub fn hasShape(text: []const u8, shape: []const u8) bool {
    if (text.len != shape.len) return false;
    for (text, shape) |c, pattern| {
        if (if (pattern == '0') !std.ascii.isDigit(c) else c != pattern) return false;
    }
    return true;
}

/// The name without the architecture.
fn bare(package: []const u8) Fault![]const u8 {
    const name, _ = std.mem.cutScalar(u8, package, ':') orelse .{ package, "" };
    for (name) |c| {
        if (!std.ascii.isAlphanumeric(c) and std.mem.findScalar(u8, "+.-_", c) == null) {
            return error.Fields;
        }
    }
    return if (name.len > 0) name else error.Fields;
}

fn is(word: []const u8, other: []const u8) bool {
    return std.mem.eql(u8, word, other);
}
