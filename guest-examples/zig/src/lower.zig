//! Makes what the host reads. It is C's to free, so it is C's `malloc` that gives the memory.

const std = @import("std");
const logs = @import("logs");

pub const allocator = std.heap.c_allocator;

pub fn view(text: logs.logs_string_t) []const u8 {
    return if (text.len == 0) "" else text.ptr[0..text.len];
}

pub fn string(text: []const u8) logs.logs_string_t {
    var lowered: logs.logs_string_t = .{};
    logs.logs_string_dup_n(&lowered, text.ptr, text.len);
    return lowered;
}

/// Memory for a list. Nobody frees that of an empty one, so there is none.
pub fn list(List: type, length: usize) !List {
    const Element = std.meta.Elem(@FieldType(List, "ptr"));
    if (length == 0) return .{};
    const elements = try allocator.alloc(Element, length);
    return .{ .ptr = elements.ptr, .len = length };
}
