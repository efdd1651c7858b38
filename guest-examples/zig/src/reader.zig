//! Reads a log in pieces and sums it up.

const std = @import("std");
const logs = @import("logs");
const line = @import("line.zig");
const lower = @import("lower.zig");

const Allocator = std.mem.Allocator;

const Change = union(enum) {
    installed: []const u8,
    upgraded: struct { from: []const u8, to: []const u8 },
    removed: []const u8,
    purged,
};

const Package = struct {
    name: []const u8,
    state: ?line.State = null,
    entries: u32 = 0,
    history: std.ArrayList(struct { time: i64, change: Change }) = .empty,

    /// The most entries first, then by name.
    fn before(_: void, a: *const Package, b: *const Package) bool {
        if (a.entries != b.entries) return a.entries > b.entries;
        return std.mem.lessThan(u8, a.name, b.name);
    }
};

pub const Outcome = union(enum) {
    summary: logs.logs_summary_t,
    err: logs.logs_parse_error_t,
};

pub const Reader = struct {
    options: logs.logs_options_t,
    /// Everything that lives as long as the reader.
    arena: std.heap.ArenaAllocator,
    /// A line that has no end yet.
    partial: std.ArrayList(u8) = .empty,
    lines: u64 = 0,
    entries: u32 = 0,
    unknown: u32 = 0,
    first_bad: ?struct { number: u64, fault: line.Fault, text: []const u8 } = null,
    span: ?struct { first: i64, last: i64 } = null,
    actions: std.EnumArray(line.Action, u32) = .initFill(0),
    packages: std.StringHashMapUnmanaged(*Package) = .empty,
    pauses: std.ArrayList(logs.example_logs_types_pause_t) = .empty,

    pub fn init(options: logs.logs_options_t) Reader {
        return .{ .options = options, .arena = .init(std.heap.c_allocator) };
    }

    pub fn deinit(reader: *Reader) void {
        reader.arena.deinit();
    }

    pub fn feed(reader: *Reader, text: []const u8) !u64 {
        const arena = reader.arena.allocator();
        var rest = text;
        while (std.mem.cutScalar(u8, rest, '\n')) |cut| {
            const end, rest = cut;
            if (reader.partial.items.len == 0) {
                try reader.read(end);
            } else {
                try reader.partial.appendSlice(arena, end);
                try reader.endPartial();
            }
        }
        try reader.partial.appendSlice(arena, rest);
        return reader.lines;
    }

    pub fn finish(reader: *Reader) !Outcome {
        if (reader.partial.items.len > 0) try reader.endPartial();
        if (reader.lines == 0) {
            return .{ .err = .{ .tag = logs.EXAMPLE_LOGS_TYPES_PARSE_ERROR_EMPTY } };
        }
        if (reader.options.strict) if (reader.first_bad) |bad| return .{ .err = .{
            .tag = logs.EXAMPLE_LOGS_TYPES_PARSE_ERROR_LINE,
            .val = .{ .line = .{
                .number = bad.number,
                .fault = switch (bad.fault) {
                    error.Time => logs.EXAMPLE_LOGS_TYPES_FAULT_TIME,
                    error.Verb => logs.EXAMPLE_LOGS_TYPES_FAULT_VERB,
                    error.Fields => logs.EXAMPLE_LOGS_TYPES_FAULT_FIELDS,
                },
                .text = lower.string(bad.text),
            } },
        } };
        const first, const last = if (reader.span) |span| .{ span.first, span.last } else .{ 0, 0 };
        const seconds: f64 = @floatFromInt(last - first);
        var summary: logs.logs_summary_t = .{
            .lines = reader.lines,
            .entries = reader.entries,
            .unknown = reader.unknown,
            .span = .{ .is_some = reader.span != null, .val = .{ .f0 = first, .f1 = last } },
            .per_hour = @as(f64, @floatFromInt(reader.entries)) * 3600 / seconds,
            .packages = reader.packages.count(),
        };
        if (try reader.addBusiest(&summary)) |refusal| {
            logs.logs_summary_free(&summary);
            const tag = logs.EXAMPLE_LOGS_TYPES_PARSE_ERROR_LOOKUP;
            return .{ .err = .{ .tag = tag, .val = .{ .lookup = refusal } } };
        }
        try reader.addActions(&summary);
        summary.pauses = try lower.list(@TypeOf(summary.pauses), reader.pauses.items.len);
        for (reader.pauses.items, 0..) |pause, i| summary.pauses.ptr[i] = pause;
        return .{ .summary = summary };
    }

    fn endPartial(reader: *Reader) !void {
        try reader.read(reader.partial.items);
        reader.partial.clearRetainingCapacity();
    }

    fn read(reader: *Reader, text: []const u8) !void {
        const without_return = std.mem.cutSuffix(u8, text, "\r") orelse text;
        reader.lines += 1;
        if (reader.lines <= reader.options.skip or without_return.len == 0) return;
        const entry = line.parse(without_return) catch |fault| {
            reader.unknown += 1;
            if (reader.first_bad == null) {
                const kept = try reader.keep(without_return);
                reader.first_bad = .{ .number = reader.lines, .fault = fault, .text = kept };
            }
            return;
        };
        const since = reader.options.since;
        if (!since.is_some or entry.time >= since.val) try reader.count(entry);
    }

    fn count(reader: *Reader, entry: line.Entry) !void {
        reader.entries += 1;
        if (reader.span) |*span| {
            const seconds: f64 = @floatFromInt(entry.time - span.last);
            if (seconds > reader.options.quiet) {
                const pause = try reader.pauses.addOne(reader.arena.allocator());
                pause.* = .{ .after = span.last, .seconds = seconds };
            }
            span.last = entry.time;
        } else {
            reader.span = .{ .first = entry.time, .last = entry.time };
        }
        switch (entry.event) {
            .action => |acted| {
                reader.actions.getPtr(acted.action).* += 1;
                const package = try reader.findPackage(acted.package);
                const change = try reader.changeOf(acted) orelse return;
                const history = &package.history;
                try history.append(reader.arena.allocator(), .{ .time = entry.time, .change = change });
            },
            .status => |status| {
                const package = try reader.findPackage(status.package);
                package.state = status.state;
            },
            .other => {},
        }
    }

    fn changeOf(reader: *Reader, acted: line.Acted) Allocator.Error!?Change {
        return switch (acted.action) {
            .install => .{ .installed = try reader.keep(acted.new) },
            .upgrade => .{ .upgraded = .{
                .from = try reader.keep(acted.old),
                .to = try reader.keep(acted.new),
            } },
            .disappear, .remove => .{ .removed = try reader.keep(acted.old) },
            .purge => .purged,
            .configure, .trigproc => null,
        };
    }

    fn findPackage(reader: *Reader, name: []const u8) !*Package {
        const arena = reader.arena.allocator();
        const found = try reader.packages.getOrPut(arena, name);
        if (!found.found_existing) {
            const package = try arena.create(Package);
            package.* = .{ .name = try reader.keep(name) };
            found.key_ptr.* = package.name;
            found.value_ptr.* = package;
        }
        found.value_ptr.*.entries += 1;
        return found.value_ptr.*;
    }

    /// A copy that lives as long as the reader.
    fn keep(reader: *Reader, text: []const u8) Allocator.Error![]const u8 {
        return reader.arena.allocator().dupe(u8, text);
    }

    fn addActions(reader: *const Reader, summary: *logs.logs_summary_t) !void {
        var kinds: usize = 0;
        for (reader.actions.values) |n| kinds += @intFromBool(n > 0);
        summary.actions = try lower.list(@TypeOf(summary.actions), kinds);
        var i: usize = 0;
        for (reader.actions.values, 0..) |n, action| if (n > 0) {
            summary.actions.ptr[i] = .{ .f0 = @intCast(action), .f1 = n };
            i += 1;
        };
    }

    /// Stops at the first package that the host refuses to label, and says why.
    fn addBusiest(
        reader: *const Reader,
        summary: *logs.logs_summary_t,
    ) !?logs.example_logs_types_refusal_t {
        const ranked = try lower.allocator.alloc(*const Package, reader.packages.count());
        defer lower.allocator.free(ranked);
        var packages = reader.packages.valueIterator();
        for (ranked) |*place| place.* = packages.next().?.*;
        std.mem.sort(*const Package, ranked, {}, Package.before);

        const busiest = ranked[0..@min(ranked.len, reader.options.top)];
        summary.busiest = try lower.list(@TypeOf(summary.busiest), busiest.len);
        // So far as it is filled in, lest more be freed after a refusal.
        summary.busiest.len = 0;
        for (busiest) |package| {
            var name = string(package.name);
            var label: logs.logs_option_string_t = .{};
            var refusal: logs.example_logs_types_refusal_t = .{};
            if (!logs.example_logs_lookup_label(&name, &label, &refusal)) {
                if (summary.busiest.len == 0) std.c.free(summary.busiest.ptr);
                return refusal;
            }
            summary.busiest.ptr[summary.busiest.len] = try lowerPackage(package, label);
            summary.busiest.len += 1;
        }
        return null;
    }
};

