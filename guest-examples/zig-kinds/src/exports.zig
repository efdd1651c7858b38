//! The world `example:kinds/outside` in Zig: asks the host for files, time and the rest.
//!
//! What an export is given and what it returns is the guest's to free: the former here, the latter
//! by the generated code, in C, when the host has read it.

const std = @import("std");
const outside = @import("outside");

const File = std.Io.File;
const String = outside.outside_string_t;
const Strings = outside.outside_list_string_t;

/// A panic traps at once.
pub const panic = std.debug.no_panic;

const allocator = std.heap.c_allocator;
var threaded: std.Io.Threaded = .init_single_threaded;
const io = threaded.io();
const cwd: std.Io.Dir = .cwd();

export fn exports_outside_list_folder(path: *String, ret: *Strings, err: *String) bool {
    defer outside.outside_string_free(path);
    ret.* = listFolder(view(path.*)) catch |reason| return refuse(err, reason);
    return true;
}

export fn exports_outside_read_file(path: *String, ret: *String, err: *String) bool {
    defer outside.outside_string_free(path);
    ret.* = readFile(view(path.*)) catch |reason| return refuse(err, reason);
    return true;
}

export fn exports_outside_variable(name: *String, ret: *String) bool {
    defer outside.outside_string_free(name);
    const variable = forLibc(view(name.*)) catch return false;
    defer allocator.free(variable);
    const value = std.c.getenv(variable) orelse return false;
    ret.* = string(std.mem.span(value));
    return true;
}

export fn exports_outside_now() u64 {
    return @intCast(std.Io.Clock.real.now(io).nanoseconds);
}

export fn exports_outside_random() u32 {
    var bytes: [4]u8 = undefined;
    io.randomSecure(&bytes) catch @panic("the host has random numbers");
    return @bitCast(bytes);
}

export fn exports_outside_say(line: *String) void {
    defer outside.outside_string_free(line);
    // There is nobody to tell that it failed.
    say(view(line.*)) catch {};
}

export fn exports_outside_leave(text: *String, folder: *String, err: *String) bool {
    defer outside.outside_string_free(text);
    defer outside.outside_string_free(folder);
    leave(view(text.*), view(folder.*)) catch |reason| return refuse(err, reason);
    return true;
}

export fn exports_outside_left(ret: *Strings) void {
    ret.* = left() catch @panic("out of memory");
}

fn listFolder(path: []const u8) !Strings {
    const folder = try cwd.openDir(io, path, .{ .iterate = true });
    defer folder.close(io);
    var names: std.ArrayList(String) = .empty;
    errdefer {
        for (names.items) |*name| outside.outside_string_free(name);
        names.deinit(allocator);
    }
    var entries = folder.iterate();
    while (try entries.next(io)) |entry| try names.append(allocator, string(entry.name));
    std.mem.sortUnstable(String, names.items, {}, before);
    return list(&names);
}

fn before(_: void, a: String, b: String) bool {
    return std.mem.lessThan(u8, view(a), view(b));
}

fn readFile(path: []const u8) !String {
    const file = try cwd.openFile(io, path, .{});
    defer file.close(io);
    return readText(file);
}

/// The whole text of a file, from its start.
fn readText(file: File) !String {
    var reader = file.reader(io, &.{});
    const text = reader.interface.allocRemaining(allocator, .unlimited) catch |reason|
        return reader.err orelse reason;
    errdefer allocator.free(text);
    if (!std.unicode.utf8ValidateSlice(text)) return error.InvalidUtf8;
    return .{ .ptr = text.ptr, .len = text.len };
}

fn say(line: []const u8) !void {
    var buffer: [256]u8 = undefined;
    var stdout = File.stdout().writerStreaming(io, &buffer);
    try stdout.interface.print("{s}\n", .{line});
    try stdout.interface.flush();
}

var kept_text: ?[:0]u8 = null;
var kept_file: ?File = null;

/// The standard library only reads the environment.
extern fn setenv(name: [*:0]const u8, value: [*:0]const u8, overwrite: c_int) c_int;

fn leave(text: []const u8, folder: []const u8) !void {
    const copy = try forLibc(text);
    if (kept_text) |old| allocator.free(old);
    kept_text = copy;
    if (setenv("LEFT", copy, 1) != 0) return error.OutOfMemory;
    try File.stdout().writeStreamingAll(io, text);
    const opened = try cwd.openDir(io, folder, .{});
    defer opened.close(io);
    const file = try opened.createFile(io, "left", .{ .read = true });
    if (kept_file) |old| old.close(io);
    kept_file = file;
    try file.writeStreamingAll(io, text);
}

fn left() !Strings {
    var found: std.ArrayList(String) = .empty;
    if (std.c.getenv("LEFT")) |value| try found.append(allocator, string(std.mem.span(value)));
    if (kept_text) |text| try found.append(allocator, string(text));
    if (kept_file) |file| {
        const text = readText(file) catch |reason| string(@errorName(reason));
        try found.append(allocator, text);
    }
    return list(&found);
}

fn view(text: String) []const u8 {
    return if (text.len == 0) "" else text.ptr[0..text.len];
}

/// A text for libc, to which a zero inside would be its end.
fn forLibc(text: []const u8) ![:0]u8 {
    if (std.mem.findScalar(u8, text, 0) != null) return error.ZeroInText;
    return allocator.dupeSentinel(u8, text, 0);
}

fn string(text: []const u8) String {
    var copy: String = .{};
    outside.outside_string_dup_n(&copy, text.ptr, text.len);
    return copy;
}

/// Hands a list over. An empty one has no memory: nobody would free it.
fn list(texts: *std.ArrayList(String)) !Strings {
    const owned = try texts.toOwnedSlice(allocator);
    return .{ .ptr = owned.ptr, .len = owned.len };
}

fn refuse(err: *String, reason: anyerror) bool {
    err.* = string(@errorName(reason));
    return false;
}
