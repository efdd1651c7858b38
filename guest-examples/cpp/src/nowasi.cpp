// When libc++ gives up it writes a message, which would have every component import WASI's files.
// Here it traps at once.

#include <__verbose_abort>

void std::__libcpp_verbose_abort(const char *, ...) noexcept { __builtin_trap(); }