/// A text that the host only looks at.
fn string(text: []const u8) logs.logs_string_t {
    return .{ .ptr = @constCast(text.ptr), .len = text.len };
}

fn lowerPackage(
    package: *const Package,
    label: logs.logs_option_string_t,
) !logs.example_logs_types_activity_t {
    var lowered: logs.example_logs_types_activity_t = .{
        .name = lower.string(package.name),
        .label = label,
        .entries = package.entries,
    };
    if (package.state) |state| lowered.state = .{ .is_some = true, .val = @backingInt(state) };
    lowered.history = try lower.list(@TypeOf(lowered.history), package.history.items.len);
    for (package.history.items, 0..) |event, i| {
        lowered.history.ptr[i] = .{ .f0 = event.time, .f1 = lowerChange(event.change) };
    }
    return lowered;
}

fn lowerChange(change: Change) logs.example_logs_types_change_t {
    return switch (change) {
        .installed => |version| .{
            .tag = logs.EXAMPLE_LOGS_TYPES_CHANGE_INSTALLED,
            .val = .{ .installed = lower.string(version) },
        },
        .upgraded => |versions| .{
            .tag = logs.EXAMPLE_LOGS_TYPES_CHANGE_UPGRADED,
            .val = .{ .upgraded = .{
                .f0 = lower.string(versions.from),
                .f1 = lower.string(versions.to),
            } },
        },
        .removed => |version| .{
            .tag = logs.EXAMPLE_LOGS_TYPES_CHANGE_REMOVED,
            .val = .{ .removed = lower.string(version) },
        },
        .purged => .{ .tag = logs.EXAMPLE_LOGS_TYPES_CHANGE_PURGED },
    };
}
