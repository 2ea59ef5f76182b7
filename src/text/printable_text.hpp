// Text of unknown origin (names, targets, labels) made fit for print: valid UTF-8 without control characters.
#pragma once
#include <string>
#include <string_view>

namespace limrisk {

/// What is no UTF-8, and characters that XML 1.0 forbids, become U+FFFD; control characters become spaces. `lines`: newlines and tabs stay.
std::string printable_text(std::string_view text, bool lines = false);

/// At most `length` characters (not bytes) of a printable text, the last one an ellipsis if something is left out.
std::string shortened(const std::string& text, std::size_t length);

}  // namespace limrisk
