// Hides what should not leave the house.
#pragma once

#include <string_view>

#include "logs.h"

logs_redacted_t redact(std::string_view text, logs_secrets_t what, char32_t mask);
