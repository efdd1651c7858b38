//! Hides what should not leave the house.

const std = @import("std");
const logs = @import("logs");
const line = @import("line.zig");
const lower = @import("lower.zig");

const ascii = std.ascii;
const mem = std.mem;

/// In the order of the world's flags, whose bits they are.
const kinds = [_]*const fn ([]const u8) bool{ isTime, isEmail, isAddress, isVersion, isPackage };

pub fn redact(text: []const u8, what: logs.logs_secrets_t, mask: u21) !logs.logs_redacted_t {
    var letter: [4]u8 = undefined;
    // The host gives no surrogates.
    const letter_len = std.unicode.utf8Encode(mask, &letter) catch unreachable;
    var counts: [kinds.len]u32 = @splat(0);
    var out: std.ArrayList(u8) = .empty;
    defer out.deinit(lower.allocator);

    var rest = text;
    while (rest.len > 0) {
        const gap = rest[0..run(rest, false)];
        const word_run = rest[gap.len..][0..run(rest[gap.len..], true)];
        rest = rest[gap.len + word_run.len ..];
        try out.appendSlice(lower.allocator, gap);
        const word = mem.trimEnd(u8, word_run, ".:-");
        const hidden = if (kindOf(word)) |kind| what >> kind & 1 == 1 else false;
        if (hidden) {
            counts[kindOf(word).?] += 1;
            for (word) |_| try out.appendSlice(lower.allocator, letter[0..letter_len]);
        } else {
            try out.appendSlice(lower.allocator, word);
        }
        try out.appendSlice(lower.allocator, word_run[word.len..]);
    }

    var found: usize = 0;
    for (counts) |n| found += @intFromBool(n > 0);
    var redacted: logs.logs_redacted_t = .{ .text = lower.string(out.items) };
    redacted.counts = try lower.list(@TypeOf(redacted.counts), found);
    var i: usize = 0;
    for (counts, 0..) |n, kind| if (n > 0) {
        redacted.counts.ptr[i] = .{ .f0 = @as(u8, 1) << @intCast(kind), .f1 = n };
        i += 1;
    };
    return redacted;
}

/// How many letters the text begins with that are in a word, or are not.
fn run(text: []const u8, in_word: bool) usize {
    for (text, 0..) |c, i| {
        const is_in = ascii.isAlphanumeric(c) or mem.findScalar(u8, "@.:+~_-", c) != null;
        if (is_in != in_word) return i;
    }
    return text.len;
}

/// The first kind of secret that the word looks like.
fn kindOf(word: []const u8) ?u3 {
    for (kinds, 0..) |isKind, kind| if (isKind(word)) return @intCast(kind);
    return null;
}

fn isTime(word: []const u8) bool {
    return line.hasShape(word, "0000-00-00") or line.hasShape(word, "00:00:00");
}

fn isEmail(word: []const u8) bool {
    const user, const host = mem.cutScalar(u8, word, '@') orelse return false;
    return user.len > 0 and contains(host, ".") and !contains(host, "@");
}

fn isAddress(word: []const u8) bool {
    const host, const port = mem.cutScalar(u8, word, ':') orelse .{ word, "0" };
    if (!isDigits(port, 5)) return false;
    var parts = mem.splitScalar(u8, host, '.');
    var count: usize = 0;
    while (parts.next()) |part| : (count += 1) {
        if (!isDigits(part, 3)) return false;
        _ = std.fmt.parseUnsigned(u8, part, 10) catch return false;
    }
    return count == 4;
}

fn isVersion(word: []const u8) bool {
    return word.len > 0 and ascii.isDigit(word[0]) and contains(word, ".+~-");
}

fn isPackage(word: []const u8) bool {
    const name, const arch = mem.cutScalar(u8, word, ':') orelse return false;
    if (name.len == 0 or arch.len == 0 or contains(arch, ":")) return false;
    return ascii.isAlphanumeric(name[0]) and ascii.isLower(arch[0]);
}

fn isDigits(text: []const u8, most: usize) bool {
    for (text) |c| if (!ascii.isDigit(c)) return false;
    return text.len >= 1 and text.len <= most;
}

/// Whether one of these letters is in the text.
fn contains(text: []const u8, letters: []const u8) bool {
    return mem.findAny(u8, text, letters) != null;
}
